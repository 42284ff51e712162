//! The session on the wire: several statements in a packet, tracked changes, settings and their
//! errors, limits of time.

mod assignments;

use crate::program::{Bare, DEPRECATE_EOF, chain, error};

const MULTI: u32 = 1 << 16 | 1 << 17;
const SESSION_TRACK: u32 = 1 << 23;

/// Packets of an answer without rows that could be taken for an end, up to its last one.
fn ask(client: &mut Bare, sql: &str) -> Vec<Vec<u8>> {
    let mut packets = client.command(format!("\x03{sql}").as_bytes());
    if packets.last().is_some_and(|p| p.first() == Some(&0xfe)) {
        packets.extend(client.up_to_end());
    }
    packets
}

/// Text cells of the one row of an answer.
fn row(client: &mut Bare, sql: &str) -> Vec<Option<String>> {
    let packets = ask(client, sql);
    let columns = usize::from(packets[0][0]);
    assert_eq!(packets.len(), columns + 4, "{sql}: {packets:?}");
    let (mut rest, mut cells) = (packets[columns + 2].as_slice(), Vec::new());
    while let Some((length, following)) = rest.split_first() {
        if *length == 0xfb {
            cells.push(None);
            rest = following;
            continue;
        }
        let (cell, following) = following.split_at(usize::from(*length));
        cells.push(Some(String::from_utf8(cell.to_vec()).expect("UTF-8")));
        rest = following;
    }
    cells
}

fn cell(client: &mut Bare, sql: &str) -> String {
    row(client, sql).remove(0).expect("not NULL")
}

const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];
const OK_AND_MORE: &[u8] = &[0, 0, 0, 10, 0, 0, 0];
const EOF: &[u8] = &[0xfe, 0, 0, 2, 0];
const EOF_AND_MORE: &[u8] = &[0xfe, 0, 0, 10, 0];

#[test]
fn several_statements_have_several_answers() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", MULTI);
    client.send(0, b"\x03DO 1; SELECT ';' ; SET @a = 2; SELECT @a;");
    let packets: Vec<Vec<u8>> = (0..12).map(|_| client.packet()).collect();
    let at = |i: usize| packets[i].as_slice();
    assert_eq!(
        [at(0), at(1), at(3), at(4), at(5)],
        [OK_AND_MORE, b"\x01", EOF_AND_MORE, b"\x01;", EOF_AND_MORE]
    );
    assert_eq!([at(6), at(7), at(9), at(10), at(11)], [OK_AND_MORE, b"\x01", EOF, b"\x012", EOF]);
    // The first that fails is the last that is run.
    let packets = ask(&mut client, "SET @a = 3; SELECT nosuch; SET @a = 4");
    assert_eq!(packets, [OK_AND_MORE]);
    let (code, state, _) = error(&client.packet());
    assert_eq!((code, state.as_str()), (1054, "42S22"));
    assert_eq!(cell(&mut client, "SELECT @a"), "3");
    // A time-travel statement in the middle, and one that is refused.
    let travel = "SELECT id FROM _flashback.orders AS OF '2001-01-01' WHERE id = 1";
    let packets = ask(&mut client, &format!("SET @a = 5; {travel}; SET @a = 6"));
    assert_eq!(packets, [OK_AND_MORE]);
    assert_eq!(error(&client.packet()).0, 1064);
    assert_eq!(cell(&mut client, "SELECT @a"), "5");
    // Nothing but a comment is an answer of its own; white space is none.
    assert_eq!(ask(&mut client, "DO 1; -- done"), [OK_AND_MORE]);
    assert_eq!(client.packet(), OK);
    assert_eq!(ask(&mut client, "DO 1; ;\n"), [OK]);
    assert_eq!(error(&ask(&mut client, " ; ")[0]).0, 1065);
    assert_eq!(ask(&mut client, "DO 1"), [OK]);
    // COM_SET_OPTION: off, and on again.
    assert_eq!(client.command(b"\x1b\x01\0"), [EOF]);
    let (code, _, message) = error(&ask(&mut client, "SELECT 1; SELECT 2")[0]);
    assert_eq!(code, 1064, "{message}");
    assert_eq!(ask(&mut client, "DO 1"), [OK]);
    assert_eq!(client.command(b"\x1b\0\0"), [EOF]);
    assert_eq!(ask(&mut client, "DO 1; DO 2"), [OK_AND_MORE]);
    assert_eq!(client.packet(), OK);
}

#[test]
fn without_the_capability_a_second_statement_is_a_syntax_error() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    assert_eq!(error(&ask(&mut client, "DO 1; DO 2")[0]).0, 1064);
    assert_eq!(ask(&mut client, "DO 1;"), [OK]);
}

