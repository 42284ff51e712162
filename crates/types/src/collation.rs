//! Collations: bytes that compare as MySQL compares the text, for those collations where that is
//! known.
//!
//! Known are the binary ones for any text; those that compare one weight after the other
//! (general_ci, latin1) for what they hold; and those of the Unicode Collation Algorithm that
//! disregard case and accents for the characters in `weights`. Another character, or another
//! collation, is [`UnknownWeight`], never approximated.

use crate::charset::{decode, encode_latin1};

mod weights;

/// Why a text has no known position in a collation's order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("how collation {collation} compares {what} is not known")]
pub struct UnknownWeight {
    /// The collation.
    pub collation: String,
    /// The character, or the whole collation.
    pub what: String,
}

/// How a collation compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// By code points (UTF-8 sorts as they do).
    CodePoints,
    /// By the bytes of latin1.
    Latin1Bytes,
    /// By one weight for each byte of latin1.
    Latin1(&'static [u8; 256]),
    /// By the weights of each character.
    Weights(weights::Family),
}

/// The order of a collation, and whether a text that is shorter counts as going on in spaces.
fn order(collation: &str) -> Option<(Order, bool)> {
    use weights::Family;
    if matches!(collation, "binary" | "utf8mb4_0900_bin") {
        return Some((Order::CodePoints, false));
    }
    if collation == "utf8mb4_0900_ai_ci" {
        return Some((Order::Weights(Family::Uca900), false));
    }
    let (charset, rest) = collation.split_once('_')?;
    // MariaDB's: general_nopad_ci, nopad_bin, uca1400_nopad_ai_ci.
    let plain = rest.replacen("nopad_", "", 1);
    let pad = plain.len() == rest.len();
    let order = match (charset, plain.as_str()) {
        ("utf8mb4" | "utf8mb3" | "utf8" | "ascii", "bin") => Order::CodePoints,
        ("latin1", "bin") => Order::Latin1Bytes,
        ("latin1", "swedish_ci") => Order::Latin1(&weights::LATIN1_SWEDISH),
        ("latin1", "general_ci") => Order::Latin1(&weights::LATIN1_GENERAL),
        ("utf8mb4" | "utf8mb3" | "utf8" | "ascii", "general_ci") => Order::Weights(Family::General),
        ("utf8mb4" | "utf8mb3" | "utf8", "unicode_ci") => Order::Weights(Family::Uca400),
        ("utf8mb4" | "utf8mb3" | "utf8", "unicode_520_ci") => Order::Weights(Family::Uca520),
        ("utf8mb4" | "utf8mb3" | "utf8", "uca1400_ai_ci") => Order::Weights(Family::Uca1400),
        _ => return None,
    };
    Some((order, pad))
}

/// Appends bytes to `out` such that two texts are equal in the collation exactly when their bytes
/// are, and order likewise (PAD SPACE or NO PAD as the collation has it). The bytes are
/// self-delimiting: no text's bytes are a proper prefix of another's.
///
/// # Errors
/// The collation is unknown here, or the text has a character whose weight is not known.
pub fn sort_key(collation: &str, text: &str, out: &mut Vec<u8>) -> Result<(), UnknownWeight> {
    let unknown = |what: String| UnknownWeight { collation: collation.to_owned(), what };
    let character = |c: char| unknown(format!("'{}'", c.escape_default()));
    let (order, pad) = order(collation).ok_or_else(|| unknown("any text".to_owned()))?;
    let text = if pad { text.trim_end_matches(' ') } else { text };
    let start = out.len();
    match order {
        Order::CodePoints => binary(text.as_bytes(), pad, out),
        Order::Latin1Bytes => binary(&latin1(text).map_err(character)?, pad, out),
        Order::Latin1(table) => {
            for byte in latin1(text).map_err(character)? {
                let weight = table[usize::from(byte)];
                // A text that goes on with a control character is below one that has ended.
                if weight < b' ' {
                    out.truncate(start);
                    return Err(character(char::from(byte)));
                }
                out.push(weight);
            }
            out.push(0);
        }
        Order::Weights(family) => {
            for c in text.chars() {
                if !family.put(c, out) {
                    out.truncate(start);
                    return Err(character(c));
                }
            }
            out.extend([0, 0]);
        }
    }
    Ok(())
}

