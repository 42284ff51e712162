//! Definitions of the server that were read before, between and after quick statements.

use super::*;
use crate::capture::{Declared, Defaults, Looked, Start};
use crate::log::LoggedStatement;
use crate::log::{CommittedTransaction, Origin, Stamp};
use crate::names::TableState;

pub(super) const AT: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

pub(super) fn at(offset: u64) -> BinlogPosition {
    BinlogPosition { file: "binlog.000001".into(), offset }
}

pub(super) fn name(table: &str) -> TableName {
    TableName { schema: "s".into(), table: table.into() }
}

/// A record that begins at byte 100 with these tables.
pub(super) fn begun(tables: &[(&str, &str)]) -> Recorder {
    let server = ServerId("x".to_owned());
    let handle = Arc::new(HistoryHandle::live(server.clone(), Timestamp::from_micros(0)));
    let ingest = Ingest::upon(Box::new(TestEngine::default()));
    let mut recorder = Recorder::upon(ingest, server, options(), handle);
    let identity = Identity { mariadb: true, uuid: None, server_id: 1, version: "11.8.3-MariaDB".to_owned() };
    let tables =
        tables.iter().map(|(table, create)| Declared { name: name(table), create: (*create).into() });
    let start = Start {
        position: ResumePosition::new(at(100), String::new(), identity),
        at: AT,
        tables: tables.collect(),
        defaults: Defaults { lower_case_table_names: Some(0), collations: None },
        backlog: None,
    };
    recorder.begin(start).unwrap();
    recorder
}

/// A statement that ends at a byte of the log; its batch is not written yet.
pub(super) fn ddl(recorder: &mut Recorder, end: u64, text: &str) {
    let server = recorder.version();
    let statement = LoggedStatement {
        schema: Some("s".into()),
        sql_mode: Some(0),
        charsets: Some((45, 45, 46)),
        database_collation: Some(46),
        explicit_timestamps: Some(true),
        ..LoggedStatement::plain(text, server, AT)
    };
    let entry = CommittedTransaction {
        gtid: None,
        committed: AT,
        stamp: Stamp::Second,
        position: at(end - 10),
        origin: Origin::default(),
        changes: vec![Change::Statement(statement)].into(),
    };
    recorder.ingest.entry_seen(entry, AT).unwrap();
    recorder.note_touched(&at(end));
    recorder.state.as_mut().unwrap().position.at = at(end);
    recorder.unwritten = true;
}

fn looked(recorder: &mut Recorder, table: &str, since: u64, create: Option<&str>) {
    let create = create.map(str::to_owned);
    recorder.definition(&Looked { name: name(table), create, since: at(since) });
}

fn is_known(recorder: &Recorder, table: &str) -> bool {
    matches!(recorder.ingest.names.current(&name(table)), TableState::Table(..))
}

/// Whether the table is to be looked at again.
fn asked(recorder: &mut Recorder, table: &str) -> bool {
    let commands = std::mem::take(&mut recorder.command_queue);
    commands.iter().any(|c| matches!(c, CaptureCommand::Compare(names) if names.contains(&name(table))))
}

pub(super) const T: &str = "CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_bin";
const TA: &str = "CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  `a` int(11) DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_bin";
const TAB: &str = "CREATE TABLE `t` (\n  `id` int(11) NOT NULL,\n  `a` int(11) DEFAULT NULL,\n  `b` int(11) DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_bin";

#[test]
fn a_definition_from_before_a_statement_is_not_compared_with_what_the_statement_made() {
    let mut r = begun(&[("t", T)]);
    ddl(&mut r, 200, "ALTER TABLE t ADD a INT");
    r.commit().unwrap();
    assert!(asked(&mut r, "t"));
    // Read between the two; the second one's batch is not written when it is compared.
    ddl(&mut r, 300, "ALTER TABLE t ADD b INT");
    looked(&mut r, "t", 200, Some(TA));
    assert!(is_known(&r, "t") && asked(&mut r, "t"));
    // Nor is it when it is.
    r.commit().unwrap();
    looked(&mut r, "t", 200, Some(TA));
    assert!(is_known(&r, "t") && asked(&mut r, "t"));
    // The end of the log was asked for before the second one, the definition after it: it may have
    // been either.
    looked(&mut r, "t", 200, Some(TAB));
    assert!(is_known(&r, "t") && asked(&mut r, "t"));
    looked(&mut r, "t", 300, Some(TAB));
    assert!(is_known(&r, "t") && !asked(&mut r, "t"));
    assert!(r.state.as_ref().unwrap().unverified.is_empty() && r.touched.is_empty());
}

#[test]
fn a_definition_from_after_the_last_statement_counts() {
    let mut r = begun(&[("t", T)]);
    ddl(&mut r, 200, "ALTER TABLE t ADD a INT");
    ddl(&mut r, 300, "ALTER TABLE t ADD b INT");
    looked(&mut r, "t", 300, Some(TA));
    assert!(!is_known(&r, "t"), "the server has no column b: the log was followed wrongly");
}