/// The bytes are those that MySQL 9.7 sends.
#[test]
fn changes_are_asked_to_clients_that_track_them() {
    let chain = chain("");
    for capabilities in [SESSION_TRACK, SESSION_TRACK | DEPRECATE_EOF] {
        let (mut client, ok) = Bare::login(chain.port, "app", "pass-word", capabilities);
        assert_eq!(ok, OK, "the default schema of the tenant is no change");
        let reported = b"\0\0\0\x02@\0\0\0\x05\x01\x03\x02tt";
        assert_eq!(client.command(b"\x02tt"), [reported]);
        assert_eq!(ask(&mut client, "USE tt"), [reported]);
        for (sql, want) in [
            ("SET autocommit=0", b"\0\0\0\0@\0\0\0\x11\0\x0f\nautocommit\x03OFF".as_slice()),
            ("SET autocommit=1", b"\0\0\0\x02@\0\0\0\x10\0\x0e\nautocommit\x02ON"),
            ("SET time_zone='+02:00', sql_mode=''", b"\0\0\0\x02@\0\0\0\x13\0\x11\ttime_zone\x06+02:00"),
            ("SET @x = 1", OK),
            ("SET session_track_schema = 0", OK),
            ("USE tt", OK),
            ("SET session_track_state_change = 1", b"\0\0\0\x02@\0\0\0\x03\x02\x011"),
            ("SET @x = 1", b"\0\0\0\x02@\0\0\0\x03\x02\x011"),
            ("SET session_track_state_change = 0", OK),
            ("SET session_track_transaction_info = 'CHARACTERISTICS'", OK),
            (
                "START TRANSACTION READ ONLY",
                b"\0\0\0\x03\x60\0\0\0\x2a\x05\t\x08T_______\x04\x1d\x1cSTART TRANSACTION READ ONLY;",
            ),
            ("COMMIT", b"\0\0\0\x02@\0\0\0\x0e\x05\t\x08________\x04\x01\0"),
            ("SET session_track_system_variables = ''", OK),
            ("SET time_zone = '+03:00'", OK),
        ] {
            assert_eq!(ask(&mut client, sql), [want], "{sql}");
        }
    }
    let (mut plain, _) = Bare::login(chain.port, "app", "pass-word", 0);
    assert_eq!(ask(&mut plain, "USE tt"), [OK]);
}

/// Type, length, flags, decimals and collation as MySQL 9.7 declares them; the name and the value
/// besides.
#[test]
fn expressions_are_declared_as_mysqld_declares_them() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    for (sql, name, kind, length, flags, decimals, collation, value) in [
        ("SELECT 1", "1", 8, 2, 129, 0, 63, Some("1")),
        ("SELECT -5", "-5", 8, 2, 129, 0, 63, Some("-5")),
        (
            "SELECT 18446744073709551615",
            "18446744073709551615",
            8,
            20,
            161,
            0,
            63,
            Some("18446744073709551615"),
        ),
        ("SELECT 1.50", "1.50", 246, 5, 129, 2, 63, Some("1.50")),
        ("SELECT 'x' AS y", "y", 253, 4, 1, 31, 255, Some("x")),
        ("SELECT N'x'", "x", 253, 4, 1, 31, 255, Some("x")),
        ("SELECT TRUE", "TRUE", 8, 1, 129, 0, 63, Some("1")),
        ("SELECT 1 + 1", "1 + 1", 8, 3, 129, 0, 63, Some("2")),
        ("SELECT 5 DIV 0", "5 DIV 0", 8, 2, 128, 0, 63, None),
        ("SELECT NULL = 1", "NULL = 1", 8, 1, 128, 0, 63, None),
        ("SELECT 'a' IN ('b','A')", "'a' IN ('b','A')", 8, 1, 129, 0, 63, Some("1")),
        ("SELECT 'ä' = 'a'", "'ä' = 'a'", 8, 1, 129, 0, 63, Some("1")),
        ("SELECT 1 IN (NULL, 2)", "1 IN (NULL, 2)", 8, 1, 128, 0, 63, None),
        ("SELECT DATABASE()", "DATABASE()", 253, 256, 0, 31, 255, Some("tt")),
        ("SELECT LAST_INSERT_ID()", "LAST_INSERT_ID()", 8, 21, 161, 0, 63, Some("0")),
        ("SELECT IF(1, 'a', 'bcd')", "IF(1, 'a', 'bcd')", 253, 12, 1, 31, 255, Some("a")),
        (
            "SELECT COALESCE(NULL, NULL, 'abc')",
            "COALESCE(NULL, NULL, 'abc')",
            253,
            12,
            1,
            31,
            255,
            Some("abc"),
        ),
        ("SELECT CONCAT('a', 1)", "CONCAT('a', 1)", 253, 12, 0, 31, 255, Some("a1")),
        ("SELECT CAST('12' AS UNSIGNED)", "CAST('12' AS UNSIGNED)", 8, 21, 161, 0, 63, Some("12")),
        ("SELECT LENGTH('ab')", "LENGTH('ab')", 8, 11, 129, 0, 63, Some("2")),
        ("SELECT @a := 5", "@a := 5", 8, 2, 129, 0, 63, Some("5")),
        ("SELECT @a", "@a", 8, 21, 128, 0, 63, Some("5")),
        ("SELECT @@sql_auto_is_null", "@@sql_auto_is_null", 8, 1, 128, 0, 63, Some("0")),
        ("SELECT @@SESSION.Autocommit", "@@SESSION.Autocommit", 8, 1, 128, 0, 63, Some("1")),
        ("SELECT @@wait_timeout", "@@wait_timeout", 8, 21, 160, 0, 63, Some("28800")),
        ("SELECT @@long_query_time", "@@long_query_time", 5, 23, 128, 6, 63, Some("10.000000")),
        ("SELECT @@license", "@@license", 253, 87_380, 0, 31, 255, Some("MIT OR Apache-2.0")),
        ("SELECT TIMEDIFF(NOW(), NOW())", "TIMEDIFF(NOW(), NOW())", 11, 10, 128, 0, 63, Some("00:00:00")),
        ("SELECT DISTINCT 3 'd' FROM DUAL LIMIT 1", "d", 8, 2, 129, 0, 63, Some("3")),
        ("SELECT /*!40101 4 */ /*!90000 , 5 */", "4", 8, 2, 129, 0, 63, Some("4")),
    ] {
        let packets = ask(&mut client, sql);
        assert_eq!(packets.len(), 5, "{sql}: {packets:?}");
        let definition = &packets[1];
        let following = definition.len() - 13;
        // def, three empty names, the name, an empty name.
        assert_eq!(&definition[..7], [3, b'd', b'e', b'f', 0, 0, 0], "{sql}");
        assert_eq!(std::str::from_utf8(&definition[8..following - 1]), Ok(name), "{sql}");
        let number =
            |at: usize| u16::from_le_bytes([definition[following + at], definition[following + at + 1]]);
        let wide = u32::from(number(3)) | u32::from(number(5)) << 16;
        let got = (definition[following + 7], wide, number(8), definition[following + 10], number(1));
        assert_eq!(got, (kind, length, flags, decimals, collation), "{sql}");
        let cell = packets[3]
            .split_first()
            .map(|(head, rest)| (*head != 0xfb).then(|| String::from_utf8_lossy(rest)));
        assert_eq!(cell.flatten().as_deref(), value, "{sql}");
    }
    for sql in [
        "SELECT 1 = '1x'",
        "SELECT 'a' + 1",
        "SELECT UPPER('ß')",
        "SELECT CAST('12x' AS SIGNED)",
        "SELECT CAST('abc' AS CHAR(2))",
        "SELECT NOW() = NOW()",
        "SELECT 1 + SLEEP(1)",
    ] {
        let (code, _, message) = error(&ask(&mut client, sql)[0]);
        assert_eq!(code, 1235, "{sql}: {message}");
    }
}

