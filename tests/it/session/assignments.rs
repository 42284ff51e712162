//! SET.

use super::{OK, ask, cell, row};
use crate::program::{Bare, chain, error};

#[test]
fn a_set_is_carried_out_as_a_whole_or_not_at_all() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    for (sql, code, state, text) in [
        ("SET autocommit = 2", 1231, "42000", "Variable 'autocommit' can't be set to the value of '2'"),
        ("SET autocommit = 1.0", 1232, "42000", "Incorrect argument type to variable 'autocommit'"),
        ("SET wait_timeout = '30'", 1232, "42000", "Incorrect argument type to variable 'wait_timeout'"),
        (
            "SET sql_mode = 'ANSI,nonsense'",
            1231,
            "42000",
            "Variable 'sql_mode' can't be set to the value of 'nonsense'",
        ),
        ("SET version = 'x'", 1238, "HY000", "Variable 'version' is a read only variable"),
        (
            "SET max_connections = 5",
            1229,
            "HY000",
            "Variable 'max_connections' is a GLOBAL variable and should be set with SET GLOBAL",
        ),
        (
            "SET max_allowed_packet = 5",
            1621,
            "HY000",
            "SESSION variable 'max_allowed_packet' is read-only. Use SET GLOBAL to assign the value",
        ),
        ("SET GLOBAL sql_mode = ''", 1227, "42000", "Access denied; you need"),
        ("SET GLOBAL timestamp = 1", 1238, "HY000", "Variable 'timestamp' is a SESSION variable"),
        ("SET nosuch = 1", 1193, "HY000", "Unknown system variable 'nosuch'"),
        ("SET NAMES cp1251", 1115, "42000", "Unknown character set: 'cp1251'"),
        (
            "SET character_set_client = ucs2",
            1231,
            "42000",
            "Variable 'character_set_client' can't be set to the value of 'ucs2'",
        ),
        (
            "SET NAMES utf8mb4 COLLATE latin1_bin",
            1253,
            "42000",
            "COLLATION 'latin1_bin' is not valid for CHARACTER SET 'utf8mb4'",
        ),
        ("SET collation_connection = nosuch", 1273, "HY000", "Unknown collation: 'nosuch'"),
        ("SET time_zone = 'Mars/Olympus'", 1298, "HY000", "Unknown or incorrect time zone: 'Mars/Olympus'"),
        ("SET @x = nosuch", 1054, "42S22", "Unknown column 'nosuch' in 'field list'"),
        ("SET profiling = 1", 1235, "42000", "dbtrail-shim: not supported: profiling = 'ON'"),
        ("SET timestamp = 5", 1235, "42000", "dbtrail-shim: not supported: timestamp = "),
        ("SET SESSION TRANSACTION READ SOMETIMES", 1064, "42000", "You have an error in your SQL syntax"),
        ("SET @x = 7, time_zone = '+05:00', autocommit = 'nonsense'", 1231, "42000", "Variable 'autocommit'"),
        (
            "SELECT @@session.max_connections",
            1238,
            "HY000",
            "Variable 'max_connections' is a GLOBAL variable",
        ),
        ("SELECT @@global.warning_count", 1238, "HY000", "Variable 'warning_count' is a SESSION variable"),
        ("COMMIT RELEASE", 1235, "42000", "dbtrail-shim: "),
        ("BEGIN nonsense", 1064, "42000", "You have an error in your SQL syntax"),
        (
            "SELECT 9223372036854775807 + 1",
            1690,
            "22003",
            "BIGINT value is out of range in '(9223372036854775807 + 1)'",
        ),
    ] {
        let (got, got_state, message) = error(&ask(&mut client, sql)[0]);
        assert_eq!((got, got_state.as_str()), (code, state), "{sql}: {message}");
        assert!(message.starts_with(text), "{sql}: {message}");
    }
    assert_eq!(row(&mut client, "SELECT @x, @@time_zone"), [None, Some("+00:00".to_owned())]);
    // All values are computed before the first is assigned.
    assert_eq!(ask(&mut client, "SET sql_mode = 'ANSI_QUOTES', @u = @@sql_mode"), [OK]);
    assert_eq!(cell(&mut client, "SELECT @u"), "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION");
    assert_eq!(ask(&mut client, "SET @@session.sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"), [OK]);
    assert_eq!(cell(&mut client, "SELECT @@sql_mode"), "ANSI_QUOTES,STRICT_ALL_TABLES");
    assert_eq!(ask(&mut client, "SET sql_mode = DEFAULT"), [OK]);
    // Out of its bounds: cut, with a warning.
    assert_eq!(ask(&mut client, "SET net_read_timeout = -1"), [[0, 0, 0, 2, 0, 1, 0]]);
    let warning = row(&mut client, "SHOW WARNINGS").into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(warning, ["Warning", "1292", "Truncated incorrect net_read_timeout value: '-1'"]);
    assert_eq!(cell(&mut client, "SELECT @@net_read_timeout"), "1");
    // The old name of a variable is the same variable.
    assert_eq!(ask(&mut client, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY"), [OK]);
    assert_eq!(cell(&mut client, "SELECT @@tx_isolation"), "READ-COMMITTED");
    assert_eq!(cell(&mut client, "SELECT @@transaction_read_only"), "1");
    assert_eq!(ask(&mut client, "SET sql_select_limit = 0"), [OK]);
    assert_eq!(ask(&mut client, "SELECT 1").len(), 4, "a count, a column, two EOF and no row");
    // COM_RESET_CONNECTION puts all of it back.
    assert_eq!(client.command(b"\x1f"), [OK]);
    assert_eq!(
        row(&mut client, "SELECT @@tx_isolation, @@sql_mode, @@sql_select_limit, @u"),
        [
            Some("REPEATABLE-READ".to_owned()),
            Some("STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION".to_owned()),
            Some("18446744073709551615".to_owned()),
            None
        ]
    );
}
