//! Variables of ProxySQL that concern the shim.

use super::super::admin_rows::{number, text};
use super::super::report::Report;
use super::{ProxySqlState, Wanted, set_variable, update};

/// Bytes of a statement that rules should see: a key list of some thousand numbers.
const LONGEST_ROUTED: u64 = 16_384;
/// Milliseconds in which somebody who mistyped a statement writes the next one.
const SHORT_TRANSACTION: u64 = 3_600_000;

/// Variables that make ProxySQL send the shim what it was not meant for, or end sessions for what
/// the shim refused.
pub(super) fn check(report: &mut Report, reported: &ProxySqlState, wanted: &Wanted<'_>) {
    let link = "ProxySQL variables";
    let group = wanted.layout.shim_hostgroup;
    let own = reported.attributes.iter().find(|a| number(a, "hostgroup_id") == Some(i64::from(group)));
    let of_group = own.map_or("", |a| text(a, "init_connect"));
    let init = reported.variables.get("mysql-init_connect").map_or("", String::as_str);
    if !init.is_empty() && of_group.is_empty() {
        report.warn(
            link,
            format!("mysql-init_connect is sent to the shim too ({init}): a statement that it refuses costs each connection"),
            format!(
                "INSERT OR IGNORE INTO mysql_hostgroup_attributes (hostgroup_id) VALUES ({group}); {}",
                update("mysql_hostgroup_attributes", "init_connect='DO 1'", &format!("hostgroup_id={group}"), "SERVERS")
            ),
        );
    }
    let longest =
        reported.variables.get("mysql-query_digests_max_query_length").and_then(|v| v.parse::<u64>().ok());
    if let Some(longest) = longest.filter(|l| *l < LONGEST_ROUTED) {
        let what = format!(
            "mysql-query_digests_max_query_length is {longest}: of a longer statement there is a digest of its beginning alone, and rules miss what follows"
        );
        report.warn(link, what, set_variable("mysql-query_digests_max_query_length", "65000"));
    }
    for name in ["mysql-max_transaction_time", "mysql-max_transaction_idle_time"] {
        let millis = reported.variables.get(name).and_then(|v| v.parse::<u64>().ok());
        if let Some(millis) = millis.filter(|m| *m < SHORT_TRANSACTION) {
            let what = format!(
                "{name} is {millis} ms: after an error of the shim ProxySQL takes the session for one in a transaction until a statement to the shim succeeds or it says ROLLBACK, and ends it with 2013 after that time"
            );
            report.warn(link, what, set_variable(name, "14400000"));
        }
    }
}

/// Whether a version is one of MariaDB, which names itself, or has numbers that MySQL has not.
pub(super) fn is_mariadbs(version: &str) -> bool {
    let major = version.split('.').next().and_then(|m| m.parse::<u32>().ok()).unwrap_or(0);
    version.to_lowercase().contains("mariadb") || (10..20).contains(&major)
}
