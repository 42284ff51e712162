//! Pieces of a table by its key, for the server and for the agent.

use dbtrail_history::source::key_literal;
use dbtrail_types::agent_api::{KeyBound, KeyChoice, KeyScan, Keys, Octets};
use dbtrail_types::column::{Column, Family, TableDefinition};

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// The values of the key columns, in key order.
pub(super) type Key = Vec<Vec<u8>>;

/// Which rows are read.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    condition: String,
    /// The same for the agent.
    pub(super) keys: Keys,
}

/// How a value of a key column is written in a statement; `None`: not so that the server certainly
/// compares it as the column does.
pub(super) fn literal(column: &Column, value: &[u8]) -> Option<String> {
    // In which order servers have these differs from release to release.
    let is_address = column.ty.family() == Family::Address;
    if is_address { None } else { key_literal(&column.ty, value) }
}

impl Wanted {
    /// The whole table.
    pub(super) fn all(definition: &TableDefinition) -> Self {
        Self::scan(definition, String::new(), KeyScan::default())
    }

    fn scan(definition: &TableDefinition, condition: String, scan: KeyScan) -> Self {
        let keys = Keys { columns: definition.primary_key.clone(), choice: KeyChoice::Scan(scan) };
        Self { condition, keys }
    }

    /// Rows whose first key column lies after one value and not after another; `None`: they cannot
    /// be asked for.
    pub(super) fn piece(
        definition: &TableDefinition,
        lower: Option<&[u8]>,
        upper: Option<&[u8]>,
    ) -> Option<Self> {
        let column = *definition.key_columns().first()?;
        let name = quoted(&column.name);
        let side = |value: Option<&[u8]>, sign: &str| match value {
            None => Some(None),
            Some(value) => Some(Some(format!("{name} {sign} {}", literal(column, value)?))),
        };
        let sides: Vec<String> = [side(lower, ">")?, side(upper, "<=")?].into_iter().flatten().collect();
        let condition =
            if sides.is_empty() { String::new() } else { format!(" WHERE {}", sides.join(" AND ")) };
        let bound = |value: &[u8], inclusive| KeyBound { value: Octets(value.to_vec()), inclusive };
        let scan = KeyScan {
            prefix: Vec::new(),
            lower: lower.map(|value| bound(value, false)),
            upper: upper.map(|value| bound(value, true)),
        };
        Some(Self::scan(definition, condition, scan))
    }

    /// These rows. Where their keys cannot be written in a statement, the server is asked for all
    /// of its rows.
    pub(super) fn named(definition: &TableDefinition, keys: &[Key]) -> Self {
        let columns = definition.key_columns();
        let row = |key: &Key| {
            let values: Option<Vec<String>> =
                columns.iter().zip(key).map(|(column, value)| literal(column, value)).collect();
            values.map(|values| format!("({})", values.join(", ")))
        };
        let rows: Option<Vec<String>> = keys.iter().map(row).collect();
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let condition = rows.map_or_else(String::new, |rows| {
            format!(" WHERE ({}) IN ({})", names.join(", "), rows.join(", "))
        });
        let values = keys.iter().map(|key| key.iter().cloned().map(Octets).collect()).collect();
        let keys = Keys { columns: definition.primary_key.clone(), choice: KeyChoice::Values(values) };
        Self { condition, keys }
    }

    pub(super) fn condition(&self) -> &str {
        &self.condition
    }
}

/// The positions of the key columns among the columns; `None`: it has no such key.
pub(super) fn positions(definition: &TableDefinition) -> Option<Vec<usize>> {
    let positions: Option<Vec<usize>> =
        definition.primary_key.iter().map(|name| definition.position(name)).collect();
    positions.filter(|positions| !positions.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(columns: &[(&str, &str)], key: &[&str]) -> TableDefinition {
        let columns: Vec<serde_json::Value> = columns
            .iter()
            .map(|(name, ty)| serde_json::json!({"name": name, "type": ty, "nullable": false}))
            .collect();
        serde_json::from_value(serde_json::json!({"columns": columns, "primary_key": key})).unwrap()
    }

    #[test]
    fn pieces_are_written_for_both_sides() {
        let orders = definition(&[("id", "int"), ("li`ne", "varchar(9)")], &["id", "li`ne"]);
        let piece = Wanted::piece(&orders, Some(b"-5"), Some(b"10")).unwrap();
        assert_eq!(piece.condition(), " WHERE `id` > -5 AND `id` <= 10");
        assert_eq!(Wanted::piece(&orders, None, None).unwrap().condition(), "");
        assert!(Wanted::piece(&orders, Some(b"1 OR 1"), None).is_none());
        let named = Wanted::named(&orders, &[vec![b"7".to_vec(), b"a'".to_vec()]]);
        assert_eq!(named.condition(), " WHERE (`id`, `li``ne`) IN ((7, _utf8mb4 X'6127'))");
        let floats = definition(&[("f", "double")], &["f"]);
        assert_eq!(Wanted::named(&floats, &[vec![b"1".to_vec()]]).condition(), "");
    }
}
