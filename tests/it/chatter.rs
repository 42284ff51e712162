//! What command lines and pools say beside queries.

use crate::program::{Bare, DEPRECATE_EOF, chain, error};

/// The length-encoded strings of a column definition (schema, table, org_table, name, org_name), and what stands behind them.
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
        let (texts, behind) = strings(&listed[0]);
        assert_eq!(texts, ["tt", "orders", "orders", "id", "id"]);
        // Twelve bytes of fixed length, collation 63, length 20, BIGINT, flags; no decimals, and a default that is not known.
        assert_eq!(behind, [12, 63, 0, 20, 0, 0, 0, 8, 0xa3, 0x42, 0, 0, 0, 0xfb]);
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
