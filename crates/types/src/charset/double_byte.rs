//! Character sets of one or two bytes a character: the kept library's tables, where they are
//! mysqld's.
//!
//! Every code of two bytes was converted to utf8mb4 by MySQL 9.7.4 and MariaDB 11.8.9, and compared
//! with `encoding_rs` 0.8 (`tests/real/charsets.py` does it again). In cp932 and euckr all that the
//! servers know is the same. In gbk the library knows more (the euro sign, what GB 18030 added,
//! private use), in sjis it knows the additions of cp932, and seven signs differ: those are not
//! read. What is a backslash there is stored as 0x815F, and 0x5C is only shown as one. ujis,
//! eucjpms, big5, gb2312 and gb18030 differ in more, and are refused by name.

use encoding_rs::{EUC_KR, Encoding, GBK, SHIFT_JIS};

/// How a set is read.
struct Set {
    /// What the servers store a backslash as.
    backslash: &'static [u8],
    encoding: &'static Encoding,
    /// Whether a byte begins a character of two.
    leads: fn(u8) -> bool,
    /// Codes that the library knows and mysqld does not, or has another character for.
    not: fn(u16) -> bool,
}

fn set(charset: &str) -> Option<Set> {
    let high = |b: u8| matches!(b, 0x81..=0xfe);
    let japanese = |b: u8| matches!(b, 0x81..=0x9f | 0xe0..=0xfc);
    Some(match charset {
        "cp932" => Set { backslash: b"\\", encoding: SHIFT_JIS, leads: japanese, not: |_| false },
        "sjis" => Set { backslash: b"\x81\x5f", encoding: SHIFT_JIS, leads: japanese, not: beyond_sjis },
        "euckr" => Set { backslash: b"\\", encoding: EUC_KR, leads: high, not: |_| false },
        "gbk" => Set { backslash: b"\\", encoding: GBK, leads: high, not: beyond_gbk },
        _ => return None,
    })
}

/// NEC's and IBM's additions, private use, and the signs that Microsoft maps to wide ones.
fn beyond_sjis(code: u16) -> bool {
    matches!(code >> 8, 0x87 | 0xed | 0xee | 0xf0..=0xfc)
        || matches!(code, 0x815f | 0x8160 | 0x8161 | 0x817c | 0x8191 | 0x8192 | 0x81ca)
}

fn beyond_gbk(code: u16) -> bool {
    matches!(
        code,
        0xa2e3
            | 0xa3a0
            | 0xa6d9..=0xa6df
            | 0xa6ec
            | 0xa6ed
            | 0xa6f3
            | 0xa8bc
            | 0xa8bf
            | 0xa989..=0xa995
            | 0xfe50..=0xfea0
    )
}

/// Text of a set (`Err`: bytes without a character of their own); `None`: it is none of these.
pub(super) fn decode(charset: &str, bytes: &[u8]) -> Option<Result<String, ()>> {
    let set = set(charset)?;
    Some(all(&set, bytes).ok_or(()))
}

fn all(set: &Set, bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len() * 2);
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        if let Some(following) = rest.strip_prefix(set.backslash) {
            text.push('\\');
            rest = following;
            continue;
        }
        if first.is_ascii() && *first != b'\\' {
            text.push(char::from(*first));
            rest = &rest[1..];
            continue;
        }
        let (character, following) = rest.split_at_checked(if (set.leads)(*first) { 2 } else { 1 })?;
        rest = following;
        let refused = match character {
            [lead, trail] => (set.not)(u16::from_be_bytes([*lead, *trail])),
            // Of single bytes the library alone knows these; another backslash than the set's.
            [single] => matches!(single, 0x80 | 0xff | b'\\'),
            _ => true,
        };
        if refused {
            return None;
        }
        let read = set.encoding.decode_without_bom_handling_and_without_replacement(character)?;
        let private = |c: char| matches!(c, '\u{e000}'..='\u{f8ff}');
        // cp932 has some characters twice.
        if read.chars().count() != 1 || read.chars().any(private) || stored(set, &read)? != character {
            return None;
        }
        text.push_str(&read);
    }
    Some(text)
}

