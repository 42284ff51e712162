//! The comment at the head of the file: what a reader should know.

use super::Setup;

/// Text for a comment: nothing in it can end the comment or trouble a client.
fn harmless(text: &str) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.+~@ ".contains(c);
    text.chars().map(|c| if good(c) { c } else { '?' }).collect()
}

/// What a reader should know. No semicolon and no quote: some clients look into comments.
pub(super) fn head(setup: &Setup) -> String {
    let layout = &setup.layout;
    let mut notes = vec![
        "Written by dbtrail-shim proxysql-config for the admin port of ProxySQL (6032). It can be run again at any time:".to_owned(),
        "    mysql -h 127.0.0.1 -P 6032 -u admin -p < this file".to_owned(),
        format!("It deletes and writes only rows with the comment {}. A server or a user that is there already under another comment", layout.owner),
        "stays as it is, with its own password and hostgroup. A rule of somebody else with one of these ids ends the run before anything".to_owned(),
        "is loaded: choose other ids with --rule-id.".to_owned(),
        format!("Rules are tried in the order of their ids. A rule with a smaller id than {} that catches SELECT or SHOW with apply=1 hides", layout.rule_id),
        "these. The command dbtrail-shim doctor --proxysql-admin finds that and more.".to_owned(),
    ];
    if setup.transaction_persistent {
        notes.extend([
            format!("transaction_persistent=1: inside BEGIN every statement of a user goes to hostgroup {}, so a time-travel statement fails there with", layout.mysql_hostgroup),
            "1064 (SHOW and DESCRIBE with 1049). With --transaction-persistent 0 it works there, and each statement of a transaction is routed by itself: right for".to_owned(),
            "users that have one MySQL, wrong where reads and writes are split.".to_owned(),
        ]);
    } else {
        notes.extend([
            "transaction_persistent=0: time travel works inside BEGIN too. Each statement of a transaction is routed by itself: wrong where".to_owned(),
            "reads and writes are split over hostgroups.".to_owned(),
        ]);
    }
    notes.extend([
        "A user variable locks its session to the hostgroup that took the SET. So do not SET @dbtrail_allow_wide_diff through ProxySQL:".to_owned(),
        "write SET_VAR(dbtrail_allow_wide_diff=ON) as an optimizer hint right after SELECT (docs/proxysql.md).".to_owned(),
        "The rules need mysql-query_digests=true, which is the default.".to_owned(),
    ]);
    notes.push(match &setup.monitor {
        Some(user) => format!("mysql-monitor_username must be {}, with the same password as under monitor: in shim.yaml.", harmless(user)),
        None => "shim.yaml has no section monitor: so the probes of ProxySQL are refused and it may shun the shim. Name its user there.".to_owned(),
    });
    if !setup.set_server_version {
        notes.push(format!(
            "mysql-server_version, one for the whole proxy, should agree with that of the shim, {} (--set-server-version sets it).",
            harmless(&setup.server_version)
        ));
    }
    if setup.cleartext {
        notes.push("Passwords are in clear text. Older versions of ProxySQL hash them on LOAD unless admin-hash_passwords=false.".to_owned());
    }
    if layout.orm_forms {
        notes.push("The ORM-friendly forms must be on in every shim of the hostgroup: where a rule is missing such a statement reads the present.".to_owned());
    }
    format!("/*\n{}\n*/\n", notes.join("\n"))
}
