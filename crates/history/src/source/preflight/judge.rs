//! Answers of the server to findings. Pure.

use super::shortfall::{Omission, Shortfall};
use super::{Finding, Severity, Survey};
use dbtrail_types::names::TableName;
use replication::{replication, retention};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Names listed of many.
const LISTED: usize = 10;
/// A log kept for less than this is gone after a bad night.
const SHORT: u64 = 6 * 3600;

/// Everything worth saying.
pub(super) fn findings(survey: &Survey) -> Vec<Finding> {
    let mut found = Vec::new();
    settings(survey, &mut found);
    privileges(survey, &mut found);
    tables(survey, &mut found);
    surroundings(survey, &mut found);
    found
}

fn add(found: &mut Vec<Finding>, severity: Severity, what: impl Into<String>, fix: impl Into<String>) {
    found.push(Finding { severity, what: what.into(), fix: fix.into() });
}

fn is(value: &str, wanted: &str) -> bool {
    value.eq_ignore_ascii_case(wanted)
}

/// SET GLOBAL for now, and the option file for the next start.
fn set(name: &str, value: &str) -> String {
    format!(
        "SET GLOBAL {name} = {value}; and {name} = {value} under [mysqld] in the option file; sessions that are open keep the old value"
    )
}

fn settings(survey: &Survey, found: &mut Vec<Finding>) {
    let facts = &survey.facts;
    if !is(facts.variable("log_bin"), "ON") {
        add(
            found,
            Severity::Refuse,
            "the binary log is off (log_bin): there is nothing to capture from",
            "put log_bin = binlog and server_id = 1 under [mysqld] in the option file, and restart the server",
        );
        return;
    }
    if facts.identity.server_id == 0 {
        let fix = set("server_id", "1");
        add(found, Severity::Refuse, "server_id is 0, with which a server sends its log to nobody", fix);
    }
    let format = facts.variable("binlog_format");
    if !is(format, "ROW") {
        let what = format!("binlog_format is {format}: statements are logged, not the rows they changed");
        add(found, Severity::Refuse, what, set("binlog_format", "ROW"));
    }
    let image = facts.variable("binlog_row_image");
    if !is(image, "FULL") && !image.is_empty() {
        let what = format!("binlog_row_image is {image}: columns are missing from the rows in the log");
        add(found, Severity::Refuse, what, set("binlog_row_image", "FULL"));
    }
    if facts.variable("binlog_row_value_options").to_ascii_uppercase().contains("PARTIAL_JSON") {
        add(
            found,
            Severity::Warn,
            "binlog_row_value_options has PARTIAL_JSON: a table whose JSON is changed with JSON_SET and the like cannot be read from there on",
            set("binlog_row_value_options", "''"),
        );
    }
    metadata(survey, found);
    if is(facts.variable("binlog_checksum"), "NONE") {
        add(
            found,
            Severity::Note,
            "binlog_checksum is NONE: an event that is damaged on the disk goes unnoticed",
            set("binlog_checksum", "CRC32"),
        );
    }
    if !facts.gtids() {
        add(
            found,
            Severity::Note,
            "gtid_mode is not ON: the record begins with a FLUSH TABLES WITH READ LOCK of some milliseconds, and cannot go on at another \
             server after a failover",
            "nothing, or switch to GTIDs (manual: \"Changing GTID Mode on Online Servers\")",
        );
    }
}

fn metadata(survey: &Survey, found: &mut Vec<Finding>) {
    let metadata = survey.facts.variable("binlog_row_metadata");
    let lost = "the log names no columns, labels and keys, so definitions come from DDL statements and SHOW CREATE TABLE alone; after a \
                statement that cannot be followed a table is read again, where FULL would let it go on";
    if metadata.is_empty() {
        let what = format!("this server has no binlog_row_metadata: {lost}");
        add(found, Severity::Note, what, "nothing (MySQL 8.0.1 and MariaDB 10.5 have it)");
    } else if !is(metadata, "FULL") {
        let what = format!("binlog_row_metadata is {metadata}: {lost}");
        add(found, Severity::Note, what, set("binlog_row_metadata", "FULL"));
    }
}

