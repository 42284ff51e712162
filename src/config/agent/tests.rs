//! agent.yaml read, and what is wrong with it.

use super::super::file::File;
use super::super::tree;
use super::*;
use dbtrail_history::patterns::Patterns;
use std::io::Write;

fn read(text: &str) -> Result<AgentConfig, Vec<String>> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let name = format!("{}:", file.path().display());
    load(file.path())
        .map_err(|mistakes| mistakes.iter().map(|m| m.strip_prefix(&name).unwrap().to_owned()).collect())
}

/// Four lines.
const LINES: &str = "server_id: shop\ndata: /var/lib/d\nsource:\n  url: mysql://cap@db:3306\n";

fn capture(config: AgentConfig) -> CaptureSettings {
    match config.histories.into_iter().next().unwrap().origin {
        Origin::Live(capture) => *capture,
        other @ (Origin::Files(_) | Origin::Read(_)) => panic!("{other:?}"),
    }
}

#[test]
fn ok_a_small_file_has_the_defaults() {
    let config = read(LINES).unwrap();
    assert_eq!(config.histories[0].server_id.0, "shop");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8600");
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.log, ("info".to_owned(), telemetry::Format::Text));
    let serve = &config.serve;
    assert_eq!((serve.max_requests, serve.max_connections), (256, 1024));
    assert_eq!(serve.catch_up_wait, Duration::from_secs(5));
    let at_once = read(&format!("{LINES}limits: {{catch_up_wait: 0s}}\n")).unwrap();
    assert_eq!(at_once.serve.catch_up_wait, Duration::ZERO);
    assert_eq!((serve.max_lag, serve.grace), (Duration::from_secs(60), Duration::from_secs(30)));
    assert!(serve.tls.is_none() && serve.tokens.is_open() && serve.ui);
    assert!(!read(&format!("{LINES}ui: \"off\"\n")).unwrap().serve.ui);
    let capture = capture(config);
    assert_eq!((capture.keep, capture.baseline, capture.cache), (None, true, CACHE));
    let source = capture.source;
    assert!(source.connections);
    assert_eq!(
        (source.address().as_str(), source.user.as_str(), source.password.expose()),
        ("db:3306", "cap", "")
    );
    assert_eq!((source.rows_per_second, source.tables), (0, Patterns::default()));
    assert_eq!(capture.data, Location::folder(PathBuf::from("/var/lib/d")));
}

#[test]
fn ok_all_of_a_source() {
    let mut password = tempfile::NamedTempFile::new().unwrap();
    password.write_all(b"p w\n").unwrap();
    let text = format!(
        "{LINES}  password_file: {}\n  replica_id: 77\n  include: [shop.*, hr.people]\n  exclude: [shop.log_*]\nbaseline: {{mode: \"off\", rows_per_second: 500}}\ncapture: {{statements: \"off\", connections: \"off\"}}\nkeep: 30d\ncache: 512\n",
        password.path().display()
    );
    let capture = capture(read(&text).unwrap());
    assert!(!capture.baseline && !capture.statements);
    let source = capture.source;
    assert!(!source.connections);
    assert_eq!(source.password.expose(), "p w");
    assert_eq!((source.server_id, source.rows_per_second), (77, 500));
    let include = ["shop.*".to_owned(), "hr.people".to_owned()];
    assert_eq!(source.tables, Patterns::new(&include, &["shop.log_*".to_owned()]).unwrap());
    assert_eq!((capture.keep, capture.cache), (Some(Duration::from_secs(30 * 86_400)), 512));
    let files = read("server_id: s\nbinlog: [a.1, a.2]\n").unwrap();
    let plain = LogFiles { files: vec!["a.1".into(), "a.2".into()], ..LogFiles::default() };
    assert_eq!(files.histories[0].origin, Origin::Files(Box::new(plain)));
}

