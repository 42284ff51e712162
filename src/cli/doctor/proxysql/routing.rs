//! The query rules: those of `proxysql-config` are there and as they should be, and statements go
//! where they belong.

use super::super::report::Report;
use super::super::rules::{ORM_TO_SHIM, QueryRule, Sample, TO_MYSQL, TO_SHIM, route};
use super::{ProxySqlState, Row, Wanted, number, online, set_variable, text, update};
use crate::cli::proxysql_config::patterns;
use std::collections::{BTreeMap, BTreeSet};

const LINK: &str = "ProxySQL rules";

pub(super) fn check(report: &mut Report, reported: &ProxySqlState, wanted: &Wanted<'_>) {
    let digests = digests(report, reported);
    let by_hand = present(report, reported, wanted);
    if by_hand {
        let what = format!(
            "none has the comment '{}': they were made by hand, or with another --owner",
            wanted.layout.owner
        );
        report.warn(LINK, what, &wanted.generate);
    }
    let mut rules: Vec<QueryRule> = reported.rules.iter().map(QueryRule::read).collect();
    rules.sort_by_key(|rule| rule.id);
    for rule in rules.iter().filter(|r| r.unknown()) {
        let fix = format!(
            "SELECT * FROM runtime_mysql_query_rules WHERE rule_id={}; /* see whether it catches time travel */",
            rule.id
        );
        report.warn(LINK, format!("rule {} has a pattern that cannot be judged here", rule.id), fix);
    }
    routes(report, &rules, reported, wanted, digests);
}

/// Whether ProxySQL makes digests.
fn digests(report: &mut Report, reported: &ProxySqlState) -> bool {
    let variable = |name: &str| reported.variables.get(name).map(String::as_str);
    if variable("mysql-query_digests_keep_comment") == Some("true") {
        let what = "mysql-query_digests_keep_comment is on: comments then hide time travel from the rules, or feign it";
        report.warn("ProxySQL digests", what, set_variable("mysql-query_digests_keep_comment", "false"));
    }
    let on = variable("mysql-query_digests") != Some("false");
    if on {
        report.ok("ProxySQL digests", "they are made");
    } else {
        let what = "mysql-query_digests is off: the rules then match virtual names inside of literals and comments too";
        report.fail("ProxySQL digests", what, set_variable("mysql-query_digests", "true"));
    }
    on
}

/// Each rule of the generator. Gives whether there are rules to the shim, and none of ours.
fn present(report: &mut Report, reported: &ProxySqlState, wanted: &Wanted<'_>) -> bool {
    let layout = &wanted.layout;
    let group = i64::from(layout.shim_hostgroup);
    let ours = |row: &&Row| text(row, "comment") == layout.owner;
    let to_shim = |row: &&Row| number(row, "destination_hostgroup") == Some(group);
    let any_of_ours = reported.rules.iter().chain(&reported.edited).any(|r| ours(&r));
    if !any_of_ours && reported.rules.iter().any(|r| to_shim(&r)) {
        return true;
    }
    let mut good = 0;
    let expected = patterns::rules(layout.orm_forms);
    for rule in &expected {
        let same = |row: &&Row| {
            ours(row) && text(row, "match_digest") == rule.digest && text(row, "match_pattern") == rule.text
        };
        let name = format!("the rule for {}", rule.what);
        if let Some(row) = reported.rules.iter().find(same) {
            good += usize::from(sound(report, row, &name, group));
        } else if let Some(row) = reported.edited.iter().find(same) {
            let id = text(row, "rule_id");
            if number(row, "active") == Some(1) {
                let fix = "LOAD MYSQL QUERY RULES TO RUNTIME; SAVE MYSQL QUERY RULES TO DISK;";
                report.fail(LINK, format!("{name} ({id}) is written and not loaded"), fix);
            } else {
                let fix = update("mysql_query_rules", "active=1", &format!("rule_id={id}"), "QUERY RULES");
                report.fail(LINK, format!("{name} ({id}) is not active"), fix);
            }
        } else {
            report.fail(LINK, format!("{name} is missing, or of another version"), &wanted.generate);
        }
    }
    if good == expected.len() {
        report.ok(LINK, format!("all {good} are there and active"));
    }
    false
}

/// Whether a rule that is in force does what it should.
fn sound(report: &mut Report, row: &Row, name: &str, group: i64) -> bool {
    let id = text(row, "rule_id");
    let whose = format!("rule_id={id}");
    let fix = |set: &str| update("mysql_query_rules", set, &whose, "QUERY RULES");
    let mut good = true;
    let mut wrong = |what: String, fix: String| {
        report.fail(LINK, format!("{name} ({id}) {what}"), fix);
        good = false;
    };
    if number(row, "destination_hostgroup") != Some(group) {
        let to =
            row.get("destination_hostgroup").map_or("nowhere".to_owned(), |to| format!("to hostgroup {to}"));
        wrong(format!("leads {to} and not to {group}"), fix(&format!("destination_hostgroup={group}")));
    }
    if number(row, "active") == Some(0) {
        wrong("is not active".to_owned(), fix("active=1"));
    }
    if number(row, "apply") != Some(1) {
        wrong("has apply=0: a later rule can undo it".to_owned(), fix("apply=1"));
    }
    if number(row, "negate_match_pattern") == Some(1) {
        wrong("is negated".to_owned(), fix("negate_match_pattern=0"));
    }
    if !text(row, "re_modifiers").to_uppercase().contains("CASELESS") {
        wrong("heeds upper and lower case".to_owned(), fix("re_modifiers='CASELESS'"));
    }
    if number(row, "flagIN").unwrap_or(0) != 0 {
        wrong("has a flagIN".to_owned(), fix("flagIN=0"));
    }
    for name in ["username", "schemaname", "client_addr", "proxy_addr", "proxy_port", "digest"] {
        if let Some(value) = row.get(name).filter(|v| !v.is_empty()) {
            wrong(format!("is for {name} {value} alone"), fix(&format!("{name}=NULL")));
        }
    }
    good
}

