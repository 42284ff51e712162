//! What command lines and pools say beside queries.

use crate::program::{Bare, DEPRECATE_EOF, chain, error};

/// The length-encoded strings of a column definition (schema, table, org_table, name, org_name),
/// and what follows them.
fn strings(packet: &[u8]) -> (Vec<String>, &[u8]) {
    let (mut at, mut found) = (0, Vec::new());
    for _ in 0..6 {
        let end = at + 1 + usize::from(packet[at]);
        found.push(String::from_utf8(packet[at + 1..end].to_vec()).expect("UTF-8"));
        at = end;
    }
    assert_eq!(found.remove(0), "def");
    (found, &packet[at..])
}

fn names(packets: &[Vec<u8>]) -> Vec<String> {
    packets[..packets.len() - 1].iter().map(|p| strings(p).0[3].clone()).collect()
}

#[test]
fn field_list_gives_the_columns_of_a_table() {
    let chain = chain("");
    for capabilities in [0, DEPRECATE_EOF] {
        let (mut client, ok) = Bare::login(chain.port, "app", "pass-word", capabilities);
        assert_eq!(ok, [0, 0, 0, 2, 0, 0, 0]);
        let listed = client.command(b"\x04orders\0");
        assert_eq!(
            names(&listed),
            ["id", "customer", "channel", "status", "amount", "note", "created_at", "updated_at"],
            "{listed:?}"
        );
        let (texts, following) = strings(&listed[0]);
        assert_eq!(texts, ["tt", "orders", "orders", "id", "id"]);
        // Twelve bytes of fixed length, collation 63, length 20, BIGINT, flags; no decimals, and a
        // default that is not known.
        assert_eq!(following, [12, 63, 0, 20, 0, 0, 0, 8, 0x23, 0x42, 0, 0, 0, 0xfb]);
        // A true EOF, whatever the client can do: no OK packet in its clothes.
        assert_eq!(listed.last().map(Vec::as_slice), Some([0xfe, 0, 0, 2, 0].as_slice()));
        // The wildcard is LIKE's, without regard to case.
        assert_eq!(names(&client.command(b"\x04orders\0%_AT")), ["created_at", "updated_at"]);
        assert_eq!(names(&client.command(b"\x04orders\0nothing")), [""; 0]);
        let (code, state, message) = error(&client.command(b"\x04nothing\0")[0]);
        assert_eq!((code, state.as_str()), (1146, "42S02"));
        assert!(message.starts_with("Table 'tt.nothing' doesn't exist"), "{message}");
        // The connection goes on, and every byte that is not text is refused without a panic.
        assert_eq!(error(&client.command(b"\x04\xff\xfe\0")[0]).0, 1064);
        // The error stays for SHOW WARNINGS, and is counted, as on MySQL.
        assert_eq!(client.command(b"\x0e"), [[0, 0, 0, 2, 0, 1, 0]]);
    }
}

#[test]
fn field_list_gives_the_columns_of_virtual_tables() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    for (schema, table, columns) in [
        ("_history", "gaps", &["gap_from", "gap_to", "reason"][..]),
        ("_undo", "orders", &["statement", "conflict"]),
    ] {
        assert_eq!(client.command(format!("\x02{schema}").as_bytes())[0][0], 0, "{schema}");
        assert_eq!(names(&client.command(format!("\x04{table}\0").as_bytes())), columns, "{schema}.{table}");
        assert_eq!(error(&client.command(b"\x04nothing\0")[0]).0, 1146, "{schema}");
    }
}

fn rows(packets: &[Vec<u8>]) -> Vec<Vec<String>> {
    let eof = packets.iter().position(|p| p.first() == Some(&0xfe)).expect("after the columns");
    let cells = |mut p: &[u8]| {
        let mut cells = Vec::new();
        while let Some((length, rest)) = p.split_first() {
            let (cell, following) = rest.split_at(usize::from(*length));
            cells.push(String::from_utf8(cell.to_vec()).expect("UTF-8"));
            p = following;
        }
        cells
    };
    packets[eof + 1..packets.len() - 1].iter().map(|p| cells(p)).collect()
}

