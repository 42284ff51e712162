//! What came for a statement.

/// What came for a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// OK: warnings.
    Done(u16),
    /// A result set that ended well: cells, warnings.
    Rows(Vec<Vec<Option<String>>>, u16),
    /// An error before anything else.
    Error(ErrPacket),
    /// Rows, and then an error.
    Broken(Vec<Vec<Option<String>>>, ErrPacket),
    /// The connection ended without an answer.
    Closed,
}

/// An ERR packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrPacket {
    pub code: u16,
    pub state: String,
    pub message: String,
}

impl ErrPacket {
    /// The word for the cause at the end of the text; empty: there is none.
    pub fn word(&self) -> &str {
        let word = self.message.strip_suffix(']').and_then(|text| text.rsplit_once(" ["));
        word.map_or("", |(_, word)| word)
    }

    /// The request id in the text.
    pub fn request(&self) -> &str {
        let following =
            self.message.rsplit_once(" (request ").unwrap_or_else(|| panic!("no request id: {self:?}")).1;
        following.split(')').next().expect("there is one")
    }

    /// Number, SQLSTATE and text without the request id, which must be there.
    pub fn plain(&self) -> (u16, &str, &str) {
        let (text, id) =
            (self.message.rsplit_once(" (request ").map_or("", |(text, _)| text), self.request());
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        assert!(id.split_once('-').is_some_and(|(c, n)| digits(c) && digits(n)), "{self:?}");
        let following = self.message.rsplit_once(&format!("(request {id})")).expect("it is there").1;
        let word = self.word();
        assert!(following.is_empty() || following == format!(" [{word}]"), "{self:?}");
        (self.code, &self.state, text)
    }
}

/// An ERR packet's parts.
pub fn error(packet: &[u8]) -> ErrPacket {
    assert_eq!((packet[0], packet[3]), (0xff, b'#'), "{packet:?}");
    let text = |b: &[u8]| String::from_utf8(b.to_vec()).expect("UTF-8");
    ErrPacket {
        code: u16::from_le_bytes([packet[1], packet[2]]),
        state: text(&packet[4..9]),
        message: text(&packet[9..]),
    }
}

/// The cells of a row, none of which is longer than 64 KiB here.
pub fn cells(mut packet: &[u8]) -> Vec<Option<String>> {
    let mut cells = Vec::new();
    while let Some((first, rest)) = packet.split_first() {
        let (length, rest) = match first {
            0xfb => {
                cells.push(None);
                packet = rest;
                continue;
            }
            0xfc => (usize::from(u16::from_le_bytes([rest[0], rest[1]])), &rest[2..]),
            short => (usize::from(*short), rest),
        };
        cells.push(Some(String::from_utf8(rest[..length].to_vec()).expect("UTF-8")));
        packet = &rest[length..];
    }
    cells
}
