//! What the agent of the tests is asked and says.

use super::COLUMNS;

/// The answer to [`FLASHBACK`]: a header, three rows, a trailer.
pub fn three_rows() -> String {
    format!(
        "{{\"success\":true,{COLUMNS}}}\n[\"1\",\"one\"]\n[\"2\",null]\n[\"3\",\"three\"]\n{{\"end\":{{\"rows\":3,\"notes\":[]}}}}\n"
    )
}

/// The answer to [`DIFF`]: a header, three events, a trailer.
pub fn three_events() -> String {
    let event = |id: u8, kind: &str, before: &str, after: &str| {
        format!(
            "{{\"event\":{{\"event_id\":{id},\"event_timestamp\":\"2020-01-01T00:0{id}:00.000000Z\",\"event_type\":\"{kind}\",\"gtid\":null,\"key\":[\"1\"],\"before\":{before},\"after\":{after}}}}}\n"
        )
    };
    let events = [
        event(1, "INSERT", "null", r#"["1","one"]"#),
        event(2, "UPDATE", r#"["1","one"]"#, r#"["1","two"]"#),
        event(3, "DELETE", r#"["1","two"]"#, "null"),
    ];
    format!("{{\"success\":true,{COLUMNS}}}\n{}{{\"end\":{{\"rows\":3,\"notes\":[]}}}}\n", events.concat())
}

/// A request that the agent got.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// What the agent does after the bytes that it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Waits for the next request.
    KeepAlive,
    /// Ends the connection in order.
    Close,
    /// Resets the connection.
    Reset,
    /// Sends nothing more and waits for the client to leave.
    Wait,
    /// Sends these bytes without end.
    Repeat(&'static [u8]),
}

/// What the agent does with one request.
#[derive(Clone, Debug)]
pub struct Reply {
    pub bytes: Vec<u8>,
    pub then: Then,
}

impl Reply {
    /// A whole HTTP answer.
    pub fn http(status: u16, kind: &str, body: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status} Whatever\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { bytes: head.into_bytes(), then: Then::KeepAlive }
    }

    pub fn ndjson(body: &str) -> Self {
        Self::http(200, "application/x-ndjson", body)
    }

    pub fn json(status: u16, body: &str) -> Self {
        Self::http(status, "application/json", body)
    }

    /// The beginning of a body without an announced length, and what follows it.
    pub fn part(status: u16, body: &str, then: Then) -> Self {
        let head = format!("HTTP/1.1 {status} Whatever\r\ncontent-type: application/x-ndjson\r\n\r\n{body}");
        Self { bytes: head.into_bytes(), then }
    }

    /// The same in chunks, the last of which (that of length 0) is missing.
    pub fn chunk(status: u16, body: &str, then: Then) -> Self {
        let mut head = format!(
            "HTTP/1.1 {status} Whatever\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        if !body.is_empty() {
            head = format!("{head}{:x}\r\n{body}\r\n", body.len());
        }
        Self { bytes: head.into_bytes(), then }
    }

    /// A whole answer of one chunk.
    pub fn chunked(status: u16, body: &str) -> Self {
        let mut reply = Self::chunk(status, body, Then::KeepAlive);
        reply.bytes.extend(b"0\r\n\r\n");
        reply
    }

    /// Nothing at all.
    pub fn nothing(then: Then) -> Self {
        Self { bytes: Vec::new(), then }
    }
}
