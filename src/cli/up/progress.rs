//! How far the log from before and the baseline are: a bar on a terminal, lines elsewhere.

use dbtrail_history::history_handle::{BacklogProgress, BaselineProgress};
use std::time::{Duration, Instant};

/// Between two lines.
const PERIOD: Duration = Duration::from_secs(5);
const WIDTH: u64 = 24;
/// Back to the start of the line, and all of it away.
const CLEAR: &str = "\r\x1b[K";

/// What was shown so far.
#[derive(Debug)]
pub(super) struct Progress {
    terminal: bool,
    shown: Option<(Instant, BaselineProgress)>,
    /// When the log from before was shown last, and its bytes.
    backlog: Option<(Instant, u64)>,
    /// A bar is on the terminal's current line.
    drawn: bool,
}

impl Progress {
    pub(super) fn new(terminal: bool) -> Self {
        Self { terminal, shown: None, backlog: None, drawn: false }
    }

    /// What to write now.
    pub(super) fn step(&mut self, now: BaselineProgress, at: Instant) -> Option<String> {
        let before = self.shown.map(|(_, before)| before);
        if now.total == 0 || before == Some(now) {
            return None;
        }
        let ended = !now.is_running();
        // A baseline that was read at an earlier start is no news.
        if ended && before.is_none_or(|before| !before.is_running()) {
            self.shown = Some((at, now));
            return None;
        }
        let early = self.shown.is_some_and(|(last, _)| at.saturating_duration_since(last) < PERIOD);
        if !self.terminal && !ended && early {
            return None;
        }
        self.shown = Some((at, now));
        let BaselineProgress { done, total, rows } = now;
        if ended {
            let clear = self.clear();
            return Some(format!("{clear}baseline: {total} tables are read, {rows} rows\n"));
        }
        if !self.terminal {
            return Some(format!("baseline: {done} of {total} tables, {rows} rows\n"));
        }
        self.drawn = true;
        let bar = bar(done, total);
        Some(format!("{CLEAR}baseline [{bar}] {done} of {total} tables, {rows} rows"))
    }

    /// What to write now of the log from before the agent came.
    pub(super) fn backlog(&mut self, now: Option<BacklogProgress>, at: Instant) -> Option<String> {
        const MIB: u64 = 1 << 20;
        let Some(BacklogProgress { done, total }) = now else {
            let (_, total) = self.backlog.take()?;
            let clear = self.clear();
            return Some(format!("{clear}log: all {} MiB of before are taken in\n", total / MIB));
        };
        let early = self.backlog.is_some_and(|(last, _)| at.saturating_duration_since(last) < PERIOD);
        if early && !self.terminal {
            return None;
        }
        self.backlog = Some((at, total));
        let reported = format!("{} of {} MiB of before are taken in", done / MIB, total / MIB);
        if !self.terminal {
            return Some(format!("log: {reported}\n"));
        }
        self.drawn = true;
        Some(format!("{CLEAR}log [{}] {reported}", bar(done, total)))
    }

    /// Takes the bar away, so that something else can be written.
    pub(super) fn clear(&mut self) -> &'static str {
        if std::mem::take(&mut self.drawn) { CLEAR } else { "" }
    }
}

fn bar(done: u64, total: u64) -> String {
    let full = usize::try_from(WIDTH.saturating_mul(done) / total.max(1)).unwrap_or(0);
    format!("{}{}", "#".repeat(full), "-".repeat(24_usize.saturating_sub(full)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn of(done: u64, total: u64, rows: u64) -> BaselineProgress {
        BaselineProgress { done, total, rows }
    }

    #[test]
    fn elsewhere_there_is_a_line_every_few_seconds_and_one_at_the_end() {
        let (mut progress, start) = (Progress::new(false), Instant::now());
        let mut step = |now, seconds| progress.step(now, start + Duration::from_secs(seconds));
        assert_eq!(step(of(0, 0, 0), 0), None);
        assert_eq!(step(of(0, 2, 0), 1).as_deref(), Some("baseline: 0 of 2 tables, 0 rows\n"));
        assert_eq!(step(of(0, 2, 10), 5), None, "too soon");
        assert_eq!(step(of(1, 2, 20), 6).as_deref(), Some("baseline: 1 of 2 tables, 20 rows\n"));
        assert_eq!(step(of(1, 2, 20), 60), None, "no news");
        assert_eq!(step(of(2, 2, 30), 61).as_deref(), Some("baseline: 2 tables are read, 30 rows\n"));
        assert_eq!(step(of(2, 2, 30), 99), None);
        // A table that came later is read too.
        assert_eq!(step(of(2, 3, 30), 100).as_deref(), Some("baseline: 2 of 3 tables, 30 rows\n"));
    }

    #[test]
    fn a_terminal_has_a_bar() {
        let (mut progress, at) = (Progress::new(true), Instant::now());
        let half = format!("{CLEAR}baseline [############------------] 1 of 2 tables, 7 rows");
        assert_eq!(progress.step(of(1, 2, 7), at), Some(half));
        assert_eq!([progress.clear(), progress.clear()], [CLEAR, ""]);
        assert!(progress.step(of(1, 2, 8), at).is_some());
        let end = format!("{CLEAR}baseline: 2 tables are read, 9 rows\n");
        assert_eq!(progress.step(of(2, 2, 9), at), Some(end));
    }

    #[test]
    fn a_baseline_of_an_earlier_start_is_no_news() {
        let mut progress = Progress::new(false);
        assert_eq!(progress.step(of(5, 5, 7), Instant::now()), None);
    }

    #[test]
    fn the_log_from_before_is_answered() {
        let (mut progress, at) = (Progress::new(false), Instant::now());
        let of = |done: u64| Some(BacklogProgress { done: done << 20, total: 200 << 20 });
        assert_eq!(progress.backlog(None, at), None);
        assert_eq!(
            progress.backlog(of(50), at).as_deref(),
            Some("log: 50 of 200 MiB of before are taken in\n")
        );
        assert_eq!(progress.backlog(of(60), at), None, "too soon");
        assert_eq!(progress.backlog(None, at).as_deref(), Some("log: all 200 MiB of before are taken in\n"));
        assert_eq!(progress.backlog(None, at), None);
        let bar = Progress::new(true).backlog(of(100), at);
        assert_eq!(
            bar,
            Some(format!("{CLEAR}log [############------------] 100 of 200 MiB of before are taken in"))
        );
    }
}
