//! The process shell: see `dbtrail_shim::cli`.

fn main() -> std::process::ExitCode {
    dbtrail_shim::cli::main()
}
