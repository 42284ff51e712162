//! Holds README.md and docs/ to the program: every block of SQL is carried out, every link leads
//! somewhere, and the table of errors is that of the code.

mod contributing;
mod errors;

use crate::program::{Bare, chain_on, error, said};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The papers, and their text.
fn papers() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> = [root().to_owned(), root().join("docs")]
        .iter()
        .flat_map(|folder| {
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path())
        })
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    paths.sort();
    assert!(paths.len() > 10, "only {paths:?}");
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).expect("UTF-8"))).collect()
}

/// Blocks of code: what follows the fence, and the text.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info.trim().to_owned(), String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some((_, block))) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block without an end");
    found
}

/// The statements of a block, without comments.
fn statements(block: &str) -> Vec<String> {
    let code: Vec<&str> = block.lines().filter(|l| !l.starts_with("-- ")).collect();
    let code = code.join("\n") + "\n";
    let mut found: Vec<String> = code.split(";\n").map(|s| s.trim().to_owned()).collect();
    assert_eq!(found.pop().as_deref(), Some(""), "a statement without its semicolon: {block}");
    found
}

/// Text of an answer: the cells of all packets, roughly.
fn shown(packets: &[Vec<u8>]) -> String {
    packets.iter().map(|p| String::from_utf8_lossy(p).into_owned()).collect()
}

#[test]
fn every_block_of_sql_is_answered() {
    let chain = chain_on(&root().join("src/cli/demo/binlog.000003"), "shop", "statements: {orm_forms: on}\n");
    let mut ran = 0;
    for (path, text) in papers() {
        // A connection a paper: what one sets, the others do not see.
        let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
        client.command(b"\x02shop");
        for (info, block) in blocks(&text) {
            match info.as_str() {
                "sql" | "sql orm_forms" => {}
                // For other servers: here and in tests/real/docs.py.
                "sql mysql" | "sql mariadb" | "sql proxysql" | "text" | "yaml" => continue,
                other => panic!("{}: nobody runs blocks of {other:?}", path.display()),
            }
            for statement in statements(&block) {
                let mut packets = client.command(&[b"\x03", statement.as_bytes()].concat());
                if packets[0].first().is_some_and(|b| ![0, 0xff].contains(b)) {
                    packets.extend(client.up_to_end());
                }
                let refused = packets.iter().find(|p| p.first() == Some(&0xff)).map(|p| error(p));
                assert_eq!(refused, None, "{}: {statement}", path.display());
                ran += 1;
            }
        }
    }
    assert!(ran > 25, "only {ran} statements");
}

#[test]
fn the_incident_is_solved_by_its_statements() {
    let chain = chain_on(&root().join("src/cli/demo/binlog.000003"), "shop", "");
    let (mut client, _) = Bare::login(chain.port, "app", "pass-word", 0);
    client.command(b"\x02shop");
    let (_, readme) = papers().into_iter().find(|(p, _)| p.ends_with("README.md")).expect("a README");
    let incident = blocks(&readme).into_iter().find(|(info, _)| info == "sql").expect("a block");
    let answers: Vec<String> = statements(&incident.1)
        .iter()
        .map(|statement| {
            let mut packets = client.command(&[b"\x03", statement.as_bytes()].concat());
            packets.extend(client.up_to_end());
            shown(&packets)
        })
        .collect();
    for (answer, has, has_not) in [
        (&answers[0], r#""shop.orders":{"inserted":0,"updated":0,"deleted":1}"#, "02fc00000001:7"),
        (&answers[1], "DELETE", "shipped"),
        (&answers[2], "UPDATE", "TRUNCATE"),
        (&answers[3], "Mina Okafor", "Grace"),
        (&answers[4], "INSERT INTO `shop`.`orders`", "UPDATE"),
        (&answers[5], "cable-nanosecond", "3\u{1}"),
    ] {
        assert!(answer.contains(has) && !answer.contains(has_not), "{answer}");
    }
}

#[test]
fn the_rule_for_proxysql_is_the_one_that_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("shim.yaml");
    fs::write(
        &config,
        "listen: 127.0.0.1:3308\nagent_url: https://127.0.0.1:1\ntenants:\n  - {mysql_user: a, mysql_password: b, server_id: s}\n",
    )
    .expect("a file");
    let (code, written, err) =
        said(&["proxysql-config", "--config", config.to_str().expect("UTF-8"), "--mysql", "127.0.0.1:3306"]);
    assert_eq!(code, Some(0), "{err}");
    let text = fs::read_to_string(root().join("docs/proxysql.md")).expect("docs/proxysql.md");
    let (_, block) = blocks(&text).into_iter().find(|(info, _)| info == "sql proxysql").expect("a rule");
    let patterns: Vec<&str> = block.split('\'').skip(1).step_by(2).collect();
    assert_eq!(patterns.len(), 2, "{block}");
    for pattern in patterns {
        assert!(written.contains(pattern), "{pattern} is not in:\n{written}");
    }
}

/// Headings of a paper as the anchors that lead to them.
fn anchors(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|l| l.strip_prefix('#'))
        .map(|l| {
            let heading = l.trim_start_matches('#').trim().to_lowercase();
            heading
                .chars()
                .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut followed = 0;
    for (path, text) in papers() {
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().expect("a link ends");
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file =
                if file.is_empty() { path.clone() } else { path.parent().expect("a folder").join(file) };
            assert!(file.exists(), "{}: there is no {target}", path.display());
            if !anchor.is_empty() {
                let there = anchors(&fs::read_to_string(&file).expect("UTF-8"));
                assert!(there.contains(anchor), "{}: {target}: {there:?}", path.display());
            }
            followed += 1;
        }
        // Paths in a table or a sentence, as far as they are of this repository.
        for word in text.split('`').skip(1).step_by(2) {
            let ours = ["src/", "crates/", "tests/", "docs/", "deploy/", "benches/", "fuzz/"];
            let path_like = ours.iter().any(|o| word.starts_with(o)) && !word.contains([' ', '*']);
            assert!(!path_like || root().join(word).exists(), "{}: there is no {word}", path.display());
        }
    }
    assert!(followed > 15, "only {followed} links");
}

#[test]
fn the_readme_is_short() {
    let text = fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(text.lines().count() < 150);
}

#[test]
fn the_manual_page_and_the_completions_know_every_subcommand() {
    let (code, page, _) = said(&["man"]);
    assert_eq!(code, Some(0));
    let (code, script, _) = said(&["completions", "bash"]);
    assert_eq!(code, Some(0));
    for word in ["serve", "check", "agent", "up", "demo", "proxysql-config", "doctor"] {
        let escaped = word.replace('-', "\\-");
        assert!(page.contains(&escaped) && script.contains(word), "{word}");
    }
    assert!(page.contains("preflight") && script.contains("--preflight-only"));
}