/// Appends bytes with which the [`sort_key`] of every text begins that is equal to this one, whose
/// own sort key is not known; nothing where no such bytes are known.
pub fn known_prefix(collation: &str, text: &str, out: &mut Vec<u8>) {
    let Some((order, pad)) = order(collation) else { return };
    let mut beginning = match order {
        Order::CodePoints | Order::Latin1Bytes => return,
        Order::Latin1(table) => {
            let known = |c: &char| {
                let byte = latin1(c.encode_utf8(&mut [0; 4]));
                byte.is_ok_and(|byte| byte.iter().all(|byte| table[usize::from(*byte)] >= b' '))
            };
            text.chars().take_while(known).collect::<String>()
        }
        Order::Weights(family) => {
            text.chars().take_while(|c| family.put(*c, &mut Vec::new())).collect::<String>()
        }
    };
    // What follows may be compared together with the last of them: letters of ASCII with nothing
    // but the middle dot after an l.
    if beginning.ends_with(|c: char| !c.is_ascii() || matches!(c, 'l' | 'L')) {
        beginning.pop();
    }
    let beginning = if pad { beginning.trim_end_matches(' ') } else { &beginning };
    let start = out.len();
    let end = match order {
        Order::Weights(_) => 2,
        Order::CodePoints | Order::Latin1Bytes | Order::Latin1(_) => 1,
    };
    if sort_key(collation, beginning, out).is_ok() {
        out.truncate(out.len().saturating_sub(end).max(start));
    }
}

/// The weights of a text, of which servers make hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weights {
    /// One of each byte of latin1.
    Latin1(Vec<u8>),
    /// One of each character (`general_ci`).
    General(Vec<u16>),
    /// Those of the Unicode Collation Algorithm.
    Unicode(Vec<u16>),
}

/// The weights of a text in a collation that compares by weights, without the spaces at its end
/// where they count as nothing.
///
/// # Errors
/// The collation is none of these, or the text has a character whose weight is not known.
pub fn weights(collation: &str, text: &str) -> Result<Weights, UnknownWeight> {
    let unknown = |what: String| UnknownWeight { collation: collation.to_owned(), what };
    let character = |c: char| unknown(format!("'{}'", c.escape_default()));
    let (order, pad) = order(collation).ok_or_else(|| unknown("any text".to_owned()))?;
    let text = if pad { text.trim_end_matches(' ') } else { text };
    match order {
        Order::CodePoints | Order::Latin1Bytes => Err(unknown("any text".to_owned())),
        Order::Latin1(table) => {
            let bytes = latin1(text).map_err(character)?;
            Ok(Weights::Latin1(bytes.into_iter().map(|byte| table[usize::from(byte)]).collect()))
        }
        Order::Weights(family) => {
            let mut bytes = Vec::new();
            for c in text.chars() {
                if family == weights::Family::General && c < ' ' {
                    bytes.extend([0, u8::try_from(c).unwrap_or_default()]);
                } else if !family.put(c, &mut bytes) {
                    return Err(character(c));
                }
            }
            let words = bytes.as_chunks::<2>().0.iter().map(|word| u16::from_be_bytes(*word)).collect();
            let general = family == weights::Family::General;
            Ok(if general { Weights::General(words) } else { Weights::Unicode(words) })
        }
    }
}

/// The bytes of a text in latin1.
///
/// # Errors
/// The first character that it lacks.
pub fn latin1(text: &str) -> Result<Vec<u8>, char> {
    let bytes = encode_latin1(text);
    let back = decode("latin1", &bytes).unwrap_or_default();
    match text.chars().zip(back.chars()).find(|(c, back)| c != back) {
        None => Ok(bytes),
        Some((c, _)) => Err(c),
    }
}

