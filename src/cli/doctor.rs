//! `doctor`: every link from a client to the history, each with OK, WARN or FAIL and what fixes it.

mod admin_rows;
mod agent;
mod proxysql;
mod report;
mod rules;
mod shim;

use super::proxysql_config::Layout;
use super::serve::{BAD_CONFIG, fail};
use crate::config::{self, Config};
use clap::Args;
use dbtrail_types::secret::Secret;
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// shim.yaml
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where the shim listens, as seen from here; default: `listen` of the configuration.
    #[arg(long, value_name = "HOST:PORT", value_parser = super::proxysql_config::host_port)]
    address: Option<(String, u16)>,
    /// The admin port of ProxySQL, mysql://user:password@host:6032: check ProxySQL too. Better
    /// given in the environment, where other users of this machine do not see the password.
    #[arg(long, value_name = "URL", env = "DBTRAIL_PROXYSQL_ADMIN", hide_env_values = true)]
    proxysql_admin: Option<String>,
    /// Look deeper into the agent: ask for the definition of every table, and tell those that
    /// cannot be read.
    #[arg(long)]
    agent: bool,
    /// How old the newest recorded change of a tenant's schemas may be, in seconds, before it is a
    /// warning.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    max_lag: u32,
    /// One JSON document instead of lines.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    layout: Layout,
}

/// Checks everything that the arguments name.
pub async fn run(args: &DoctorArgs) -> ExitCode {
    if let Some(mistake) = args.layout.mistake() {
        return fail(&mistake);
    }
    let mut report = Report::new(args.json);
    let config = match config::load(&args.config) {
        Ok(config) => config,
        Err(mistakes) => {
            let fix = format!(
                "edit {}; dbtrail-shim check --config {0} says when it is right",
                args.config.display()
            );
            for mistake in mistakes {
                report.fail("config", mistake, fix.clone());
            }
            report.end();
            return ExitCode::from(BAD_CONFIG);
        }
    };
    report.hide(tokens(&config));
    for warning in &config.warnings {
        let command =
            warning.rsplit_once(": ").map(|(_, last)| last).filter(|last| last.starts_with("chmod "));
        let fix = command.map_or_else(|| format!("edit {}", args.config.display()), str::to_owned);
        report.warn("config", warning, fix);
    }
    report.ok(
        "config",
        format!("{} is good, {} tenants", args.config.display(), config.server.shared.tenants.len()),
    );
    report.flush();
    shim::check(&mut report, args, &config).await;
    agent::check(&mut report, args, &config).await;
    if let Some(url) = &args.proxysql_admin {
        proxysql::check(&mut report, url, args, &config).await;
    }
    report.end();
    if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The tokens: an agent might repeat one in what it says. Nobody else is given a secret whose words
/// come up here.
fn tokens(config: &Config) -> Vec<Secret> {
    config.server.shared.tenants.values().filter_map(|tenant| tenant.caller.token.clone()).collect()
}
