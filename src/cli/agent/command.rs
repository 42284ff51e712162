//! What `agent` does besides serving.

use super::backup::BackupArgs;
use super::copy::CopyArgs;
use super::status::StatusArgs;
use clap::Subcommand;

/// Subcommands of `agent`.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum AgentCommand {
    /// Ask a running agent for its position, lag, tables, gaps and baseline.
    Status(StatusArgs),
    /// Copy the store into another folder, also while an agent runs on it. The copy is read again
    /// and compared; an agent that is started on it goes on from there.
    Backup(BackupArgs),
    /// Copy a history from a folder or a bucket into another one: moving in or out, a backup of a
    /// bucket, a restore. The copy is read again and compared; an agent that is started on it goes
    /// on from there.
    Copy(CopyArgs),
}