/// Code points, and an end below all of them. Under PAD SPACE a text that ends counts as going on
/// in spaces: it is above one that goes on with a character below the space.
fn binary(text: &[u8], pad_space: bool, out: &mut Vec<u8>) {
    for &b in text {
        match b {
            // Below the end's own byte (2) under PAD SPACE, above it under NO PAD.
            0..0x20 => out.extend([if pad_space { 1 } else { 3 }, b]),
            // The space: with what follows it above the end.
            _ => out.extend([if b == 0x20 { 3 } else { 4 }, b]),
        }
    }
    out.push(2);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn compare(collation: &str, a: &str, b: &str) -> Ordering {
        let key = |text| {
            let mut out = Vec::new();
            sort_key(collation, text, &mut out).unwrap();
            out
        };
        key(a).cmp(&key(b))
    }

    /// Each verdict is that of `SELECT STRCMP(a COLLATE c, b)` of MySQL 9.7.
    #[test]
    fn ok_as_the_servers_compare() {
        for (collation, a, b, verdict) in [
            ("utf8mb4_bin", "a", "A", Greater),
            ("utf8mb4_bin", "a", "a ", Equal),
            ("utf8mb4_bin", "a", "a\t", Greater),
            ("utf8mb4_bin", "a\t", "a ", Less),
            ("utf8mb4_bin", "a b", "a", Greater),
            ("utf8mb4_0900_bin", "a", "a ", Less),
            ("utf8mb4_0900_bin", "a", "a\t", Less),
            ("utf8mb4_general_ci", "abc", "ABC  ", Equal),
            ("utf8mb4_general_ci", "a_", "aB", Greater),
            ("utf8mb4_0900_ai_ci", "abc", "ABC", Equal),
            ("utf8mb4_0900_ai_ci", "abc", "abc ", Less),
            ("utf8mb4_0900_ai_ci", "a_", "aB", Less),
            ("utf8mb4_0900_ai_ci", "$", "0", Less),
            ("utf8mb4_0900_ai_ci", "é", "E", Equal),
            ("utf8mb4_0900_ai_ci", "ß", "ss", Equal),
            ("utf8mb4_general_ci", "ß", "s", Equal),
            ("utf8mb4_unicode_ci", "Straße", "STRASSE ", Equal),
            ("utf8mb4_0900_ai_ci", "日", "本", Less),
            ("utf8mb4_0900_ai_ci", "가", "각", Less),
            ("utf8mb4_general_ci", "😀", "😎", Equal),
            ("utf8mb4_0900_ai_ci", "😀", "😎", Less),
            ("latin1_swedish_ci", "ä", "Z", Greater),
            ("latin1_swedish_ci", "é", "E", Equal),
            ("latin1_bin", "€", "\u{a1}", Less),
        ] {
            assert_eq!(compare(collation, a, b), verdict, "{collation}: {a:?} and {b:?}");
        }
    }

    #[test]
    fn ok_a_text_that_is_not_certain_begins_like_those_that_are_equal_to_it() {
        for (collation, text, known) in [
            ("utf8mb4_0900_ai_ci", "ae\u{301}x", "AE"),
            ("utf8mb4_0900_ai_ci", "al\u{b7}x", "a"),
            ("utf8mb4_uca1400_ai_ci", "aé\u{301}", "a"),
            ("utf8mb4_unicode_ci", "ab  \u{ad}", "ab"),
            ("utf8mb4_general_ci", "ab\tc", "AB"),
            ("latin1_swedish_ci", "é\u{1}", ""),
            ("utf8mb4_unicode_ci", "\u{301}", ""),
            ("latin2_czech_cs", "abc", ""),
        ] {
            let (mut prefix, mut all) = (vec![7], vec![7]);
            known_prefix(collation, text, &mut prefix);
            assert!(sort_key(collation, known, &mut all).is_ok() || known.is_empty());
            assert!(all.starts_with(&prefix), "{collation}: {text:?}");
            assert_eq!(prefix.len() > 1, !known.is_empty(), "{collation}: {text:?}");
        }
    }

    #[test]
    fn err_what_is_not_certain() {
        for (collation, text) in [
            // Part of a contraction, an accent by itself, and characters without a weight.
            ("utf8mb4_0900_ai_ci", "l\u{b7}"),
            ("utf8mb4_uca1400_ai_ci", "e\u{301}"),
            ("utf8mb4_unicode_ci", "a\u{ad}"),
            ("utf8mb4_0900_ai_ci", "\u{e01}"),
            ("utf8mb4_unicode_ci", "😀"),
            ("utf8mb4_general_ci", "a\u{1}"),
            ("latin1_swedish_ci", "日"),
            ("latin1_bin", "日"),
            ("utf8mb4_0900_as_cs", "a"),
            ("utf8mb4_hr_0900_ai_ci", "a"),
            ("latin2_czech_cs", "a"),
        ] {
            let mut out = vec![7];
            assert!(sort_key(collation, text, &mut out).is_err(), "{collation}: {text:?}");
            assert_eq!(out, [7], "nothing is left behind");
        }
    }
}
