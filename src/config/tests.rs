//! shim.yaml, and what is said of mistakes in it.

use super::tenants::is_local;
use super::*;
use std::io::Write;
use std::time::Duration;

fn read(text: &str) -> Result<Config, Vec<String>> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let name = format!("{}:", file.path().display());
    load(file.path())
        .map_err(|mistakes| mistakes.iter().map(|m| m.strip_prefix(&name).unwrap().to_owned()).collect())
}

/// Five lines.
const TENANT_LINES: &str = "agent_url: https://localhost:8600\ntenants:\n  - mysql_user: app\n    mysql_password: secret\n    server_id: s\n";

#[test]
fn ok_a_small_file_has_the_defaults() {
    let config = read(TENANT_LINES).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:3308");
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.server.shutdown_grace, Duration::from_secs(30));
    assert_eq!(config.log, ("info".to_owned(), telemetry::Format::Text));
    let session = &config.server.shared.session;
    assert_eq!(session.server_version, "8.0.36-dbtrail");
    let defaults = session_defaults().unwrap();
    assert_eq!(format!("{session:?}"), format!("{:?}", Arc::new(defaults)), "what no file says");
    assert_eq!((session.max_packet, session.max_connections), (64 << 20, 1000));
    assert_eq!(session.max_prepared_statements, 1000);
    assert_eq!((session.guard.max_keys, session.max_diff_window), (1000, Duration::from_secs(86_400)));
    assert_eq!(config.server.shared.tenants["app"].time_zone.name(), "+00:00");
}

#[test]
fn err_each_mistake_has_line_and_path() {
    for (text, mistake) in [
        ("listen: nowhere\n", "6: listen: 'nowhere' is not an address with a port"),
        ("server_version: eight\n", "6: server_version: 'eight' is not a version"),
        ("tls: {mode: maybe}\n", "6: tls.mode: 'maybe' is none of off, offered, required"),
        ("tls:\n  mode: required\n", "6: tls: cert_file and key_file are needed"),
        (
            "limits:\n  max_keys: 5\n  max_diff_window: long\n",
            "8: limits.max_diff_window: 'long' is not a duration",
        ),
        (
            "limits: {max_keys: 0}\n",
            "6: limits.max_keys: '0' is not a number from 1 to 10000, the most that an agent answers",
        ),
        ("limits: {max_connections: many}\n", "6: limits.max_connections: 'many' is not a number"),
        ("limits: {max_packet: 2GiB}\n", "6: limits.max_packet: '2GiB' is not a size from 1KiB to 1GiB"),
        ("limits: 5\n", "6: limits: keys with values are needed, and this is a single value"),
        (
            "limits: {max_keys: 1000000}\n",
            "6: limits.max_keys: '1000000' is not a number from 1 to 10000, the most that an agent answers",
        ),
        ("limits: {max_keys: [5]}\n", "6: limits.max_keys: a single value is needed, and this is a list"),
        ("monitor: {user: app, password: x}\n", "6: monitor.user: 'app' is a tenant's user too"),
        ("monitor: {user: m, password: ''}\n", "6: monitor.password: it is empty"),
        ("monitor: {user: m}\n", "6: monitor.password: it is missing"),
        ("\ncolour: blue\n", "7: colour: there is no such key; those known here are listen, "),
        ("log: {colour: blue}\n", "6: log.colour: there is no such key; those known here are level, format"),
        ("agent_url: https://b\n", "6: agent_url: it is there twice, first in line 1"),
        ("agent_tls: {ca_file: /nonexistent/ca}\n", "6: agent_tls.ca_file: /nonexistent/ca cannot be read: "),
        ("agent_tls: {key_file: k}\n", "6: agent_tls: cert_file and key_file come together"),
        (
            "    allowed_schemas: shop\n",
            "6: tenants[0].allowed_schemas: a list is needed, and this is a single value",
        ),
        ("    time_zone: Nowhere/At_All\n", "6: tenants[0].time_zone: 'Nowhere/At_All' is not a time zone"),
        ("    agent_token: ''\n", "6: tenants[0].agent_token: it is empty"),
        ("    agent_token: tokén\n", "6: tenants[0].agent_token: a token is one line of ASCII characters"),
        (
            "    agent_token: \"a\\nb\"\n",
            "6: tenants[0].agent_token: a token is one line of ASCII characters",
        ),
        ("    agent_token: 'a '\n", "6: tenants[0].agent_token: a token is one line of ASCII characters"),
        ("    agent_token_file: /dev/null\n", "6: tenants[0].agent_token_file: it is empty"),
        (
            "    agent_token: a\n    agent_token_file: b\n",
            "3: tenants[0]: agent_token and agent_token_file exclude",
        ),
        ("    mysql_pass_sha1: x\n", "3: tenants[0]: exactly one of mysql_password, "),
        (
            "    default_schema: a\n    allowed_schemas: [b]\n",
            "6: tenants[0].default_schema: 'a' is not in allowed_schemas",
        ),
        (
            "    agent_url: ${NOT_SET_ANYWHERE}\n",
            "6: tenants[0].agent_url: the environment variable NOT_SET_ANYWHERE is not set",
        ),
        ("    agent_url: []\n", "6: tenants[0].agent_url: it names no agent"),
        (
            "    agent_url: [https://a:1, ftp://b]\n",
            "6: tenants[0].agent_url: 'ftp://b' is not https://host:port",
        ),
        (
            "    agent_url: [https://a:1, https://a:1]\n",
            "6: tenants[0].agent_url: https://a:1 is there twice",
        ),
        (
            "    agent_url: https://user:hidden@host\n",
            "6: tenants[0].agent_url: 'host' is not https://host:port",
        ),
        (
            "  - {mysql_user: app, mysql_password: b, server_id: s}\n",
            "6: tenants[1].mysql_user: 'app' is the user of tenants[0] already",
        ),
        (
            "  - {mysql_user: b, mysql_pass_sha1: '*12', server_id: s}\n",
            "6: tenants[1].mysql_pass_sha1: it is not * and 40 hexadecimal digits",
        ),
        ("  - {mysql_password: b, server_id: s}\n", "6: tenants[1].mysql_user: it is missing"),
        ("  - nobody\n", "6: tenants[1]: keys with values are needed, and this is a single value"),
        ("log: {level: info\n", "6: this is not YAML: unclosed bracket "),
    ] {
        let mistakes = read(&format!("{TENANT_LINES}{text}")).unwrap_err();
        assert!(mistakes[0].starts_with(mistake), "{text}: {mistakes:?}");
        assert!(mistakes.len() == 1 && !mistakes.concat().contains("hidden"), "{text}: {mistakes:?}");
    }
}

