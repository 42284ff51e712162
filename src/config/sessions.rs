//! What holds for all sessions: limits, and how statements are read.

use super::file::{File, SHIM};
use super::tree::{Node, Value};
use super::values::{size, version};
use super::{Resolver, duration};
use crate::plan::{TableScan, guard};
use crate::session;
use dbtrail_types::agent_api::MOST_KEYS;

/// The settings of sessions where a file says nothing; `demo` and `up`, which read no file, begin
/// with them.
pub(crate) fn session_defaults() -> Option<session::SessionSettings> {
    let nothing = Node { line: 1, value: Value::Map(Vec::new()) };
    let file = File::new(&nothing, &SHIM, |_| None);
    Resolver { file, warnings: Vec::new(), pools: Vec::new(), files: Vec::new() }.session()
}

impl Resolver {
    /// What holds for all sessions.
    pub(super) fn session(&mut self) -> Option<session::SessionSettings> {
        let positive = |t: &str| t.parse::<u64>().ok().filter(|n| *n > 0);
        let window = self.parsed("limits.max_diff_window", duration, "a duration such as 24h");
        let packet = |t: &str| size(t).filter(|s| (1 << 10..=1 << 30).contains(s));
        let max_packet = self.parsed("limits.max_packet", packet, "a size from 1KiB to 1GiB, such as 64MiB");
        // More than the agent of this project answers would be found out only by the first
        // statement that asks for them.
        let keys = |t: &str| positive(t).filter(|n| *n <= MOST_KEYS as u64);
        let max_keys =
            self.parsed("limits.max_keys", keys, "a number from 1 to 10000, the most that an agent answers");
        let table_scan = self.one_of(
            "limits.table_scan",
            &[
                ("refuse", TableScan::Refuse),
                ("on_request", TableScan::OnRequest),
                ("allow", TableScan::Allow),
            ],
        );
        let max_rows = match self.text("limits.max_rows") {
            None => Some(None),
            Some(_) => self.parsed("limits.max_rows", positive, "a number above 0").map(Some),
        };
        let most = |t: &str| positive(t).and_then(|n| usize::try_from(n).ok());
        let max_connections = self.parsed("limits.max_connections", most, "a number above 0");
        let max_prepared_statements = self.parsed("limits.max_prepared_statements", most, "a number above 0");
        let memory = self.memory(max_packet);
        let compute = self.compute();
        let orm_forms = self.one_of("statements.orm_forms", &[("off", false), ("on", true)]);
        if orm_forms == Some(true) {
            self.warnings.push(
                "statements.orm_forms: the mariadb command line, which is mysql on Debian, strips comments and with them the \
                 hint DBTRAIL_AT unless it is started with --comments: the statement then reads the present. AS OF at the end survives"
                    .to_owned(),
            );
        }
        let server_version = self.parsed("server_version", version, "a version such as 8.0.36-dbtrail");
        Some(session::SessionSettings {
            server_version: server_version?,
            max_diff_window: window?,
            guard: guard::PlanSettings { max_keys: max_keys?, table_scan: table_scan?, max_rows: max_rows? },
            orm_forms: orm_forms?,
            max_packet: max_packet?,
            max_connections: max_connections?,
            max_prepared_statements: max_prepared_statements?,
            memory: memory?,
            compute: compute?,
        })
    }

    fn memory(&mut self, max_packet: Option<usize>) -> Option<session::MemoryLimits> {
        let shared = |t: &str| size(t).filter(|s| *s >= 1 << 20);
        let what = "a size from 1MiB on, such as 256MiB";
        let all = self.parsed("limits.memory", shared, what);
        let user = self.parsed("limits.memory_per_user", shared, what);
        let (all, user) = (all?, user?);
        if max_packet.is_some_and(|one| user.min(all) < one) {
            self.warnings.push(
                "limits.memory, limits.memory_per_user: one of them is less than limits.max_packet: commands of that length are refused"
                    .to_owned(),
            );
        }
        Some(session::MemoryLimits { all, user })
    }

    fn compute(&mut self) -> Option<dbtrail_expression::Limits> {
        let milliseconds =
            |t: &str| duration(t).and_then(|d| u64::try_from(d.as_millis()).ok()).filter(|n| *n > 0);
        let what = "a duration from 1ms on";
        let time = self.parsed("limits.compute_time", milliseconds, what);
        let slice = self.parsed("limits.compute_stretch", milliseconds, what);
        let memory = |t: &str| size(t).and_then(|n| u64::try_from(n).ok()).filter(|n| *n >= 1 << 10);
        let memory = self.parsed("limits.compute_memory", memory, "a size from 1KiB on, such as 16MiB");
        Some(dbtrail_expression::Limits::new(time?, slice?, memory?))
    }
}
