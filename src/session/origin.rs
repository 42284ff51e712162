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

    /// The cells of `connection_id`, `server_id`, `binlog_file`, `binlog_position` and `statement`.
    pub(super) fn origin(&self, origin: Option<&ChangeOrigin>) -> [Option<Vec<u8>>; 5] {
        let Some(origin) = origin else { return [const { None }; 5] };
        let number = |n: Option<u64>| n.map(|n| n.to_string().into_bytes());
        let text = self.statement(origin.statement.as_deref(), &origin.statement_schemas);
        [
            number(origin.connection_id.map(u64::from)),
            number(origin.server_id.map(u64::from)),
            origin.binlog_file.clone().map(String::into_bytes),
            number(origin.binlog_position),
            text.map(|text| text.as_bytes().to_vec()),
        ]
    }
}

/// The cells of `connection_user`, `connection_host` and `connection_program`.
pub(super) fn names(origin: Option<&ChangeOrigin>) -> [Option<Vec<u8>>; 3] {
    let Some(origin) = origin else { return [const { None }; 3] };
    [&origin.connection_user, &origin.connection_host, &origin.connection_program]
        .map(|name| name.clone().map(String::into_bytes))
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
