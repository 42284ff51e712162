//! `proxysql-config`: the SQL for ProxySQL's admin port.
//!
//! # Whose rows
//! Every row that it writes carries the owner's name in `comment`, and only rows with exactly that
//! comment are deleted. A row of somebody else that is in the way stays as it is:
//! * a server that is there already (same hostgroup, host and port) is used as it is (`INSERT OR
//!   IGNORE`);
//! * a user that is there already keeps its password, its hostgroup and everything else (`INSERT OR
//!   IGNORE`): the rules send its time-travel statements to the shim all the same, and `doctor`
//!   compares the passwords;
//! * a rule with one of our ids makes its INSERT fail: a rule that is silently missing would send
//!   time travel to MySQL.
//!
//! All inserts come before the first LOAD: what fails half way has changed nothing that is in
//! force.

pub mod patterns;
mod sql;

use super::private_file;
use super::serve::{BAD_CONFIG, announce, fail};
use crate::config::{self, Config};
use crate::wire::connection::Tls;
use clap::{Args, ValueEnum};
use sql::{Setup, User};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// How ProxySQL is laid out: `proxysql-config` writes it, `doctor` expects it.
#[derive(Clone, Debug, Args)]
pub struct Layout {
    /// The hostgroup of MySQL: where the users' other statements go.
    #[arg(long, value_name = "ID", default_value_t = 990)]
    pub mysql_hostgroup: u32,
    /// The hostgroup of the shim.
    #[arg(long, value_name = "ID", default_value_t = 991)]
    pub shim_hostgroup: u32,
    /// The id of the first rule; it must be smaller than that of every rule that catches SELECT,
    /// SHOW or DESCRIBE with apply=1.
    #[arg(long, value_name = "ID", default_value_t = 990_001, value_parser = clap::value_parser!(u32).range(1..=2_000_000_000))]
    pub rule_id: u32,
    /// The comment that marks the rows of this shim; two shims behind one ProxySQL need two.
    #[arg(long, value_name = "NAME", default_value = "dbtrail-shim", value_parser = owner)]
    pub owner: String,
    /// Rules for the ORM-friendly forms too; `statements.orm_forms: on` in the configuration says
    /// so by itself.
    #[arg(long)]
    pub orm_forms: bool,
}

impl Layout {
    /// This layout for a configuration: a shim that takes the ORM-friendly forms needs their rules.
    pub(super) fn with(&self, config: &Config) -> Self {
        Self { orm_forms: self.orm_forms || config.server.shared.session.orm_forms, ..self.clone() }
    }

    /// What contradicts itself.
    pub(super) fn mistake(&self) -> Option<String> {
        (self.mysql_hostgroup == self.shim_hostgroup).then(|| {
            format!("MySQL and the shim cannot both be hostgroup {}: choose two ids", self.shim_hostgroup)
        })
    }
}

fn owner(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.: ".contains(c);
    if text.is_empty() || text.len() > 60 || text.trim() != text || !text.chars().all(good) {
        return Err("1 to 60 letters, digits, blanks and -_.: are needed".to_owned());
    }
    Ok(text.to_owned())
}

/// In which form ProxySQL gets the passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PasswordForm {
    /// As in mysql.user for mysql_native_password.
    Native,
    /// Needed when MySQL keeps the user with caching_sha2_password.
    Cleartext,
}

/// Arguments of `proxysql-config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// shim.yaml
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The MySQL that answers everything else, as ProxySQL reaches it.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port)]
    mysql: (String, u16),
    /// This shim, as ProxySQL reaches it; default: `listen` of the configuration.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port)]
    shim: Option<(String, u16)>,
    /// Where to write, with mode 0600; default: standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    layout: Layout,
    /// Hashes, or the passwords themselves.
    #[arg(long, value_enum, default_value_t = PasswordForm::Native)]
    password_form: PasswordForm,
    /// 1: inside BEGIN every statement goes to MySQL, time travel fails there. 0: time travel works
    /// inside BEGIN, and each statement of a transaction is routed by itself.
    #[arg(long, value_name = "0|1", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=1))]
    transaction_persistent: u8,
    /// Set ProxySQL's mysql-server_version to the server_version of the configuration: one for the
    /// whole proxy.
    #[arg(long)]
    set_server_version: bool,
}

