use super::super::Table;
use super::*;
use crate::log::SourceTime;
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
        ("binlog_checksum", "NONE", Severity::Note, "goes unnoticed", "SET GLOBAL binlog_checksum = CRC32;"),
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
                    table("a", &[(Omission::Table, "it has no key")]),
                    table("b", &[]),
                    table("c", &[(Omission::Table, "it has no key")]),
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
        (Survey { keep: Some(Duration::from_secs(90 * 86_400)), ..base() }, Severity::Note, "for 30 days"),
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
