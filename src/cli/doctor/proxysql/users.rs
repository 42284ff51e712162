//! The users: each tenant logs in at ProxySQL, and ProxySQL at the shim, with the same password.

use super::super::report::Report;
use super::{ProxySqlState, Row, Wanted, number, online, text, update};
use crate::session::{Credential, Tenant};
use dbtrail_mysql_wire::auth;

pub(super) fn check(report: &mut Report, reported: &ProxySqlState, wanted: &Wanted<'_>) {
    for tenant in &wanted.tenants {
        let link = format!("ProxySQL user {}", tenant.mysql_user);
        let rows: Vec<&Row> =
            reported.users.iter().filter(|r| text(r, "username") == tenant.mysql_user).collect();
        if rows.is_empty() {
            report.fail(&link, "ProxySQL does not know it", &wanted.generate);
        } else if user(report, &link, &rows, tenant, reported, wanted) {
            report.ok(&link, "it is there, with the password of the configuration");
        }
    }
}

/// Whether everything about a user is good. ProxySQL shows one row for the way in (frontend) and
/// one for the way out (backend).
fn user(
    report: &mut Report,
    link: &str,
    rows: &[&Row],
    tenant: &Tenant,
    reported: &ProxySqlState,
    wanted: &Wanted<'_>,
) -> bool {
    let whose = format!("username='{}'", tenant.mysql_user.replace('\'', "''"));
    let fix = |set: &str| update("mysql_users", set, &whose, "USERS");
    let before = report.bad();
    for (side, way) in [("frontend", "log in at ProxySQL"), ("backend", "be used for the servers behind it")]
    {
        if !rows.iter().any(|r| number(r, side) == Some(1)) {
            report.fail(
                link,
                format!("it cannot {way}: there is no row with {side}=1"),
                fix(&format!("{side}=1")),
            );
        }
    }
    for row in rows {
        let side = if number(row, "frontend") == Some(1) { "frontend" } else { "backend" };
        if number(row, "active") == Some(0) {
            report.fail(link, format!("its {side} row is not active"), fix("active=1"));
        }
        match same(text(row, "password"), &tenant.credential) {
            // With what ProxySQL does not know in clear it can only log in by that plugin.
            Some(true) if side == "backend" && is_native_hash(text(row, "password")) && is_recent(reported) => report.warn(
                link,
                "its password is kept as a hash of mysql_native_password, a plugin that MySQL 9 has not: the login at MySQL fails with 1045",
                fix("password='...'"),
            ),
            Some(true) => {}
            Some(false) => report.fail(
                link,
                format!(
                    "its {side} password is not that of the configuration: the shim refuses it with 1045"
                ),
                "make them the same: mysql_password in shim.yaml, or the password in mysql_users",
            ),
            None => report.warn(
                link,
                format!(
                    "its {side} password is kept as a caching_sha2_password hash, which cannot be compared"
                ),
                "log in through ProxySQL and ask SELECT * FROM _flashback.t AS OF 'now' WHERE ...",
            ),
        }
    }
    if let Some(front) = rows.iter().find(|r| number(r, "frontend") == Some(1)) {
        frontend(report, link, front, reported, wanted, &fix);
    }
    report.bad() == before
}

fn frontend(
    report: &mut Report,
    link: &str,
    row: &Row,
    reported: &ProxySqlState,
    wanted: &Wanted<'_>,
    fix: &dyn Fn(&str) -> String,
) {
    let group = number(row, "default_hostgroup").unwrap_or(0);
    let mysql = wanted.layout.mysql_hostgroup;
    if group == i64::from(wanted.layout.shim_hostgroup) {
        let what = format!("its default_hostgroup is {group}, the shim's: every statement goes there");
        report.fail(link, what, fix(&format!("default_hostgroup={mysql}")));
    } else if online(reported, group) == 0 {
        let what = format!("its default_hostgroup {group} has no server that is ONLINE");
        report.fail(link, what, fix(&format!("default_hostgroup={mysql}")));
    }
    if number(row, "fast_forward") == Some(1) {
        let what = "it has fast_forward=1: no rule is asked, so nothing reaches the shim";
        report.fail(link, what, fix("fast_forward=0"));
    }
    if number(row, "transaction_persistent") == Some(1) {
        report.ok(
            link,
            "transaction_persistent=1: inside BEGIN its time-travel statements go to MySQL, and fail there",
        );
    }
}

/// Whether a password is kept as mysql_native_password has it.
fn is_native_hash(stored: &str) -> bool {
    stored.strip_prefix('*').is_some_and(|hex| hex.len() == 40)
}

/// Whether ProxySQL says that MySQL 9 or later stands behind it.
fn is_recent(reported: &ProxySqlState) -> bool {
    let version = reported.variables.get("mysql-server_version").map_or("", String::as_str);
    version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major == 9)
}

/// Whether a password of ProxySQL is that of a tenant. `None`: nobody can tell without the
/// password.
fn same(stored: &str, credential: &Credential) -> Option<bool> {
    if let Some(hex) = stored.strip_prefix('*').filter(|hex| hex.len() == 40) {
        let wanted = hex::encode(auth::native_hash(credential));
        return Some(hex.eq_ignore_ascii_case(&wanted));
    }
    if stored.starts_with("$A$") {
        return None;
    }
    Some(auth::clear(stored.as_bytes(), credential))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbtrail_types::secret::Secret;

    #[test]
    fn ok_passwords_in_every_form() {
        let secret = Credential::Password(Secret::new("secret".to_owned()));
        // SELECT PASSWORD('secret') of MariaDB.
        let hash = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
        let bytes: [u8; 20] = hex::decode(&hash[1..]).unwrap().try_into().unwrap();
        let hashed = Credential::NativeHash(bytes);
        for (stored, same_as) in [
            (hash, Some(true)),
            ("*14e65567abdb5135d0cfd9a70b3032c179a49ee7", Some(true)),
            ("*14E65567ABDB5135D0CFD9A70B3032C179A49EE8", Some(false)),
            ("secret", Some(true)),
            ("Secret", Some(false)),
            ("", Some(false)),
            ("$A$005$abcdefghijklmnopqrstuvwxyz", None),
        ] {
            assert_eq!(same(stored, &secret), same_as, "{stored}");
            assert_eq!(same(stored, &hashed), same_as, "{stored}");
        }
    }
}
