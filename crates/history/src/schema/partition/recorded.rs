//! Rules of partitions against the rows of real servers (`tests/real/partitions_record.py`).

use super::read;
use crate::log::ServerVersion;
use crate::schema::token::Tokens;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Which types and collations are followed in KEY.
const FOLLOWED: &str = "bigint; binary(6); bit(1); bit(12); bit(64); char ascii_bin; \
    char ascii_general_ci; char latin1_bin; char latin1_general_ci; char latin1_swedish_ci; char utf8mb3_bin; \
    char utf8mb3_general_ci; char utf8mb4_bin; char utf8mb4_general_ci; date; datetime; datetime(1); \
    datetime(3); datetime(6); decimal(10,10); decimal(12,3); decimal(30,0); double; enum; float; int; set; \
    time; time(4); time(6); timestamp; varbinary(20); varchar ascii_bin; varchar ascii_general_ci; \
    varchar latin1_bin; varchar latin1_general_ci; varchar latin1_swedish_ci; varchar utf8mb3_bin; \
    varchar utf8mb3_general_ci; varchar utf8mb4_bin; varchar utf8mb4_general_ci; year";

/// Of which most values are followed: all but characters whose weights are not known.
const MOSTLY: &str = "char utf8mb3_unicode_ci; char utf8mb4_unicode_520_ci; char utf8mb4_unicode_ci; \
    varchar utf8mb3_unicode_ci; varchar utf8mb4_unicode_520_ci; varchar utf8mb4_unicode_ci";

fn lines(server: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/partitions");
    let text = std::fs::read_to_string(folder.join(format!("{server}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `own`: what that server alone has.
fn follows(server: &str, own: &str) {
    let mut found: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for line in lines(server) {
        let mariadb = line["mariadb"].as_bool().unwrap();
        let rule = line["rule"].as_str().unwrap();
        let definition = serde_json::json!({"columns": line["columns"], "primary_key": []});
        let definition = serde_json::from_value(definition).unwrap();
        let version = ServerVersion { mariadb, ..ServerVersion::default() };
        let text = format!("PARTITION BY {rule}");
        let mut tokens = Tokens::new(&text, None, version, false).unwrap();
        assert!(tokens.words(&["PARTITION", "BY"]));
        let partitions = read(&mut tokens, version);
        let column = &line["columns"][0];
        let (ty, collation) = (column["type"].as_str().unwrap(), column["collation"].as_str());
        let plain = ty.split('(').next().unwrap();
        let name = match collation {
            Some(_) if plain == "enum" || plain == "set" => plain.to_owned(),
            Some(collation) => format!("{plain} {collation}"),
            // MariaDB shows widths of integers and years.
            None if matches!(plain, "bigint" | "int" | "year") => plain.to_owned(),
            None => ty.to_owned(),
        };
        let name = match rule.split(' ').nth(1).unwrap() {
            "(k)" => name,
            "ALGORITHM=1" => format!("5.1 {name}"),
            _ => rule.to_owned(),
        };
        let (right, unknown) = found.entry(name).or_default();
        for row in line["rows"].as_array().unwrap() {
            let cells: Vec<Option<Vec<u8>>> = row[0].as_array().unwrap().iter().map(cell).collect();
            let cells: Vec<Option<&[u8]>> = cells.iter().map(Option::as_deref).collect();
            if let Some(position) = partitions.partition_of(&definition, &cells) {
                *right += 1;
                assert_eq!(Some(position as u64), row[1].as_u64(), "{rule}: {cells:?} in {definition:?}");
            } else {
                *unknown += 1;
            }
        }
    }
    let right: u64 = found.values().map(|(right, _)| right).sum();
    assert!(right > 2_000, "{right} places are right");
    for (name, (right, unknown)) in &found {
        let all = FOLLOWED.split("; ").chain(own.split("; ")).any(|n| n == name) || name.contains(") ");
        assert!(!all || (*unknown == 0 && *right > 0), "{name}: {unknown} of {found:?}");
        let most = MOSTLY.split("; ").any(|n| n == name) || name.contains("uca1400");
        assert!(!most || *unknown * 5 < *right, "{name}: {unknown} of {found:?}");
    }
    for name in FOLLOWED.split("; ").chain(own.split("; ")).chain(MOSTLY.split("; ")) {
        assert!(found.contains_key(name), "{name}: {found:?}");
    }
}

/// A cell as it is recorded: text, `{"hex"}` where it is not UTF-8, or NULL.
fn cell(recorded: &Value) -> Option<Vec<u8>> {
    let text = recorded.as_str().map(|text| text.as_bytes().to_vec());
    text.or_else(|| recorded["hex"].as_str().map(|digits| hex::decode(digits).unwrap()))
}

#[test]
fn rows_lie_where_mysql_puts_them() {
    follows(
        "mysql-9.7",
        "char utf8mb4_0900_bin; varchar utf8mb4_0900_bin; 5.1 date; 5.1 enum; 5.1 bigint; 5.1 float",
    );
}

/// UUIDs of version 7 lie in tables of before 10.11.5 elsewhere than in those made later.
const OF_MARIADB: &str = "inet4; inet6; char utf8mb4_nopad_bin; varchar utf8mb4_nopad_bin; \
    char utf8mb4_general_nopad_ci; varchar utf8mb4_general_nopad_ci; varchar latin1_swedish_nopad_ci";

#[test]
fn rows_lie_where_mariadb_puts_them() {
    follows("mariadb-11.8", &format!("{OF_MARIADB}; char utf8mb4_0900_bin; varchar utf8mb4_0900_bin"));
    follows("mariadb-10.11", OF_MARIADB);
}