#[test]
fn err_each_mistake_has_line_and_path() {
    for (text, mistake) in [
        ("listen: nowhere\n", "5: listen: 'nowhere' is not an address with a port"),
        (
            "listen: 0.0.0.0:8600\n",
            "5: listen: on 0.0.0.0:8600 rows would cross the network in clear text: tls and",
        ),
        ("keep: 30\n", "5: keep: '30' is not a duration above 0 such as 30d, or forever"),
        ("keep: 0d\n", "5: keep: '0d' is not a duration above 0"),
        ("cache: 7\n", "5: cache: '7' is not a number of MiB from 8 to 1048576"),
        ("cache: 1GB\n", "5: cache: '1GB' is not a number of MiB"),
        ("disk_cache: some\n", "5: disk_cache: 'some' is not a number of MiB; 0: none"),
        ("disk_cache: 9\n", "5: disk_cache: it is for buckets, and data is a folder"),
        ("standby: \"on\"\n", "5: standby: it is for buckets, and data is a folder"),
        ("poll: 1h\n", "5: poll: '1h' is not a duration from 100ms to 60s"),
        ("read: \"on\"\n", "5: read: a reader has neither source nor binlog"),
        ("binlog: [a]\n", "5: binlog: source and binlog exclude each other"),
        (
            "colour: blue\n",
            "5: colour: there is no such key; those known here are server_id, listen, binlog, ",
        ),
        ("  colour: blue\n", "5: source.colour: there is no such key; those known here are url, password, "),
        ("  replica_id: none\n", "5: source.replica_id: 'none' is not a number from 1"),
        ("  include: shop\n", "5: source.include: a list is needed, and this is a single value"),
        ("  include: [shop]\n", "5: source.include: 'shop' is not a pattern of tables"),
        ("  exclude: [shop.]\n", "5: source.exclude: 'shop.' is not a pattern of tables"),
        ("  password: a\n  password_file: b\n", "3: source: it has password and password_file"),
        ("  password_file: /nonexistent/p\n", "5: source.password_file: /nonexistent/p cannot be read: "),
        (
            "  password: ${NOT_SET_ANYWHERE}\n",
            "5: source.password: the environment variable NOT_SET_ANYWHERE is not set",
        ),
        ("baseline: {mode: maybe}\n", "5: baseline.mode: 'maybe' is none of on, off"),
        (
            "baseline: {rows_per_second: fast}\n",
            "5: baseline.rows_per_second: 'fast' is not a number of rows",
        ),
        ("ui: maybe\n", "5: ui: 'maybe' is none of on, off"),
        ("capture: {backfill: all}\n", "5: capture.backfill: 'all' is not none, oldest, or an instant"),
        ("capture: {statements: maybe}\n", "5: capture.statements: 'maybe' is none of on, off"),
        ("capture: {connections: some}\n", "5: capture.connections: 'some' is none of on, off"),
        ("tls: {cert_file: c}\n", "5: tls: cert_file and key_file come together"),
        (
            "tls: {cert_file: /nonexistent/c, key_file: /nonexistent/k}\n",
            "5: tls.cert_file: /nonexistent/c cannot be read: ",
        ),
        ("listen: 0.0.0.0:1\ntls: {cert_file: /nonexistent/c, key_file: c}\n", "6: tls.cert_file: "),
        ("token_file: /nonexistent/t\n", "5: token_file: cannot read /nonexistent/t: "),
        ("limits: {max_requests: 0}\n", "5: limits.max_requests: '0' is not a number from 1 to 1000000"),
        (
            "limits: {max_connections: x}\n",
            "5: limits.max_connections: 'x' is not a number from 1 to 1000000",
        ),
        ("readiness: {max_lag: x}\n", "5: readiness.max_lag: 'x' is not a duration such as 60s"),
        ("shutdown_grace: x\n", "5: shutdown_grace: 'x' is not a duration such as 30s"),
        ("allow_insecure: yes\n", "5: allow_insecure: 'yes' is none of off, on"),
        ("log: {level: loud}\n", "5: log.level: 'loud' is none of error, warn, info, debug"),
    ] {
        let mistakes = read(&format!("{LINES}{text}")).unwrap_err();
        assert!(mistakes[0].starts_with(mistake), "{text}: {mistakes:?}");
    }
}

