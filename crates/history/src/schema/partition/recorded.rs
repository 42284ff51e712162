//! Rules of partitions against the rows of real servers (`tests/real/partitions_record.py`).

use super::read;
use crate::log::ServerVersion;
use crate::schema::token::Tokens;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Which types and collations are followed in KEY.
const FOLLOWED: [&str; 28] = [
    "bigint",
    "binary(6)",
    "char ascii_bin",
    "char ascii_general_ci",
    "char latin1_bin",
    "char latin1_swedish_ci",
    "char utf8mb3_bin",
    "char utf8mb4_bin",
    "date",
    "datetime",
    "datetime(1)",
    "datetime(3)",
    "datetime(6)",
    "decimal(10,10)",
    "decimal(12,3)",
    "decimal(30,0)",
    "time",
    "time(4)",
    "time(6)",
    "timestamp",
    "varbinary(20)",
    "varchar ascii_bin",
    "varchar ascii_general_ci",
    "varchar latin1_bin",
    "varchar latin1_swedish_ci",
    "varchar utf8mb3_bin",
    "varchar utf8mb4_bin",
    "year",
];

fn lines(server: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/partitions");
    let text = std::fs::read_to_string(folder.join(format!("{server}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn follows(server: &str) {
    let (mut right, mut unknown, mut followed) = (0, 0, BTreeSet::new());
    let mut names: BTreeMap<String, bool> = BTreeMap::new();
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
        let name = match collation {
            Some(collation) => format!("{} {collation}", ty.split('(').next().unwrap()),
            // MariaDB shows widths of integers and years.
            None if ty.starts_with("bigint") || ty.starts_with("year") => {
                ty.split('(').next().unwrap().to_owned()
            }
            None => ty.to_owned(),
        };
        let mut all = true;
        for row in line["rows"].as_array().unwrap() {
            let cells: Vec<Option<&[u8]>> =
                row[0].as_array().unwrap().iter().map(|cell| cell.as_str().map(str::as_bytes)).collect();
            let position = partitions.partition_of(&definition, &cells);
            if let Some(position) = position {
                right += 1;
                assert_eq!(Some(position as u64), row[1].as_u64(), "{rule}: {cells:?} in {definition:?}");
            } else {
                unknown += 1;
                all = false;
            }
        }
        if rule.starts_with("KEY (k)") {
            names.insert(name.clone(), all);
            if all {
                followed.insert(name);
            }
        } else {
            assert!(all, "{rule} is followed");
        }
    }
    assert!(right > 600 && unknown > 50, "{right} places are right, {unknown} not known");
    for name in FOLLOWED {
        assert!(followed.contains(name), "{name}: {names:?}");
    }
}

#[test]
fn rows_lie_where_mysql_puts_them() {
    follows("mysql-9.7");
}

#[test]
fn rows_lie_where_mariadb_puts_them() {
    follows("mariadb-11.8");
}
