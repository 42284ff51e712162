//! What an HTTP client's errors mean, in plain words.

use crate::failure::Failure;
use dbtrail_types::agent_api::code;
use std::error::Error;

/// An error before or during an answer: the agent cannot be reached.
pub(super) fn unreachable(base_url: &str, error: &reqwest::Error) -> Failure {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    // The innermost error names the cause; the outer ones repeat the URL.
    let cause = innermost.to_string();
    let lower = cause.to_lowercase();
    let words = if lower.contains("certificate expired") || lower.contains("expired") {
        format!("its certificate has expired ({cause})")
    } else if lower.contains("not valid for") {
        format!("its certificate is for another host ({cause})")
    } else if lower.contains("certificate") || lower.contains("issuer") {
        format!("its certificate is not trusted ({cause}); see agent_tls.ca_file")
    } else if lower.contains("failed to lookup") || lower.contains("name or service") || lower.contains("dns")
    {
        format!("its name cannot be resolved ({cause})")
    } else if error.is_connect() {
        cause
    } else {
        format!("the connection was lost ({cause})")
    };
    Failure::AgentUnreachable(format!("{base_url}: {words}"))
}

/// Of a refusal no more bytes than these are read.
pub(super) const LONGEST_REFUSAL: usize = 64 * 1024;

/// The sentence of a refusal: a JSON object that says `"success": false`, whatever else it holds.
/// `None`: it is another text.
pub(super) fn refusal(text: &[u8]) -> Option<String> {
    let refused = serde_json::from_slice::<Refused>(text).ok().filter(|r| !r.success)?;
    let sentence = cleaned(&refused.error.unwrap_or_default());
    Some(if sentence.is_empty() {
        "the agent refused the request (success: false) and gave no reason: its log may have one".to_owned()
    } else {
        sentence
    })
}

/// What an agent can find out after its first row.
const LATE: [&str; 8] = [
    code::AMBIGUOUS_TIME,
    code::NOT_RECORDED,
    code::UNREADABLE_TABLE,
    code::NOT_CAPTURED,
    code::GAP,
    code::UNSUPPORTED_KEY,
    code::UNSUPPORTED_FILTER,
    code::INTERNAL,
];

/// A refusal instead of a trailer, with a word that says which: what the agent found out only when
/// it had sent rows.
pub(super) fn late_refusal(line: &[u8]) -> Option<Failure> {
    let refused = serde_json::from_slice::<Refused>(line).ok().filter(|r| !r.success)?;
    let word = refused.code.filter(|word| LATE.contains(&word.as_str()))?;
    let body = cleaned(&refused.error.unwrap_or_default());
    Some(if word == code::INTERNAL {
        Failure::AgentFailed { status: 500, body }
    } else {
        Failure::AgentRejected { status: 422, body, word }
    })
}

/// [`dbtrail_types::agent_api::ErrorBody`] of any agent: only what the sentence needs.
#[derive(serde::Deserialize)]
struct Refused {
    success: bool,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    code: Option<String>,
}

/// A body that ended before its trailer.
pub(super) fn cut(base_url: &str) -> Failure {
    Failure::AgentUnreachable(format!("{base_url}: the connection was lost before the end of the answer"))
}

/// Text of an answer for a person: control characters away, cut.
pub(super) fn cleaned(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect();
    plain.trim().to_owned()
}
