//! The file of `undo`, for whoever asks the agent for it over HTTP (`POST /v1/undo_script`): the
//! agent's own server cannot write SQL, so it is given this.

use super::written::{self, Written};
use super::{message_of, shown};
use crate::agent_client::{AgentClient, Caller};
use crate::cli::embedded;
use crate::failure::Failure;
use crate::undo::script::{Frame, script};
use dbtrail_history::HistoryHandle;
use dbtrail_history::query::Refusal;
use dbtrail_history::serve::WritesUndo;
use dbtrail_types::agent_api::{NetRequest, code};
use dbtrail_types::names::RequestId;
use dbtrail_types::secret::Secret;
use dbtrail_types::undo_script::{UndoScript, UndoScriptRequest};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::error::Error;
use std::sync::Arc;

/// Bytes of changed rows at most, as for `_undo`: all of them are held and put in order.
const MOST: usize = 64 << 20;

/// Writes the file from what is published in this process.
#[derive(Clone, Debug)]
pub(in crate::cli) struct ScriptWriter {
    agent: AgentClient,
    caller: Caller,
}

impl ScriptWriter {
    /// One that asks this history.
    ///
    /// # Errors
    /// No client could be made.
    pub(in crate::cli) fn new(history_handle: Arc<HistoryHandle>) -> Result<Self, Box<dyn Error>> {
        let token = Secret::new(crate::cli::agent::local::random()?);
        let (agent, _) = embedded::agent_inside(history_handle, &token)?;
        Ok(Self { agent, caller: Caller { tenant: String::new(), token: Some(token) } })
    }

    async fn written(self, asked: UndoScriptRequest) -> Result<UndoScript, Failure> {
        let UndoScriptRequest { server_id, tables, span, keys, commit } = asked;
        let of = |table| NetRequest {
            keys: keys.clone(),
            ..NetRequest::all(server_id.clone(), table, span.clone())
        };
        let asked: Vec<NetRequest> = tables.into_iter().map(of).collect();
        let request = RequestId::next(0);
        let Written { parts, incomplete, unknown, .. } =
            written::write(&self.agent, &self.caller, &asked, MOST, &request).await?;
        let shown = shown(&span);
        let frame = Frame { span: &shown, commit, incomplete: &incomplete, steps: None };
        Ok(UndoScript {
            success: true,
            script: script(&parts, &frame),
            statements: parts.iter().map(|p| p.undone.statements() as u64).sum(),
            rows: parts.iter().map(|p| p.undone.rows).sum(),
            not_taken_back: parts.into_iter().flat_map(|p| p.undone.conflicts).collect(),
            incomplete,
            unknown,
        })
    }
}

impl WritesUndo for ScriptWriter {
    fn script(&self, asked: UndoScriptRequest) -> BoxFuture<'static, Result<UndoScript, Refusal>> {
        let writer = self.clone();
        async move { writer.written(asked).await.map_err(|failure| refusal(&failure)) }.boxed()
    }
}

/// The words of the agent that an answer may have.
const WORDS: [&str; 10] = [
    code::UNKNOWN_TABLE,
    code::UNKNOWN_SERVER,
    code::MALFORMED_GTID,
    code::OUT_OF_RANGE,
    code::GAP,
    code::AMBIGUOUS_TIME,
    code::NOT_RECORDED,
    code::UNREADABLE_TABLE,
    code::NOT_CAPTURED,
    code::UNSUPPORTED_KEY,
];

#[expect(clippy::wildcard_enum_match_arm, reason = "all other failures are no one's who asks for a file")]
fn refusal(failure: &Failure) -> Refusal {
    match failure {
        Failure::AgentRejected { status, body, word } => {
            let known = WORDS.into_iter().find(|known| known == word);
            Refusal::new(*status, known.unwrap_or(code::MALFORMED_REQUEST), body.clone())
        }
        Failure::AgentFailed { status: 503, body } => Refusal::new(503, code::NOT_READY, body.clone()),
        Failure::Unsupported(why) => Refusal::new(422, code::TOO_MANY_KEYS, why.clone()),
        other => Refusal::internal(message_of(other)),
    }
}
