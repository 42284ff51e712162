//! The agents: reachable, trusted, willing, and how far their record goes.

use super::report::Report;
use super::{DoctorArgs, PATIENCE};
use crate::agent_client::AgentClient;
use crate::config::Config;
use crate::failure::Failure;
use crate::session::Tenant;
use dbtrail_types::names::{RequestId, TableName};
use dbtrail_types::timestamp::Timestamp;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use tokio::time::timeout;

/// Tables asked for one by one with `--agent`, for each schema.
const TABLES: usize = 1000;
/// A difference of the clocks beyond which relative instants mislead, and one beyond which they are
/// wrong; seconds.
const CLOCK: (f64, f64) = (3.0, 60.0);

pub(super) async fn check(report: &mut Report, args: &DoctorArgs, config: &Config) {
    let mut tenants: Vec<&Arc<Tenant>> = config.server.shared.tenants.values().collect();
    tenants.sort_by(|a, b| a.mysql_user.cmp(&b.mysql_user));
    let (mut asked, mut away) = (BTreeSet::new(), BTreeSet::new());
    for agent in tenants.iter().flat_map(|tenant| tenant.agent.agents()) {
        let url = agent.base_url();
        if asked.insert(url) && !reach(report, agent).await {
            away.insert(url);
        }
        report.flush();
    }
    let is_there = |t: &&&Arc<Tenant>| t.agent.agents().any(|agent| !away.contains(agent.base_url()));
    for tenant in tenants.iter().filter(is_there) {
        history(report, args, tenant).await;
        report.flush();
    }
}

/// An answer within the time that is given to it.
async fn patiently<T>(answer: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = || Failure::AgentUnreachable(format!("no answer within {} s", PATIENCE.as_secs()));
    timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err(late()))
}

/// TCP, TLS and the clock of one agent.
async fn reach(report: &mut Report, agent: &AgentClient) -> bool {
    let url = agent.base_url();
    let link = format!("agent {url}");
    let before = Timestamp::now();
    match patiently(agent.clock()).await {
        Ok(clock) => {
            let encrypted = url.starts_with("https://");
            let how = if encrypted { "reached, its certificate is trusted" } else { "reached, without TLS" };
            report.ok(&link, how);
            compare(report, url, clock, before, Timestamp::now());
            true
        }
        Err(failure) => {
            let what = sentence(&failure);
            let fix = if what.contains("expired") {
                "give the agent a new certificate: its --tls-cert and --tls-key"
            } else if what.contains("certificate") {
                "agent_tls.ca_file must hold the authority of the agent's certificate, and agent_url the name in it: \
                 openssl s_client -connect HOST:PORT -showcerts shows both"
            } else {
                "is the agent running there? See agent_url in shim.yaml"
            };
            report.fail(&link, what, fix);
            false
        }
    }
}

fn compare(report: &mut Report, url: &str, clock: Option<Timestamp>, before: Timestamp, after: Timestamp) {
    let link = format!("clock of {url}");
    let Some(clock) = clock else {
        return report.warn(&link, "its answers have no Date", "compare by hand: date -u on both machines");
    };
    let off = difference(clock.micros(), before.micros(), after.micros());
    let what = format!("{off:.0} s away from this machine's");
    let fix = "set both by NTP: timedatectl set-ntp true";
    if off.abs() > CLOCK.1 {
        report.fail(&link, what, fix);
    } else if off.abs() > CLOCK.0 {
        report.warn(&link, what, fix);
    } else {
        report.ok(&link, "it agrees with this machine's");
    }
}

