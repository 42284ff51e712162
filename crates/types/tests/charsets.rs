//! Character sets against what real servers say of every code (`tests/real/charsets.py`, which
//! writes it to the file `DBTRAIL_CHARSETS`).

#![expect(clippy::expect_used, clippy::panic, reason = "a test")]
#![expect(clippy::print_stdout, reason = "what is refused is listed")]

use dbtrail_types::charset::{CharsetError, decode, encode};
use std::collections::{BTreeMap, HashMap};

/// What was found of one set.
#[derive(Debug, Default)]
struct Found {
    same: usize,
    /// Refused, though the server has a character.
    refused: usize,
    wrong: Vec<String>,
    /// The characters that it can store.
    stored: HashMap<char, Vec<u8>>,
}

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits).expect("hexadecimal digits")
}

/// What is stored, as the program reads it, against a server's reading.
fn read(set: &str, [stored, shown, again]: [&str; 3], found: &mut Found) {
    let (stored, shown, again) = (bytes(stored), bytes(shown), bytes(again));
    let Ok(text) = decode(set, &stored) else {
        found.refused += usize::from(!shown.contains(&b'?'));
        return;
    };
    let back = encode(set, text.as_bytes());
    if text.as_bytes() == shown && *back == *again {
        found.same += 1;
    } else {
        found.wrong.push(format!(
            "{stored:02x?} is {text:?} and {back:02x?}, the server's {shown:02x?} and {again:02x?}"
        ));
    }
}

/// What is written, as the program stores it.
fn written(set: &str, found: &mut Found) {
    let unknown = encode(set, b"?").into_owned();
    let planes = ('\0'..='\u{ffff}').chain('\u{1f300}'..'\u{1f700}');
    for c in planes {
        let ours = encode(set, c.to_string().as_bytes()).into_owned();
        let theirs = found.stored.get(&c).unwrap_or(&unknown);
        if ours == *theirs {
            found.same += 1;
        } else if ours == unknown {
            found.refused += 1;
        } else {
            found.wrong.push(format!("{c:?} is stored as {ours:02x?}, by the server as {theirs:02x?}"));
        }
    }
}

#[test]
fn every_code_is_as_the_servers_have_it() {
    let file = std::env::var("DBTRAIL_CHARSETS").expect("DBTRAIL_CHARSETS: see tests/real/charsets.py");
    let mut all: BTreeMap<String, Found> = BTreeMap::new();
    for line in std::fs::read_to_string(file).expect("the file").lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let set = fields.get(1).expect("a set");
        if matches!(decode(set, b"a"), Err(CharsetError::Unknown(_))) {
            continue;
        }
        let found = all.entry((*set).to_owned()).or_default();
        match fields.as_slice() {
            ["read", _, stored, shown, again] => read(set, [stored, shown, again], found),
            ["write", _, shown, stored] => {
                let shown = String::from_utf8(bytes(shown)).expect("UTF-8");
                let (c, stored) = (shown.chars().next().expect("a character"), bytes(stored));
                if found.stored.insert(c, stored.clone()).is_some_and(|other| other != stored) {
                    found.wrong.push(format!("servers store {c:?} differently"));
                }
            }
            _ => panic!("{line}"),
        }
    }
    let mut wrong = 0;
    for (set, found) in &mut all {
        written(set, found);
        println!(
            "{set}: {} alike, {} not known here, {} wrong",
            found.same,
            found.refused,
            found.wrong.len()
        );
        for one in found.wrong.iter().take(5) {
            println!("    {one}");
        }
        wrong += found.wrong.len();
    }
    assert!(all.len() > 30, "{} sets", all.len());
    assert_eq!(wrong, 0, "codes are not as the servers have them");
}
