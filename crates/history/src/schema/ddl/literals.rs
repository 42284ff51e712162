//! Texts of a statement, which the server converts to `character_set_connection`.

use super::Walk;
use crate::log::{LoggedStatement, charset_of};
use crate::schema::converted::convertible;
use crate::schema::token::{Tokens, Unread};
use dbtrail_sql_text::{Lexical, Token};

impl Walk<'_> {
    /// Refuses a statement of which the server took other texts than those that are logged: it puts
    /// a question mark for each character that the connection's character set lacks. Names and
    /// comments are not converted, nor is a text whose character set is named.
    pub(super) fn literals(&self, tokens: &Tokens) -> Result<(), Unread> {
        let LoggedStatement { charsets: Some((client, connection, _)), .. } = self.statement else {
            return Ok(());
        };
        let (client, connection) = (charset_of(*client), charset_of(*connection));
        if client == connection {
            return Ok(());
        }
        // In a set that is not known here nothing but ASCII is certain.
        let connection = connection.unwrap_or_default();
        let is_kept = |before: Option<&Token>| {
            let word = before.and_then(Token::word);
            word.is_some_and(|w| w.starts_with('_') || w.eq_ignore_ascii_case("COMMENT"))
        };
        let mut before = [None, None];
        for token in tokens.rest() {
            if let Token::Text(text) = token {
                let [two, one] = before;
                let named = if one == Some(&Token::Symbol('=')) { two } else { one };
                if !is_kept(named) && !convertible(text, &connection) {
                    return Err(Unread::LiteralsConverted);
                }
            }
            before = [before[1], Some(token)];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::log::{LoggedStatement, ServerVersion};
    use crate::schema::{Catalog, Effect};
    use dbtrail_types::timestamp::Timestamp;

    /// Ids of collations: utf8mb4 45, utf8mb3 33, latin1 8.
    fn refused(sql: &str, client: u16, connection: u16) -> bool {
        let mut catalog = Catalog::default();
        let run = |catalog: &mut Catalog, sql: &str, charsets| {
            let server = ServerVersion::read("9.7.4");
            let plain = LoggedStatement::plain(sql, server, Timestamp::from_micros(0));
            catalog.apply(&LoggedStatement {
                schema: Some("s".to_owned()),
                charsets: Some(charsets),
                ..plain
            })
        };
        run(&mut catalog, "CREATE TABLE t (id INT PRIMARY KEY)", (45, 45, 45));
        let effects = run(&mut catalog, sql, (client, connection, 45));
        match effects.first() {
            Some(Effect::Unreadable(_, why)) => {
                assert!(why.to_string().contains("character_set_connection lacks"), "{why}");
                true
            }
            other => {
                assert!(matches!(other, Some(Effect::Altered(..) | Effect::Created(..))), "{sql}: {other:?}");
                false
            }
        }
    }

    /// Seen on both servers: enum('é', '日') becomes enum('é', '?'), DEFAULT '日' is '?'.
    #[test]
    fn err_the_server_took_other_texts() {
        for sql in [
            "ALTER TABLE t ADD d VARCHAR(9) NOT NULL DEFAULT '日'",
            "ALTER TABLE t ADD e ENUM('é', '日') CHARACTER SET utf8mb4",
            "CREATE TABLE u (id INT PRIMARY KEY, d VARCHAR(9) DEFAULT '日é')",
        ] {
            assert!(refused(sql, 45, 8), "{sql}");
            assert!(!refused(sql, 45, 45), "{sql}");
            assert!(!refused(sql, 8, 8), "{sql}");
        }
        assert!(refused("ALTER TABLE t ADD d VARCHAR(9) DEFAULT '😀'", 45, 33));
    }

    #[test]
    fn ok_the_texts_are_kept() {
        for sql in [
            "ALTER TABLE t ADD d VARCHAR(9) DEFAULT 'é'",
            "ALTER TABLE t ADD `日` INT COMMENT '日'",
            "CREATE TABLE u (id INT PRIMARY KEY) COMMENT = '日'",
            "ALTER TABLE t ADD d VARCHAR(9) CHARACTER SET utf8mb4 DEFAULT _utf8mb4'日'",
        ] {
            assert!(!refused(sql, 45, 8), "{sql}");
        }
    }
}
