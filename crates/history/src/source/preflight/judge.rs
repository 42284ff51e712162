//! Answers of the server to findings. Pure.

use super::shortfall::{Omission, Shortfall};
use super::{Finding, Severity, Survey};
use crate::log::SourceTime;
use dbtrail_types::names::TableName;
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
            Omission::Whole => "not captured",
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

fn replication(survey: &Survey, found: &mut Vec<Finding>) {
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

fn retention(survey: &Survey, found: &mut Vec<Finding>) {
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

fn list(names: impl Iterator<Item = impl std::fmt::Display>) -> String {
    let all: Vec<String> = names.map(|n| n.to_string()).collect();
    let shown = all.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > LISTED { format!("{shown} and {} more", all.len() - LISTED) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;
    use crate::source::facts::tests::facts;
    use std::time::Duration;

    const GOOD: [(&str, &str); 9] = [
        ("log_bin", "ON"),
        ("gtid_mode", "ON"),
        ("binlog_format", "ROW"),
        ("binlog_row_image", "FULL"),
        ("binlog_row_metadata", "FULL"),
        ("binlog_row_value_options", ""),
        ("binlog_checksum", "CRC32"),
        ("binlog_expire_logs_seconds", "2592000"),
        ("log_replica_updates", "ON"),
    ];

    fn table(name: &str, lacks: &[(Omission, &str)]) -> Table {
        let shortfall = |(omission, why): &(Omission, &str)| Shortfall {
            omission: *omission,
            reason: (*why).to_owned(),
            fix: "do",
        };
        Table {
            name: TableName { schema: "shop".into(), table: name.into() },
            shortfalls: lacks.iter().map(shortfall).collect(),
        }
    }

    /// A server against which nothing can be said, with these variables instead.
    fn survey(version: &str, other: &[(&str, &str)]) -> Survey {
        let kept = GOOD.iter().filter(|(name, _)| !other.iter().any(|(n, _)| n == name));
        let variables: Vec<_> = kept.chain(other).copied().collect();
        Survey {
            facts: facts(version, &variables),
            account: "cap@10.%".into(),
            server_id: 9,
            encrypted: true,
            local: false,
            may_follow: true,
            may_see_log: true,
            may_see_processes: true,
            closed: vec![],
            tables: vec![table("orders", &[])],
            replicas: vec![8],
            filters: (String::new(), String::new()),
            applies: false,
            time: SourceTime::Local,
            keep: None,
        }
    }

    /// The one finding.
    fn only(survey: &Survey) -> Finding {
        let mut found = findings(survey);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn ok_nothing_to_say() {
        assert_eq!(findings(&survey("9.7.4", &[])), []);
        assert_eq!(findings(&survey("10.11.19-MariaDB", &[])), []);
    }

    #[test]
    fn findings_of_settings() {
        for (variable, value, severity, what, fix) in [
            ("log_bin", "OFF", Severity::Refuse, "the binary log is off", "log_bin = binlog"),
            (
                "binlog_format",
                "MIXED",
                Severity::Refuse,
                "binlog_format is MIXED",
                "SET GLOBAL binlog_format = ROW;",
            ),
            (
                "binlog_row_image",
                "MINIMAL",
                Severity::Refuse,
                "row_image is MINIMAL",
                "SET GLOBAL binlog_row_image = FULL;",
            ),
            (
                "binlog_row_value_options",
                "PARTIAL_JSON",
                Severity::Warn,
                "PARTIAL_JSON",
                "binlog_row_value_options = '';",
            ),
            (
                "binlog_row_metadata",
                "MINIMAL",
                Severity::Note,
                "names no columns",
                "SET GLOBAL binlog_row_metadata = FULL;",
            ),
            (
                "binlog_checksum",
                "NONE",
                Severity::Note,
                "goes unnoticed",
                "SET GLOBAL binlog_checksum = CRC32;",
            ),
            ("gtid_mode", "OFF", Severity::Note, "READ LOCK", "Changing GTID Mode"),
            ("server_id", "0", Severity::Refuse, "server_id is 0", "SET GLOBAL server_id = 1;"),
            ("server_id", "9", Severity::Refuse, "is that of the server itself", "another server_id"),
            ("binlog_expire_logs_seconds", "7200", Severity::Warn, "for 2 hours", "259200"),
        ] {
            let found = only(&survey("8.0.36", &[(variable, value)]));
            assert_eq!(found.severity, severity, "{variable}");
            assert!(found.what.contains(what) && found.fix.contains(fix), "{found:?}");
        }
    }

    #[test]
    fn findings_of_privileges_name_the_grant() {
        for (version, gtid_mode, grant) in [
            ("8.0.36", "ON", "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cap'@'10.%';"),
            (
                "5.7.44",
                "ON",
                "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT, PROCESS ON *.* TO 'cap'@'10.%';",
            ),
            (
                "10.11.19-MariaDB",
                "",
                "GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR, PROCESS ON *.* TO 'cap'@'10.%';",
            ),
            (
                "10.4.2-MariaDB",
                "",
                "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT, PROCESS ON *.* TO 'cap'@'10.%';",
            ),
        ] {
            let found = only(&Survey { may_follow: false, ..survey(version, &[("gtid_mode", gtid_mode)]) });
            assert_eq!((found.severity, found.fix.as_str()), (Severity::Refuse, grant));
        }
        let off = Survey { may_see_log: false, ..survey("8.0.36", &[("gtid_mode", "OFF")]) };
        assert!(findings(&off).iter().any(|f| f.fix.contains("REPLICATION CLIENT, RELOAD ON")));
        let blind = |version| Survey { may_see_processes: false, ..survey(version, &[]) };
        assert_eq!(findings(&blind("8.0.36")), [], "commits have stamps of their own there");
        assert!(only(&blind("10.11.19-MariaDB")).what.contains("(PROCESS)"));
        let name = |i| TableName { schema: "hr".into(), table: format!("t{i}") };
        let closed = only(&Survey { closed: (0..12).map(name).collect(), ..survey("8.0.36", &[]) });
        assert!(closed.what.ends_with(
            "(SELECT): hr.t0, hr.t1, hr.t2, hr.t3, hr.t4, hr.t5, hr.t6, hr.t7, hr.t8, hr.t9 and 2 more"
        ));
    }

    #[test]
    fn findings_of_tables_and_surroundings() {
        let base = || survey("8.0.36", &[]);
        for (survey, severity, what) in [
            (Survey { tables: vec![], ..base() }, Severity::Warn, "no table fits"),
            (
                Survey {
                    tables: vec![
                        table("a", &[(Omission::Whole, "it has no key")]),
                        table("b", &[]),
                        table("c", &[(Omission::Whole, "it has no key")]),
                    ],
                    ..base()
                },
                Severity::Warn,
                "not captured: shop.a, shop.c: it has no key",
            ),
            (
                Survey { tables: vec![table("a", &[(Omission::Part, "it forgets")])], ..base() },
                Severity::Warn,
                "captured only in part: shop.a: it forgets",
            ),
            (Survey { replicas: vec![8, 9], ..base() }, Severity::Warn, "throw each other out"),
            (
                Survey { filters: ("shop".into(), String::new()), ..base() },
                Severity::Warn,
                "all but shop (binlog_do_db)",
            ),
            (
                Survey { filters: (String::new(), "hr".into()), ..base() },
                Severity::Warn,
                " hr (binlog_ignore_db)",
            ),
            (Survey { encrypted: false, ..base() }, Severity::Note, "unencrypted"),
            (
                Survey { keep: Some(Duration::from_secs(90 * 86_400)), ..base() },
                Severity::Note,
                "for 30 days",
            ),
            (
                Survey { applies: true, ..survey("8.0.36", &[("log_replica_updates", "OFF")]) },
                Severity::Refuse,
                "does not log what it applies",
            ),
            (
                Survey { applies: true, ..survey("10.11.1-MariaDB", &[("log_slave_updates", "ON")]) },
                Severity::Warn,
                "has the times of its source",
            ),
            (
                Survey { applies: true, ..survey("9.7.4", &[("log_replica_updates", "ON")]) },
                Severity::Warn,
                "AS OF means what could be seen on it",
            ),
            (
                Survey {
                    applies: true,
                    time: SourceTime::Original,
                    ..survey("9.7.4", &[("log_replica_updates", "ON")])
                },
                Severity::Warn,
                "AS OF means the time at its source",
            ),
        ] {
            let found = only(&survey);
            assert_eq!(found.severity, severity);
            assert!(found.what.contains(what), "{found:?}");
        }
        assert_eq!(findings(&Survey { encrypted: false, local: true, ..base() }), []);
        assert_eq!(findings(&Survey { keep: Some(Duration::from_secs(86_400)), ..base() }), []);
    }
}
