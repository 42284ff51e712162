//! Following the server for ever: begin, go on, reconnect, and gaps where there is no going on.

use super::client::ClientError;
use super::dump_origin::Origin;
use super::log_watch::LogWatch;
use super::preflight::may_see_processes;
use super::resume::{self, Continuation};
use super::session::Session;
use super::span::CaptureSpan;
use super::stream::Stream;
use super::task::SourceTask;
use super::{Ended, SourceError, backfill, baseline, clock, definitions, sessions, start};
use crate::binlog_position::ResumePosition;
use crate::capture::{
    CaptureEvent, ClockReading, Closed, Disconnected, EventFault, LogLoss, Start, ValidFrom,
};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// The shortest and the longest pause before connecting again.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that held for this long was a good one.
const GOOD: Duration = Duration::from_secs(20);
/// How often the server may refuse its log from one position before that part of the log is given
/// up.
const REFUSALS: u32 = 5;
/// Looks at the clock from one look at settings to the next.
const SETTINGS_EACH: u64 = 10;

/// What is to be done with the next connection.
#[derive(Clone, Debug)]
enum Goal {
    /// Begin a record.
    Begin,
    /// Go on.
    On(ResumePosition),
    /// Begin again: why.
    Gap(LogLoss),
}

impl From<Closed> for Ended {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<SourceError> for Ended {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Client(error) => error.into(),
            SourceError::Unfit(_) => Self::Failed(error.into()),
        }
    }
}

impl From<ClientError> for Ended {
    fn from(error: ClientError) -> Self {
        if resume::is_final(&error) { Self::Refused(error) } else { Self::Failed(error.into()) }
    }
}

