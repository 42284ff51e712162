//! What clients that cannot run here send when they start, played to a shim: not one statement may
//! fail.
//!
//! `tests/data/transcripts/` has a file a client, a statement a line. `tests/real/transcripts.py`
//! plays the same files against MariaDB too.

use crate::program::{Bare, chain, error};
use std::path::Path;

/// CLIENT_MULTI_STATEMENTS and CLIENT_MULTI_RESULTS.
const MULTI: u32 = 1 << 16 | 1 << 17;
/// SERVER_MORE_RESULTS_EXISTS, in the low byte of the status.
const MORE: u8 = 8;

/// What came in answer to one statement.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Done,
    /// Columns and rows.
    Table(u8, usize),
    Error(u16, String),
}

fn answer(client: &mut Bare) -> (Answer, bool) {
    let first = client.packet();
    match first[0] {
        0 => (Answer::Done, first[3] & MORE != 0),
        0xff => {
            let (code, _, message) = error(&first);
            (Answer::Error(code, message), false)
        }
        columns => {
            for _ in 0..=columns {
                client.packet();
            }
            let mut rows = 0;
            loop {
                let packet = client.packet();
                match packet[0] {
                    0xfe if packet.len() < 9 => break (Answer::Table(columns, rows), packet[3] & MORE != 0),
                    0xff => panic!("the rows break off: {:?}", error(&packet)),
                    _ => rows += 1,
                }
            }
        }
    }
}

/// All answers to a packet of statements.
fn answers(client: &mut Bare, sql: &str) -> Vec<Answer> {
    client.send(0, format!("\x03{sql}").as_bytes());
    let mut all = Vec::new();
    loop {
        let (next, more) = answer(client);
        all.push(next);
        if !more {
            return all;
        }
    }
}

/// A statement without the comments in front of it, and with the code of an executable one.
fn first_word(sql: &str) -> String {
    let mut rest = sql.trim_start();
    while let Some((comment, following)) = rest.strip_prefix("/*").and_then(|r| r.split_once("*/")) {
        match comment.strip_prefix('!') {
            Some(code) => rest = code.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' '),
            None => rest = following.trim_start(),
        }
    }
    rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_uppercase()
}

#[test]
fn every_client_starts() {
    let chain = chain("");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/transcripts");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("transcripts").map(|e| e.expect("a file").path()).collect();
    files.sort();
    let (mut played, mut wrong) = (0, Vec::new());
    for file in &files {
        let client_name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).expect("UTF-8");
        let (mut client, ok) = Bare::login(chain.port, "app", "pass-word", MULTI);
        assert_eq!(ok[0], 0, "{ok:?}");
        for line in text.lines().filter(|l| !l.starts_with("-- ")) {
            played += 1;
            let got = answers(&mut client, line);
            let failed = got.iter().any(|a| matches!(a, Answer::Error(..)));
            let rows = matches!(first_word(line).as_str(), "SELECT" | "SHOW");
            let shape = if rows {
                matches!(got.as_slice(), [Answer::Table(..)])
            } else {
                got.iter().all(|a| *a == Answer::Done)
            };
            if failed || !shape {
                wrong.push(format!("{client_name}: {line}\n    {got:?}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "statements that fail, or have an answer of another kind:\n{}",
        wrong.join("\n")
    );
    assert!(files.len() >= 16 && played >= 200, "{} files, {played} statements", files.len());
}