/// What the samples show. One finding a rule and direction, however many users and statements it
/// concerns.
#[derive(Default)]
struct Routes {
    /// Time travel that goes elsewhere: by which rule, and where to.
    hidden: BTreeMap<Option<i64>, (Sample, Option<i64>)>,
    /// Other statements that go to the shim.
    caught: BTreeMap<Option<i64>, Sample>,
    /// Rules that catch time travel of some clients.
    doubts: BTreeSet<i64>,
    /// Hostgroups of other statements without a server.
    homeless: BTreeSet<i64>,
}

/// Sends the samples of every tenant through the rules.
fn follow(rules: &[QueryRule], reported: &ProxySqlState, wanted: &Wanted<'_>, digests: bool) -> Routes {
    let group = i64::from(wanted.layout.shim_hostgroup);
    let more: &[Sample] = if wanted.layout.orm_forms { &ORM_TO_SHIM } else { &[] };
    let mut routes = Routes::default();
    for tenant in &wanted.tenants {
        let user = &tenant.mysql_user;
        let of_user = |r: &&Row| text(r, "username") == user && number(r, "frontend") == Some(1);
        let default = reported.users.iter().find(of_user).and_then(|r| number(r, "default_hostgroup"));
        let default = default.unwrap_or(i64::from(wanted.layout.mysql_hostgroup));
        for sample in TO_SHIM.iter().chain(more) {
            let route = route(rules, user, default, sample, digests);
            if route.hostgroup != Some(group) {
                routes.hidden.entry(route.by).or_insert((*sample, route.hostgroup));
            }
            routes.doubts.extend(route.doubts);
        }
        for sample in &TO_MYSQL {
            let route = route(rules, user, default, sample, digests);
            match route.hostgroup {
                Some(to) if to == group => {
                    routes.caught.entry(route.by).or_insert(*sample);
                }
                Some(to) if online(reported, to) == 0 => {
                    routes.homeless.insert(to);
                }
                Some(_) | None => {}
            }
        }
    }
    routes
}

fn routes(
    report: &mut Report,
    rules: &[QueryRule],
    reported: &ProxySqlState,
    wanted: &Wanted<'_>,
    digests: bool,
) {
    let link = "ProxySQL routing";
    let Routes { hidden, caught, doubts, homeless } = follow(rules, reported, wanted, digests);
    if hidden.is_empty() && caught.is_empty() {
        report.ok(link, "time-travel statements go to the shim, others do not");
    }
    for (by, (sample, to)) in hidden {
        astray(report, wanted, by, &sample, to);
    }
    let generate = &wanted.generate;
    for (by, sample) in caught {
        let (who, fix) = match by {
            None => ("the user's default_hostgroup".to_owned(), generate.clone()),
            Some(id) => (
                format!("rule {id}"),
                format!("DELETE FROM mysql_query_rules WHERE rule_id={id}; then {generate}"),
            ),
        };
        report.fail(link, format!("{who} sends to the shim: {}", sample.statement), fix);
    }
    for id in doubts {
        let depends = rules.iter().find(|r| r.id == id).map(|r| r.depends.join(", ")).unwrap_or_default();
        let fix =
            format!("if such clients ask for the past, give the rules a smaller id than {id}: --rule-id");
        report.warn(link, format!("rule {id} catches time travel where {depends}"), fix);
    }
    for to in homeless {
        let what = format!("hostgroup {to}, where ordinary statements go, has no server that is ONLINE");
        let fix =
            format!("SELECT hostname, port, status FROM runtime_mysql_servers WHERE hostgroup_id={to};");
        report.fail("ProxySQL servers", what, fix);
    }
}

/// A time-travel statement that does not reach the shim.
fn astray(report: &mut Report, wanted: &Wanted<'_>, by: Option<i64>, sample: &Sample, to: Option<i64>) {
    let to = to.map_or("is answered by ProxySQL itself".to_owned(), |to| format!("goes to hostgroup {to}"));
    let count = i64::try_from(patterns::rules(wanted.layout.orm_forms).len()).unwrap_or(0);
    let (why, fix) = match by {
        None => ("no rule catches it".to_owned(), wanted.generate.clone()),
        Some(id) if id > count => (
            format!("rule {id} comes first"),
            format!("write the rules with smaller ids: {} with --rule-id {}", wanted.generate, id - count),
        ),
        Some(id) => (
            format!("rule {id} comes first"),
            format!(
                "make room below it: {}",
                update(
                    "mysql_query_rules",
                    "rule_id=rule_id+1000000",
                    &format!("rule_id={id}"),
                    "QUERY RULES"
                )
            ),
        ),
    };
    report.fail("ProxySQL routing", format!("{why}: it {to}: {}", sample.statement), fix);
}