#[test]
fn err_all_mistakes_at_once_and_no_password_in_them() {
    let text = "listen: x\nkeep: soon\nsource:\n  url: postgres://u:hidden@h\n  include: [shop]\nlimits: {max_requests: many}\n";
    assert_eq!(
        read(text).unwrap_err(),
        [
            "1: data: a source needs a folder or a bucket to keep its history in",
            "1: listen: 'x' is not an address with a port, such as 127.0.0.1:8600",
            "1: server_id: it is missing",
            "2: keep: 'soon' is not a duration above 0 such as 30d, or forever",
            "4: source.url: the source's address does not begin with mysql://; write it as mysql://USER:PASSWORD@HOST:3306, with %40 for @, %3A for : and %2F for / in the password",
            "5: source.include: 'shop' is not a pattern of tables: write schema.table, with * for any characters (shop.*, *.orders)",
            "6: limits.max_requests: 'many' is not a number from 1 to 1000000",
        ]
    );
    assert_eq!(
        read("server_id: s\n").unwrap_err(),
        ["1: source: neither source nor binlog says where the history comes from"]
    );
    let both = "server_id: s\ndata: d\nsource: {url: 'mysql://u:hidden@h', password: other}\n";
    assert_eq!(
        read(both).unwrap_err(),
        ["3: source.url: it holds a password, and another is given besides it"]
    );
    let files = "server_id: s\nbinlog: [a]\nkeep: 3d\ncache: 64\nbaseline: {mode: 'off'}\n";
    assert_eq!(
        read(files).unwrap_err(),
        ["3: keep", "4: cache", "5: baseline"]
            .map(|k| format!("{k}: it is for a source; log files are read once, at each start"))
    );
}

#[test]
fn a_file_with_a_password_that_others_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    for (url, warned) in [("mysql://cap:secret@db", true), ("mysql://cap@db", false)] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "server_id: s\ndata: d\nsource: {{url: '{url}'}}\n").unwrap();
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).unwrap();
        let warnings = load(file.path()).unwrap().warnings;
        assert_eq!(warnings.iter().any(|w| w.contains("others can read it (mode 644)")), warned, "{url}");
    }
}

/// agent.example.yaml names every key, each with its default.
#[test]
fn ok_the_example_holds_every_key_with_its_default() {
    let example = include_str!("../../../agent.example.yaml");
    let file = File::new(&tree::read(example).unwrap(), &KEYS, |_| None);
    assert_eq!(file.mistakes, []);
    super::super::holds_every_key(example, &file, &KEYS);
}

#[test]
fn ok_the_example_is_good_but_for_its_files() {
    let mistakes = read(include_str!("../../../agent.example.yaml")).unwrap_err();
    let others: Vec<&String> = mistakes
        .iter()
        .filter(|m| !m.contains("cannot be read: ") && !m.contains(": cannot read "))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(mistakes.len(), 5, "{mistakes:?}");
}

#[test]
fn a_reader_needs_a_bucket() {
    for (data, mistake) in [
        ("", "2: data: a reader needs the bucket that is captured into"),
        ("data: /var/lib/d\n", "3: data: /var/lib/d is a folder: a reader needs a bucket"),
    ] {
        let mistakes = read(&format!("server_id: s\nread: \"on\"\n{data}")).unwrap_err();
        assert!(mistakes[0].contains(mistake.split_once(": ").unwrap().1), "{mistakes:?}");
    }
}

#[cfg(feature = "object-store")]
#[test]
fn ok_readers_and_standbys_of_buckets() {
    let bucket = LINES.replace("/var/lib/d", "s3://b/p");
    let plain = capture(read(&bucket).unwrap());
    assert_eq!((plain.disk_cache, plain.standby), (0, None));
    let standby = capture(read(&format!("{bucket}standby: \"on\"\npoll: 500ms\ndisk_cache: 70\n")).unwrap());
    assert_eq!((standby.disk_cache, standby.standby), (70, Some(Duration::from_millis(500))));
    let reader = read("server_id: s\nread: \"on\"\ndata: az://c/p\n").unwrap();
    let Origin::Read(settings) = &reader.histories[0].origin else {
        panic!("{:?}", reader.histories[0].origin)
    };
    assert_eq!((settings.cache, settings.disk_cache, settings.poll), (CACHE, 0, POLL));
    assert_eq!(settings.data.to_string(), "az://c/p");
}
