//! Stored values after ALTER TABLE against what real servers made of them (recorded by
//! tests/real/conversions_record.py).

use dbtrail_history::log::{LoggedStatement, ServerVersion};
use dbtrail_history::schema::{Catalog, DefinitionId, Effect};
use dbtrail_types::float_text::shown_float;
use dbtrail_types::timestamp::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
struct Pair {
    from: String,
    to: String,
    values: Vec<(Option<String>, Option<String>)>,
}

fn bytes(text: &str) -> Vec<u8> {
    match text.strip_prefix("x'").and_then(|h| h.strip_suffix('\'')) {
        Some(hex) => hex::decode(hex).expect("hexadecimal digits"),
        None => text.as_bytes().to_vec(),
    }
}

struct Altered {
    catalog: Catalog,
    ids: Option<(DefinitionId, DefinitionId)>,
}

fn alter(pair: &Pair, server: ServerVersion, mode: u64) -> Altered {
    let mut catalog = Catalog::default();
    let mut run = |sql: String| {
        catalog.apply(&LoggedStatement {
            schema: Some("s".to_owned()),
            sql_mode: Some(mode),
            charsets: Some((45, 45, 45)),
            default_utf8mb4: (!server.mariadb).then_some(255),
            explicit_timestamps: (!server.mariadb).then_some(true),
            ..LoggedStatement::plain(&sql, server, Timestamp::from_micros(0))
        })
    };
    let collation = "utf8mb4_general_ci";
    let create = run(format!(
        "CREATE TABLE conv (id INT AUTO_INCREMENT PRIMARY KEY, v {}) CHARACTER SET utf8mb4 COLLATE {collation}",
        pair.from
    ));
    let alter = run(format!("ALTER TABLE conv MODIFY v {}", pair.to));
    let ids = match (create.as_slice(), alter.as_slice()) {
        ([Effect::Created(_, old)], [Effect::Altered(_, new)]) => Some((*old, *new)),
        _ => None,
    };
    Altered { catalog, ids }
}

/// Replays a recording; gives how many values were right and how many were refused, by pair of
/// types.
fn replay(file: &str, server: ServerVersion, mode: u64) -> (usize, BTreeMap<(String, String), usize>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/conversions").join(file);
    let text = std::fs::read_to_string(path).expect("the recording");
    let (mut right, mut refused, mut wrong) = (0, BTreeMap::new(), Vec::new());
    for line in text.lines() {
        let pair: Pair = serde_json::from_str(line).expect("a line of the recording");
        let altered = alter(&pair, server, mode);
        for (before, after) in &pair.values {
            // Six digits do not tell a FLOAT.
            let digits = before.as_deref().unwrap_or("").chars().filter(char::is_ascii_digit).count();
            if pair.from == "float" && digits >= 6 {
                continue;
            }
            let row = vec![Ok(Some(b"1".to_vec())), Ok(before.as_deref().map(bytes))];
            let carried = altered.ids.and_then(|(old, new)| altered.catalog.carry(old, new, row).ok());
            let Some(Ok(mut got)) = carried.and_then(|mut row| row.pop()) else {
                *refused.entry((pair.from.clone(), pair.to.clone())).or_insert(0) += 1;
                continue;
            };
            if pair.to == "float" {
                got = got.map(|text| shown_float(&text));
            }
            if got == after.as_deref().map(bytes) {
                right += 1;
            } else {
                let got = got.map(|b| String::from_utf8_lossy(&b).into_owned());
                wrong.push(format!(
                    "{} -> {}: {before:?} became {after:?}, and not {got:?}",
                    pair.from, pair.to
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong, {right} right:\n{}", wrong.len(), wrong.join("\n"));
    (right, refused)
}

fn held(file: &str, server: ServerVersion, least: usize) {
    let (right, refused) = replay(file, server, 0);
    let all: usize = refused.values().sum();
    assert!(right >= least, "{right} right, {all} refused");
    // What a strict session lets pass is the same.
    let (strict, _) = replay(file, server, 0x20_0000);
    assert!(strict > 0 && strict <= right);
}

#[test]
fn mysql_values_after_alter() {
    held("mysql-9.7.jsonl", ServerVersion { mariadb: false, number: (9, 7), patch: 4 }, 15_000);
}

#[test]
fn mariadb_values_after_alter() {
    held("mariadb-11.8.jsonl", ServerVersion { mariadb: true, number: (11, 8), patch: 9 }, 15_000);
}
