//! The arguments of `verify`.

use clap::Args;
use std::path::PathBuf;

/// Arguments of `verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// The address of the agent: https://host:8600 (of `up`: that of its page,
    /// http://127.0.0.1:3309).
    #[arg(long, value_name = "URL")]
    pub(super) agent: String,
    /// File with a token of that agent; the first one in it is used. Of `up`: app.password in its
    /// data folder.
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// PEM file of the authorities to trust for that agent; default: those of the platform.
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// The server whose history is meant, where the agent has several.
    #[arg(long, value_name = "ID")]
    pub(super) server_id: Option<String>,
    /// The server whose history it is: mysql://user@host:port. It is only read. The password may be
    /// in DBTRAIL_SOURCE_PASSWORD or in a file.
    #[arg(long, value_name = "URL")]
    pub(super) source: String,
    /// File with the password of the source.
    #[arg(long, value_name = "FILE")]
    pub(super) source_password_file: Option<PathBuf>,
    /// A table, schema.table; may be given several times. Default: every table of the history.
    #[arg(long, value_name = "SCHEMA.TABLE")]
    pub(super) table: Vec<String>,
    /// Compare each version with the one before it too, from this instant on (UTC, such as '2
    /// days ago').
    #[arg(long, value_name = "INSTANT")]
    pub(super) since: Option<String>,
    /// Rows that are read at a time.
    #[arg(long, value_name = "ROWS", default_value = "5000", value_parser = clap::value_parser!(u32).range(1..=500_000))]
    pub(super) piece: u32,
    /// Rows a second at most; default: as many as come.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) rate: Option<u32>,
    /// A file that keeps how far it has come: the next run goes on from there, and knows when each
    /// table was true last.
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,
    /// Only tell: put no table in doubt.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// One JSON object on standard output instead of lines.
    #[arg(long)]
    pub(super) json: bool,
}
