//! Questions that cannot be answered before more of the log is taken in wait for that a while.

use super::served::ServedHistory;
use crate::History;
use crate::query::Refusal;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

impl ServedHistory {
    /// The answer to a question about changes. While the history says that it has to catch up
    /// first, it is asked again, for `catch_up_wait` at most; whoever gives up meanwhile ends it.
    pub(super) async fn caught_up<R, A>(
        &self,
        request: Result<R, Refusal>,
        ask: impl Fn(&Arc<History>, &R) -> Result<A, Refusal> + Copy + Send + 'static,
    ) -> Result<A, Refusal>
    where
        R: Send + Sync + 'static,
        A: Send + 'static,
    {
        let request = Arc::new(request?);
        let end = Instant::now() + self.catch_up_wait;
        loop {
            let asked = Arc::clone(&request);
            match self.made(move |history| ask(&history, &asked)).await {
                Err(refused) if refused.catches_up() && Instant::now() < end => {}
                answer => return answer,
            }
            tokio::time::sleep_until(end.min(Instant::now() + PAUSE)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HistoryHandle;
    use crate::ingest::Ingest;
    use crate::record::Coverage;
    use crate::serve::ServeOptions;
    use crate::serve::agent::Agent;
    use dbtrail_types::names::ServerId;
    use dbtrail_types::timestamp::Timestamp;

    fn history(unchecked: bool) -> Arc<History> {
        let at = Timestamp::from_micros(1);
        let mut ingest = Ingest::default();
        let history = ingest.history(ServerId("s".to_owned()), Coverage { oldest: at, newest: at });
        Arc::new(History { unchecked, ..history })
    }

    async fn asked(agent: &Agent) -> Result<(), Refusal> {
        agent.histories[0].caught_up(Ok(()), |history, ()| history.all_compared()).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_waits_until_the_history_has_caught_up_and_no_longer_than_it_may() {
        let handle = Arc::new(HistoryHandle::live(ServerId("s".to_owned()), Timestamp::from_micros(1)));
        handle.set(history(true));
        let wait = Duration::from_secs(5);
        let options = ServeOptions { catch_up_wait: wait, ..ServeOptions::default() };
        let agent = Agent::new(Arc::clone(&handle), &options);
        let begun = Instant::now();
        assert_eq!(asked(&agent).await.unwrap_err().status, 503);
        assert_eq!(begun.elapsed(), wait);
        let waits = tokio::spawn({
            let agent = agent.clone();
            async move { asked(&agent).await }
        });
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!waits.is_finished());
        handle.set(history(false));
        waits.await.unwrap().unwrap();
        assert!(begun.elapsed() < wait + Duration::from_secs(3));
        let at_once = ServeOptions { catch_up_wait: Duration::ZERO, ..ServeOptions::default() };
        handle.set(history(true));
        let begun = Instant::now();
        asked(&Agent::new(handle, &at_once)).await.unwrap_err();
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
