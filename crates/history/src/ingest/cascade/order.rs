//! In which order a server carries out the foreign keys that refer to a row (seen in MySQL 9.7 with
//! `innodb_native_foreign_keys=ON` and in MariaDB 11.8).
//!
//! InnoDB goes through the indexes of the parent, its primary key first, and for each through the
//! foreign keys that refer to it, by the bytes of `schema/constraint`. The order decides where two
//! of them reach one row: once its column is NULL, the other key finds it no longer.

use crate::schema::{Action, ForeignKey};
use dbtrail_types::column::{TableDefinition, same_name};
use dbtrail_types::names::TableName;

/// A foreign key and its table.
pub(super) type Child = (TableName, ForeignKey);

/// The foreign keys to a table, in the order in which the server carries them out.
pub(super) fn in_order<'a>(children: &'a [Child], parent: &TableDefinition) -> Vec<&'a Child> {
    let mut ordered: Vec<&Child> = children.iter().collect();
    if ordered.len() > 1 {
        ordered.sort_by_cached_key(|child| (!refers_to_primary(&child.1, parent), id(child)));
    }
    ordered
}

/// Whether it is known which of two foreign keys to a table comes first.
pub(super) fn is_certain(a: &Child, b: &Child, parent: &TableDefinition) -> bool {
    let primary = [a, b].map(|child| refers_to_primary(&child.1, parent));
    if primary[0] != primary[1] {
        return true;
    }
    let (one, two) = (&a.1.referenced, &b.1.referenced);
    let same_index =
        primary[0] || one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same_name(one, two));
    same_index && id(a) != id(b) && are_numbered_alike(&a.1, &b.1)
}

/// What a foreign key does when a row goes (`true`) or changes.
pub(super) fn action(key: &ForeignKey, deleted: bool) -> Action {
    if deleted { key.on_delete } else { key.on_update }
}

/// The name by which InnoDB orders foreign keys.
fn id((table, key): &Child) -> String {
    format!("{}/{}", table.schema, key.names.first().map_or("", String::as_str))
}

fn refers_to_primary(key: &ForeignKey, parent: &TableDefinition) -> bool {
    key.referenced.len() <= parent.primary_key.len()
        && key.referenced.iter().zip(&parent.primary_key).all(|(one, two)| same_name(one, two))
}

/// The numbers in names that the server makes are not always known: 9 and 10 are ordered otherwise
/// than 8 and 9.
fn are_numbered_alike(a: &ForeignKey, b: &ForeignKey) -> bool {
    let digits = |key: &ForeignKey| {
        let (_, number) = key.names.first()?.rsplit_once("_ibfk_")?;
        Some(number.len())
    };
    match (digits(a), digits(b)) {
        (Some(one), Some(two)) => one == two,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(table: &str, name: &str, referenced: &[&str]) -> Child {
        let names = vec![name.to_owned()];
        let key = ForeignKey {
            number: 0,
            names,
            columns: vec!["f".into()],
            parent: TableName { schema: "s".into(), table: "p".into() },
            referenced: referenced.iter().map(|&name| name.to_owned()).collect(),
            on_delete: Action::Cascade,
            on_update: Action::SetNull,
        };
        (TableName { schema: "s".into(), table: table.into() }, key)
    }

    fn parent() -> TableDefinition {
        TableDefinition { columns: Vec::new(), primary_key: vec!["id".into(), "line".into()] }
    }

    /// As MariaDB 11.8 and MySQL 9.7 do it: by the constraint's name, whatever the table's, and
    /// what refers to the primary key first.
    #[test]
    fn the_primary_key_comes_first_and_then_the_name() {
        let children = [
            child("a", "b", &["id"]),
            child("a", "B", &["ID", "line"]),
            child("b", "a", &[]),
            child("a", "aa", &["u"]),
        ];
        let names: Vec<&str> =
            in_order(&children, &parent()).iter().map(|(_, key)| key.names[0].as_str()).collect();
        assert_eq!(names, ["B", "a", "b", "aa"]);
    }

    #[test]
    fn of_other_indexes_and_numbers_the_order_is_not_known() {
        let is_known = |a: &Child, b: &Child| is_certain(a, b, &parent());
        let of = |name, referenced: &[&str]| child("c", name, referenced);
        assert!(is_known(&of("a", &["id"]), &of("b", &["id", "line"])));
        assert!(is_known(&of("a", &["u"]), &of("b", &["U"])));
        assert!(is_known(&of("b", &["u"]), &of("a", &["id"])));
        assert!(!is_known(&of("a", &["u"]), &of("b", &["v"])));
        assert!(!is_known(&of("a", &["line"]), &of("b", &["v"])));
        assert!(is_known(&of("c_ibfk_1", &["id"]), &of("c_ibfk_2", &["id"])));
        assert!(!is_known(&of("c_ibfk_9", &["id"]), &of("c_ibfk_10", &["id"])));
    }
}
