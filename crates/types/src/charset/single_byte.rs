//! Character sets of one byte a character, as mysqld converts them.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A set a line: its name, and in four hexadecimal digits each the characters of 0x80 to 0xff.
/// Recorded from `CONVERT(... USING utf8mb4)` of MySQL 9.7.4; MariaDB 11.8.9 said the same for
/// every byte. `ffff`: a byte without a character of its own, which both show as `?`. Below 0x80
/// all of these are ASCII.
const RECORDED: &str = include_str!("single_byte.txt");

/// The upper halves by name.
fn sets() -> &'static HashMap<&'static str, Vec<Option<char>>> {
    static SETS: OnceLock<HashMap<&'static str, Vec<Option<char>>>> = OnceLock::new();
    SETS.get_or_init(|| {
        let set = |line: &'static str| {
            let (name, digits) = line.split_once(' ')?;
            let character = |at: usize| {
                let digits = digits.get(at * 4..at * 4 + 4)?;
                let character = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
                Some(Some(character).filter(|c| *c != '\u{ffff}'))
            };
            Some((name, (0..128).map(character).collect::<Option<Vec<Option<char>>>>()?))
        };
        RECORDED.lines().filter_map(set).collect()
    })
}

/// Text of a set (`Err`: a byte has no character of its own); `None`: it is none of these.
pub(super) fn decode(charset: &str, bytes: &[u8]) -> Option<Result<String, ()>> {
    let upper = sets().get(charset)?;
    let character = |b: &u8| match b.checked_sub(0x80) {
        None => Ok(char::from(*b)),
        Some(at) => upper.get(usize::from(at)).copied().flatten().ok_or(()),
    };
    Some(bytes.iter().map(character).collect())
}

/// Text in a set, `?` for what it does not have; `None`: it is none of these.
pub(super) fn encode(charset: &str, text: &str) -> Option<Vec<u8>> {
    let upper = sets().get(charset)?;
    let byte = |c: char| match u8::try_from(u32::from(c)) {
        Ok(ascii @ 0..=0x7f) => ascii,
        _ => upper
            .iter()
            .position(|u| *u == Some(c))
            .and_then(|at| u8::try_from(at + 0x80).ok())
            .unwrap_or(b'?'),
    };
    Some(text.chars().map(byte).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recorded_set_is_whole() {
        assert_eq!((sets().len(), RECORDED.lines().count()), (22, 22));
    }

    /// What MySQL 9.7.4 and MariaDB 11.8.9 show of these bytes, and store of that text.
    #[test]
    fn text_as_mysqld_converts_it() {
        for (set, bytes, text) in [
            ("koi8r", &b"\xf0\xd2\xc9\xd7\xc5\xd4"[..], "Привет"),
            ("cp1251", b"\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"),
            ("latin2", b"\xb3\xf3d\xbc", "łódź"),
            ("cp1250", b"\xb3\xf3d\x9f", "łódź"),
            ("greek", b"\xe1", "α"),
            ("tis620", b"\xa1", "ก"),
            ("cp866", b"\x8f", "П"),
        ] {
            assert_eq!(decode(set, bytes), Some(Ok(text.to_owned())), "{set}");
            assert_eq!(encode(set, text).as_deref(), Some(bytes), "{set}");
        }
        assert_eq!(decode("cp1251", b"a\x98"), Some(Err(())), "a byte without a character");
        assert_eq!(decode("swe7", b"a"), None);
        assert_eq!(encode("big5", "a"), None);
    }
}
