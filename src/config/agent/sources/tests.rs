//! Files with `sources`, and what is wrong with them.

use super::super::super::tree;
use super::super::{AgentConfig, CACHE, CaptureSettings, load};
use super::*;
use std::io::Write;
use std::time::Duration;

fn read(text: &str) -> Result<AgentConfig, Vec<String>> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let name = format!("{}:", file.path().display());
    load(file.path())
        .map_err(|mistakes| mistakes.iter().map(|m| m.strip_prefix(&name).unwrap().to_owned()).collect())
}

fn captures(history: &HistorySettings) -> &CaptureSettings {
    match &history.origin {
        Origin::Live(capture) => capture,
        other @ (Origin::Files(_) | Origin::Read(_)) => panic!("{other:?}"),
    }
}

const TWO: &str = "data: /var/lib/d\nkeep: 30d\nbaseline: {mode: \"off\"}\nsources:\n\
                   - server_id: shop\n  url: mysql://cap@db:3306\n\
                   - server_id: crm\n  url: mysql://cap@other\n";

#[test]
fn ok_each_has_what_the_file_says_and_what_it_says_itself() {
    let text = format!(
        "{TWO}  keep: 90d\n  data: elsewhere/crm\n  include: [crm.*]\n  baseline: \"on\"\n  cache: 99\n"
    );
    let config = read(&text).unwrap();
    assert!(config.several);
    let names: Vec<&str> = config.histories.iter().map(|history| history.server_id.0.as_str()).collect();
    assert_eq!(names, ["shop", "crm"]);
    let [shop, crm] = [0, 1].map(|at| captures(&config.histories[at]));
    let days = |days: u64| Some(Duration::from_secs(days * 86_400));
    assert_eq!((shop.keep, crm.keep), (days(30), days(90)));
    assert_eq!((shop.baseline, crm.baseline, shop.cache, crm.cache), (false, true, CACHE, 99));
    assert_eq!(shop.data.to_string(), "/var/lib/d/shop");
    assert_eq!(crm.data.to_string(), "/var/lib/d/elsewhere/crm");
    assert_eq!(
        (shop.source.address(), crm.source.address()),
        ("db:3306".to_owned(), "other:3306".to_owned())
    );
    assert_ne!(shop.source.tables, crm.source.tables);
    let alone = read(&TWO[..TWO.rfind("- server_id").unwrap()]).unwrap();
    assert!(alone.several && alone.histories.len() == 1, "each is its own failure, also when it is alone");
}

#[test]
fn ok_log_files_and_a_server_beside_each_other() {
    let text = "sources:\n- {server_id: a, binlog: [a.1], include: [x.*]}\n- {server_id: b, binlog: [b.1, b.2]}\n\
                - {server_id: c, url: 'mysql://u@h', data: /var/c}\n";
    let config = read(text).unwrap();
    let files = |at: usize| match &config.histories[at].origin {
        Origin::Files(files) => files.files.len(),
        other @ (Origin::Live(_) | Origin::Read(_)) => panic!("{other:?}"),
    };
    assert_eq!((files(0), files(1)), (1, 2));
    assert_eq!(captures(&config.histories[2]).data.to_string(), "/var/c");
}

#[test]
fn ok_tokens_of_each() {
    let mut tokens = tempfile::NamedTempFile::new().unwrap();
    tokens.write_all(b"one\n").unwrap();
    let own = format!("token_file: {}", tokens.path().display());
    let with = |first: &str, all: &str| {
        let text = TWO.replace("sources:", "listen: 0.0.0.0:1\nsources:");
        let text = text.replace("url: mysql://cap@db:3306", &format!("url: mysql://cap@db\n  {first}"));
        read(&format!("{text}{all}\n")).map(|config| config.histories[0].tokens.is_some())
    };
    // Without TLS it is refused in any case, and says first that rows would be in clear text.
    for (first, all) in [(own.as_str(), "  cache: 9"), ("cache: 9", own.as_str())] {
        let mistakes = with(first, all).unwrap_err();
        assert!(mistakes[0].contains("clear text"), "{mistakes:?}");
    }
    let open = ServeOptions::default();
    let config =
        read(&TWO.replace("url: mysql://cap@db:3306", &format!("url: mysql://u@h\n  {own}"))).unwrap();
    assert!(is_open(&open, Some(&config.histories)), "the second has none");
    assert!(!is_open(&open, Some(&config.histories[..1])) && is_open(&open, None));
}