#[test]
fn err_all_mistakes_at_once_in_the_order_of_the_file() {
    let text = "agent_url: ftp://x\nlisten: y\ncolour: blue\ntenants:\n  - mysql_user: a\n    serverid: s\n    mysql_password: ''\nlog: {level: loud}\n";
    assert_eq!(
        read(text).unwrap_err(),
        [
            "1: agent_url: 'ftp://x' is not https://host:port",
            "2: listen: 'y' is not an address with a port, such as 127.0.0.1:3308",
            "3: colour: there is no such key; those known here are listen, reuse_port, server_version, agent_url, shutdown_grace, agent_tls, tls, monitor, limits, statements, proxysql, errors, http, audit, log, tenants",
            "5: tenants[0].server_id: it is missing",
            "6: tenants[0].serverid: there is no such key; those known here are mysql_user, mysql_password, mysql_password_file, mysql_pass_sha1, server_id, agent_url, agent_token, agent_token_file, default_schema, allowed_schemas, time_zone",
            "7: tenants[0].mysql_password: the password is empty",
            "8: log.level: 'loud' is none of error, warn, info, debug",
        ]
    );
    assert_eq!(read("").unwrap_err(), ["1: tenants: there is none, so nobody could log in"]);
}

#[test]
fn ok_variables_of_the_environment_are_values_and_never_yaml() {
    let root = tree::read("a: ignored\nlisten: 'x${V}y$$z$'\nagent_url: ${V}\n").unwrap();
    let file = File::new(&root, &SHIM, |name| (name == "V").then(|| "'\" # : [\n".to_owned()));
    assert_eq!(file.text("listen"), Some("x'\" # : [\ny$z$"));
    assert_eq!(file.list("agent_url"), Some(&["'\" # : [\n".to_owned()][..]));
}

#[test]
fn ok_hosts_that_are_this_machine() {
    for (host, local) in [
        ("localhost", true),
        ("localhost:8600/", true),
        ("127.0.0.1:8600", true),
        ("[::1]:8600", true),
        ("127.0.0.1.example.com", false),
        ("localhost.example.com:8600", false),
        ("10.0.0.1:8600", false),
    ] {
        assert_eq!(is_local(host), local, "{host}");
    }
}

/// shim.example.yaml names every key, each with its default, and is good but for the files that
/// it names.
#[test]
fn ok_the_example_holds_every_key_with_its_default() {
    let example = include_str!("../../shim.example.yaml");
    let file = File::new(&tree::read(example).unwrap(), &SHIM, |_| None);
    assert_eq!(file.mistakes, []);
    holds_every_key(example, &file, &SHIM);
}
