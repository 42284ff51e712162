//! Collations: bytes that compare as MySQL compares the text, for those collations where that is certain.
//!
//! Certain are the binary ones for any text, and some that disregard case for printable ASCII: their orders below are those of
//! WEIGHT_STRING of MySQL 9.7 and MariaDB 10.11. Another character, or another collation, is [`Uncertain`], never approximated.

/// Why a text has no certain place in a collation's order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("how collation {collation} compares {what} is not certain")]
pub struct Uncertain {
    /// The collation.
    pub collation: String,
    /// The character, or the whole collation.
    pub what: String,
}

/// ASCII in the order of code points; letters by their upper case.
const BY_CODE: &str = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`{|}~";
/// ASCII as UCA 4.0.0 and 5.2.0 order it.
const UCA_4: &str = " `^_-,;:!?.'\"()[]{}@*/\\&#%+<=>|~$0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// ASCII as UCA 9.0.0 and 14.0.0 order it.
const UCA_9: &str = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// How a collation compares.
enum Order {
    /// By code points (UTF-8 sorts as they do), or by bytes.
    Binary { pad_space: bool },
    /// Printable ASCII without regard to case.
    Ascii { order: &'static str, pad_space: bool },
}

fn order(collation: &str) -> Option<Order> {
    let ascii = |order, pad_space| Some(Order::Ascii { order, pad_space });
    match collation {
        "binary" | "utf8mb4_0900_bin" | "utf8mb4_nopad_bin" | "utf8mb3_nopad_bin" => {
            Some(Order::Binary { pad_space: false })
        }
        "utf8mb4_bin" | "utf8mb3_bin" | "utf8_bin" | "ascii_bin" => Some(Order::Binary { pad_space: true }),
        "utf8mb4_general_ci" | "utf8mb3_general_ci" | "utf8_general_ci" | "latin1_swedish_ci"
        | "ascii_general_ci" => ascii(BY_CODE, true),
        "utf8mb4_unicode_ci" | "utf8mb3_unicode_ci" | "utf8_unicode_ci" | "utf8mb4_unicode_520_ci" => {
            ascii(UCA_4, true)
        }
        "utf8mb4_0900_ai_ci" => ascii(UCA_9, false),
        "utf8mb4_uca1400_ai_ci" => ascii(UCA_9, true),
        _ => None,
    }
}

/// Appends bytes to `out` such that two texts are equal in the collation exactly when their bytes are, and order likewise
/// (PAD SPACE or NO PAD as the collation has it). The bytes are self-delimiting: no text's bytes are a proper prefix of another's.
///
/// # Errors
/// The collation is unknown here, or the text has a character whose weight is not certain.
pub fn sort_key(collation: &str, text: &str, out: &mut Vec<u8>) -> Result<(), Uncertain> {
    let uncertain = |what: String| Uncertain { collation: collation.to_owned(), what };
    match order(collation).ok_or_else(|| uncertain("any text".to_owned()))? {
        Order::Binary { pad_space } => binary(text, pad_space, out),
        Order::Ascii { order, pad_space } => {
            let text = if pad_space { text.trim_end_matches(' ') } else { text };
            let start = out.len();
            for c in text.chars() {
                let place = order.bytes().position(|o| char::from(o) == c.to_ascii_uppercase());
                let Some(weight) = place.and_then(|p| u8::try_from(p + 1).ok()) else {
                    out.truncate(start);
                    return Err(uncertain(format!("'{}'", c.escape_default())));
                };
                out.push(weight);
            }
            out.push(0);
        }
    }
    Ok(())
}

/// Code points, and an end below all of them. Under PAD SPACE a text that ends counts as going on in spaces: it stands above one that
/// goes on with a character below the space.
fn binary(text: &str, pad_space: bool, out: &mut Vec<u8>) {
    let text = if pad_space { text.trim_end_matches(' ') } else { text };
    for b in text.bytes() {
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
        ] {
            assert_eq!(compare(collation, a, b), verdict, "{collation}: {a:?} and {b:?}");
        }
    }

    #[test]
    fn err_what_is_not_certain() {
        for (collation, text) in
            [("utf8mb4_0900_ai_ci", "é"), ("utf8mb4_general_ci", "a\u{1}"), ("latin2_czech_cs", "a")]
        {
            let mut out = vec![7];
            assert!(sort_key(collation, text, &mut out).is_err(), "{collation}: {text:?}");
            assert_eq!(out, [7], "nothing is left behind");
        }
    }
}
