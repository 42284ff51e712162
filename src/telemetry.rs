//! The log, the metrics, the spans and the audit log. Of the log: level, form, and what keeps a
//! flood of equal lines out of it. No password, token or row value is ever written to it.

pub mod audit;
pub mod figures;
pub mod metrics;
pub mod traces;

use dbtrail_types::thread_name::STORE_OPENING;
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tracing_subscriber::EnvFilter;

/// `log.format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Sets another filter.
type SetFilter = Box<dyn Fn(EnvFilter) + Send + Sync>;

/// How the level of the log that was started is changed.
static LEVEL: OnceLock<SetFilter> = OnceLock::new();

fn filter(level: &str) -> EnvFilter {
    if let Ok(said) = std::env::var("RUST_LOG")
        && let Some(filter) = said_filter(&said)
    {
        return filter;
    }
    // Only this program's own lines are known to hold no secret: at debug, the SQL parser logs
    // every token that it reads.
    let others = if level == "error" { "error" } else { "warn" };
    EnvFilter::new(format!(
        "{others},sqlparser=off,slatedb=error,dbtrail_shim={level},dbtrail_history={level},dbtrail_types={level}"
    ))
}

/// What RUST_LOG says, whatever else does; `None`: nothing that is understood.
fn said_filter(said: &str) -> Option<EnvFilter> {
    let filter = EnvFilter::try_new(said).ok().filter(|_| !said.trim().is_empty())?;
    // It would write literals of statements.
    Some(filter.add_directive("sqlparser=off".parse().ok()?))
}

/// From now on the log that was started has this level.
pub fn set_level(level: &str) {
    if let Some(set) = LEVEL.get() {
        set(filter(level));
    }
}

/// Starts the log on standard error. A second call changes nothing.
pub fn start(level: &str, format: Format) {
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr);
    // An error says that a log was started before: in tests, or by an embedding program.
    let started = match format {
        Format::Text => {
            let builder = builder.with_ansi(false).with_env_filter(filter(level)).with_filter_reloading();
            let handle = builder.reload_handle();
            builder.try_init().map(|()| -> SetFilter { Box::new(move |f| drop(handle.reload(f))) })
        }
        Format::Json => {
            let builder = builder.json().with_env_filter(filter(level)).with_filter_reloading();
            let handle = builder.reload_handle();
            builder.try_init().map(|()| -> SetFilter { Box::new(move |f| drop(handle.reload(f))) })
        }
    };
    if let Ok(set) = started {
        let _ = LEVEL.set(set);
    }
    traces::start();
    // The message of a panic may hold a value of a row; where it happened is enough to find the
    // bug.
    std::panic::set_hook(Box::new(|panic| {
        if std::thread::current().name() == Some(STORE_OPENING) {
            return;
        }
        let position = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(position, "a bug: the program panicked");
    }));
}

/// At most one line a period of the same kind: whoever knocks without end does not fill the disk.
const PERIOD: Duration = Duration::from_secs(60);
/// Kinds kept apart at most: user names come from strangers.
const KINDS: usize = 64;
/// Bytes of a user name that are kept.
const NAME: usize = 64;

/// When the last line was written, and how many were left out since.
type LastLine = (Instant, u64);

/// Lets one line a period and kind through, and counts the others.
#[derive(Debug, Default)]
pub struct Sparse {
    seen: Mutex<HashMap<(&'static str, String), LastLine>>,
}

impl Sparse {
    /// `Some(n)`: write the line, and that `n` were left out since the last one; `None`: leave it
    /// out.
    pub fn admit(&self, kind: &'static str, who: &str, now: Instant) -> Option<u64> {
        let over = |last: Instant| now.saturating_duration_since(last) >= PERIOD;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (kind, who.chars().take(NAME).collect::<String>());
        if seen.len() >= KINDS && !seen.contains_key(&key) {
            // Those who left nothing out have nothing left to tell.
            seen.retain(|_, (last, left_out)| *left_out > 0 || !over(*last));
            if seen.len() >= KINDS {
                key.1 = String::new();
            }
        }
        match seen.get_mut(&key) {
            Some((last, left_out)) if !over(*last) => {
                *left_out += 1;
                None
            }
            Some((last, left_out)) => {
                *last = now;
                Some(std::mem::take(left_out))
            }
            None => {
                seen.insert(key, (now, 0));
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_what_rust_log_says_and_never_the_tokens_of_statements() {
        let filter = said_filter("dbtrail_shim=debug,sqlparser=trace").unwrap().to_string();
        assert!(filter.contains("dbtrail_shim=debug") && filter.contains("sqlparser=off"), "{filter}");
        assert!(said_filter("").is_none() && said_filter("a=b=c").is_none());
    }

    #[test]
    fn ok_one_line_a_period_and_the_count_of_the_others() {
        let (sparse, start) = (Sparse::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(sparse.admit("login", "monitor", start), Some(0));
        assert_eq!(sparse.admit("login", "monitor", after(1)), None);
        assert_eq!(sparse.admit("login", "monitor", after(59)), None);
        // Another user and another kind have lines of their own.
        assert_eq!(sparse.admit("login", "app", after(2)), Some(0));
        assert_eq!(sparse.admit("statement", "monitor", after(2)), Some(0));
        assert_eq!(sparse.admit("login", "monitor", after(60)), Some(2));
        assert_eq!(sparse.admit("login", "monitor", after(61)), None);
        assert_eq!(sparse.admit("login", "monitor", after(121)), Some(1));
    }

    #[test]
    fn ok_a_crowd_of_names_stays_small() {
        let (sparse, now) = (Sparse::default(), Instant::now());
        let let_through = (0..10_000).filter(|i| sparse.admit("login", &format!("user{i}"), now).is_some());
        // Sixty-four names, and one line for all the others.
        assert_eq!(let_through.count(), 65);
        assert_eq!(sparse.seen.lock().unwrap().len(), 65);
        // A period later the names make room again.
        assert_eq!(sparse.admit("login", "late", now + PERIOD), Some(0));
        assert_eq!(sparse.seen.lock().unwrap().len(), 2);
    }
}
