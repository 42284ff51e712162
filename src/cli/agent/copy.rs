//! `agent copy`: a history from a folder or a bucket into another one, read again and compared.

use super::local;
use super::values::size;
use crate::cli::serve::fail;
use clap::Args;
use dbtrail_history::backup::{self, Copied};
use dbtrail_history::engine::Location;
use std::io::Write;
use std::process::ExitCode;

/// Arguments of `agent copy`.
#[derive(Clone, Debug, Args)]
pub struct CopyArgs {
    /// What is copied: a data folder on which no agent runs, or a bucket (s3://BUCKET/PREFIX), also
    /// while an agent captures into it.
    #[arg(long, value_name = "DIR|URL", value_parser = Location::parse)]
    from: Location,
    /// Where to: a folder that is not there, or a bucket below whose prefix there is nothing.
    #[arg(long, value_name = "DIR|URL", value_parser = Location::parse)]
    to: Location,
}

/// Copies, and says what was copied.
pub(super) async fn run(args: &CopyArgs) -> ExitCode {
    let CopyArgs { from, to } = args.clone();
    if from.bucket.is_none()
        && let Ok(Some(found)) = local::address(&from.folder)
        && tokio::net::TcpStream::connect(found.address).await.is_ok()
    {
        return fail(&backup::BackupError::InUse(from.to_string()).to_string());
    }
    let copied = tokio::task::spawn_blocking(move || backup::copy(&from, &to, &|| false)).await;
    let Copied { pairs, bytes, digest } = match copied {
        Ok(Ok(copied)) => copied,
        Ok(Err(error)) => return fail(&error.to_string()),
        Err(error) => return fail(&error.to_string()),
    };
    let line = format!("{}: {pairs} pairs, {}, XXH3 {digest:016x}\n", args.to, size(bytes));
    match std::io::stdout().write_all(line.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(&format!("standard output: {e}")),
    }
}