/// A table that begins again does not begin with columns that a later statement changed.
#[test]
fn a_table_does_not_begin_again_with_an_old_definition() {
    let mut r = begun(&[]);
    ddl(&mut r, 200, "ALTER TABLE t ADD a INT");
    r.commit().unwrap();
    assert!(!is_known(&r, "t"));
    ddl(&mut r, 300, "ALTER TABLE t ADD b INT");
    looked(&mut r, "t", 200, Some(TA));
    assert!(!is_known(&r, "t") && asked(&mut r, "t"));
    looked(&mut r, "t", 300, Some(TAB));
    assert!(is_known(&r, "t"));
}

#[test]
fn a_table_of_a_schema_that_is_dropped_was_there_before() {
    let mut r = begun(&[("t", T)]);
    ddl(&mut r, 200, "ALTER TABLE t ADD a INT");
    r.commit().unwrap();
    ddl(&mut r, 300, "DROP DATABASE s");
    looked(&mut r, "t", 200, Some(TA));
    assert!(asked(&mut r, "t"));
    assert!(matches!(r.ingest.names.current(&name("t")), TableState::Absent));
    looked(&mut r, "t", 300, None);
    assert!(matches!(r.ingest.names.current(&name("t")), TableState::Absent));
}

/// The declaration of a child says what its parent is called.
#[test]
fn the_children_of_a_table_are_looked_at_when_it_is_renamed() {
    let child = |parent: &str, column: &str| {
        format!(
            "CREATE TABLE `c` (\n  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`),\n  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `{parent}` (`{column}`) ON DELETE CASCADE\n) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_bin"
        )
    };
    let mut r = begun(&[("t", T), ("c", &child("t", "id"))]);
    for (end, statement, parent, column) in
        [(200, "RENAME TABLE t TO u", "u", "id"), (300, "ALTER TABLE u CHANGE id k INT NOT NULL", "u", "k")]
    {
        ddl(&mut r, end, statement);
        looked(&mut r, "c", end - 50, Some(&child("t", "id")));
        assert!(is_known(&r, "c"), "{statement}");
        r.commit().unwrap();
        assert!(asked(&mut r, "c"), "{statement}");
        looked(&mut r, "c", end, Some(&child(parent, column)));
        assert!(is_known(&r, "c") && !asked(&mut r, "c"), "{statement}");
    }
}

/// MariaDB shows the new name of the parent before its RENAME is in the log.
#[test]
fn foreign_keys_that_are_ahead_of_the_log_are_looked_at_again() {
    let child = |parent: &str| {
        format!(
            "CREATE TABLE `c` (\n  `id` int(11) NOT NULL,\n  PRIMARY KEY (`id`),\n  CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `{parent}` (`id`) ON DELETE CASCADE\n) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_bin"
        )
    };
    let mut r = begun(&[("t", T), ("c", &child("t"))]);
    looked(&mut r, "c", 100, Some(&child("u")));
    ddl(&mut r, 200, "RENAME TABLE t TO u");
    r.commit().unwrap();
    assert!(is_known(&r, "c") && asked(&mut r, "c"));
    looked(&mut r, "c", 200, Some(&child("u")));
    assert!(is_known(&r, "c") && r.seen_once.is_empty());
    // One that the log never has.
    looked(&mut r, "c", 200, Some(&child("x")));
    looked(&mut r, "c", 200, Some(&child("x")));
    assert!(is_known(&r, "c"), "at once after the first look");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    r.look_again();
    assert!(asked(&mut r, "c"));
    looked(&mut r, "c", 200, Some(&child("x")));
    assert!(!is_known(&r, "c") && r.seen_once.is_empty());
}

/// What is kept until a table was looked at is not kept of tables that are left out, which are not:
/// it is written with every batch, and jobs make and drop tables all the time.
#[test]
fn statements_about_tables_that_are_left_out_are_not_kept_for_a_look() {
    let mut r = begun(&[("t", T)]);
    r.ingest.tables = Some(Patterns::new(&[], &["s.job*".to_owned()]).unwrap());
    for n in 1..4 {
        ddl(&mut r, n * 1000, &format!("CREATE TABLE job{n} (id INT PRIMARY KEY)"));
        ddl(&mut r, n * 1000 + 500, &format!("DROP TABLE job{n}"));
        r.commit().unwrap();
    }
    ddl(&mut r, 5000, "ALTER TABLE t ADD a INT");
    r.commit().unwrap();
    let state = r.state.as_ref().unwrap();
    assert_eq!(state.unverified.keys().collect::<Vec<_>>(), [&name("t")]);
    assert_eq!(r.touched.keys().collect::<Vec<_>>(), [&name("t")]);
    // One of an older program.
    let state = r.state.as_mut().unwrap();
    state.unverified.insert(name("job1"), crate::store::ChangeSequence(1));
    r.renew_lost();
    assert_eq!(r.state.as_ref().unwrap().unverified.keys().collect::<Vec<_>>(), [&name("t")]);
}