/// A text query of a client without DEPRECATE_EOF: its packets are read up to the second EOF.
fn query(client: &mut Bare, sql: &str) -> Vec<Vec<u8>> {
    let mut packets = client.command(format!("\x03{sql}").as_bytes());
    if packets.last().is_some_and(|p| p.first() == Some(&0xfe)) {
        packets.extend(client.up_to_end());
    }
    packets
}

#[test]
fn show_variables_takes_the_filters_that_drivers_send() {
    let chain = chain("");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    let name_and_mode =
        [["lower_case_table_names", "0"], ["sql_mode", "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"]];
    for sql in [
        "SHOW VARIABLES WHERE Variable_name = 'lower_case_table_names' OR Variable_name = 'sql_mode'",
        "SHOW SESSION VARIABLES WHERE variable_name IN ('sql_mode', 'lower_case_table_names', 'nothing')",
        "/* a driver */ SHOW VARIABLES WHERE Variable_name LIKE 'lower\\_case\\_t%' OR (`Variable_name` = 'SQL_MODE')",
    ] {
        assert_eq!(rows(&query(&mut client, sql)), name_and_mode, "{sql}");
    }
    assert_eq!(query(&mut client, "SET time_zone = '+02:00'").len(), 1);
    for (scope, zone) in [("SESSION", "+02:00"), ("GLOBAL", "+00:00")] {
        let sql = format!("SHOW {scope} VARIABLES WHERE Variable_name = 'time_zone'");
        assert_eq!(rows(&query(&mut client, &sql)), [["time_zone", zone]], "{sql}");
    }
    let (code, state, message) = error(&query(&mut client, "SHOW VARIABLES WHERE nothing = 'x'")[0]);
    assert_eq!((code, state.as_str()), (1054, "42S22"));
    assert!(message.starts_with("Unknown column 'nothing' in 'where clause'"), "{message}");
    assert_eq!(error(&query(&mut client, "SHOW VARIABLES WHERE Value > 1")[0]).0, 1235);
}

#[test]
fn show_replica_status_has_the_columns_of_a_mysqld() {
    let chain = chain("monitor: {user: monitor, password: probe}\n");
    let (mut client, _) = Bare::login(chain.port, "monitor", "probe", 0);
    for (sql, first, lag, last_but_one) in [
        ("SHOW REPLICA STATUS", "Replica_IO_State", "Seconds_Behind_Source", "Get_Source_public_key"),
        ("show slave status", "Slave_IO_State", "Seconds_Behind_Master", "Get_master_public_key"),
    ] {
        let packets = query(&mut client, sql);
        assert_eq!(packets.len(), 63, "a count, 60 columns, two EOF and no row");
        let name = |i: usize| strings(&packets[i]).0[3].clone();
        assert_eq!([name(1), name(33), name(59)], [first, lag, last_but_one]);
        // BIGINT UNSIGNED NOT NULL of 11 digits, as MySQL 9.7 declares it.
        assert_eq!(strings(&packets[33]).1, [12, 63, 0, 11, 0, 0, 0, 8, 161, 0, 0, 0, 0]);
    }
    assert_eq!(error(&query(&mut client, "SHOW VARIABLES")[0]).0, 1235);
}

#[test]
fn field_list_without_a_database_is_1046() {
    let chain = chain(
        "  - {mysql_user: lost, mysql_password: pass-word, server_id: shop-1, agent_token: agent-token}\n",
    );
    let (mut client, _) = Bare::login(chain.port, "lost", "pass-word", 0);
    let (code, state, message) = error(&client.command(b"\x04orders\0")[0]);
    assert_eq!((code, state.as_str()), (1046, "3D000"));
    assert!(message.starts_with("No database selected"), "{message}");
    assert_eq!(client.command(b"\x02tt"), [[0, 0, 0, 2, 0, 1, 0]]);
    assert_eq!(names(&client.command(b"\x04orders\0id")), ["id"]);
}
