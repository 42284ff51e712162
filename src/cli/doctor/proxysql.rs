//! ProxySQL as it runs: what its admin port tells of servers, rules, users and variables, against
//! the configuration of the shim.

mod routing;
mod users;
mod variables;

use super::admin_rows::{Row, number, rows, text};
use super::report::Report;
use super::{DoctorArgs, PATIENCE};
use crate::cli::proxysql_config::Layout;
use crate::config::Config;
use crate::session::Tenant;
use crate::wire::connection::Tls;
use dbtrail_types::secret::Secret;
use mysql_async::{Conn, Opts, OptsBuilder};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::timeout;

/// The last pings of all servers.
const PINGS: &str = "SELECT hostname, port, ping_error FROM monitor.mysql_server_ping_log ORDER BY time_start_us DESC LIMIT 200";

/// What ProxySQL tells.
#[derive(Debug, Default)]
struct ProxySqlState {
    servers: Vec<Row>,
    users: Vec<Row>,
    /// In force, by rule_id.
    rules: Vec<Row>,
    /// As edited, perhaps not loaded.
    edited: Vec<Row>,
    variables: HashMap<String, String>,
    /// The last pings, the newest first; older versions keep none.
    pings: Vec<Row>,
    /// What holds for one hostgroup alone; older versions have none.
    attributes: Vec<Row>,
}

/// What it should tell.
#[derive(Debug)]
struct Wanted<'a> {
    layout: Layout,
    tenants: Vec<&'a Arc<Tenant>>,
    server_version: &'a str,
    monitor: Option<(&'a str, &'a Secret)>,
    /// The port of the shim; `None`: not known.
    port: Option<u16>,
    tls_required: bool,
    /// What writes everything again.
    generate: String,
}

pub(super) async fn check(report: &mut Report, url: &str, args: &DoctorArgs, config: &Config) {
    let link = "ProxySQL admin";
    // The text of a URL that cannot be read may hold the password: it is not shown.
    let form = "give it as mysql://user:password@host:6032; characters such as @ and / in the password are written %40 and %2F";
    let Ok(opts) = Opts::from_url(url) else {
        return report.fail(link, "--proxysql-admin is no MySQL URL", form);
    };
    report.hide(opts.pass().map(|p| Secret::new(p.to_owned())).into_iter().collect());
    let at = format!("{}:{}", opts.ip_or_hostname(), opts.tcp_port());
    let reported = match timeout(PATIENCE * 3, read_state(opts)).await {
        Ok(Ok(reported)) => reported,
        Ok(Err(error)) => {
            let fix = "check host, port, admin-admin_credentials and that the user may come from here";
            return report.fail(link, format!("{at}: {error}"), fix);
        }
        Err(_) => return report.fail(link, format!("{at} does not answer"), "is it the admin port (6032)?"),
    };
    let version = reported.variables.get("admin-version").map_or("of unknown version", String::as_str);
    report.ok(link, format!("{at} answers, ProxySQL {version}"));
    judge(report, &reported, &wanted(args, config));
}

fn wanted<'a>(args: &'a DoctorArgs, config: &'a Config) -> Wanted<'a> {
    let shared = &config.server.shared;
    let mut tenants: Vec<&Arc<Tenant>> = shared.tenants.values().collect();
    tenants.sort_by(|a, b| a.mysql_user.cmp(&b.mysql_user));
    let port = args.address.as_ref().map_or(config.listen.port(), |(_, port)| *port);
    Wanted {
        layout: args.layout.with(config),
        tenants,
        server_version: &shared.session.server_version,
        monitor: shared.monitor.as_ref().map(|(user, password)| (user.as_str(), password)),
        port: (port != 0).then_some(port),
        tls_required: matches!(shared.tls, Tls::Required(_)),
        generate: format!(
            "dbtrail-shim proxysql-config --config {} --mysql HOST:PORT | mysql -h HOST -P 6032 -u admin -p",
            args.config.display()
        ),
    }
}

