//! REFERENCES as it is written in DDL.

use super::super::token::{Tokens, Unread, show};
use super::{Action, ForeignKey};
use crate::log::ServerVersion;

/// `REFERENCES t (c) ON DELETE CASCADE`, after REFERENCES. A parent without a schema is one in the
/// child's, which is not known here: it is left empty.
pub(in crate::schema) fn references(tokens: &mut Tokens, columns: Vec<String>) -> Result<ForeignKey, Unread> {
    let parent = tokens.table(Some(""))?;
    let referenced =
        if tokens.is_at('(') { super::super::key_parts::key_parts(tokens)?.0 } else { Vec::new() };
    let mut key = ForeignKey {
        number: 0,
        names: Vec::new(),
        columns,
        parent,
        referenced,
        on_delete: Action::Restrict,
        on_update: Action::Restrict,
    };
    while tokens.one_of(&["MATCH", "ON"]).is_some() {
        match tokens.one_of(&["DELETE", "UPDATE"]) {
            Some("DELETE") => key.on_delete = action(tokens)?,
            Some(_) => key.on_update = action(tokens)?,
            None => drop(tokens.next()),
        }
    }
    Ok(key)
}

fn action(tokens: &mut Tokens) -> Result<Action, Unread> {
    if tokens.words(&["CASCADE"]) {
        Ok(Action::Cascade)
    } else if tokens.words(&["SET", "NULL"]) {
        Ok(Action::SetNull)
    } else if tokens.words(&["SET", "DEFAULT"]) {
        Ok(Action::SetDefault)
    } else if tokens.words(&["NO", "ACTION"]) || tokens.words(&["RESTRICT"]) {
        Ok(Action::Restrict)
    } else {
        Err(Unread::ForeignKeyAction(show(tokens.peek())))
    }
}

/// Whether `c INT REFERENCES p (id)` makes a foreign key: since MariaDB 10.5 and MySQL 9.0; before,
/// it was read and ignored.
pub(in crate::schema) fn inline_counts(server: ServerVersion) -> bool {
    !server.mariadb_before((10, 5)) && !server.mysql_before((9, 0))
}
