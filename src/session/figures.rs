//! SHOW STATUS: what `/metrics` tells, of the connections of the user alone.

use super::Session;
use crate::telemetry::figures::{self, Figures};
use crate::telemetry::metrics::{Code, LIMITS, metrics};
use std::collections::BTreeMap;

/// Outcomes of requests to agents.
const AGENT: [&str; 4] = ["answered", "refused", "failed", "unreachable"];

/// Classes of statements that MySQL counts as SELECT.
const SELECTS: [&str; 6] = ["_flashback", "_diff", "_snapshot", "_undo", "_history", "select"];

/// MySQL's names for the other classes that it counts.
const COMMANDS: [(&str, &str); 15] = [
    ("begin", "Com_begin"),
    ("commit", "Com_commit"),
    ("deallocate", "Com_dealloc_sql"),
    ("do", "Com_do"),
    ("execute", "Com_stmt_execute"),
    ("explain", "Com_explain_other"),
    ("fetch", "Com_stmt_fetch"),
    ("kill", "Com_kill"),
    ("prepare", "Com_stmt_prepare"),
    ("reset", "Com_stmt_reset"),
    ("rollback", "Com_rollback"),
    ("savepoint", "Com_savepoint"),
    ("set", "Com_set_option"),
    ("unlock", "Com_unlock_tables"),
    ("use", "Com_change_db"),
];

/// Where SHOW STATUS tells what a metric does (without `dbtrail_shim_` in front), or why it does
/// not.
pub const STATUS_OF_METRICS: [(&str, Result<&[&str], &str>); 18] = [
    ("build", Err("SHOW VARIABLES LIKE 'version'")),
    ("connections_opened", Ok(&["Connections"])),
    ("connections", Ok(&["Threads_connected"])),
    ("logins", Ok(&["Aborted_connects", "Connections"])),
    (
        "statements",
        Ok(&[
            "Questions",
            "Com_select",
            "Com_set_option",
            "Dbtrail_statements_failed",
            "Dbtrail_statements_cancelled",
        ]),
    ),
    ("rows", Ok(&["Dbtrail_rows_sent"])),
    ("agent_requests", Ok(&["Dbtrail_agent_requests_answered", "Dbtrail_agent_requests_unreachable"])),
    ("limits_reached", Ok(&["Dbtrail_limits_max_rows", "Dbtrail_limits_compute"])),
    ("reloads", Ok(&["Dbtrail_reloads_taken", "Dbtrail_reloads_refused"])),
    ("reload_good", Ok(&["Dbtrail_reload_good"])),
    ("audit_records", Err("counts what other users asked")),
    ("audit_failures", Err("counts what other users asked")),
    ("audit_writable", Ok(&["Dbtrail_audit_writable"])),
    ("statement_duration_seconds", Err("a histogram")),
    ("first_row_duration_seconds", Err("a histogram")),
    ("agent_request_duration_seconds", Err("a histogram")),
    ("row_bytes", Ok(&["Dbtrail_row_bytes_sent"])),
    ("reload_timestamp_seconds", Ok(&["Dbtrail_reload_timestamp"])),
];

/// How many statements of a class there were, whatever became of them.
fn of_class(figures: &Figures, wanted: impl Fn(&str) -> bool) -> u64 {
    figures.statements.iter().filter(|((class, _), _)| wanted(class)).map(|(_, count)| count).sum()
}

fn of_code(figures: &Figures, wanted: impl Fn(Code) -> bool) -> u64 {
    figures.statements.iter().filter(|((_, code), _)| wanted(*code)).map(|(_, count)| count).sum()
}

impl Session {
    /// Names and values, in the order of the names.
    pub(super) fn status_variables(&self) -> BTreeMap<String, String> {
        let user = &self.identity.user;
        let (open, uptime) = self.connections.figures(user);
        let running = self.connections.processes(user).iter().filter(|p| p.command != "Sleep").count();
        let link = &self.identity.link;
        let (cipher, version) = link.cipher.as_ref().map_or(("", ""), |c| (c.name.as_str(), c.version));
        let figures = figures::of(user);
        // With this one.
        let questions = figures.questions() + 1;
        let state = metrics().state();
        let mut all = BTreeMap::new();
        let mut text = |name: &str, value: &str| all.insert(name.to_owned(), value.to_owned());
        text("Compression", if link.compression.is_some() { "ON" } else { "OFF" });
        text("Compression_algorithm", link.compression.unwrap_or_default());
        text("Ssl_cipher", cipher);
        text("Ssl_version", version);
        text("Dbtrail_reload_good", if state.reload_good { "ON" } else { "OFF" });
        text("Dbtrail_audit_writable", if state.audit_writable { "ON" } else { "OFF" });
        let mut number = |name: &str, value: u64| all.insert(name.to_owned(), value.to_string());
        number("Aborted_connects", figures.refused);
        number("Com_select", of_class(&figures, |class| SELECTS.contains(&class)));
        for (class, name) in COMMANDS {
            number(name, of_class(&figures, |c| c == class));
        }
        number("Connections", figures.logins + figures.refused);
        // MySQL counts in Questions what clients sent, and in Queries what ran: the same here.
        number("Queries", questions);
        number("Questions", questions);
        number("Threads_connected", open);
        number("Threads_running", running as u64);
        number("Uptime", uptime);
        number("Uptime_since_flush_status", uptime);
        number("Dbtrail_rows_sent", figures.rows);
        number("Dbtrail_row_bytes_sent", figures.bytes);
        number("Dbtrail_statements_failed", of_code(&figures, |c| matches!(c, Code::Ended(n) if n > 0)));
        number("Dbtrail_statements_cancelled", of_code(&figures, |c| c == Code::Cancelled));
        for class in SELECTS {
            let name = format!("Dbtrail_statements_{}", class.trim_start_matches('_'));
            number(&name, of_class(&figures, |c| c == class));
        }
        for ((_, code), count) in &figures.statements {
            if let Code::Ended(code @ 1..) = code {
                let count = of_code(&figures, |c| c == Code::Ended(*code)).max(*count);
                number(&format!("Dbtrail_errors_{code}"), count);
            }
        }
        let by = |counts: &std::collections::HashMap<&'static str, u64>, name| counts.get(name).copied();
        for outcome in AGENT {
            let count = by(&figures.agent_requests, outcome).unwrap_or_default();
            number(&format!("Dbtrail_agent_requests_{outcome}"), count);
        }
        for name in LIMITS {
            number(&format!("Dbtrail_limits_{name}"), by(&figures.limits, name).unwrap_or_default());
        }
        number("Dbtrail_reloads_taken", state.reloads_taken);
        number("Dbtrail_reloads_refused", state.reloads_refused);
        number("Dbtrail_reload_timestamp", state.reloaded_at);
        all
    }
}
