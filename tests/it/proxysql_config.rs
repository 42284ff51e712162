//! `proxysql-config` as a process: a golden file, the file's mode, and what is refused.

use crate::program::said;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const SHIM: &str = "listen: 10.0.0.7:3308\nserver_version: 8.0.40-dbtrail\nagent_url: https://agent.example:8600\n\
    monitor: {user: monitor, password: probing}\nlimits: {max_connections: 200}\ntenants:\n  \
    - {mysql_user: zoe, mysql_password: secret, server_id: shop, default_schema: shop}\n  \
    - {mysql_user: app, mysql_pass_sha1: \"*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9\", server_id: shop}\n";

struct Files {
    folder: tempfile::TempDir,
    config: String,
}

fn files(yaml: &str) -> Files {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("shim.yaml");
    fs::write(&path, yaml).expect("a file");
    Files { folder, config: path.to_str().expect("UTF-8").to_owned() }
}

fn generate(files: &Files, more: &[&str]) -> (Option<i32>, String, String) {
    said(&[&["proxysql-config", "--config", &files.config, "--mysql", "10.0.0.5:3306"], more].concat())
}

/// `DBTRAIL_GOLDEN=write cargo test --test it golden` writes the file; read the difference before
/// it is committed.
#[test]
fn golden_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/proxysql/golden.sql");
    let files = files(SHIM);
    let (code, out, err) = generate(&files, &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    if std::env::var_os("DBTRAIL_GOLDEN").is_some() {
        fs::write(&path, &out).expect("it can be written");
    }
    assert_eq!(out, fs::read_to_string(&path).expect("the golden file"));
    for _ in 0..8 {
        assert_eq!(generate(&files, &[]).1, out, "it differs from run to run");
    }
}

#[test]
fn the_file_is_for_its_owner_alone_whatever_was_there() {
    let files = files(SHIM);
    let path = files.folder.path().join("proxysql.sql");
    fs::write(&path, "old").expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let name = path.to_str().expect("UTF-8");
    let (code, out, err) = generate(&files, &["--output", name]);
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", ""));
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&path).expect("text"), generate(&files, &[]).1);
    let names = fs::read_dir(files.folder.path()).expect("a folder").count();
    assert_eq!(names, 2, "something else was left there");
    let (code, _, err) = generate(&files, &["--output", "/nonexistent/x.sql"]);
    assert_eq!(code, Some(1));
    assert!(err.starts_with("dbtrail-shim: /nonexistent/x.sql cannot be written: "), "{err}");
}

#[test]
fn options_reach_the_rows() {
    let clear =
        files(&SHIM.replace(
            "mysql_pass_sha1: \"*6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9\"",
            "mysql_password: other",
        ));
    let (code, out, _) = generate(
        &clear,
        &[
            "--shim",
            "[::1]:3309",
            "--mysql-hostgroup",
            "10",
            "--shim-hostgroup",
            "20",
            "--rule-id",
            "5",
            "--owner",
            "two",
            "--password-form",
            "cleartext",
            "--transaction-persistent",
            "0",
            "--orm-forms",
            "--set-server-version",
        ],
    );
    assert_eq!(code, Some(0));
    for part in [
        "DELETE FROM mysql_query_rules WHERE comment = 'two';\n",
        "VALUES (20, '::1', 3309, 180, 0, 'two');\n",
        "VALUES ('app', 'other', 10, NULL, 0, 'two');\n",
        "VALUES ('zoe', 'secret', 10, 'shop', 0, 'two');\n",
        "VALUES (5, 1, ",
        "VALUES (11, 1, ",
        "SET variable_value = '8.0.40-dbtrail' WHERE variable_name = 'mysql-server_version';\n",
        "SAVE MYSQL VARIABLES TO DISK;\n",
        "transaction_persistent=0: ",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let good = files(SHIM);
    let anywhere = files(&SHIM.replace("10.0.0.7", "0.0.0.0"));
    for (files, more, code, why) in [
        (
            &good,
            vec!["--password-form", "cleartext"],
            1,
            "has only the hash of the password of 'app' (mysql_pass_sha1)",
        ),
        (&good, vec!["--shim-hostgroup", "990"], 1, "cannot both be hostgroup 990"),
        (
            &anywhere,
            vec![],
            1,
            "listen is 0.0.0.0:3308, which no ProxySQL can connect to: say --shim HOST:PORT",
        ),
        (&good, vec!["--owner", "a'b"], 2, "1 to 60 letters"),
        (&good, vec!["--rule-id", "0"], 2, "0 is not in 1..=2000000000"),
        (&good, vec!["--shim", "nowhere"], 2, "'nowhere' is not host:port"),
    ] {
        let (got, out, err) = generate(files, &more);
        assert_eq!((got, out.as_str()), (Some(code), ""), "{more:?}: {err}");
        assert!(err.contains(why), "{why} is not in {err}");
        assert!(!err.contains("secret"), "{err}");
    }
    let bad = self::files("tenants: []\n");
    assert_eq!(generate(&bad, &[]).0, Some(78));
}