/// Reads the tables. The admin port knows no prepared statements and no `@@` variables, so nothing
/// else is asked.
async fn read_state(opts: Opts) -> Result<ProxySqlState, mysql_async::Error> {
    let opts = OptsBuilder::from_opts(opts)
        .prefer_socket(false)
        .max_allowed_packet(Some(16 << 20))
        .wait_timeout(Some(60))
        .compression(None);
    let mut conn = Conn::new(opts).await?;
    let reported = ProxySqlState {
        servers: rows(&mut conn, "SELECT * FROM runtime_mysql_servers").await?,
        users: rows(&mut conn, "SELECT * FROM runtime_mysql_users").await?,
        rules: rows(&mut conn, "SELECT * FROM runtime_mysql_query_rules ORDER BY rule_id").await?,
        edited: rows(&mut conn, "SELECT * FROM mysql_query_rules ORDER BY rule_id").await?,
        variables: rows(&mut conn, "SELECT variable_name, variable_value FROM runtime_global_variables")
            .await?
            .into_iter()
            .filter_map(|mut row| Some((row.remove("variable_name")?, row.remove("variable_value")?)))
            .collect(),
        // A table that a version has not is no fault of the chain.
        pings: rows(&mut conn, PINGS).await.unwrap_or_default(),
        attributes: rows(&mut conn, "SELECT * FROM runtime_mysql_hostgroup_attributes")
            .await
            .unwrap_or_default(),
    };
    conn.disconnect().await?;
    Ok(reported)
}

fn judge(report: &mut Report, reported: &ProxySqlState, wanted: &Wanted<'_>) {
    servers(report, reported, wanted);
    routing::check(report, reported, wanted);
    users::check(report, reported, wanted);
    version(report, reported, wanted);
    monitor(report, reported, wanted);
    timeouts(report, reported, wanted);
    variables::check(report, reported, wanted);
    report.flush();
}

/// An UPDATE and what puts it in force.
fn update(table: &str, set: &str, whose: &str, part: &str) -> String {
    format!(
        "UPDATE {table} SET {set} WHERE {whose}; LOAD MYSQL {part} TO RUNTIME; SAVE MYSQL {part} TO DISK;"
    )
}

fn set_variable(name: &str, value: &str) -> String {
    format!("SET {name}='{value}'; LOAD MYSQL VARIABLES TO RUNTIME; SAVE MYSQL VARIABLES TO DISK;")
}

/// The servers of a hostgroup that take statements.
fn online(reported: &ProxySqlState, hostgroup: i64) -> usize {
    let here = |row: &&Row| number(row, "hostgroup_id") == Some(hostgroup) && text(row, "status") == "ONLINE";
    reported.servers.iter().filter(here).count()
}

fn servers(report: &mut Report, reported: &ProxySqlState, wanted: &Wanted<'_>) {
    let link = "ProxySQL servers";
    let group = i64::from(wanted.layout.shim_hostgroup);
    let shims: Vec<&Row> =
        reported.servers.iter().filter(|r| number(r, "hostgroup_id") == Some(group)).collect();
    if shims.is_empty() {
        report.fail(
            link,
            format!("hostgroup {group} has no server: nobody takes the time-travel statements"),
            &wanted.generate,
        );
    }
    for row in shims {
        let (host, port, status) = (text(row, "hostname"), text(row, "port"), text(row, "status"));
        let shown = format!("the shim {host}:{port} in hostgroup {group}");
        let whose = format!("hostgroup_id={group} AND hostname='{host}' AND port={port}");
        match status {
            "ONLINE" => report.ok(link, format!("{shown} is ONLINE")),
            "SHUNNED" if is_reached(reported, host, port) => report.ok(
                link,
                format!("{shown} is SHUNNED and its last ping came back: the next statement for it puts it ONLINE"),
            ),
            "SHUNNED" => report.fail(
                link,
                format!("{shown} is SHUNNED: it was not reached, or logins failed"),
                format!("SELECT * FROM monitor.mysql_server_ping_log WHERE hostname='{host}' AND port={port} ORDER BY time_start_us DESC LIMIT 3; /* says why */"),
            ),
            other => {
                report.fail(link, format!("{shown} is {other}"), update("mysql_servers", "status='ONLINE'", &whose, "SERVERS"));
            }
        }
        if let Some(wanted_port) = wanted.port
            && port != wanted_port.to_string()
        {
            report.warn(
                link,
                format!("{shown}: the configuration listens on port {wanted_port}"),
                &wanted.generate,
            );
        }
        if wanted.tls_required && text(row, "use_ssl") != "1" {
            let fix = update("mysql_servers", "use_ssl=1", &whose, "SERVERS");
            report.fail(link, format!("{shown} has use_ssl=0, and the shim has tls.mode required"), fix);
        }
    }
}