/// `host:port`, `[::1]:port`.
pub(super) fn host_port(text: &str) -> Result<(String, u16), String> {
    let wrong = || format!("'{text}' is not host:port");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port: u16 = port.parse().ok().filter(|p| *p > 0).ok_or_else(wrong)?;
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let good = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)),
    };
    if !good {
        return Err(wrong());
    }
    Ok((bare.unwrap_or(host).to_owned(), port))
}

/// Writes the SQL.
#[must_use]
pub fn run(args: &ConfigArgs) -> ExitCode {
    let config = match config::load(&args.config) {
        Ok(config) => config,
        Err(mistakes) => {
            announce(&mistakes, "mistake");
            return ExitCode::from(BAD_CONFIG);
        }
    };
    let text = match setup(args, &config).and_then(|setup| sql::text(&setup)) {
        Ok(text) => text,
        Err(why) => return fail(&why),
    };
    let written = match &args.output {
        None => std::io::stdout().write_all(text.as_bytes()).map_err(|e| format!("standard output: {e}")),
        Some(path) => {
            private_file::write(path, &text).map_err(|e| format!("{} cannot be written: {e}", path.display()))
        }
    };
    written.map_or_else(|why| fail(&why), |()| ExitCode::SUCCESS)
}

fn setup(args: &ConfigArgs, config: &Config) -> Result<Setup, String> {
    if let Some(mistake) = args.layout.mistake() {
        return Err(mistake);
    }
    let shim = match &args.shim {
        Some(address) => address.clone(),
        None if config.listen.ip().is_unspecified() || config.listen.port() == 0 => {
            return Err(format!(
                "listen is {}, which no ProxySQL can connect to: say --shim HOST:PORT",
                config.listen
            ));
        }
        None => (config.listen.ip().to_string(), config.listen.port()),
    };
    let shared = &config.server.shared;
    let mut users = Vec::new();
    for tenant in shared.tenants.values() {
        let password = match args.password_form {
            PasswordForm::Native => sql::native(&tenant.credential),
            PasswordForm::Cleartext => sql::cleartext(&tenant.mysql_user, &tenant.credential)?,
        };
        let (name, default_schema) = (tenant.mysql_user.clone(), tenant.default_schema.clone());
        users.push(User { name, password, default_schema });
    }
    users.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Setup {
        layout: args.layout.with(config),
        mysql: args.mysql.clone(),
        shim,
        shim_tls: !matches!(shared.tls, Tls::Off),
        max_connections: pool(shared.session.max_connections),
        users,
        cleartext: args.password_form == PasswordForm::Cleartext,
        transaction_persistent: args.transaction_persistent == 1,
        server_version: shared.session.server_version.clone(),
        set_server_version: args.set_server_version,
        monitor: shared.monitor.as_ref().map(|(user, _)| user.clone()),
    })
}

/// Connections that ProxySQL may open to a shim that lets in so many: a tenth is left to those who
/// come without ProxySQL. One login that is refused because the shim is full counts as a failure of
/// the whole backend there.
fn pool(max_connections: usize) -> usize {
    (max_connections - max_connections / 10).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_addresses() {
        for (text, address) in [
            ("10.0.0.5:3306", Some(("10.0.0.5", 3306))),
            ("db-1.example:3307", Some(("db-1.example", 3307))),
            ("[::1]:3306", Some(("::1", 3306))),
            ("db", None),
            ("db:0", None),
            ("db:70000", None),
            (":3306", None),
            ("::1:3306", None),
            ("[nonsense]:3306", None),
            ("d'b:3306", None),
        ] {
            let read = host_port(text).ok();
            assert_eq!(read.as_ref().map(|(h, p)| (h.as_str(), *p)), address, "{text}");
        }
    }

    #[test]
    fn ok_owners() {
        for (text, good) in
            [("dbtrail-shim", true), ("shim 2", true), ("", false), ("a'b", false), (" a", false)]
        {
            assert_eq!(owner(text).is_ok(), good, "{text}");
        }
    }
}