/// By how many seconds a clock is ahead for certain: it named a whole second, at some moment
/// between two others.
fn difference(named: i64, before: i64, after: i64) -> f64 {
    let ahead = if named > after {
        named - after
    } else if named + 1_000_000 < before {
        named + 1_000_000 - before
    } else {
        0
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds for a person")]
    let seconds = ahead as f64 / 1e6;
    seconds
}

/// Token, server_id, schemas and the age of the record of one tenant.
async fn history(report: &mut Report, args: &DoctorArgs, tenant: &Tenant) {
    let link = |what: &str| format!("{what} of {}", tenant.mysql_user);
    let request = RequestId::next(0);
    let schemas = patiently(tenant.agent.schemas(&tenant.caller, &tenant.server_id, &request)).await;
    let known = match schemas {
        Ok(known) => known,
        Err(failure) => return refused(report, tenant, &failure),
    };
    let token = if tenant.caller.token.is_some() { "accepted" } else { "none is sent, none is wanted" };
    report.ok(&link("token"), token);
    report.ok(&link("server_id"), format!("the agent knows '{}'", tenant.server_id.0));
    let wanted: Vec<&String> = match (&tenant.allowed_schemas, &tenant.default_schema) {
        (Some(allowed), _) => allowed.iter().collect(),
        (None, Some(default)) => vec![default],
        (None, None) => known.iter().collect(),
    };
    if wanted.is_empty() {
        let fix = "does the agent read the right binary logs?";
        report.fail(&link("schemas"), "the agent has recorded no table of any schema", fix);
    }
    let mut newest: Option<Timestamp> = None;
    for schema in wanted {
        newest = tables(report, args, tenant, schema, &known).await.max(newest);
    }
    if let Some(newest) = newest {
        lag(report, &link("history"), newest, Timestamp::now(), args.max_lag);
    }
}

/// One schema of a tenant; gives the newest instant that is recorded of it.
async fn tables(
    report: &mut Report,
    args: &DoctorArgs,
    tenant: &Tenant,
    schema: &str,
    known: &[String],
) -> Option<Timestamp> {
    let link = format!("schemas of {}", tenant.mysql_user);
    if !known.iter().any(|k| k == schema) {
        let what = format!("the agent has no record of schema '{schema}', only of {}", list(known));
        let fix = "correct default_schema and allowed_schemas in shim.yaml, or give the agent the logs of that schema";
        if tenant.default_schema.as_deref() == Some(schema) {
            report.fail(&link, what, fix);
        } else {
            report.warn(&link, what, fix);
        }
        return None;
    }
    let request = RequestId::next(0);
    match patiently(tenant.agent.recorded(&tenant.caller, &tenant.server_id, schema, &request)).await {
        Ok(known) => {
            let newest = known.tables.iter().map(|t| t.newest).max();
            let names: Vec<String> =
                known.tables.into_iter().filter(|t| !t.dropped).map(|t| t.table).collect();
            let refused: BTreeSet<&String> = known.refused.iter().map(|t| &t.table).collect();
            let answered = names.iter().filter(|name| !refused.contains(name)).count();
            report.ok(&link, format!("'{schema}' can be read, {answered} tables"));
            for table in &known.refused {
                let what = format!("no row of {schema}.{} is answered: {}", table.table, table.reason);
                let fix = "agent status, and the agent's preflight, name it too; where nothing can change it, leave the table out with \
                            an exclude pattern";
                report.warn(&link, what, fix);
            }
            if args.agent {
                definitions(report, tenant, schema, names).await;
            }
            newest
        }
        Err(failure) => {
            let what = format!("'{schema}': {}", sentence(&failure));
            report.fail(&link, what, "look for the error in the agent's log");
            None
        }
    }
}

/// Why the agent gave no schemas.
fn refused(report: &mut Report, tenant: &Tenant, failure: &Failure) {
    let what = sentence(failure);
    let user = &tenant.mysql_user;
    let (link, fix) = if let Failure::AgentRejected { status: 401 | 403, .. } = failure {
        (
            "token",
            "put the token of the agent's --token-file into agent_token or agent_token_file of this tenant",
        )
    } else if let Failure::AgentRejected { status: 404, .. } = failure {
        ("server_id", "set server_id of this tenant to the agent's --server-id")
    } else {
        ("agent", "look for the error in the agent's log")
    };
    report.fail(&format!("{link} of {user}"), what, fix);
}

fn lag(report: &mut Report, link: &str, newest: Timestamp, now: Timestamp, most: u32) {
    let seconds = (now.micros() - newest.micros()) / 1_000_000;
    let what = format!("the newest record is of {newest}, {seconds} s ago");
    if seconds > i64::from(most) {
        let fix = format!(
            "is the agent still given new log files? A quiet server is no fault: --max-lag {seconds}"
        );
        report.warn(link, what, fix);
    } else {
        report.ok(link, what);
    }
}

/// Asks for each table's columns: a table that the agent cannot read is found before a user finds
/// it.
async fn definitions(report: &mut Report, tenant: &Tenant, schema: &str, tables: Vec<String>) {
    let link = format!("tables of {}", tenant.mysql_user);
    let (all, count, mut unreadable) = (tables.len(), tables.len().min(TABLES), 0);
    for table in tables.into_iter().take(TABLES) {
        let name = TableName { schema: schema.to_owned(), table };
        let request = RequestId::next(0);
        let asked = tenant.agent.newest_definition(&tenant.caller, &tenant.server_id, &name, &request);
        if let Err(failure) = patiently(asked).await {
            unreadable += 1;
            let fix = "the sentence says what the record lacks; other tables are not touched by it";
            report.warn(&link, format!("{name}: {}", sentence(&failure)), fix);
        }
    }
    let rest = if all > count { format!(", {} were not asked for", all - count) } else { String::new() };
    report.ok(&link, format!("{} of {count} in '{schema}' can be read{rest}", count - unreadable));
}

fn list(names: &[String]) -> String {
    let first: Vec<String> = names.iter().take(10).map(|n| format!("'{n}'")).collect();
    let more = if names.len() > first.len() { ", ..." } else { "" };
    if first.is_empty() { "none".to_owned() } else { format!("{}{more}", first.join(", ")) }
}

/// A failure of an agent in one sentence.
fn sentence(failure: &Failure) -> String {
    if let Failure::AgentRejected { status, body, .. } | Failure::AgentFailed { status, body } = failure {
        return format!("HTTP {status}: {body}");
    }
    if let Failure::AgentUnreachable(what) | Failure::AgentNonsense(what) | Failure::Internal(what) = failure
    {
        return what.clone();
    }
    "it failed in a way that no agent can".to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;

    #[test]
    fn ok_only_what_is_certain_counts_as_a_difference_of_clocks() {
        // A Date names the start of its second; the answer took from 5.2 s to 5.4 s.
        for (named, seconds) in [(5, 0.0), (4, -0.2), (6, 0.6), (2, -2.2), (70, 64.6)] {
            let off = difference(named * 1_000_000, 5_200_000, 5_400_000);
            assert!((off - seconds).abs() < 1e-9, "{named}: {off}");
        }
    }

    #[test]
    fn ok_levels_of_clock_and_lag() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        for (clock, level) in
            [(1000, Level::Ok), (1010, Level::Warn), (900, Level::Fail), (1100, Level::Fail)]
        {
            let mut report = Report::new(false);
            compare(&mut report, "https://a", Some(at(clock)), at(1000), at(1000));
            assert_eq!(report.findings()[0].level, level, "{clock}");
        }
        for (newest, level) in [(1000, Level::Ok), (700, Level::Ok), (699, Level::Warn)] {
            let mut report = Report::new(false);
            lag(&mut report, "history", at(newest), at(1000), 300);
            assert_eq!(report.findings()[0].level, level, "{newest}");
        }
    }
}