#[test]
fn characters_that_the_client_cannot_read_become_question_marks() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    for (names, collation, length, want) in [
        ("utf8mb4", 255, 12, "aü😀".as_bytes()),
        ("utf8mb4 COLLATE utf8mb4_bin", 46, 12, "aü😀".as_bytes()),
        ("utf8mb3", 33, 9, "aü?".as_bytes()),
        ("latin1", 8, 3, b"a\xfc?".as_slice()),
        ("ascii", 11, 3, b"a??".as_slice()),
    ] {
        assert_eq!(ask(&mut client, "SET NAMES utf8mb4"), [OK]);
        assert_eq!(ask(&mut client, "SET @t = 'aü😀'"), [OK]);
        assert_eq!(ask(&mut client, &format!("SET NAMES {names}")), [OK], "{names}");
        let packets = ask(&mut client, "SELECT CONCAT(LEFT(@t, 3)) AS t");
        let following = packets[1].len() - 13;
        let number =
            |at: usize| u16::from_le_bytes([packets[1][following + at], packets[1][following + at + 1]]);
        assert_eq!(number(1), collation, "{names}");
        assert_eq!(number(3), length, "{names}");
        assert_eq!(&packets[3][1..], want, "{names}");
    }
}

#[test]
fn a_silent_client_is_reported_and_left() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    assert_eq!(ask(&mut client, "SET wait_timeout = 1"), [OK]);
    let (code, state, message) = error(&client.packet());
    assert_eq!((code, state.as_str()), (4031, "HY000"), "{message}");
    assert_eq!(client.packet(), b"", "the connection is closed");
}

#[test]
fn the_list_of_processes_shows_the_users_own() {
    let chain = chain("monitor: {user: monitor, password: probe}\n");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    let (_monitor, _) = Bare::login(chain.port, "monitor", "probe", 0);
    let shown: Vec<String> = row(&mut client, "SHOW PROCESSLIST").into_iter().flatten().collect();
    assert_eq!(shown[1..], ["app", "127.0.0.1", "tt", "Query", "0", "executing", "SHOW PROCESSLIST"]);
    let grants = ask(&mut client, "SHOW GRANTS FOR CURRENT_USER()");
    assert_eq!(grants.len(), 9, "one column and five rows");
    assert_eq!(&grants[3][1..], b"GRANT USAGE ON *.* TO `app`@`127.0.0.1`");
    assert_eq!(error(&ask(&mut client, "SHOW GRANTS FOR 'root'@'%'")[0]).0, 1235);
}
