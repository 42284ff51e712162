//! Strings of JSON documents, escaped as mysqld escapes them.

/// Appends the text in double quotes.
pub fn push_quoted(out: &mut String, text: &str) {
    parts(text, |part| out.push_str(part));
}

/// The same, to bytes.
pub fn put_quoted(out: &mut Vec<u8>, text: &str) {
    parts(text, |part| out.extend_from_slice(part.as_bytes()));
}

/// Gives the text piece by piece: what needs no escape comes as it is, as far as it goes.
fn parts(text: &str, mut put: impl FnMut(&str)) {
    put("\"");
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        put(text.get(clean..at).unwrap_or_default());
        clean = at + 1;
        match byte {
            b'"' => put("\\\""),
            b'\\' => put("\\\\"),
            0x8 => put("\\b"),
            0xc => put("\\f"),
            b'\n' => put("\\n"),
            b'\r' => put("\\r"),
            b'\t' => put("\\t"),
            other => put(&format!("\\u{other:04x}")),
        }
    }
    put(text.get(clean..).unwrap_or_default());
    put("\"");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_what_mysqld_escapes() {
        let text = "a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{7f}\u{fc}";
        let (mut out, mut bytes) = (String::new(), Vec::new());
        push_quoted(&mut out, text);
        put_quoted(&mut bytes, text);
        assert_eq!(out, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\u{7f}\u{fc}\"");
        assert_eq!(bytes, out.as_bytes());
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }
}
