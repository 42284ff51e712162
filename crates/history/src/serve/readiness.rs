//! Whether this agent can answer, and what else is to be known: how far behind its server it is.

use crate::HistoryHandle;
use crate::capture::Gap;
use crate::history_handle::{CaptureStatus, Connection};
use dbtrail_types::timestamp::Timestamp;
use std::time::Duration;

/// Gaps listed one by one, at most.
const MAX_GAPS: usize = 10;

/// What all histories of an agent come to: it is ready where one of them is, since those who ask
/// for that one have no part in what the others lack.
#[derive(Debug)]
pub(super) struct Readiness {
    named: bool,
    ready: bool,
    lines: String,
}

impl Readiness {
    /// Of none yet. `named`: what is said of one says of which.
    pub(super) fn new(named: bool) -> Self {
        Self { named, ready: false, lines: String::new() }
    }

    /// With one more.
    pub(super) fn add(&mut self, name: &str, (ready, lines): (bool, String)) {
        self.ready |= ready;
        for line in lines.lines() {
            if self.named {
                self.lines.extend(name.chars().map(|c| if c.is_control() { ' ' } else { c }));
                self.lines.push_str(": ");
            }
            self.lines.push_str(line);
            self.lines.push('\n');
        }
    }

    /// Whether there is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether it is ready, and lines for people.
    pub(super) fn into_text(self) -> (bool, String) {
        let first = match (self.named, self.ready) {
            (false, _) => "",
            (true, true) => "ok\n",
            (true, false) => "no history can be asked\n",
        };
        (self.ready, format!("{first}{}", self.lines))
    }
}

/// Whether it can, and lines that say why not, and what else is to be known. Reasons of the server
/// and of the store are for those who have a token.
pub(super) fn readiness(
    history_handle: &HistoryHandle,
    max_lag: Duration,
    trusted: bool,
    now: Timestamp,
) -> (bool, String) {
    let mut against = Vec::new();
    let mut reported = Vec::new();
    if history_handle.current().is_none() {
        against.push("the record has not begun".to_owned());
    }
    if let Some(live) = history_handle.capture_status() {
        // The record is answerable up to its newest instant while the server cannot be reached:
        // that is lag, and no reason to ask elsewhere. Of readers another one may have more.
        let lines = lagging(&live, max_lag, trusted, now);
        if live.reads { &mut against } else { &mut reported }.extend(lines);
        reported.extend(remarks(&live, trusted));
    }
    let ready = against.is_empty();
    let first = if ready { vec!["ok".to_owned()] } else { against };
    let mut text = String::new();
    for line in first.iter().chain(&reported) {
        // One line each, whatever a reason holds.
        text.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c }));
        text.push('\n');
    }
    (ready, text)
}

/// Why the record is not of now.
fn lagging(live: &CaptureStatus, max_lag: Duration, trusted: bool, now: Timestamp) -> Vec<String> {
    let detail = |reason: &str| if trusted { format!(": {reason}") } else { String::new() };
    let mut lines = Vec::new();
    if let Some(why) = &live.failed {
        lines.push(format!("the history is not written{}", detail(&why.to_string())));
    }
    if let Some(shortage) = &live.shortage {
        lines.push(format!("capturing waits for room on the disk{}", detail(&shortage.to_string())));
    }
    if let Connection::Down { since, reason } = &live.connection {
        lines.push(format!("disconnected from the server since {since}{}", detail(&reason.to_string())));
    }
    match live.lag_seconds(now) {
        None => lines.push("no instant of the server is known yet".to_owned()),
        Some(lag) if lag > max_lag.as_secs_f64() => {
            lines.push(format!("lag of {lag:.1} s, more than {} s", max_lag.as_secs_f64()));
        }
        Some(_) => {}
    }
    lines
}

fn remarks(live: &CaptureStatus, trusted: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let baseline = live.baseline;
    if baseline.is_running() {
        lines.push(format!(
            "baseline: {} of {} tables, {} rows",
            baseline.done, baseline.total, baseline.rows
        ));
    }
    for Gap { from, to, reason } in live.gaps.iter().rev().take(MAX_GAPS) {
        let why = if trusted { format!(": {reason}") } else { String::new() };
        lines.push(format!("gap from {from} to {to}{why}"));
    }
    if live.gaps.len() > MAX_GAPS {
        lines.push(format!("{} more gaps before these", live.gaps.len() - MAX_GAPS));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Disconnected;
    use crate::engine::{StoreError, StoreFault};
    use crate::history_handle::BaselineProgress;
    use dbtrail_types::names::ServerId;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn reasons_have_a_line_each() {
        let mut live = CaptureStatus::starting(at(0));
        live.gaps = vec![Gap { from: at(1), to: at(2), reason: "purged\nbefore it was read".to_owned() }];
        live.baseline = BaselineProgress { done: 1, total: 2, rows: 30 };
        let lines = |live: &CaptureStatus, trusted| lagging(live, Duration::from_secs(60), trusted, at(100));
        assert_eq!(
            lines(&live, true),
            [
                "disconnected from the server since 1970-01-01T00:00:00.000000Z: the agent is starting",
                "no instant of the server is known yet"
            ]
        );
        live.connected(Ok(()), at(1));
        live.clock = Some(at(40));
        assert_eq!(lines(&live, true), Vec::<String>::new(), "60 s are not too much");
        live.clock = Some(at(39));
        assert_eq!(lines(&live, true), ["lag of 61.0 s, more than 60 s"]);
        live.failed = Some(StoreError(StoreFault::DiskFull).into());
        assert_eq!(lines(&live, false)[0], "the history is not written");
        assert_eq!(
            lines(&live, true)[0],
            "the history is not written: the history store failed: the disk is full"
        );
        let gap = "gap from 1970-01-01T00:00:01.000000Z to 1970-01-01T00:00:02.000000Z";
        assert_eq!(remarks(&live, false), ["baseline: 1 of 2 tables, 30 rows", gap]);
        live.gaps = vec![live.gaps[0].clone(); 12];
        assert_eq!(remarks(&live, false).last().map(String::as_str), Some("2 more gaps before these"));
    }

    #[test]
    fn one_history_that_can_be_asked_makes_an_agent_ready() {
        let mut all = Readiness::new(true);
        assert!(all.is_empty());
        all.add("crm", (false, "the record has not begun\nno route\n".to_owned()));
        let none = Readiness { lines: all.lines.clone(), ..Readiness::new(true) };
        assert_eq!(
            none.into_text(),
            (false, "no history can be asked\ncrm: the record has not begun\ncrm: no route\n".to_owned())
        );
        all.add("shop", (true, "ok\n".to_owned()));
        let text = "ok\ncrm: the record has not begun\ncrm: no route\nshop: ok\n";
        assert_eq!(all.into_text(), (true, text.to_owned()));
        let mut alone = Readiness::new(false);
        alone.add("shop", (true, "ok\n".to_owned()));
        assert_eq!(alone.into_text(), (true, "ok\n".to_owned()));
    }

    #[test]
    fn a_record_that_has_not_begun_is_not_ready() {
        let history_handle = HistoryHandle::live(ServerId("s".to_owned()), at(0));
        history_handle.update(|l| {
            l.connected(Err(Disconnected::NotReady("no\nroute".to_owned())), at(1));
            l.clock = Some(at(9));
        });
        let (ready, text) = readiness(&history_handle, Duration::from_secs(60), true, at(10));
        assert!(!ready);
        assert_eq!(
            text,
            "the record has not begun\ndisconnected from the server since 1970-01-01T00:00:00.000000Z: no route\n"
        );
    }
}
