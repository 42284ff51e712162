//! PARTITION BY KEY: the hash of its columns, as MySQL 9.7 and MariaDB 10.11 and 11.8 make it.
//!
//! They take the bytes of a number, in the order of the machine, for text of `latin1_swedish_ci`:
//! what differs in case alone, and spaces at the end, count as the same. Times and binary strings
//! count byte by byte, text by its weights. MySQL 5.1 took the bytes of numbers as they are
//! (ALGORITHM = 1).

use super::hasher::Hasher;
use super::stored::{Stored, stored};
use dbtrail_types::collation::Weights;
use dbtrail_types::column::TableDefinition;

/// A hash in the making.
struct Hash {
    hash: u64,
    step: u64,
}

impl Hash {
    fn bytes(&mut self, bytes: impl IntoIterator<Item = u8>) {
        for byte in bytes {
            let mixed = (self.hash & 63).wrapping_add(self.step).wrapping_mul(u64::from(byte));
            self.hash ^= mixed.wrapping_add(self.hash << 8);
            self.step = self.step.wrapping_add(3);
        }
    }

    /// As MySQL's collations of Unicode 9 do: FNV-1a.
    fn words(&mut self, words: &[u16]) {
        self.hash ^= 0xcbf2_9ce4_8422_2325;
        for word in words {
            self.hash = (self.hash ^ u64::from(*word)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

/// The hash of the values in these columns; `None`: it is not known.
pub(super) fn of_key(
    names: &[String],
    definition: &TableDefinition,
    cells: &[Option<&[u8]>],
    hasher: Hasher,
) -> Option<u64> {
    let mut hash = Hash { hash: 1, step: 4 };
    for name in names {
        let at = definition.position(name)?;
        let Some(cell) = cells.get(at)? else {
            hash.hash ^= (hash.hash << 1) | 1;
            continue;
        };
        match stored(definition.columns.get(at)?, cell, hasher)? {
            Stored::Bytes(bytes) | Stored::Weights(Weights::Latin1(bytes)) => hash.bytes(bytes),
            Stored::Weights(Weights::General(words)) => {
                hash.bytes(words.into_iter().flat_map(u16::to_le_bytes));
            }
            Stored::Weights(Weights::Unicode(words)) => {
                hash.bytes(words.into_iter().flat_map(u16::to_be_bytes));
            }
            Stored::Unicode9(words) => hash.words(&words),
        }
    }
    // Servers go on with 32 bits of it.
    Some(hash.hash & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(types: &[&str], values: &[Option<&str>], count: u64) -> Option<u64> {
        let columns = types.iter().enumerate().map(|(i, ty)| {
            format!(r#"{{"name": "c{i}", "type": "{ty}", "nullable": true, "collation": null}}"#)
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        let definition =
            serde_json::from_str(&format!(r#"{{"columns": [{columns}], "primary_key": []}}"#)).unwrap();
        let names: Vec<String> = (0..types.len()).map(|i| format!("c{i}")).collect();
        let cells: Vec<Option<&[u8]>> = values.iter().map(|v| v.map(str::as_bytes)).collect();
        of_key(&names, &definition, &cells, Hasher::Either).map(|hash| hash % count)
    }

    /// Where MySQL 9.7 and MariaDB 11.8 look for these texts, in 61 partitions.
    const TEXTS: &[(&str, u64)] = &[
        ("a", 31),
        ("b", 38),
        ("abc", 38),
        ("ABC", 38),
        ("hello world", 56),
        ("x ", 26),
        ("Zz", 27),
        ("0", 9),
        ("12", 12),
        ("it's", 3),
        ("", 1),
        ("é", 51),
        ("É", 51),
        ("ß", 28),
        ("Straße", 23),
        ("ÿ", 5),
        ("ñandú", 45),
        ("÷", 26),
        ("×", 49),
        ("Ð", 48),
        ("¡¿", 51),
        ("a b  ", 4),
    ];

    /// The same of text in latin1_swedish_ci.
    #[test]
    fn text_lies_where_servers_put_it() {
        let of = |collation: &str, text: &str| {
            let definition = serde_json::from_str(&format!(
                r#"{{"columns": [{{"name": "k", "type": "varchar(20)", "nullable": false, "collation": "{collation}"}}], "primary_key": ["k"]}}"#
            ));
            let cells = [Some(text.as_bytes())];
            of_key(&["k".to_owned()], &definition.unwrap(), &cells, Hasher::Either).map(|hash| hash % 61)
        };
        for (text, want) in TEXTS {
            assert_eq!(of("latin1_swedish_ci", text), Some(*want), "{text}");
        }
        for (collation, text) in
            [("cp1251_general_ci", "a"), ("utf8mb4_0900_bin", "a"), ("latin1_swedish_ci", "\u{416}")]
        {
            assert_eq!(of(collation, text), None, "{text} in {collation}");
        }
    }

    /// Where MySQL 9.7 and MariaDB 11.8 put these rows (`SELECT ... PARTITION (p)`).
    #[test]
    fn rows_lie_where_servers_put_them() {
        for (types, values, count, want) in POSITIONS {
            assert_eq!(position(types, values, *count), Some(*want), "{values:?} of {types:?} in {count}");
        }
        assert_eq!(position(&["varchar(9)"], &[Some("a")], 3), None, "of a collation that is not known");
        assert_eq!(
            position(&["date"], &[Some("2024-01-01")], 3),
            None,
            "servers differ, and whose it is was not kept"
        );
    }

    type HashCase = (&'static [&'static str], &'static [Option<&'static str>], u64, u64);

    const POSITIONS: &[HashCase] = &[
        (&["tinyint"], &[Some("2")], 3, 0),
        (&["tinyint"], &[Some("55")], 3, 2),
        (&["tinyint"], &[Some("-114")], 3, 1),
        (&["tinyint"], &[Some("110")], 3, 2),
        (&["tinyint"], &[Some("-1")], 7, 4),
        (&["tinyint"], &[Some("-102")], 7, 5),
        (&["tinyint"], &[Some("-48")], 7, 2),
        (&["tinyint"], &[Some("-71")], 7, 4),
        (&["smallint"], &[Some("15963")], 3, 0),
        (&["smallint"], &[Some("28713")], 3, 2),
        (&["smallint"], &[Some("-450")], 3, 1),
        (&["smallint"], &[Some("17138")], 3, 2),
        (&["smallint"], &[Some("-19403")], 7, 4),
        (&["smallint"], &[Some("-88")], 7, 1),
        (&["smallint"], &[Some("-31050")], 7, 0),
        (&["smallint"], &[Some("-4361")], 7, 6),
        (&["mediumint unsigned"], &[Some("13695276")], 3, 0),
        (&["mediumint unsigned"], &[Some("9377872")], 3, 2),
        (&["mediumint unsigned"], &[Some("6109445")], 3, 0),
        (&["mediumint unsigned"], &[Some("13067347")], 3, 2),
        (&["mediumint unsigned"], &[Some("5355428")], 7, 6),
        (&["mediumint unsigned"], &[Some("2413628")], 7, 6),
        (&["mediumint unsigned"], &[Some("4656261")], 7, 1),
        (&["mediumint unsigned"], &[Some("14926208")], 7, 1),
        (&["int"], &[None], 3, 2),
        (&["int"], &[Some("-2124663886")], 3, 1),
        (&["int"], &[Some("-1")], 3, 2),
        (&["int"], &[Some("1")], 3, 1),
        (&["int"], &[Some("-1267962325")], 7, 4),
        (&["int"], &[None], 7, 2),
        (&["int"], &[Some("-1")], 7, 5),
        (&["int"], &[Some("8224")], 7, 0),
        (&["bigint unsigned"], &[Some("18446744073709551615")], 3, 0),
        (&["bigint unsigned"], &[Some("1217899233055631545")], 3, 1),
        (&["bigint unsigned"], &[Some("5645889021261014682")], 3, 2),
        (&["bigint unsigned"], &[Some("18446744073709551615")], 3, 0),
        (&["bigint unsigned"], &[Some("7725998870071162790")], 7, 1),
        (&["bigint unsigned"], &[Some("15518030083487551309")], 7, 2),
        (&["bigint unsigned"], &[Some("18446744073709551615")], 7, 3),
        (&["bigint unsigned"], &[Some("13940876235966521750")], 7, 2),
        (&["bigint"], &[Some("230510801766148120")], 3, 0),
        (&["bigint"], &[Some("455668202551686856")], 3, 0),
        (&["bigint"], &[Some("-685300906789573795")], 3, 0),
        (&["bigint"], &[Some("-8547638676216235263")], 3, 2),
        (&["bigint"], &[Some("8823843127797216747")], 7, 2),
        (&["bigint"], &[Some("-2952225622301071832")], 7, 0),
        (&["bigint"], &[Some("-3575512624192172596")], 7, 0),
        (&["bigint"], &[Some("9162992417273447676")], 7, 1),
        (&["year"], &[Some("0000")], 3, 2),
        (&["year"], &[Some("1922")], 3, 1),
        (&["year"], &[Some("1901")], 3, 2),
        (&["year"], &[Some("2155")], 3, 0),
        (&["year"], &[Some("1966")], 7, 6),
        (&["year"], &[Some("2068")], 7, 5),
        (&["year"], &[Some("0000")], 7, 5),
        (&["year"], &[Some("0000")], 7, 5),
        (&["int", "smallint unsigned"], &[Some("6174"), None], 3, 1),
        (&["int", "smallint unsigned"], &[Some("-5721"), Some("17403")], 3, 2),
        (&["int", "smallint unsigned"], &[Some("-6505"), Some("22127")], 3, 1),
        (&["int", "smallint unsigned"], &[Some("2223"), None], 3, 1),
        (&["int", "smallint unsigned"], &[Some("3784"), None], 7, 4),
        (&["int", "smallint unsigned"], &[Some("4849"), Some("22189")], 7, 6),
        (&["int", "smallint unsigned"], &[Some("5996"), Some("41641")], 7, 4),
        (&["int", "smallint unsigned"], &[Some("-1020"), Some("38144")], 7, 2),
    ];
}
