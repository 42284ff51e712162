//! Character sets of columns and of clients: stored bytes to UTF-8, and UTF-8 to the few sets that
//! results are sent in.

use std::borrow::Cow;

mod double_byte;
mod single_byte;

/// A character set that this program cannot convert exactly, or bytes that are not text in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CharsetError {
    /// Not known here.
    #[error("character set {0} cannot be converted to UTF-8 by this version")]
    Unknown(String),
    /// Some of them stand for no character, or for one that other bytes stand for too: from the
    /// text they could not be recognised again.
    #[error("{0} text with bytes that have no character of their own")]
    NoCharacter(String),
    /// Not valid in it.
    #[error("bytes that are not valid {0} text")]
    Invalid(String),
}

/// What MySQL's latin1 (cp1252) has in 0x80 to 0x9f; the five bytes that cp1252 leaves undefined
/// are the control characters of the same number.
const CP1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}',
    '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}',
    '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}',
    '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

/// Stored bytes of a character set (by MySQL's name: utf8mb4, latin1, ...) as UTF-8 text.
///
/// # Errors
/// The set is unknown, or the bytes are not valid in it.
pub fn decode<'a>(charset: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>, CharsetError> {
    let invalid = || CharsetError::Invalid(charset.to_owned());
    match charset {
        "utf8mb3" | "utf8" if bytes.iter().any(|b| *b >= FOUR) => Err(invalid()),
        "utf8mb4" | "utf8mb3" | "utf8" => {
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| invalid())
        }
        "ascii" if bytes.is_ascii() => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| invalid()),
        "ascii" => Err(invalid()),
        "latin1" => Ok(Cow::Owned(bytes.iter().map(|b| from_latin1(*b)).collect())),
        "ucs2" | "utf16" => {
            let (pairs, []) = bytes.as_chunks::<2>() else { return Err(invalid()) };
            let units = pairs.iter().map(|p| u16::from_be_bytes(*p));
            // Half a character each in utf16, no character in ucs2.
            if charset == "ucs2" && units.clone().any(|unit| (0xd800..0xe000).contains(&unit)) {
                return Err(invalid());
            }
            char::decode_utf16(units).collect::<Result<String, _>>().map(Cow::Owned).map_err(|_| invalid())
        }
        other => match single_byte::decode(other, bytes).or_else(|| double_byte::decode(other, bytes)) {
            Some(Ok(text)) => Ok(Cow::Owned(text)),
            Some(Err(())) => Err(CharsetError::NoCharacter(other.to_owned())),
            None => Err(CharsetError::Unknown(other.to_owned())),
        },
    }
}

/// Whether text in this character set can be converted.
#[must_use]
pub fn is_known(charset: &str) -> bool {
    decode(charset, b"").is_ok()
}

/// Bytes of the shortest and of the longest character of a character set, as MySQL 9.7 counts them
/// (Maxlen of
/// [SHOW CHARACTER SET](https://dev.mysql.com/doc/refman/9.7/en/show-character-set.html)); `None`:
/// a set that it does not have.
#[must_use]
pub fn bytes_of_character(charset: &str) -> Option<(u32, u32)> {
    Some(match charset {
        "armscii8" | "ascii" | "cp1250" | "cp1251" | "cp1256" | "cp1257" | "cp850" | "cp852" | "cp866"
        | "dec8" | "geostd8" | "greek" | "hebrew" | "hp8" | "keybcs2" | "koi8r" | "koi8u" | "latin1"
        | "latin2" | "latin5" | "latin7" | "macce" | "macroman" | "swe7" | "tis620" | "binary" => (1, 1),
        "big5" | "cp932" | "euckr" | "gb2312" | "gbk" | "sjis" => (1, 2),
        "eucjpms" | "ujis" | "utf8" | "utf8mb3" => (1, 3),
        "gb18030" | "utf8mb4" => (1, 4),
        "ucs2" => (2, 2),
        "utf16" | "utf16le" => (2, 4),
        "utf32" => (4, 4),
        _ => return None,
    })
}

