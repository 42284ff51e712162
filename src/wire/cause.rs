//! The one table of stable words for causes, which are in brackets at the end of a message: for
//! programs, where several causes have one number.

use crate::failure::Failure;

/// Bytes of a word at most.
const LONGEST: usize = 40;

/// The word for the cause. `None`: the number says enough, or the text is MySQL's own.
#[must_use]
pub fn word(failure: &Failure) -> Option<&str> {
    Some(match failure {
        Failure::AgentRejected { status: 401 | 403, .. } => "token_refused",
        Failure::AgentRejected { status: 429, word, .. } if !is_word(word) => "overloaded",
        Failure::AgentRejected { word, .. } if is_word(word) => word,
        Failure::AgentRejected { .. } => "agent_rejected",
        Failure::AgentUnreachable(_) => "agent_unreachable",
        Failure::AgentFailed { .. } => "agent_failed",
        Failure::AgentNonsense(_) => "agent_not_understood",
        Failure::Internal(_) => "internal",
        Failure::KeyRule(_) => "primary_key_needed",
        Failure::JoinWithReal { .. } => "join_with_real_table",
        Failure::WindowTooWide(_) => "window_too_wide",
        Failure::ReversedWindow(_) => "reversed_window",
        Failure::TooManyRows(_) => "too_many_rows",
        Failure::UnknownCell(_) => "unknown_cell",
        Failure::BadTimestamp(_) => "bad_timestamp",
        Failure::Unsupported(_) | Failure::OutOfBudget(_) | Failure::OutOfMemory(_) => "not_supported",
        Failure::NotForThisServer(_) => "not_time_travel",
        Failure::Syntax(_) => "syntax",
        Failure::Unaudited(_) => "not_audited",
        Failure::UnknownTenant(_)
        | Failure::AccessDenied { .. }
        | Failure::InsecureTransport
        | Failure::SchemaDenied { .. }
        | Failure::UnknownSchema(_)
        | Failure::UnknownTable(_)
        | Failure::UnknownInformationTable(_)
        | Failure::NoDatabase
        | Failure::UnknownColumn(..)
        | Failure::AmbiguousColumn(..)
        | Failure::UnknownVariable(_)
        | Failure::WrongValue(..)
        | Failure::WrongType(_)
        | Failure::SessionVariable(_)
        | Failure::NoSessionValue(_)
        | Failure::InTransaction
        | Failure::ReadOnlyInSession(_)
        | Failure::OutOfRange(..)
        | Failure::ReadOnlyVariable(..)
        | Failure::GlobalVariable(_)
        | Failure::PrivilegeRequired(_)
        | Failure::UnknownCharset(_)
        | Failure::UnknownCollation(_)
        | Failure::CollationMismatch(..)
        | Failure::UnknownTimeZone(_)
        | Failure::EmptyQuery
        | Failure::Interrupted
        | Failure::TooLong
        | Failure::Inactive
        | Failure::Stalled
        | Failure::ShuttingDown
        | Failure::Full { .. }
        | Failure::NoSuchThread(_)
        | Failure::NotOwner(_)
        | Failure::UnknownCommand
        | Failure::PacketTooLarge
        | Failure::NoMemory
        | Failure::MalformedPacket(_)
        | Failure::UnknownPrepared(..)
        | Failure::UnknownSavepoint(_)
        | Failure::WrongArguments(_)
        | Failure::NotPreparable
        | Failure::TooManyParameters
        | Failure::TooManyPrepared(_)
        | Failure::NoCursor(_)
        | Failure::LongDataTooLong => return None,
    })
}

/// A word of an agent may be in a message: short, and nothing but small letters and `_`.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_words_tell_causes_of_one_number_apart() {
        let rejected =
            |status, word: &str| Failure::AgentRejected { status, body: "x".into(), word: word.into() };
        for (status, agents, want) in [
            (422, "out_of_range", "out_of_range"),
            (422, "gap", "gap"),
            (422, "not_captured", "not_captured"),
            (422, "a_word_of_another_agent", "a_word_of_another_agent"),
            (401, "unauthorized", "token_refused"),
            (403, "", "token_refused"),
            (429, "", "overloaded"),
        ] {
            assert_eq!(word(&rejected(status, agents)), Some(want));
        }
        for odd in ["", "No Way", "x]", "1", &"a".repeat(41), "\u{1b}"] {
            assert_eq!(word(&rejected(422, odd)), Some("agent_rejected"), "{odd:?}");
        }
        assert_eq!(word(&Failure::NoDatabase), None);
    }
}
