//! The shim itself: its port, and the login of everyone in the configuration.

use super::report::Report;
use super::{DoctorArgs, PATIENCE};
use crate::config::Config;
use crate::session::Credential;
use crate::wire::connection::Tls;
use dbtrail_types::secret::Secret;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, SslOpts};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Where to connect, and how.
#[derive(Debug)]
struct Door {
    host: String,
    port: u16,
    tls: bool,
    /// The certificate of this very machine need not be checked.
    local: bool,
}

pub(super) async fn check(report: &mut Report, args: &DoctorArgs, config: &Config) {
    let Some(door) = door(args, config) else {
        report.fail(
            "port of the shim",
            "listen has port 0, so it cannot be known where the shim listens",
            "say --address HOST:PORT",
        );
        return;
    };
    let shown = format!("{}:{}", door.host, door.port);
    let start = format!("start it: dbtrail-shim --config {}", args.config.display());
    match timeout(PATIENCE, TcpStream::connect((door.host.as_str(), door.port))).await {
        Ok(Ok(_)) => report.ok("port of the shim", format!("something listens on {shown}")),
        Ok(Err(error)) => return report.fail("port of the shim", format!("{shown}: {error}"), start),
        Err(_) => return report.fail("port of the shim", format!("{shown} does not answer"), start),
    }
    report.flush();
    let shared = &config.server.shared;
    let mut tenants: Vec<_> = shared.tenants.values().collect();
    tenants.sort_by(|a, b| a.mysql_user.cmp(&b.mysql_user));
    for tenant in tenants {
        let link = format!("login of {}", tenant.mysql_user);
        match &tenant.credential {
            Credential::Password(password) => {
                let version = &shared.session.server_version;
                let statement = "SELECT @@version";
                let asked = ask(&door, &tenant.mysql_user, password, statement, PATIENCE).await;
                said(report, &link, asked, |answer| answer == version, args);
            }
            Credential::NativeHash(_) => report.warn(
                &link,
                "not tried: the configuration has only the hash of the password",
                format!(
                    "try it by hand: mysql -h {} -P {} -u {} -p -e 'SELECT 1'",
                    door.host, door.port, tenant.mysql_user
                ),
            ),
        }
        report.flush();
    }
    if let Some((user, password)) = &shared.monitor {
        let asked = ask(&door, user, password, "SELECT @@global.read_only read_only", PATIENCE).await;
        said(report, &format!("login of the monitor user {user}"), asked, |answer| answer == "1", args);
        report.flush();
    }
}

/// The address to connect to. A wildcard address is reached at this machine's own.
fn door(args: &DoctorArgs, config: &Config) -> Option<Door> {
    let tls = !matches!(config.server.shared.tls, Tls::Off);
    let listen = config.listen.ip();
    let here = match listen {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V4(_) | IpAddr::V6(_) => listen,
    };
    let (host, port) = args.address.clone().unwrap_or_else(|| (here.to_string(), config.listen.port()));
    let address = host.parse::<IpAddr>().ok();
    let local = args.address.is_none() || host == "localhost" || address.is_some_and(|a| a.is_loopback());
    (port != 0).then_some(Door { host, port, tls, local })
}

fn said(
    report: &mut Report,
    link: &str,
    asked: Result<String, mysql_async::Error>,
    right: impl Fn(&str) -> bool,
    args: &DoctorArgs,
) {
    let config = args.config.display();
    match asked {
        Ok(answer) if right(&answer) => report.ok(link, "it works"),
        Ok(answer) => report.warn(
            link,
            format!("it works, and answers with {answer}: what runs has another configuration than {config}"),
            "restart the shim",
        ),
        Err(mysql_async::Error::Server(error)) if error.code == 1045 => report.fail(
            link,
            format!("refused: {}", error.message),
            format!("what runs has another configuration than {config}: restart the shim, or put its password into the file"),
        ),
        Err(mysql_async::Error::Server(error)) => report.fail(
            link,
            format!("error {}: {}", error.code, error.message),
            "look for this error in the log of the shim",
        ),
        Err(error) => report.fail(
            link,
            format!("no MySQL conversation: {error}"),
            "is it the shim that listens there, and does it have the same tls.mode? Restart it",
        ),
    }
}

/// Logs in, asks for one value, leaves.
async fn ask(
    door: &Door,
    user: &str,
    password: &Secret,
    statement: &str,
    patience: std::time::Duration,
) -> Result<String, mysql_async::Error> {
    let ssl = door.tls.then(|| {
        SslOpts::default()
            .with_danger_accept_invalid_certs(door.local)
            .with_danger_skip_domain_validation(door.local)
    });
    let options = OptsBuilder::default()
        .ip_or_hostname(door.host.clone())
        .tcp_port(door.port)
        .user(Some(user))
        .pass(Some(password.expose()))
        .prefer_socket(false)
        // The shim keeps slots for whoever looks after it: one that is full is not taken for one
        // that is down.
        .connect_attributes(HashMap::from([("program_name".to_owned(), "dbtrail-shim doctor".to_owned())]))
        .max_allowed_packet(Some(1 << 20))
        .wait_timeout(Some(60))
        .ssl_opts(ssl);
    let conversation = async {
        let mut conn = Conn::new(options).await?;
        let answer: Option<String> = conn.query_first(statement).await?;
        conn.disconnect().await?;
        Ok(answer.unwrap_or_default())
    };
    match timeout(patience, conversation).await {
        Ok(answer) => answer,
        Err(_) => Err(mysql_async::Error::Other("no answer in time".into())),
    }
}
