//! The text of statements, in the character set of the client that sent them.

use super::collations;
use dbtrail_types::charset;

/// Stands for bytes that cannot be decoded.
pub(crate) const UNREAD: char = char::REPLACEMENT_CHARACTER;

/// The text, and whether all of it could be decoded. Each character of which that is not so is
/// [`UNREAD`]: quotes, commas and names around it are where the server saw them. `client`: the
/// collation of the client's character set, where the event tells.
pub(super) fn decode(sql: &[u8], client: Option<u16>) -> (String, bool) {
    if let Some(text) = std::str::from_utf8(sql).ok().filter(|text| text.is_ascii()) {
        return (text.to_owned(), true);
    }
    let Some(client) = client else {
        // Of old servers, or written by the server itself.
        let text = String::from_utf8_lossy(sql).into_owned();
        let readable = !text.contains(UNREAD);
        return (text, readable);
    };
    let Some(set) = collations::charset(client) else {
        // Where its characters end is not known, so neither is where a quote does.
        let ascii = sql.iter().position(|b| !b.is_ascii()).unwrap_or(sql.len());
        let mut text = String::from_utf8_lossy(&sql[..ascii]).into_owned();
        text.push(UNREAD);
        return (text, false);
    };
    if let Ok(text) = charset::decode(&set, sql) {
        return (text.into_owned(), true);
    }
    if set.starts_with("utf8") {
        return (String::from_utf8_lossy(sql).into_owned(), false);
    }
    (ascii_of(&set, sql), false)
}

/// The same of a text that may be in UTF-8, whatever the client's character set is.
pub(super) fn decode_either(sql: &[u8], client: Option<u16>) -> (String, bool) {
    match client.map(collations::charset) {
        Some(Some(set)) if !set.starts_with("utf8") => (ascii_of("", sql), false),
        _ => decode(sql, client),
    }
}

/// What is ASCII, and [`UNREAD`] for each other character.
fn ascii_of(set: &str, sql: &[u8]) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(first) = rest.first() {
        if first.is_ascii() {
            text.push(char::from(*first));
            rest = &rest[1..];
        } else {
            text.push(UNREAD);
            rest = &rest[character(set, rest).min(rest.len())..];
        }
    }
    text
}

/// Bytes of the character with which `text` begins. In some sets the second byte of a character can
/// be that of a quote or a backslash.
fn character(set: &str, text: &[u8]) -> usize {
    let at = |i: usize| text.get(i).copied().unwrap_or(0);
    let (lead, trail) = (at(0), at(1));
    let pair = match set {
        "sjis" | "cp932" => {
            matches!(lead, 0x81..=0x9f | 0xe0..=0xfc) && matches!(trail, 0x40..=0x7e | 0x80..=0xfc)
        }
        "gbk" => matches!(lead, 0x81..=0xfe) && matches!(trail, 0x40..=0x7e | 0x80..=0xfe),
        "big5" => matches!(lead, 0xa1..=0xf9) && matches!(trail, 0x40..=0x7e | 0xa1..=0xfe),
        "euckr" => matches!(lead, 0x81..=0xfe) && matches!(trail, 0x41..=0x5a | 0x61..=0x7a | 0x81..=0xfe),
        "gb18030" => {
            if matches!(lead, 0x81..=0xfe) && matches!(trail, 0x30..=0x39) {
                return if matches!(at(2), 0x81..=0xfe) && matches!(at(3), 0x30..=0x39) { 4 } else { 1 };
            }
            matches!(lead, 0x81..=0xfe) && matches!(trail, 0x40..=0x7e | 0x80..=0xfe)
        }
        // In all others no byte of a longer character is below 0x80.
        _ => false,
    };
    if pair { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids of general collations: latin1 8, koi8r 7, sjis 13, gbk 28, utf8mb4 45.
    #[test]
    fn ok_what_can_be_decoded() {
        assert_eq!(decode(b"caf\xe9", Some(8)), ("café".to_owned(), true));
        assert_eq!(
            decode("café".as_bytes(), Some(2304)),
            ("café".to_owned(), true),
            "a collation of MariaDB 11.8"
        );
        assert_eq!(decode(b"\x5c", Some(13)), ("\\".to_owned(), true));
    }

    /// The quote after a character whose second byte is a backslash ends the text, on servers as
    /// here.
    #[test]
    fn err_bytes_are_not_taken_for_quotes() {
        for (set, bytes) in [(45, &b"'\xff'"[..]), (33, b"'\xc3'"), (77, b"'\xff'")] {
            let (text, _) = decode(bytes, Some(set));
            assert!(text.starts_with('\'') && text.ends_with('\''), "{set}: {text}");
        }
        let unread = |set, bytes: &[u8]| {
            let mut text = String::new();
            let mut rest = bytes;
            while let Some(first) = rest.first() {
                let width = if first.is_ascii() { 1 } else { character(set, rest) };
                text.push(if first.is_ascii() { char::from(*first) } else { UNREAD });
                rest = &rest[width..];
            }
            text
        };
        assert_eq!(unread("gbk", b"'x\x81\x5c'"), format!("'x{UNREAD}'"));
        assert_eq!(unread("sjis", b"'\x83\x5c\xb1'"), format!("'{UNREAD}{UNREAD}'"));
        assert_eq!(unread("gb18030", b"'\x81\x30\x81\x30'"), format!("'{UNREAD}'"));
        assert_eq!(unread("big5", b"`\xa4\x7c`"), format!("`{UNREAD}`"));
        assert_eq!(decode(b"a \xe9'", Some(4000)), (format!("a {UNREAD}"), false));
    }
}
