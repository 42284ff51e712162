use super::*;
use crate::schema::token::Tokens;

fn name(table: &str) -> TableName {
    TableName { schema: "s".into(), table: table.into() }
}

fn key(text: &str) -> ForeignKey {
    let mut tokens = Tokens::new(text, None, crate::log::ServerVersion::default(), false).unwrap();
    let mut key = references(&mut tokens, vec!["a".into()]).unwrap();
    if key.parent.schema.is_empty() {
        key.parent.schema = "s".into();
    }
    key
}

#[test]
fn what_a_declaration_says_is_read() {
    let read = key("p (id) MATCH SIMPLE ON UPDATE SET NULL ON DELETE CASCADE");
    assert_eq!((read.on_delete, read.on_update), (Action::Cascade, Action::SetNull));
    assert_eq!((&read.parent, read.referenced.as_slice()), (&name("p"), &["id".to_owned()][..]));
    let read = key("o.p ON DELETE NO ACTION");
    assert_eq!((read.parent.schema.as_str(), read.referenced.len(), read.changes_rows()), ("o", 0, false));
}

#[test]
fn keys_follow_their_tables_and_columns() {
    let mut keys = ForeignKeys::default();
    keys.set(&name("c"), vec![key("p (id) ON DELETE CASCADE"), key("p (u) ON DELETE SET NULL")]);
    keys.set(&name("g"), vec![key("c (id) ON UPDATE CASCADE")]);
    assert_eq!(keys.of(&name("c"))[1].names, ["c_ibfk_2"]);
    assert_eq!(keys.below(&name("p")), BTreeSet::from([name("c"), name("g")]));
    keys.rename(&name("p"), &name("q"));
    keys.rename(&name("c"), &name("d"));
    let renamed = BTreeMap::from([("id".to_owned(), Some("ident".to_owned()))]);
    keys.rename_columns(&name("q"), &renamed);
    let parent = name("q");
    let to: Vec<_> =
        keys.to(&parent).map(|(child, k)| (child.table.as_str(), k.referenced[0].as_str())).collect();
    assert_eq!(to, [("d", "ident"), ("d", "u")]);
    assert!(!keys.drop(&name("d"), "c_ibfk_1"), "InnoDB has renamed it");
    assert!(keys.drop(&name("d"), "D_ibfk_1") && keys.of(&name("d")).len() == 1);
    keys.add(&name("d"), vec![key("p (x) ON DELETE CASCADE")]);
    assert_eq!(keys.of(&name("d"))[1].names, ["d_ibfk_3"]);
    assert_eq!(keys.of(&name("g"))[0].parent, name("d"));
    keys.remove(&name("d"));
    assert!(keys.below(&name("q")).is_empty());
}

#[test]
fn only_keys_that_change_rows_are_compared_with_the_server() {
    let mut keys = ForeignKeys::default();
    keys.set(&name("c"), vec![key("p (id) ON DELETE CASCADE"), key("p (u)")]);
    assert_eq!(keys.difference(&name("c"), &[key("p ON DELETE CASCADE")]), None);
    assert!(keys.difference(&name("c"), &[key("p (id) ON DELETE SET NULL")]).is_some());
    assert!(keys.difference(&name("c"), &[]).is_some_and(|d| d.to_string().contains("not on the server")));
}
