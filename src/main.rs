//! The process shell: see `dbtrail_shim::cli`.

fn main() {}