/// The bytes of one character.
fn stored(set: &Set, character: &str) -> Option<Vec<u8>> {
    let (bytes, _, failed) = set.encoding.encode(character);
    (!failed).then(|| bytes.into_owned())
}

/// Text in a set, `?` for what it does not have; `None`: it is none of these.
pub(super) fn encode(charset: &str, text: &str) -> Option<Vec<u8>> {
    let set = set(charset)?;
    let mut buffer = [0; 4];
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        if c == '\\' {
            out.extend(set.backslash);
            continue;
        }
        if let Some(ascii) = u8::try_from(c).ok().filter(u8::is_ascii) {
            out.push(ascii);
            continue;
        }
        // What would not come back is none of the set's.
        let character = c.encode_utf8(&mut buffer);
        let bytes = stored(&set, character).filter(|bytes| all(&set, bytes).as_deref() == Some(character));
        out.extend(bytes.unwrap_or_else(|| vec![b'?']));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As MySQL 9.7.4 and MariaDB 11.8.9 convert them.
    #[test]
    fn text_as_mysqld_converts_it() {
        for (set, bytes, text) in [
            ("gbk", &b"a\xd6\xd0\xb9\xfa"[..], "a中国"),
            ("cp932", b"\x93\xfa\x96{\xb1\x87\x40", "日本ｱ①"),
            ("sjis", b"\x93\xfa\x96{\xb1", "日本ｱ"),
            ("sjis", b"a\x81\x5fb", "a\\b"),
            ("cp932", b"a\\b", "a\\b"),
            ("euckr", b"\xc7\xd1\xb1\xb9", "한국"),
        ] {
            assert_eq!(decode(set, bytes), Some(Ok(text.to_owned())), "{set}");
            assert_eq!(encode(set, text).as_deref(), Some(bytes), "{set}");
        }
        for (set, bytes) in [
            ("gbk", &b"\x80"[..]),
            ("gbk", b"\xa2\xe3"),
            ("gbk", b"\xaa\xa1"),
            ("sjis", b"\x87\x40"),
            ("sjis", b"\x81\x60"),
            ("sjis", b"a\\b"),
            ("cp932", b"\xed\x40"),
            ("cp932", b"\x93"),
            ("euckr", b"\xff"),
        ] {
            assert_eq!(decode(set, bytes), Some(Err(())), "{set} {bytes:02x?}");
        }
        // Signs that the library takes for others of the set.
        for set in ["sjis", "cp932"] {
            assert_eq!(encode(set, "\u{a5}\u{203e}\u{2212}").as_deref(), Some(&b"???"[..]), "{set}");
        }
        assert_eq!((decode("big5", b"a"), decode("gb18030", b"a")), (None, None));
    }

    /// What the servers' own conversions give, there and back.
    const COUNTS: [(&str, usize, u64); 4] = [
        ("gbk", 21_791, 32_958_304_318_719),
        ("cp932", 7_326, 9_717_112_070_486),
        ("sjis", 6_873, 8_895_370_010_796),
        ("euckr", 17_048, 32_940_889_497_293),
    ];

    /// Of each set, the codes of two bytes that are read, and the sum of code times character over
    /// them, as MySQL 9.7.4 and MariaDB 11.8.9 convert them.
    #[test]
    fn every_code_that_is_read_is_as_the_servers_convert_it() {
        for (set, count, sum) in COUNTS {
            let mut found = (0, 0_u64);
            for code in 0x8000..=0xffff_u16 {
                let Some(Ok(text)) = decode(set, &code.to_be_bytes()) else { continue };
                let mut characters = text.chars();
                // Two single bytes are two characters.
                if let (Some(c), None) = (characters.next(), characters.next()) {
                    found = (found.0 + 1, found.1 + u64::from(code) * u64::from(u32::from(c)));
                }
            }
            assert_eq!(found, (count, sum), "{set}");
        }
    }
}
