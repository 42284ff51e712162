//! Column definitions as packets.

use super::Definition;
use crate::support::Raw;

pub(super) fn text(packet: &mut &[u8]) -> String {
    let (length, rest) = packet.split_first().expect("a length");
    assert!(*length < 0xfb, "a long name");
    let (text, rest) = rest.split_at(usize::from(*length));
    *packet = rest;
    String::from_utf8(text.to_vec()).expect("UTF-8")
}

/// `[catalog, schema, table, org_table]`, and the rest.
fn parsed(packet: &[u8]) -> ([String; 4], Definition) {
    let mut rest = packet;
    let around = [text(&mut rest), text(&mut rest), text(&mut rest), text(&mut rest)];
    let (name, org_name) = (text(&mut rest), text(&mut rest));
    assert_eq!((rest[0], &rest[11..13]), (12, &[0, 0][..]), "{packet:?}");
    let definition = Definition {
        name,
        org_name,
        charset: u16::from_le_bytes([rest[1], rest[2]]),
        length: u32::from_le_bytes([rest[3], rest[4], rest[5], rest[6]]),
        kind: rest[7],
        flags: u16::from_le_bytes([rest[8], rest[9]]),
        decimals: rest[10],
    };
    (around, definition)
}

/// The definitions up to the EOF packet after them.
pub(super) async fn definitions(raw: &mut Raw, what: &str) -> Vec<([String; 4], Definition)> {
    let mut found = Vec::new();
    loop {
        let packet = raw.read().await.expect("a packet");
        assert_ne!(packet[0], 0xff, "{what}: {}", String::from_utf8_lossy(&packet));
        if packet[0] == 0xfe && packet.len() < 9 {
            return found;
        }
        found.push(parsed(&packet));
    }
}

pub(super) async fn of_query(raw: &mut Raw, sql: &str) -> Vec<([String; 4], Definition)> {
    raw.command(3, sql.as_bytes()).await;
    let first = raw.read().await.expect("an answer");
    assert_ne!(first[0], 0xff, "{sql}: {}", String::from_utf8_lossy(&first));
    let found = definitions(raw, sql).await;
    assert_eq!(found.len(), usize::from(first[0]), "{sql}");
    let end = raw.read().await.expect("the end of no rows");
    assert_eq!(end[0], 0xfe, "{sql}: {}", String::from_utf8_lossy(&end));
    found
}

/// What COM_STMT_PREPARE and COM_STMT_EXECUTE declare.
pub(super) async fn of_prepared(raw: &mut Raw, sql: &str) -> [Vec<([String; 4], Definition)>; 2] {
    raw.command(0x16, sql.as_bytes()).await;
    let first = raw.read().await.expect("an answer");
    assert_eq!((first[0], &first[7..9]), (0, &[0, 0][..]), "{sql}: {}", String::from_utf8_lossy(&first));
    let at_prepare = definitions(raw, sql).await;
    let id = &first[1..5];
    raw.command(0x17, &[id, &[0, 1, 0, 0, 0]].concat()).await;
    let count = raw.read().await.expect("an answer");
    assert_ne!(count[0], 0xff, "{sql}: {}", String::from_utf8_lossy(&count));
    let at_execute = definitions(raw, sql).await;
    raw.read().await.expect("the end of no rows");
    raw.command(0x19, id).await;
    [at_prepare, at_execute]
}