/// The statement that gives the account what it needs.
fn grant(survey: &Survey) -> String {
    let facts = &survey.facts;
    let mut privileges = vec!["SELECT", "REPLICATION SLAVE"];
    // The two families part ways in MariaDB 10.5.2.
    privileges.push(if facts.mariadb() && facts.number >= (10, 5, 2) {
        "BINLOG MONITOR"
    } else {
        "REPLICATION CLIENT"
    });
    if !facts.commit_stamps() {
        privileges.push("PROCESS");
    }
    if !facts.gtids() {
        privileges.push("RELOAD");
    }
    let (user, host) = survey.account.rsplit_once('@').unwrap_or((survey.account.as_str(), "%"));
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    format!("GRANT {} ON *.* TO {}@{};", privileges.join(", "), quoted(user), quoted(host))
}

fn privileges(survey: &Survey, found: &mut Vec<Finding>) {
    let mut missing = |what: &str, severity| {
        add(found, severity, format!("the account {} {what}", survey.account), grant(survey));
    };
    if !survey.may_follow {
        missing("may not follow the log (REPLICATION SLAVE)", Severity::Refuse);
    }
    if !survey.may_see_log {
        missing(
            "may not ask where the log ends (REPLICATION CLIENT, in MariaDB BINLOG MONITOR)",
            Severity::Refuse,
        );
    }
    if !survey.may_see_processes && !survey.facts.commit_stamps() {
        missing(
            "may not see the statements that run (PROCESS): this server stamps a commit with the second in which its statement began, so that \
             up to when the log is complete is known only with the oldest running statement in sight",
            Severity::Refuse,
        );
    }
    if !survey.closed.is_empty() {
        let names = list(survey.closed.iter());
        missing(&format!("may not read tables that are to be captured (SELECT): {names}"), Severity::Refuse);
    }
}

fn tables(survey: &Survey, found: &mut Vec<Finding>) {
    if survey.tables.is_empty() {
        add(
            found,
            Severity::Warn,
            format!(
                "no table fits the patterns among those that {} can see; tables made later will be captured",
                survey.account
            ),
            format!(
                "look at the include and exclude patterns, or give the account what it needs: {}",
                grant(survey)
            ),
        );
    }
    // Tables of one reason are together, and each is named: a table that nobody heard of
    // looks captured.
    let mut by_reason: BTreeMap<&Shortfall, Vec<&TableName>> = BTreeMap::new();
    for table in &survey.tables {
        for shortfall in &table.shortfalls {
            by_reason.entry(shortfall).or_default().push(&table.name);
        }
    }
    for (Shortfall { omission, reason, fix }, names) in by_reason {
        let omission = match omission {
            Omission::Table => "not captured",
            Omission::Part => "captured only in part",
        };
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        add(found, Severity::Warn, format!("{omission}: {}: {reason}", names.join(", ")), *fix);
    }
}

fn surroundings(survey: &Survey, found: &mut Vec<Finding>) {
    let facts = &survey.facts;
    if survey.server_id == facts.identity.server_id {
        add(
            found,
            Severity::Refuse,
            format!("the agent's server_id {} is that of the server itself", survey.server_id),
            "give the agent another server_id, or leave it out",
        );
    } else if survey.replicas.contains(&survey.server_id) {
        add(
            found,
            Severity::Warn,
            format!(
                "a replica with the agent's server_id {} is connected: the two would throw each other out",
                survey.server_id
            ),
            "give the agent another server_id, or leave it out; a former run of the agent disappears by itself",
        );
    }
    let (only, never) = &survey.filters;
    if !only.is_empty() || !never.is_empty() {
        let mut what = "the server leaves databases out of its log:".to_owned();
        if !only.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(what, " all but {only} (binlog_do_db)");
        }
        if !never.is_empty() {
            let _ = write!(what, " {never} (binlog_ignore_db)");
        }
        what.push_str("; what happens there is not captured, and looks as if nothing happened");
        add(
            found,
            Severity::Warn,
            what,
            "take these options out, or leave the databases out with an exclude pattern",
        );
    }
    replication(survey, found);
    retention(survey, found);
    if !survey.encrypted && !survey.local {
        add(
            found,
            Severity::Note,
            "rows travel unencrypted from the server to the agent",
            "add ?ssl-mode=verify-identity&ssl-ca=FILE to the address of the source",
        );
    }
}

fn list(names: impl Iterator<Item = impl std::fmt::Display>) -> String {
    let all: Vec<String> = names.map(|n| n.to_string()).collect();
    let shown = all.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > LISTED { format!("{shown} and {} more", all.len() - LISTED) } else { shown }
}

mod replication;
#[cfg(test)]
mod tests;
