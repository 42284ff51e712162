//! In which character sets a client's strings are sent and compared (manual: ["Connection Character
//! Sets and Collations"](https://dev.mysql.com/doc/refman/9.7/en/charset-connection.html)).
//!
//! A string literal is sent in `character_set_client` and compared in `character_set_connection`:
//! what that one cannot hold becomes `?` in mysqld. After an introducer (`_utf8mb4'...'`, `N'...'`)
//! the bytes are taken as they were sent. Here a text is UTF-8 from the start, so what either of
//! the two would have done to it is worked out, or the literal is refused.

use dbtrail_types::charset::{self, encode_latin1};

/// A character set, as far as strings of statements are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// All of Unicode.
    #[default]
    Utf8mb4,
    /// Code points up to U+FFFF.
    Utf8mb3,
    /// cp1252.
    Latin1,
    /// 7 bits.
    Ascii,
    /// No characters: bytes as they were sent.
    Binary,
    /// Two or four bytes a character (ucs2, utf16, utf32).
    Wide,
    /// Another one: letters, digits and common marks of ASCII are in it, and are the same bytes or
    /// the same characters.
    Other,
}

impl Charset {
    /// By MySQL's name, in lower case.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "utf8mb4" => Self::Utf8mb4,
            "utf8mb3" | "utf8" => Self::Utf8mb3,
            "latin1" => Self::Latin1,
            "ascii" => Self::Ascii,
            "binary" => Self::Binary,
            "ucs2" | "utf16" | "utf16le" | "utf32" => Self::Wide,
            _ => Self::Other,
        }
    }

    /// Whether a text comes out of a conversion into this set as it went in.
    #[must_use]
    pub fn holds(self, text: &str) -> bool {
        match self {
            Self::Utf8mb4 | Self::Binary => true,
            Self::Utf8mb3 | Self::Wide => text.chars().all(|c| c <= '\u{ffff}'),
            Self::Latin1 => charset::decode("latin1", &encode_latin1(text)).is_ok_and(|back| back == text),
            Self::Ascii => text.is_ascii(),
            // `\` and `~` have other bytes, or are other characters, in some sets of Japan; `[` and
            // its like in swe7.
            Self::Other => {
                text.chars().all(|c| c.is_ascii_alphanumeric() || " !\"%&'()*+,-./:;<=>?_".contains(c))
            }
        }
    }

    /// The bytes of a text in this set; `None`: it has characters that the set, or this program,
    /// lacks.
    #[must_use]
    pub fn bytes(self, text: &str) -> Option<Vec<u8>> {
        if !self.holds(text) {
            return None;
        }
        match self {
            Self::Latin1 => Some(encode_latin1(text)),
            Self::Utf8mb4 | Self::Utf8mb3 | Self::Ascii | Self::Binary | Self::Other => {
                Some(text.as_bytes().to_vec())
            }
            Self::Wide => None,
        }
    }
}

/// The two sets of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charsets {
    /// `character_set_client`
    pub client: Charset,
    /// `character_set_connection`
    pub connection: Charset,
}

impl Charsets {
    /// The bytes that a client has sent for a text; `None`: not known here.
    pub(super) fn sent(self, text: &str) -> Option<Vec<u8>> {
        self.client.bytes(text)
    }

    /// A string after an introducer, `bytes` being what is between its quotes or what its digits
    /// mean. `None`: no text of that set, or the set is not known here.
    pub(super) fn introduced(name: &str, bytes: &[u8]) -> Option<String> {
        let name = if name == "utf8" { "utf8mb3" } else { name };
        let text = charset::decode(name, bytes).ok()?.into_owned();
        let beyond = matches!(name, "utf8mb3" | "ucs2") && !Charset::Utf8mb3.holds(&text);
        (!beyond).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_set_holds_is_what_comes_back() {
        for (name, good, bad) in [
            ("utf8mb4", "é😀", None),
            ("utf8mb3", "é日", Some("😀")),
            ("latin1", "é€\u{81}", Some("日")),
            ("ascii", "a~\\", Some("é")),
            ("sjis", "a-1_b", Some("a\\")),
            ("cp1251", "it's", Some("я")),
        ] {
            let set = Charset::named(name);
            assert!(set.holds(good), "{name}");
            assert!(bad.is_none_or(|bad| !set.holds(bad)), "{name}");
        }
        assert_eq!(Charset::Latin1.bytes("é").as_deref(), Some(&b"\xe9"[..]));
        assert_eq!(Charset::Latin1.bytes("日"), None);
    }

    #[test]
    fn an_introducer_takes_bytes_as_they_were_sent() {
        let sent = |client, text| Charsets { client, connection: Charset::Utf8mb4 }.sent(text).unwrap();
        for (name, bytes, text) in [
            ("utf8mb4", sent(Charset::Latin1, "Ã¤"), Some("ä")),
            ("latin1", sent(Charset::Utf8mb4, "ä"), Some("Ã¤")),
            ("utf8mb4", sent(Charset::Latin1, "ä"), None),
            ("utf8", sent(Charset::Utf8mb4, "😀"), None),
            ("koi8r", b"\xc1".to_vec(), Some("а")),
            ("swe7", b"a".to_vec(), None),
        ] {
            assert_eq!(Charsets::introduced(name, &bytes).as_deref(), text, "{name} {bytes:?}");
        }
    }
}
