//! The command line: one small file a subcommand.

pub mod agent;
pub mod demo;
pub mod doctor;
pub mod dump;
mod embedded;
mod files;
mod http;
mod page;
mod paper;
mod private_file;
pub mod proxysql_config;
mod reload;
pub mod serve;
mod supervisor;
pub mod undo;
pub mod up;
pub mod verify;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Time travel for every MySQL client.
#[derive(Debug, Parser)]
#[command(name = "dbtrail-shim", version = paper::VERSION, about)]
pub struct Cli {
    /// Run the shim with this file (the same as `serve --config`).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What a subcommand with a configuration takes.
#[derive(Debug, Args)]
pub struct WithConfig {
    /// shim.yaml
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the shim.
    Serve(WithConfig),
    /// Say everything that is wrong with a configuration; exit code 78 if anything is.
    Check(WithConfig),
    /// Capture the history of a running server (or read log files) and serve the agent API over it.
    Agent(Box<agent::AgentArgs>),
    /// Capture the history of a running server, and ask for it with any MySQL client: an agent and
    /// a shim in one process.
    Up(up::UpArgs),
    /// An agent on a bundled recording and a shim in front of it, in one process.
    Demo(demo::DemoArgs),
    /// Write a table as it was at an instant: SQL, CSV or JSON lines.
    Dump(dump::DumpArgs),
    /// Write SQL that takes back what a window or a transaction did to rows; it runs nothing.
    Undo(undo::UndoArgs),
    /// Compare every row of the server with the history, at the same position of the log; exit
    /// code 1 if one differs.
    Verify(verify::VerifyArgs),
    /// Write the SQL that makes ProxySQL send time-travel statements to this shim.
    ProxysqlConfig(proxysql_config::ConfigArgs),
    /// Check every link from the client to the history; exit code 1 if one is broken, 78 for a bad
    /// configuration.
    Doctor(doctor::DoctorArgs),
    /// Print the manual page.
    Man,
    /// Print what a shell needs to complete this command line.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// How long tasks that were told to end have, once the subcommand has ended.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return serve::fail(&format!("the asynchronous runtime cannot start: {error}")),
    };
    let code = runtime.block_on(async {
        match (cli.command, cli.config) {
            (Some(Command::Serve(with)), _) => serve::run(&with.config).await,
            (None, Some(config)) => serve::run(&config).await,
            (Some(Command::Check(with)), _) => serve::check(&with.config),
            (Some(Command::Agent(args)), _) => agent::run(&args).await,
            (Some(Command::Up(args)), _) => up::run(args).await,
            (Some(Command::Demo(args)), _) => demo::run(args).await,
            (Some(Command::Undo(args)), _) => undo::run(&args).await,
            (Some(Command::Dump(args)), _) => dump::run(&args).await,
            (Some(Command::Verify(args)), _) => verify::run(&args).await,
            (Some(Command::ProxysqlConfig(args)), _) => proxysql_config::run(&args),
            (Some(Command::Doctor(args)), _) => doctor::run(&args).await,
            (Some(Command::Man), _) => paper::manual(),
            (Some(Command::Completions { shell }), _) => paper::completions(shell),
            (None, None) => serve::fail("--config FILE or a subcommand is needed; see --help"),
        }
    });
    // What still computes without a pause is not waited for: whoever stopped the program is.
    runtime.shutdown_timeout(LAST_WAIT);
    crate::telemetry::traces::finish();
    code
}
