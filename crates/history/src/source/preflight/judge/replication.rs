//! How the server replicates, and how long it keeps its log.

use super::super::{Finding, Severity, Survey};
use super::{SHORT, add, is, set};
use crate::log::SourceTime;

pub(super) fn replication(survey: &Survey, found: &mut Vec<Finding>) {
    let facts = &survey.facts;
    if !survey.applies {
        return;
    }
    let updates = [facts.variable("log_replica_updates"), facts.variable("log_slave_updates")];
    if !updates.iter().any(|v| is(v, "ON")) {
        add(
            found,
            Severity::Refuse,
            "the server is a replica and does not log what it applies (log_slave_updates): that would not be captured",
            "put log_slave_updates = ON (MySQL 8.0.26 and newer: log_replica_updates) under [mysqld] in the option file and restart, or capture from its source",
        );
        return;
    }
    let what = if facts.commit_stamps() {
        match survey.time {
            SourceTime::Local => {
                "the server is a replica: AS OF means what could be seen on it, which is later than at its source by as much as it lags (source_time: local)"
            }
            SourceTime::Original => {
                "the server is a replica: AS OF means the time at its source (source_time: original), and the newest instant is that of the last transaction \
                 that was applied"
            }
        }
    } else {
        "the server is a replica (or a Galera node), whose log has the times of its source: AS OF means the time at the source, and the newest instant is \
         that of the last transaction that was applied"
    };
    let fix = if survey.time == SourceTime::Local && facts.commit_stamps() {
        "nothing, if that is meant; else source_time: original, or capture from the source itself"
    } else {
        "nothing, if that is meant; else capture from the source itself"
    };
    add(found, Severity::Warn, what, fix);
}

pub(super) fn retention(survey: &Survey, found: &mut Vec<Finding>) {
    let Some(kept) = survey.facts.log_kept() else { return };
    let wanted = survey.keep.map(|k| k.as_secs());
    let name = if survey.facts.variable("binlog_expire_logs_seconds").is_empty() {
        "expire_logs_days"
    } else {
        "binlog_expire_logs_seconds"
    };
    if kept < SHORT {
        add(
            found,
            Severity::Warn,
            format!(
                "the server keeps its log for {} ({name}): if the agent is down for longer, the history has a gap",
                span(kept)
            ),
            set("binlog_expire_logs_seconds", "259200"),
        );
    } else if wanted.is_some_and(|w| kept < w) {
        add(
            found,
            Severity::Note,
            format!(
                "the server keeps its log for {} ({name}), less than the history that is kept here. That is all right: the agent has what it \
                 has read; only if it is down for longer than that, the history has a gap",
                span(kept)
            ),
            "",
        );
    }
}

fn span(seconds: u64) -> String {
    match seconds {
        s if s % 86_400 == 0 => format!("{} days", s / 86_400),
        s if s % 3_600 == 0 => format!("{} hours", s / 3_600),
        s => format!("{s} seconds"),
    }
}
