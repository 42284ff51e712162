//! The agents as one question asks them: one after the other, and each for so long.

use super::health::Member;
use crate::agent_client::request::Size;
use crate::failure::Failure;
use crate::plan::When;
use crate::plan::guard::Admitted;
use crate::statement::VirtualSchema;
use dbtrail_types::agent_api::code;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// For one of several agents to begin the answer to a look-up: another one may be faster.
const OF_SEVERAL: Duration = Duration::from_secs(20);
/// For a single agent.
const OF_ONE: Duration = Duration::from_secs(60);

/// What a question makes an agent do before its answer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Something is found by its key or name: where that takes long, something is wrong.
    LookUp,
    /// As much may be read as there is: whether the agent is there is asked below.
    Long,
}

impl Work {
    /// Of a question for rows or changes.
    pub(super) fn of(admitted: &Admitted) -> Self {
        let resolved = admitted.resolved();
        let at_an_instant = matches!(resolved.when, When::At(_)) && Size::of(admitted) == Size::Small;
        let is_no_undo = resolved.draft.virtual_schema != VirtualSchema::Undo;
        if at_an_instant && is_no_undo { Self::LookUp } else { Self::Long }
    }
}

/// The agents of one question.
pub(super) struct Turn {
    order: std::vec::IntoIter<Arc<Member>>,
    /// For one of them to begin the answer to a look-up.
    patience: Duration,
    /// The one that is asked now.
    asked: Option<Arc<Member>>,
    /// What the first one that failed said.
    failure: Option<Failure>,
}

impl Turn {
    pub(super) fn new(order: Vec<Arc<Member>>) -> Self {
        let patience = if order.len() > 1 { OF_SEVERAL } else { OF_ONE };
        Self { order: order.into_iter(), patience, asked: None, failure: None }
    }

    pub(super) fn next(&mut self) -> Option<Arc<Member>> {
        self.asked = self.order.next();
        self.asked.clone()
    }

    /// What the agent answers that is asked now, if that begins in time.
    pub(super) async fn in_time<T>(
        &self,
        work: Work,
        answer: Pin<&mut impl Future<Output = Result<T, Failure>>>,
    ) -> Result<T, Failure> {
        if work == Work::Long {
            return answer.await;
        }
        timeout(self.patience, answer).await.unwrap_or_else(|_| {
            let agent = self.asked.as_ref().map(|asked| asked.agent.named()).unwrap_or_default();
            let seconds = self.patience.as_secs();
            Err(Failure::AgentUnreachable(format!("{agent}: no answer within {seconds} s")))
        })
    }

    /// The failure, if no other agent could do better.
    pub(super) fn failed(&mut self, failure: Failure) -> Option<Failure> {
        if !another_may_answer(&failure) {
            return Some(failure);
        }
        if let (Failure::AgentUnreachable(_), Some(asked)) = (&failure, &self.asked) {
            asked.is_away();
        }
        self.failure.get_or_insert(failure);
        None
    }

    pub(super) fn failure(&mut self) -> Failure {
        let none = || Failure::Internal("a tenant has no agent".to_owned());
        self.failure.take().unwrap_or_else(none)
    }
}

/// Whether another agent may answer: it is there, has more time, has taken in more of the log,
/// keeps more of it, was there when this one missed some, or has that server among its sources.
fn another_may_answer(failure: &Failure) -> bool {
    let words = [code::OUT_OF_RANGE, code::GAP, code::NOT_READY, code::UNKNOWN_SERVER];
    let refused = |word: &str| words.contains(&word);
    matches!(failure, Failure::AgentUnreachable(_) | Failure::AgentFailed { .. })
        || matches!(failure, Failure::AgentRejected { word, .. } if refused(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent_client::{AgentClient, AgentSettings};
    use std::future::pending;
    use std::pin::pin;
    use tokio::time::Instant;

    fn members(many: u16) -> Vec<Arc<Member>> {
        let agent = |port| {
            let base_url = format!("http://127.0.0.1:{port}");
            AgentClient::new(&AgentSettings { base_url, ca_pem: None, identity_pem: None }).unwrap()
        };
        (1..=many).map(|port| Member::new(agent(port))).collect()
    }

    /// Asks agents of which none answers; when each was given up, and what was said at last.
    async fn asked(many: u16, work: Work) -> (Vec<Duration>, Failure) {
        let (mut turn, begun, mut given_up) = (Turn::new(members(many)), Instant::now(), Vec::new());
        while turn.next().is_some() {
            let answer = pin!(pending::<Result<(), Failure>>());
            let failure = turn.in_time(work, answer).await.unwrap_err();
            given_up.push(begun.elapsed());
            assert!(turn.failed(failure).is_none(), "another one is asked");
        }
        (given_up, turn.failure())
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_that_does_not_begin_to_answer_is_given_up() {
        let (given_up, failure) = asked(3, Work::LookUp).await;
        assert_eq!(given_up, [20, 40, 60].map(Duration::from_secs));
        let first = "http://127.0.0.1:1: no answer within 20 s".to_owned();
        assert_eq!(failure, Failure::AgentUnreachable(first));
        let (given_up, failure) = asked(1, Work::LookUp).await;
        assert_eq!(given_up, [Duration::from_secs(60)]);
        assert!(matches!(failure, Failure::AgentUnreachable(why) if why.contains("within 60 s")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_reads_much_may_take_its_time() {
        let an_hour = Duration::from_secs(3600);
        assert!(timeout(an_hour, asked(2, Work::Long)).await.is_err());
    }
}
