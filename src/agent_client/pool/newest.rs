//! The ends of the record, by several agents: the newest instant never goes back.

use super::AgentPool;
use super::turn::Work;
use crate::agent_client::Caller;
use crate::failure::Failure;
use dbtrail_types::names::{RequestId, ServerId, TableName};
use dbtrail_types::timestamp::Timestamp;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};

/// The newest instant that was given, of each server.
#[derive(Debug, Default)]
pub(super) struct Newest(Mutex<HashMap<ServerId, Timestamp>>);

impl Newest {
    /// The highest until now, with this one.
    fn raise(&self, server: &ServerId, newest: Timestamp) -> Timestamp {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = known.entry(server.clone()).or_insert(newest);
        *highest = newest.max(*highest);
        *highest
    }
}

impl AgentPool {
    /// As [`AgentClient::ends`](super::AgentClient::ends). An agent that lags behind what was given
    /// before is passed over: who has seen the state of an instant is not shown an older one as the
    /// newest.
    ///
    /// # Errors
    /// The agents cannot be reached, fail, or all lag.
    pub async fn ends(
        &self,
        caller: &Caller,
        server: &ServerId,
        table: &TableName,
        request: &RequestId,
    ) -> Result<Option<(Timestamp, Timestamp)>, Failure> {
        let mut turn = self.turn(server, caller, request);
        let mut silent = false;
        while let Some(member) = turn.next() {
            let agent = &member.agent;
            let ends = pin!(agent.ends(caller, server, table, request));
            match turn.in_time(Work::LookUp, ends).await {
                Ok(Some((oldest, newest))) => {
                    let highest = self.newest.raise(server, newest);
                    // One agent alone says what it says, after a new beginning too.
                    if newest >= highest || self.members.is_one() {
                        return Ok(Some((oldest, newest)));
                    }
                    turn.failed(lags(&agent.named(), newest, highest));
                }
                Ok(None) => silent = true,
                Err(failure) => {
                    if let Some(failure) = turn.failed(failure) {
                        return Err(failure);
                    }
                }
            }
        }
        if silent { Ok(None) } else { Err(turn.failure()) }
    }
}

fn lags(url: &str, newest: Timestamp, given: Timestamp) -> Failure {
    let body = format!(
        "the agent {url} has taken in the log up to {newest}, and {given} was answered as the newest \
         instant before: name the instant, or ask again when it has caught up"
    );
    Failure::AgentFailed { status: 503, body }
}
