//! The statements: one a line, the same for the same input, comments only where the admin port
//! takes them.
//!
//! The admin port knows its own commands (LOAD, SAVE, SET) by how a statement begins, so no comment
//! may be before one of them; all else goes to SQLite. In SQLite's literals a quote is doubled and
//! a backslash is itself; the command-line clients that send the file see a backslash before a
//! quote otherwise, and the admin port splits at `;`: such characters are written with `char()`.

mod notes;

use super::Layout;
use super::patterns;
use crate::session::Credential;
use dbtrail_mysql_wire::auth;
use dbtrail_types::secret::Secret;
use notes::head;
use std::fmt::Write;

/// What is written.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) layout: Layout,
    pub(super) mysql: (String, u16),
    pub(super) shim: (String, u16),
    pub(super) shim_tls: bool,
    pub(super) max_connections: usize,
    /// Sorted by name.
    pub(super) users: Vec<User>,
    pub(super) cleartext: bool,
    pub(super) transaction_persistent: bool,
    pub(super) server_version: String,
    pub(super) set_server_version: bool,
    pub(super) monitor: Option<String>,
}

#[derive(Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: Secret,
    pub(super) default_schema: Option<String>,
}

/// `*` and 40 hexadecimal digits, as in `mysql.user`.
pub(super) fn native(credential: &Credential) -> Secret {
    Secret::new(format!("*{}", hex::encode_upper(auth::native_hash(credential))))
}

/// The password itself, where it is known and ProxySQL would take it for one.
pub(super) fn cleartext(user: &str, credential: &Credential) -> Result<Secret, String> {
    let Credential::Password(password) = credential else {
        return Err(format!(
            "the configuration has only the hash of the password of '{user}' (mysql_pass_sha1), and no hash leads back to its \
             password: give mysql_password or mysql_password_file, or use --password-form native"
        ));
    };
    if password.expose().starts_with(['*', '$']) {
        return Err(format!(
            "the password of '{user}' begins with * or $: in clear text ProxySQL would take it for a hash; use --password-form native"
        ));
    }
    Ok(password.clone())
}

/// An SQLite expression of a text.
fn quoted(text: &str) -> Result<String, String> {
    let mut parts: Vec<String> = Vec::new();
    let mut run = String::new();
    for c in text.chars() {
        match c {
            '\0' => return Err("a NUL character cannot be written for ProxySQL".to_owned()),
            ';' | '\\' | '\u{1}'..='\u{1f}' | '\u{7f}' => {
                if !run.is_empty() {
                    parts.push(format!("'{}'", std::mem::take(&mut run)));
                }
                parts.push(format!("char({})", u32::from(c)));
            }
            '\'' => run.push_str("''"),
            other => run.push(other),
        }
    }
    if !run.is_empty() || parts.is_empty() {
        parts.push(format!("'{run}'"));
    }
    Ok(parts.join(" || "))
}

/// The whole file.
///
/// # Errors
/// Something cannot be written for ProxySQL.
pub(super) fn text(setup: &Setup) -> Result<String, String> {
    let layout = &setup.layout;
    let owner = &layout.owner;
    let mut out = head(setup);
    for table in ["mysql_query_rules", "mysql_users", "mysql_servers"] {
        let _ = writeln!(out, "DELETE FROM {table} WHERE comment = '{owner}';");
    }
    let servers = [
        (layout.mysql_hostgroup, &setup.mysql, 1000, false),
        (layout.shim_hostgroup, &setup.shim, setup.max_connections.min(1_000_000), setup.shim_tls),
    ];
    for (hostgroup, (host, port), connections, tls) in servers {
        let _ = writeln!(
            out,
            "INSERT OR IGNORE INTO mysql_servers (hostgroup_id, hostname, port, max_connections, use_ssl, comment) \
             VALUES ({hostgroup}, '{host}', {port}, {connections}, {}, '{owner}');",
            u8::from(tls)
        );
    }
    users(&mut out, setup)?;
    rules(&mut out, layout);
    if setup.set_server_version {
        let _ = writeln!(
            out,
            "UPDATE global_variables SET variable_value = {} WHERE variable_name = 'mysql-server_version';",
            quoted(&setup.server_version)?
        );
    }
    let mut parts = vec!["SERVERS", "USERS", "QUERY RULES"];
    if setup.set_server_version {
        parts.push("VARIABLES");
    }
    for part in &parts {
        let _ = writeln!(out, "LOAD MYSQL {part} TO RUNTIME;");
    }
    for part in &parts {
        let _ = writeln!(out, "SAVE MYSQL {part} TO DISK;");
    }
    Ok(out)
}

fn users(out: &mut String, setup: &Setup) -> Result<(), String> {
    let (owner, hostgroup) = (&setup.layout.owner, setup.layout.mysql_hostgroup);
    for user in &setup.users {
        let schema = user.default_schema.as_deref().map_or_else(|| Ok("NULL".to_owned()), quoted)?;
        let _ = writeln!(
            out,
            "INSERT OR IGNORE INTO mysql_users (username, password, default_hostgroup, default_schema, transaction_persistent, comment) \
             VALUES ({}, {}, {hostgroup}, {schema}, {}, '{owner}');",
            quoted(&user.name)?,
            quoted(user.password.expose())?,
            u8::from(setup.transaction_persistent)
        );
    }
    Ok(())
}