impl SourceTask<'_> {
    /// Follows until the writing half has ended.
    pub(super) async fn run(self, resume: Option<ResumePosition>) {
        let mut goal = resume.map_or(Goal::Begin, Goal::On);
        let mut pause = PAUSE;
        let mut refusals = 0;
        let mut damaged = None;
        loop {
            let began = Instant::now();
            let (ended, flowed) = self.once(&mut goal).await;
            if flowed {
                refusals = 0;
            }
            // A connection on which the log came in is no reason to wait longer for the next one.
            if flowed || began.elapsed() > GOOD {
                pause = PAUSE;
            }
            let reason = match ended {
                Ended::Closed => return,
                Ended::Resnapshot(reason) => {
                    goal = Goal::Gap(reason);
                    None
                }
                Ended::Refused(error)
                    if matches!(goal, Goal::On(_)) && resume::is_elsewhere(&error.to_string()) =>
                {
                    goal = Goal::Gap(LogLoss::NoEvent(error));
                    None
                }
                Ended::Refused(error) if resume::is_other_history(&error.to_string()) => {
                    goal = Goal::Gap(LogLoss::NoTransaction(error));
                    None
                }
                Ended::Refused(error) => {
                    refusals += 1;
                    if refusals >= REFUSALS {
                        refusals = 0;
                        goal = Goal::Gap(LogLoss::NotSent(error.clone()));
                    }
                    Some(error.into())
                }
                // On the way it may have been damaged once.
                Ended::Damaged(after, fault) => {
                    let again = damaged.replace(after.clone()).is_some_and(|before| before == after);
                    let fault = EventFault::Packet { after, fault };
                    if again {
                        goal = Goal::Gap(fault.clone().into());
                    }
                    Some(Disconnected::Event(fault))
                }
                Ended::Failed(reason) => Some(reason),
            };
            if let Some(reason) = reason {
                tracing::warn!(source = %self.config.address(), "not capturing: {reason}");
                if self.writer.send(CaptureEvent::Connection(Err(reason))).await.is_err() {
                    return;
                }
            }
            tokio::time::sleep(jittered(pause)).await;
            pause = (pause * 2).min(LONGEST);
            if let Goal::On(position) = &mut goal {
                match self.writer.resume_position().await {
                    Ok(Some(following)) => *position = following,
                    Ok(None) => goal = Goal::Begin,
                    Err(Closed) => return,
                }
            }
        }
    }

    /// One connection, from connecting to its end; whether the log came in.
    async fn once(&self, goal: &mut Goal) -> (Ended, bool) {
        let (mut flowed, mut span) = (false, CaptureSpan::begin(self.config.address()));
        let (Ok(ended) | Err(ended)) = self.connected(goal, &mut flowed).await;
        span.ends(&ended);
        (ended, flowed)
    }

    async fn connected(&self, goal: &mut Goal, flowed: &mut bool) -> Result<Ended, Ended> {
        let mut session = Session::open(&self.config).await?;
        let _known = self.own.know(session.client.id());
        if !session.facts.commit_stamps() && !may_see_processes(&mut session).await? {
            return Err(Ended::Failed(Disconnected::NoProcessPrivilege));
        }
        let mut watch = LogWatch::begin(&mut session).await?;
        let origin = self.origin(&mut session, goal).await?;
        let mut stream = Stream::open(&self.config, &session.facts, &origin, &self.durabilities).await?;
        stream.first().await?;
        self.writer.send(CaptureEvent::Connection(Ok(()))).await?;
        if let Some(setting) = session.facts.lower_case_table_names() {
            self.writer.send(CaptureEvent::Names(setting)).await?;
        }
        // In front of the log, so that it is known of what comes how long the server waits, and
        // which of it was logged before.
        let clock = self.look(&mut session, &mut watch).await??;
        self.writer.send(CaptureEvent::Clock(clock)).await?;
        tracing::info!(source = %self.config.address(), ?origin, "capturing");
        let facts = session.facts.clone();
        let ended = tokio::select! {
            ended = stream.pump(&self.writer, self.command_queue) => ended,
            ended = Box::pin(self.clock(session, watch)) => ended,
            ended = definitions::serve(self, &facts) => ended,
            ended = baseline::serve(self, &facts) => ended,
            ended = Box::pin(sessions::serve(self, &facts)) => ended,
            reason = self.command_queue.resnapshot() => Ended::Resnapshot(reason),
            fault = self.command_queue.reconnect() => Ended::Failed(Disconnected::Event(fault)),
        };
        *flowed = stream.flows();
        Ok(ended)
    }

    /// Where the log is followed from; takes a start first where there is none.
    async fn origin(&self, session: &mut Session, goal: &mut Goal) -> Result<Origin, Ended> {
        if let Goal::On(position) = goal {
            match resume::continuation(session, position).await? {
                Continuation::On(origin) => return Ok(origin),
                Continuation::Gap(reason) => *goal = Goal::Gap(reason),
            }
        }
        let mut start = start::take(&self.config, session).await?;
        self.command_queue.forget();
        if matches!(goal, Goal::Begin)
            && let Some(earlier) = self.earlier(session, &start).await?
        {
            start = earlier;
        }
        let position = start.position.clone();
        let input = match goal {
            Goal::Gap(reason) => {
                tracing::error!(position = %position.at, "the record has a gap: {reason}");
                CaptureEvent::Gap(reason.clone(), start)
            }
            Goal::Begin | Goal::On(_) => CaptureEvent::Begin(start),
        };
        self.writer.send(input).await?;
        let at = position.at.clone();
        *goal = Goal::On(position);
        Ok(Origin::ResumePosition(at))
    }

    /// A start as far back as the server's log goes; `None`: the record begins now.
    async fn earlier(&self, session: &mut Session, start: &Start) -> Result<Option<Start>, Ended> {
        match backfill::back(&self.config, session, start).await {
            Ok(earlier) => Ok(earlier),
            Err(SourceError::Client(error)) if !resume::is_final(&error) => Err(error.into()),
            Err(error) => {
                tracing::error!(
                    "what the server still has of its log cannot be taken in, and the record begins now: {error}"
                );
                Ok(None)
            }
        }
    }

    /// Reads the clock, or says why the log cannot be followed on.
    async fn look(
        &self,
        session: &mut Session,
        watch: &mut LogWatch,
    ) -> Result<Result<ValidFrom<ClockReading>, Ended>, ClientError> {
        let clock = clock::read(session, &self.own, self.config.source_time).await?;
        Ok(match watch.look(session, &clock.after).await? {
            Some(ended) => Err(ended),
            None => Ok(clock),
        })
    }

    /// Tells the clock, on a connection that is opened again when it breaks.
    async fn clock(&self, mut session: Session, mut watch: LogWatch) -> Ended {
        let facts = session.facts.clone();
        let mut ticks = tokio::time::interval(clock::EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = self.own.know(session.client.id());
        let mut looks = 0_u64;
        loop {
            ticks.tick().await;
            looks += 1;
            // They seldom change, and were asked for when the stream was opened.
            let is_due = looks.is_multiple_of(SETTINGS_EACH);
            let settings = if is_due { self.durabilities.look(&mut session).await } else { Ok(()) };
            match settings.and(self.look(&mut session, &mut watch).await) {
                Ok(Ok(clock)) => {
                    if self.writer.send(CaptureEvent::Clock(clock)).await.is_err() {
                        return Ended::Closed;
                    }
                }
                Ok(Err(ended)) => return ended,
                Err(error) => {
                    tracing::warn!("the server's clock cannot be read: {error}");
                    if let Ok(again) = Session::open_same(&self.config, &facts).await {
                        known = self.own.know(again.client.id());
                        session = again;
                    }
                    tracing::debug!(?known, "reading the clock again");
                }
            }
        }
    }
}

/// The pause, or up to half of it less: many agents do not come back at one time.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without random bytes all of it.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    pause.mul_f32(1.0 - f32::from(byte[0]) / 512.0)
}
