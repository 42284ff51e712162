//! Each fault that a ProxySQL can have.

use super::proxysql_admin::{Tables, add_rule, row, set, variable};

type Fault = (&'static str, fn(&mut Tables), &'static [&'static str]);

pub(super) const SELECT_FIRST: &str = "goes to hostgroup 20: SELECT * FROM _flashback.orders";

#[expect(clippy::too_many_lines, reason = "a table of cases")]
pub(super) fn proxysql_faults() -> Vec<Fault> {
    vec![
        (
            "a rule is missing",
            |t| {
                t.get_mut("runtime_mysql_query_rules").expect("rules").remove(0);
                t.get_mut("mysql_query_rules").expect("rules").remove(0);
            },
            &[
                "FAIL  ProxySQL rules: the rule for FROM and JOIN of a virtual table",
                "FAIL  ProxySQL routing: no rule catches it",
            ],
        ),
        (
            "all rules are missing",
            |t| {
                t.insert("runtime_mysql_query_rules", vec![]);
                t.insert("mysql_query_rules", vec![]);
            },
            &[
                "FAIL  ProxySQL rules: the rule for FROM",
                "FAIL  ProxySQL rules: the rule for a virtual table after a comma",
                "FAIL  ProxySQL rules: the rule for DESCRIBE",
                "FAIL  ProxySQL rules: the rule for SHOW",
                "FAIL  ProxySQL rules: the rule for virtual tables in the quotes",
                "FAIL  ProxySQL routing: no rule catches it: it goes to hostgroup 990",
            ],
        ),
        (
            "a rule is not active",
            |t| {
                t.get_mut("runtime_mysql_query_rules").expect("rules").remove(3);
                set(t, "mysql_query_rules", 3, "active", "0");
            },
            &[
                "FAIL  ProxySQL rules: the rule for SHOW of what a virtual schema holds (990004) is not active",
                "FAIL  ProxySQL routing: no rule",
            ],
        ),
        (
            "a rule is not loaded",
            |t| {
                t.get_mut("runtime_mysql_query_rules").expect("rules").remove(3);
            },
            &[
                "FAIL  ProxySQL rules: the rule for SHOW of what a virtual schema holds (990004) is written and not loaded",
                "FAIL  ProxySQL routing: no rule",
            ],
        ),
        (
            "a rule with a smaller id catches it",
            |t| {
                add_rule(
                    t,
                    &[("rule_id", "100"), ("match_digest", "^SELECT"), ("destination_hostgroup", "20")],
                );
            },
            &[
                "FAIL  ProxySQL routing: rule 100 comes first: it goes to hostgroup 20",
                "FAIL  ProxySQL servers: hostgroup 20, ",
            ],
        ),
        (
            "a rule with the smallest id catches it",
            |t| {
                add_rule(
                    t,
                    &[
                        ("rule_id", "1"),
                        ("match_digest", "^SELECT .* FROM _"),
                        ("destination_hostgroup", "20"),
                    ],
                );
            },
            &["FAIL  ProxySQL routing: rule 1 comes first: it goes to hostgroup 20"],
        ),
        (
            "a rule of one schema may catch it",
            |t| {
                add_rule(
                    t,
                    &[
                        ("rule_id", "100"),
                        ("match_digest", "^SELECT"),
                        ("schemaname", "shop"),
                        ("destination_hostgroup", "20"),
                    ],
                );
            },
            &["WARN  ProxySQL routing: rule 100 catches time travel where schemaname shop"],
        ),
        (
            "a pattern that only PCRE knows",
            |t| {
                add_rule(
                    t,
                    &[
                        ("rule_id", "100"),
                        ("match_digest", "^SELECT(?!.*FOR UPDATE)"),
                        ("destination_hostgroup", "20"),
                    ],
                );
            },
            &["WARN  ProxySQL rules: rule 100 has a pattern that cannot be judged here"],
        ),
        (
            "the wrong hostgroup",
            |t| set(t, "runtime_mysql_query_rules", 0, "destination_hostgroup", "20"),
            &[
                "FAIL  ProxySQL rules: the rule for FROM and JOIN of a virtual table, in whatever statement (990001) leads to hostgroup 20 and not to 991",
                SELECT_FIRST,
            ],
        ),
        (
            "a rule that takes everything",
            |t| add_rule(t, &[("rule_id", "100"), ("match_digest", "."), ("destination_hostgroup", "991")]),
            &["FAIL  ProxySQL routing: rule 100 sends to the shim: SELECT * FROM orders WHERE id = 42"],
        ),
        (
            "rules of one user",
            |t| set(t, "runtime_mysql_query_rules", 3, "username", "other"),
            &[
                "FAIL  ProxySQL rules: the rule for SHOW of what a virtual schema holds (990004) is for username other alone",
                "FAIL  ProxySQL routing: no rule",
            ],
        ),
        (
            "rules made by hand",
            |t| {
                for table in ["runtime_mysql_query_rules", "mysql_query_rules"] {
                    for at in 0..5 {
                        set(t, table, at, "comment", "NULL");
                    }
                }
            },
            &["WARN  ProxySQL rules: none has the comment 'dbtrail-shim'"],
        ),
        (
            "no user",
            |t| {
                t.insert("runtime_mysql_users", vec![]);
            },
            &["FAIL  ProxySQL user app: ProxySQL does not know it"],
        ),
        (
            "no backend user",
            |t| {
                t.get_mut("runtime_mysql_users").expect("users").remove(1);
            },
            &[
                "FAIL  ProxySQL user app: it cannot be used for the servers behind it: there is no row with backend=1",
            ],
        ),
        (
            "another password",
            |t| set(t, "runtime_mysql_users", 0, "password", "*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9"),
            &["FAIL  ProxySQL user app: its frontend password is not that of the configuration"],
        ),
        (
            "fast forward",
            |t| set(t, "runtime_mysql_users", 0, "fast_forward", "1"),
            &["FAIL  ProxySQL user app: it has fast_forward=1"],
        ),
        (
            "the shim for everything",
            |t| set(t, "runtime_mysql_users", 0, "default_hostgroup", "991"),
            &[
                "FAIL  ProxySQL routing: the user's default_hostgroup sends to the shim",
                "FAIL  ProxySQL user app: its default_hostgroup is 991, the shim's",
            ],
        ),
        (
            "shunned",
            |t| set(t, "runtime_mysql_servers", 1, "status", "SHUNNED"),
            &["FAIL  ProxySQL servers: the shim 127.0.0.1:"],
        ),
        (
            "shunned and reached again",
            |t| {
                set(t, "runtime_mysql_servers", 1, "status", "SHUNNED");
                let port = t["runtime_mysql_servers"][1]["port"].clone().expect("a port");
                let ping =
                    |error: &str| row(&[("hostname", "127.0.0.1"), ("port", &port), ("ping_error", error)]);
                t.insert("monitor.mysql_server_ping_log", vec![ping("NULL"), ping("timeout")]);
            },
            &[],
        ),
        (
            "init_connect",
            |t| variable(t, "mysql-init_connect", "SET x"),
            &["WARN  ProxySQL variables: mysql-init_connect is sent to the shim too (SET x)"],
        ),
        (
            "init_connect that the hostgroup overrides",
            |t| {
                variable(t, "mysql-init_connect", "SET x");
                let own = row(&[("hostgroup_id", "991"), ("init_connect", "DO 1")]);
                t.insert("runtime_mysql_hostgroup_attributes", vec![own]);
            },
            &[],
        ),
        (
            "short digests",
            |t| variable(t, "mysql-query_digests_max_query_length", "20"),
            &["WARN  ProxySQL variables: mysql-query_digests_max_query_length is 20"],
        ),
        (
            "short transactions",
            |t| variable(t, "mysql-max_transaction_time", "5000"),
            &["WARN  ProxySQL variables: mysql-max_transaction_time is 5000 ms"],
        ),
        (
            "a hash before MySQL 9",
            |t| variable(t, "mysql-server_version", "9.7.4"),
            &[
                "WARN  ProxySQL user app: its password is kept as a hash of mysql_native_password",
                "WARN  ProxySQL server_version: ProxySQL says 9.7.4 and the shim 8.0.36-dbtrail",
            ],
        ),
        (
            "offline",
            |t| set(t, "runtime_mysql_servers", 1, "status", "OFFLINE_SOFT"),
            &["FAIL  ProxySQL servers: the shim 127.0.0.1:"],
        ),
        (
            "no server",
            |t| {
                t.get_mut("runtime_mysql_servers").expect("servers").remove(1);
            },
            &["FAIL  ProxySQL servers: hostgroup 991 has no server"],
        ),
        (
            "another port",
            |t| set(t, "runtime_mysql_servers", 1, "port", "1"),
            &[
                "WARN  ProxySQL servers: the shim 127.0.0.1:1 in hostgroup 991: the configuration listens on port ",
            ],
        ),
        (
            "another version",
            |t| variable(t, "mysql-server_version", "5.7.44"),
            &["WARN  ProxySQL server_version: ProxySQL says 5.7.44 and the shim 8.0.36-dbtrail"],
        ),
        (
            "a short timeout",
            |t| variable(t, "mysql-default_query_timeout", "1000"),
            &["FAIL  ProxySQL query timeouts: mysql-default_query_timeout is 1000 ms"],
        ),
        (
            "a short timeout of a rule",
            |t| set(t, "runtime_mysql_query_rules", 0, "timeout", "5000"),
            &["WARN  ProxySQL query timeouts: the timeout of rule 990001 is 5000 ms"],
        ),
        (
            "no digests",
            |t| variable(t, "mysql-query_digests", "false"),
            &[
                "FAIL  ProxySQL digests: mysql-query_digests is off",
                "FAIL  ProxySQL routing: rule 990001 sends to the shim: SELECT * FROM orders WHERE note",
            ],
        ),
        (
            "comments in digests",
            |t| variable(t, "mysql-query_digests_keep_comment", "true"),
            &["WARN  ProxySQL digests: mysql-query_digests_keep_comment is on"],
        ),
        (
            "another monitor",
            |t| variable(t, "mysql-monitor_username", "probe"),
            &["FAIL  ProxySQL monitor: ProxySQL probes as 'probe', and the shim knows 'monitor'"],
        ),
        (
            "another password of the monitor",
            |t| variable(t, "mysql-monitor_password", "else"),
            &["WARN  ProxySQL monitor: the password of 'monitor' is another one in ProxySQL"],
        ),
    ]
}