#[test]
fn err_each_mistake_has_line_and_path() {
    for (text, mistake) in [
        ("  keep: soon\n", "9: sources[1].keep: 'soon' is not a duration above 0"),
        (
            "  colour: blue\n",
            "9: sources[1].colour: there is no such key; those known here are server_id, url, ",
        ),
        ("  url: mysql://x@y\n", "9: sources[1].url: it is there twice, first in line 8"),
        ("  include: [crm]\n", "9: sources[1].include: 'crm' is not a pattern of tables"),
        ("  binlog: [b.1]\n", "9: sources[1].binlog: source and binlog exclude each other"),
        ("  standby: \"on\"\n", "9: sources[1].standby: it is for buckets, and data is a folder"),
        ("  data: shop\n", "9: sources[1].data: /var/lib/d/shop is, or lies in, or holds, that of 'shop'"),
        ("  data: shop/more\n", "9: sources[1].data: /var/lib/d/shop/more is, or lies in, or holds, that of"),
        ("  data: ../x\n", "9: sources[1].data: '../x' is no name below the data of the file"),
        ("  token_file: /nonexistent/t\n", "9: sources[1].token_file: cannot read /nonexistent/t: "),
        ("  password_file: /nonexistent/p\n", "9: sources[1].password_file: /nonexistent/p cannot be read: "),
        ("  from: '2026-04-27 09:00:00'\n", "7: sources[1]: it is for log files, and this is a source"),
        (
            "- server_id: shop\n  url: mysql://u@h\n  data: /x\n",
            "9: sources[2].server_id: 'shop' is that of another",
        ),
        (
            "- server_id: a/b\n  url: mysql://u@h\n",
            "9: sources[2].data: it is needed: 'a/b' is no name of a folder",
        ),
        (
            "- {server_id: x, url: 'mysql://u@h', replica_id: 7}\n- {server_id: y, url: 'mysql://u@h', replica_id: 7}\n",
            "10: sources[3].replica_id: another source has the same number, on the same server",
        ),
        ("- server_id: new\n", "9: sources[2]: it has neither url nor binlog"),
        ("- url: mysql://u@h\n", "9: sources[2].server_id: it is missing"),
        ("server_id: one\n", "9: server_id: with sources, each of them has its own: write it there"),
        ("binlog: [x]\n", "9: binlog: with sources, each of them has its own: write it there"),
    ] {
        let mistakes = read(&format!("{TWO}{text}")).unwrap_err();
        assert!(mistakes[0].starts_with(mistake), "{text}: {mistakes:?}");
    }
    assert_eq!(read("sources: []\n").unwrap_err(), ["1: sources: the list is empty"]);
    let nowhere = read("sources: [{server_id: a, url: 'mysql://u@h'}]\n").unwrap_err();
    assert!(nowhere[0].starts_with("1: sources[0].data: a source needs a folder or a bucket"), "{nowhere:?}");
}

#[test]
fn a_password_of_an_entry_is_one_too() {
    for (key, held) in [("password: x", true), ("keep: 1d", false)] {
        let text = TWO.replace("url: mysql://cap@db:3306", &format!("url: mysql://cap@db\n  {key}"));
        let file = File::new(&tree::read(&text).unwrap(), &super::super::KEYS, |_| None);
        assert_eq!(holds_a_password(&file), held, "{key}");
    }
}