fn rules(out: &mut String, layout: &Layout) {
    for (id, rule) in (layout.rule_id..).zip(patterns::rules(layout.orm_forms)) {
        let _ = writeln!(
            out,
            "/* {} */\nINSERT INTO mysql_query_rules (rule_id, active, match_digest, match_pattern, destination_hostgroup, apply, comment) \
             VALUES ({id}, 1, '{}', '{}', {}, 1, '{}');",
            rule.what, rule.digest, rule.text, layout.shim_hostgroup, layout.owner
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup() -> Setup {
        let user = |name: &str, password: &str, schema: Option<&str>| User {
            name: name.to_owned(),
            password: Secret::new(password.to_owned()),
            default_schema: schema.map(str::to_owned),
        };
        Setup {
            layout: Layout {
                mysql_hostgroup: 10,
                shim_hostgroup: 20,
                rule_id: 7,
                owner: "shim 2".to_owned(),
                orm_forms: true,
            },
            mysql: ("db".to_owned(), 3306),
            shim: ("::1".to_owned(), 3308),
            shim_tls: true,
            max_connections: 50,
            users: vec![user("a'b", "x;y\\'z", Some("shop"))],
            cleartext: true,
            transaction_persistent: false,
            server_version: "8.0.36*/;DROP".to_owned(),
            set_server_version: true,
            monitor: Some("*/ mon".to_owned()),
        }
    }

    #[test]
    fn ok_every_option_is_in_the_statements() {
        let sql = text(&setup()).unwrap();
        let users: Vec<&str> = sql.lines().filter(|l| l.contains("INTO mysql_users")).collect();
        assert_eq!(
            users,
            [
                "INSERT OR IGNORE INTO mysql_users (username, password, default_hostgroup, default_schema, transaction_persistent, comment) \
              VALUES ('a''b', 'x' || char(59) || 'y' || char(92) || '''z', 10, 'shop', 0, 'shim 2');"
            ]
        );
        let servers: Vec<&str> = sql.lines().filter(|l| l.contains("INTO mysql_servers")).collect();
        assert_eq!(
            servers,
            [
                "INSERT OR IGNORE INTO mysql_servers (hostgroup_id, hostname, port, max_connections, use_ssl, comment) VALUES (10, 'db', 3306, 1000, 0, 'shim 2');",
                "INSERT OR IGNORE INTO mysql_servers (hostgroup_id, hostname, port, max_connections, use_ssl, comment) VALUES (20, '::1', 3308, 50, 1, 'shim 2');",
            ]
        );
        let ids: Vec<&str> = sql
            .lines()
            .filter_map(|l| l.split_once("apply, comment) VALUES (").map(|(_, following)| &following[..2]))
            .collect();
        assert_eq!(ids, ["7,", "8,", "9,", "10", "11", "12", "13"]);
        assert!(sql.contains("VALUES (7, 1, '") && sql.contains("', 20, 1, 'shim 2');"));
        assert!(sql.contains("UPDATE global_variables SET variable_value = '8.0.36*/' || char(59) || 'DROP' WHERE variable_name = 'mysql-server_version';\n"));
        assert!(
            sql.contains("LOAD MYSQL VARIABLES TO RUNTIME;\n")
                && sql.ends_with("SAVE MYSQL VARIABLES TO DISK;\n")
        );
    }

    /// The file is lines of one statement each; comments hold nothing that a client might take for
    /// an end, and none is before LOAD.
    #[test]
    fn ok_comments_are_harmless() {
        let mut plain = setup();
        plain.set_server_version = false;
        plain.monitor = None;
        for setup in [setup(), plain] {
            let sql = text(&setup).unwrap();
            let (mut comments, mut rest) = (0, sql.as_str());
            while let Some((_, following)) = rest.split_once("/*\n").or_else(|| rest.split_once("\n/* ")) {
                let (comment, after) = following.split_once("*/\n").unwrap();
                assert!(!comment.contains([';', '\'', '"', '`']), "{comment}");
                assert!(!comment.contains("*/") && !comment.contains("/*"), "{comment}");
                assert!(["DELETE FROM ", "INSERT INTO "].iter().any(|s| after.starts_with(s)), "{after}");
                (comments, rest) = (comments + 1, after);
            }
            assert_eq!(comments, 8);
            let statements: Vec<&str> = sql.lines().skip_while(|l| *l != "*/").skip(1).collect();
            for line in statements.iter().filter(|l| !l.starts_with("/* ")) {
                assert_eq!((line.ends_with(';'), line.matches(';').count()), (true, 1), "{line}");
            }
        }
    }

    #[test]
    fn bad_passwords_that_cannot_be_written_in_clear_text() {
        let known = |text: &str| Credential::Password(Secret::new(text.to_owned()));
        assert_eq!(cleartext("app", &known("secret")).unwrap(), Secret::new("secret".to_owned()));
        for (credential, why) in [
            (Credential::NativeHash([0; 20]), "no hash leads back to its password"),
            (known("*secret"), "begins with * or $"),
            (known("$A$005$"), "begins with * or $"),
        ] {
            assert!(cleartext("app", &credential).unwrap_err().contains(why));
        }
        assert!(quoted("a\0").is_err());
    }

    #[test]
    fn ok_native_hashes() {
        // SELECT PASSWORD('secret') of MariaDB.
        let hash = native(&Credential::Password(Secret::new("secret".to_owned())));
        assert_eq!(hash.expose(), "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7");
    }
}
