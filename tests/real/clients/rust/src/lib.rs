//! What the two Rust clients of the matrix share: commands from standard input, values as [kind,
//! text].

use serde_json::{Value, json};
use std::io::{BufRead, Write};

/// An error that the server told: number, SQLSTATE, message.
pub type Told = (u16, String, String);

/// The next command; `None`: the driver is done.
pub fn next() -> Option<Value> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).expect("the driver writes UTF-8");
    (!line.is_empty()).then(|| serde_json::from_str(&line).expect("the driver writes JSON"))
}

/// Answers a command.
pub fn answer(result: Result<Value, Told>) {
    let line = match result {
        Ok(value) => value,
        Err((code, state, message)) => json!({ "error": [code, state, message] }),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the driver reads");
}

/// A text of a command.
pub fn text<'a>(command: &'a Value, name: &str) -> &'a str {
    command[name].as_str().unwrap_or_else(|| panic!("{name} of {command}"))
}

/// The port of a command.
pub fn port(command: &Value) -> u16 {
    command["port"].as_u64().and_then(|p| u16::try_from(p).ok()).expect("a port")
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// And back.
pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).expect("digits")).collect()
}

/// A span as `-12:34:56.000001`.
pub fn span(negative: bool, hours: u64, minutes: u64, seconds: u64, micros: u64) -> Value {
    let sign = if negative { "-" } else { "" };
    json!(["time", format!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{micros:06}")])
}
