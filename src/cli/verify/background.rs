//! Verifying all the time: round after round over all tables, so slowly that nobody notices.

use super::history::History;
use super::history::No;
use super::pace::Pace;
use super::report::Report;
use super::run::Run;
use super::source::ServerReader;
use super::state::State;
use super::table::Sides;
use crate::agent_client::{AgentClient, Caller};
use crate::config::HourlyShare;
use dbtrail_history::HistoryHandle;
use dbtrail_history::history_handle::Verification;
use dbtrail_history::source::SourceConfig;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Rows that are read at a time.
const PIECE: u32 = 1000;
/// Rows a second at the least: a small server is not compared for days.
const SLOWEST: u32 = 20;
/// Between the end of a round, or what kept it from its end, and the next one.
const PAUSE: Duration = Duration::from_secs(15);

/// What is verified in the background.
#[derive(Debug)]
pub(in crate::cli) struct Background {
    pub(in crate::cli) source: SourceConfig,
    /// The agent in this process.
    pub(in crate::cli) agent: (AgentClient, Caller),
    pub(in crate::cli) handle: Arc<HistoryHandle>,
    pub(in crate::cli) share: HourlyShare,
    /// The file that keeps how far a round has come.
    pub(in crate::cli) state: PathBuf,
}

impl Background {
    /// Goes on until `stop`.
    pub(in crate::cli) async fn run(self, stop: CancellationToken) {
        shown(&self.handle, |_| {});
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                ended = self.round() => self.report(ended),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    async fn round(&self) -> Result<Report, String> {
        let (client, caller) = self.agent.clone();
        let history = History::of_agent(client, caller, self.handle.server_id().clone());
        let status = history.status().await.map_err(No::why)?;
        let mut source = ServerReader::of(&self.source).await?;
        let rows = source.estimate().await?;
        let pace = Pace::new(Some(self.share.of(rows).max(SLOWEST)));
        let handle = Arc::clone(&self.handle);
        let mut pace = pace.counting(move |rows| shown(&handle, |verification| verification.rows += rows));
        let state = State::open(Some(&self.state), &status.server_id)?;
        let report = Report::new(status.server_id.clone());
        let sides = Sides { source: &mut source, history: &history, pace: &mut pace, piece: PIECE };
        let mut run = Run { sides, status: &status, state, report, dry: false };
        let began = run.slow_round().await?;
        let report = run.report;
        shown(&self.handle, |verification| {
            verification.proven = began.or(verification.proven);
            verification.differing = report.differing();
            verification.reason = None;
        });
        Ok(report)
    }

    fn report(&self, ended: Result<Report, String>) {
        match ended {
            Ok(report) => {
                for line in report.differences() {
                    tracing::error!("verify: {line}");
                }
            }
            Err(why) => {
                let known = self.handle.capture_status().and_then(|capture| capture.verification?.reason);
                if known.as_ref() != Some(&why) {
                    tracing::warn!("the history is not compared with the server: {why}");
                }
                shown(&self.handle, |verification| verification.reason = Some(why));
            }
        }
    }
}

fn shown(handle: &HistoryHandle, change: impl FnOnce(&mut Verification)) {
    handle.update(|capture| change(capture.verification.get_or_insert_default()));
}
