//! Who wrote the text of a CREATE TABLE.
//!
//! Of `CREATE TABLE ... SELECT`, and of `CREATE TABLE ... LIKE` a temporary table, servers log a
//! text of their own, in UTF-8, and beside it the character set of a client that may have another
//! one (seen on MySQL 9.7 and MariaDB 11.8).

use super::ServerVersion;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    Client,
    Server,
    /// Either: the bytes fit both, and mean something else in each.
    Unknown,
}

/// MariaDB writes the number of a DDL statement that a client sent beside it from here on.
const NUMBERED: (u16, u16) = (10, 6);

impl Author {
    /// `numbered`: the event has the number of a DDL statement.
    pub(super) fn of(sql: &[u8], server: ServerVersion, numbered: bool) -> Self {
        if sql.is_ascii() || !is_written_out(sql) || std::str::from_utf8(sql).is_err() {
            return Self::Client;
        }
        match server {
            ServerVersion { mariadb: true, number, .. } if number >= NUMBERED => {
                if numbered {
                    Self::Client
                } else {
                    Self::Server
                }
            }
            ServerVersion { mariadb: false, .. } if sql.ends_with(b" START TRANSACTION") => Self::Server,
            _ => Self::Unknown,
        }
    }
}

/// Whether a text has the form of SHOW CREATE TABLE.
fn is_written_out(sql: &[u8]) -> bool {
    let begins = |with: &[u8]| sql.starts_with(with);
    let forms: [&[u8]; 2] = [b" (\n  `", b" (\n  \""];
    (begins(b"CREATE TABLE ") || begins(b"CREATE OR REPLACE TABLE "))
        && forms.iter().any(|form| sql.windows(form.len()).any(|part| part == *form))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGGED: &str = "CREATE TABLE `q` (\n  `größe` int DEFAULT 5\n)";

    #[test]
    fn ok_by_what_is_beside_the_text() {
        let maria = ServerVersion::read("11.8.9-MariaDB");
        let mysql = ServerVersion::read("9.7.4");
        let of = |sql: &str, server, numbered| Author::of(sql.as_bytes(), server, numbered);
        assert_eq!(of(LOGGED, maria, false), Author::Server);
        assert_eq!(of(LOGGED, maria, true), Author::Client);
        assert_eq!(of(LOGGED, ServerVersion::read("10.5.9-MariaDB"), false), Author::Unknown);
        assert_eq!(of(&format!("{LOGGED} START TRANSACTION"), mysql, false), Author::Server);
        assert_eq!(of(LOGGED, mysql, true), Author::Unknown, "LIKE a temporary table, or a dump");
    }

    #[test]
    fn ok_what_no_server_writes() {
        let mysql = ServerVersion::read("9.7.4");
        for sql in [&b"CREATE TABLE q (gr\xf6\xdfe int)"[..], b"CREATE TABLE `q` (\n  `gr\xf6\xdfe` int\n)"] {
            assert_eq!(Author::of(sql, mysql, true), Author::Client);
        }
        assert_eq!(Author::of("CREATE TABLE q (größe int)".as_bytes(), mysql, true), Author::Client);
        assert_eq!(Author::of(b"CREATE TABLE `q` (\n  `a` int\n)", mysql, true), Author::Client);
    }
}