/// Whether the last ping of a server came back.
fn is_reached(reported: &ProxySqlState, host: &str, port: &str) -> bool {
    let last = reported.pings.iter().find(|p| text(p, "hostname") == host && text(p, "port") == port);
    last.is_some_and(|ping| text(ping, "ping_error").is_empty())
}

fn version(report: &mut Report, reported: &ProxySqlState, wanted: &Wanted<'_>) {
    let link = "ProxySQL server_version";
    let Some(theirs) = reported.variables.get("mysql-server_version") else {
        return report.warn(
            link,
            "mysql-server_version is not known",
            "look for it: SELECT @@mysql-server_version;",
        );
    };
    let digits =
        |v: &str| v.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default().to_owned();
    let ours = wanted.server_version;
    if digits(theirs) == digits(ours) {
        report.ok(link, format!("both say {}", digits(ours)));
    } else {
        report.warn(
            link,
            format!("ProxySQL says {theirs} and the shim {ours}: clients decide by it what they may ask"),
            // A MariaDB behind it is no MySQL 8.0, and its clients go by that.
            if variables::is_mariadbs(theirs) {
                format!("set server_version: {theirs} in shim.yaml")
            } else {
                format!(
                    "set server_version: {theirs} in shim.yaml, or {}",
                    set_variable("mysql-server_version", &digits(ours))
                )
            },
        );
    }
}

fn monitor(report: &mut Report, reported: &ProxySqlState, wanted: &Wanted<'_>) {
    let link = "ProxySQL monitor";
    let variable = |name: &str| reported.variables.get(name).map_or("", String::as_str);
    let theirs = variable("mysql-monitor_username");
    if variable("mysql-monitor_enabled") == "false" {
        return report.ok(link, "it is off");
    }
    match wanted.monitor {
        // ProxySQL shuns a server whose pings fail, for whatever but "Access denied"; an unknown
        // user gets something else.
        None => report.fail(
            link,
            "shim.yaml has no section monitor: the probes are refused, and ProxySQL shuns the shim for it",
            format!(
                "add monitor: with user: {theirs} and the password of mysql-monitor_password to shim.yaml"
            ),
        ),
        Some((user, _)) if user != theirs => {
            let what = format!("ProxySQL probes as '{theirs}', and the shim knows '{user}'");
            report.fail(link, what, format!("set monitor.user: {theirs} in shim.yaml"));
        }
        Some((user, password)) => {
            if reported.variables.get("mysql-monitor_password").is_some_and(|p| p != password.expose()) {
                let what = format!("the password of '{user}' is another one in ProxySQL");
                report.warn(link, what, "make monitor.password in shim.yaml that of mysql-monitor_password");
            } else {
                report.ok(link, format!("'{user}' on both sides"));
            }
        }
    }
}

/// Time-travel answers take longer than lookups, and ProxySQL's timeout is the only one that ends
/// them.
fn timeouts(report: &mut Report, reported: &ProxySqlState, wanted: &Wanted<'_>) {
    let default = reported.variables.get("mysql-default_query_timeout").and_then(|v| v.parse().ok());
    if let Some(millis) = default {
        let fix = set_variable("mysql-default_query_timeout", "3600000");
        limit(report, "mysql-default_query_timeout", millis, &fix);
    }
    for row in &reported.rules {
        let ours = number(row, "destination_hostgroup") == Some(i64::from(wanted.layout.shim_hostgroup));
        // 0 is no limit.
        if let (true, Some(millis)) = (ours, number(row, "timeout").filter(|t| *t > 0)) {
            let id = text(row, "rule_id");
            let fix = update("mysql_query_rules", "timeout=NULL", &format!("rule_id={id}"), "QUERY RULES");
            limit(report, &format!("the timeout of rule {id}"), millis, &fix);
        }
    }
}

fn limit(report: &mut Report, name: &str, millis: i64, fix: &str) {
    let link = "ProxySQL query timeouts";
    let what = format!("{name} is {millis} ms");
    match millis {
        ..2_000 => report.fail(link, format!("{what}: it ends answers that are on their way"), fix),
        2_000..10_000 => report.warn(link, format!("{what}: a large _diff can take longer"), fix),
        10_000..=86_400_000 => report.ok(link, what),
        86_400_001.. => report.warn(link, format!("{what}: a statement that hangs is held that long"), fix),
    }
}
