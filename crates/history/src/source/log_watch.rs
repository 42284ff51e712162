//! Whether the server still has the log that is followed. [RESET BINARY LOGS AND GTIDS] begins
//! another one, and MySQL then sends nothing more and says nothing of it (seen on 9.7): by the
//! clock alone the record would seem to go on.
//!
//! [RESET BINARY LOGS AND GTIDS]: https://dev.mysql.com/doc/refman/9.7/en/reset-binary-logs-and-gtids.html

use super::Ended;
use super::client::ClientError;
use super::session::Session;
use crate::binlog_position::BinlogPosition;
use crate::capture::{Disconnected, LogLoss};
use std::cmp::Ordering;

/// What was seen of the server when its clock was last read.
#[derive(Debug)]
pub(super) struct LogWatch {
    /// Where its log ended.
    end: Option<BinlogPosition>,
    /// How many RESET statements of any kind it had carried out.
    resets: u64,
}

impl LogWatch {
    /// Begins before the log is asked for.
    pub(super) async fn begin(session: &mut Session) -> Result<Self, ClientError> {
        Ok(Self { end: None, resets: session.resets().await? })
    }

    /// Looks again, when the clock and after it the end of the log were read. Why the log cannot be
    /// followed on, if it cannot: what the clock said is then of no use.
    pub(super) async fn look(
        &mut self,
        session: &mut Session,
        end: &BinlogPosition,
    ) -> Result<Option<Ended>, ClientError> {
        let resets = session.resets().await?;
        Ok(self.noticed(end, resets))
    }

    fn noticed(&mut self, end: &BinlogPosition, resets: u64) -> Option<Ended> {
        let before = self.end.replace(end.clone());
        let is_reset = std::mem::replace(&mut self.resets, resets) != resets;
        match before.and_then(|before| went_back(&before, end)) {
            Some(loss) => Some(Ended::Resnapshot(loss)),
            // A new log can be as long as the old one by now. Of another kind of RESET nothing
            // comes but a new connection, at which the last event that was read is looked for.
            None if is_reset => Some(Ended::Failed(Disconnected::Reset)),
            None => None,
        }
    }
}

/// Why the log was begun again, where its end is before one that it had.
fn went_back(before: &BinlogPosition, now: &BinlogPosition) -> Option<LogLoss> {
    if now.compare(before) != Some(Ordering::Less) {
        return None;
    }
    let at = before.clone();
    Some(if now.file == at.file {
        LogLoss::Shorter { at, size: now.offset }
    } else {
        LogLoss::BegunAgain { at, oldest: Some(now.file.clone()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, offset: u64) -> BinlogPosition {
        BinlogPosition { file: file.to_owned(), offset }
    }

    #[test]
    fn an_end_of_the_log_that_goes_back_is_another_log() {
        for (before, now, said) in [
            (at("b.000001", 900), at("b.000001", 900), None),
            (at("b.000001", 900), at("b.000001", 901), None),
            (at("b.000001", 900), at("b.000002", 4), None),
            (at("b.999999", 900), at("b.1000000", 4), None),
            (at("b.000001", 900), at("b.000001", 158), Some("ends at byte 158")),
            (at("b.000007", 158), at("b.000001", 900), Some("was begun again")),
        ] {
            // Also where the statement is counted.
            for resets in [0, 1] {
                let mut watch = LogWatch { end: Some(before.clone()), resets: 0 };
                let loss = match watch.noticed(&now, resets) {
                    Some(Ended::Resnapshot(loss)) => Some(loss.to_string()),
                    _ => None,
                };
                assert_eq!(loss.is_some(), said.is_some(), "{before} {now} {loss:?}");
                assert!(said.is_none_or(|said| loss.as_ref().is_some_and(|l| l.contains(said))), "{loss:?}");
            }
        }
    }

    /// Its log has grown as long as the old one between two looks.
    #[test]
    fn a_reset_that_is_counted_is_looked_into_once() {
        let mut watch = LogWatch { end: None, resets: 3 };
        assert!(watch.noticed(&at("b.000001", 900), 3).is_none());
        let noticed = watch.noticed(&at("b.000001", 900), 4);
        assert!(matches!(noticed, Some(Ended::Failed(Disconnected::Reset))), "{noticed:?}");
        assert!(watch.noticed(&at("b.000001", 901), 4).is_none());
    }
}