/// The least first byte of a character of four bytes, in UTF-8.
const FOUR: u8 = 0xf0;

fn from_latin1(byte: u8) -> char {
    match byte {
        0x80..=0x9f => CP1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// UTF-8 text as MySQL's latin1; `?` for what it does not have, as mysqld does.
#[must_use]
pub fn encode_latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| {
            if let Some(i) = CP1252.iter().position(|k| *k == c) {
                return u8::try_from(i + 0x80).unwrap_or(b'?');
            }
            match u8::try_from(u32::from(c)) {
                Ok(0x80..=0x9f) | Err(_) => b'?',
                Ok(byte) => byte,
            }
        })
        .collect()
}

/// UTF-8 text as MySQL's utf8mb3; `?` for a character beyond U+FFFF, as mysqld does.
#[must_use]
pub fn encode_utf8mb3(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|b| *b >= FOUR) {
        return Cow::Borrowed(text);
    }
    let text = String::from_utf8_lossy(text);
    Cow::Owned(text.chars().map(|c| if c > '\u{ffff}' { '?' } else { c }).collect::<String>().into_bytes())
}

/// UTF-8 text in a character set that [`decode`] knows: what the column stores. In another it stays
/// as it is.
#[must_use]
pub fn encode<'a>(charset: &str, text: &'a [u8]) -> Cow<'a, [u8]> {
    let units =
        |text: &[u8]| String::from_utf8_lossy(text).encode_utf16().flat_map(u16::to_be_bytes).collect();
    match charset {
        "latin1" => Cow::Owned(encode_latin1(&String::from_utf8_lossy(text))),
        "ascii" => Cow::Owned(
            String::from_utf8_lossy(text)
                .chars()
                .map(|c| if c.is_ascii() { c } else { '?' })
                .collect::<String>()
                .into_bytes(),
        ),
        "utf8mb3" | "utf8" => encode_utf8mb3(text),
        "ucs2" => Cow::Owned(units(&encode_utf8mb3(text))),
        "utf16" => Cow::Owned(units(text)),
        other => {
            let shown = String::from_utf8_lossy(text);
            let stored = single_byte::encode(other, &shown).or_else(|| double_byte::encode(other, &shown));
            stored.map_or(Cow::Borrowed(text), Cow::Owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_latin1_both_ways() {
        let all: Vec<u8> = (0..=255).collect();
        let text = decode("latin1", &all).unwrap();
        assert_eq!(encode_latin1(&text), all);
        assert_eq!(decode("latin1", b"caf\xe9 \x80").unwrap(), "café €");
        assert_eq!(encode_latin1("Ω€"), b"?\x80");
    }

    #[test]
    fn ok_into_other_sets() {
        assert_eq!(encode_utf8mb3("é😀Ω".as_bytes()).as_ref(), "é?Ω".as_bytes());
        assert_eq!(encode("utf16", "é😀".as_bytes()).as_ref(), b"\x00\xe9\xd8\x3d\xde\x00");
        assert_eq!(encode("latin1", "é".as_bytes()).as_ref(), b"\xe9");
        assert_eq!(encode("ascii", "aé".as_bytes()).as_ref(), b"a?");
        assert_eq!(encode("utf8mb3", "é😀".as_bytes()).as_ref(), "é?".as_bytes());
        assert_eq!(encode("ucs2", "é😀".as_bytes()).as_ref(), b"\x00\xe9\x00?");
    }

    #[test]
    fn err_unknown_and_invalid() {
        assert_eq!(decode("big5", b"a"), Err(CharsetError::Unknown("big5".to_owned())));
        assert_eq!(decode("utf8mb4", b"\xff"), Err(CharsetError::Invalid("utf8mb4".to_owned())));
        for (set, bytes) in
            [("ucs2", &b"\x00a\x00"[..]), ("ucs2", b"\xd8\x3d\xde\x00"), ("utf8mb3", "😀".as_bytes())]
        {
            assert_eq!(decode(set, bytes).ok(), None, "{set} {bytes:02x?}");
        }
    }
}
