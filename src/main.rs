//! The process shell: see `dbtrail_shim::cli`.

/// A statement makes some hundred short-lived allocations on whatever thread it runs; this
/// allocator has lists of its own for each thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    dbtrail_shim::cli::main()
}
