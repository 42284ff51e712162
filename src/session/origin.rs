//! Who made a change, for a tenant that may not see all schemas: the text of a statement is shown
//! only to whom may see all that it touched.

use dbtrail_types::agent_api::ChangeOrigin;

/// What a tenant may see. Unless it may, no text of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Sight {
    /// No schema.
    #[default]
    None,
    /// These.
    Some(Vec<String>),
    /// Every schema.
    All,
}

impl Sight {
    /// Of a tenant with these allowed schemas; `None`: all.
    pub(super) fn of(allowed: Option<&[String]>) -> Self {
        allowed.map_or(Self::All, |allowed| Self::Some(allowed.to_vec()))
    }

    /// The text of a statement, if all that it touched may be seen. An agent that does not tell
    /// what that is does not say enough.
    pub(super) fn statement<'a>(&self, text: Option<&'a str>, schemas: &[String]) -> Option<&'a str> {
        let seen = match self {
            Self::None => false,
            Self::Some(allowed) => !schemas.is_empty() && schemas.iter().all(|s| allowed.contains(s)),
            Self::All => true,
        };
        text.filter(|_| seen)
    }

    /// Appends what a cell has of who made a change: of `connection_id`, `server_id`,
    /// `binlog_file`, `binlog_position` and `statement`, by its number. False: it is NULL.
    pub(super) fn put_origin(&self, out: &mut Vec<u8>, origin: &ChangeOrigin, cell: usize) -> bool {
        match cell {
            0 => put_number(out, origin.connection_id.map(u64::from)),
            1 => put_number(out, origin.server_id.map(u64::from)),
            2 => put_text(out, origin.binlog_file.as_deref()),
            3 => put_number(out, origin.binlog_position),
            _ => put_text(out, self.statement(origin.statement.as_deref(), &origin.statement_schemas)),
        }
    }
}

/// The same of `connection_user`, `connection_host` and `connection_program`.
pub(super) fn put_name(out: &mut Vec<u8>, origin: &ChangeOrigin, cell: usize) -> bool {
    let names = [&origin.connection_user, &origin.connection_host, &origin.connection_program];
    put_text(out, names.get(cell).and_then(|name| name.as_deref()))
}

/// Appends a number; false: there is none.
pub(super) fn put_number(out: &mut Vec<u8>, number: Option<u64>) -> bool {
    let Some(number) = number else { return false };
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    true
}

/// Appends text; false: there is none.
pub(super) fn put_text(out: &mut Vec<u8>, text: Option<&str>) -> bool {
    out.extend_from_slice(text.unwrap_or_default().as_bytes());
    text.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_shown_to_whom_may_see_all_that_it_touched() {
        let schemas = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<String>>();
        let shop = Sight::of(Some(&schemas(&["shop", "log"])));
        for (sight, touched, seen) in [
            (&shop, schemas(&["shop"]), true),
            (&shop, schemas(&["log", "shop"]), true),
            (&shop, schemas(&["hr", "shop"]), false),
            (&shop, schemas(&[]), false),
            (&Sight::of(None), schemas(&[]), true),
            (&Sight::default(), schemas(&["shop"]), false),
        ] {
            assert_eq!(sight.statement(Some("x"), &touched).is_some(), seen, "{sight:?} {touched:?}");
        }
    }
}
