//! Reading agent.yaml, tokens and certificates again while the agent runs: at SIGHUP all of them,
//! all or nothing; by themselves, certificate and key when they change (the tokens look after
//! themselves).

use super::arguments::{self, AgentArgs};
use crate::cli::reload::{PERIOD, Pair};
use crate::cli::supervisor;
use crate::config::agent::{AgentConfig, CaptureSettings, HistorySettings, Origin};
use crate::telemetry;
use dbtrail_history::serve::Tokens;
use dbtrail_history::source::RANDOM_FROM;
use tokio::signal::unix::Signal;
use tokio::task::spawn_blocking;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// The configuration of an agent that runs.
#[derive(Debug)]
pub(super) struct Reload {
    args: AgentArgs,
    /// As it runs. Its tokens and its certificate are those that serve.
    config: AgentConfig,
    pair: Pair,
}

/// The first key that differs and cannot follow; `None`: there is none.
fn needs_restart(now: &AgentConfig, new: &AgentConfig) -> Option<&'static str> {
    let limits = |c: &AgentConfig| (c.serve.max_connections, c.serve.max_requests, c.serve.catch_up_wait);
    let keys = [
        ("sources", now.several != new.several || now.histories.len() != new.histories.len()),
        ("server_id", pairs(now, new).any(|(now, new)| now.server_id != new.server_id)),
        ("listen", now.listen != new.listen),
        (
            "source, binlog, data, keep, cache, disk_cache, read, standby, poll, disk_reserve, verify or baseline",
            pairs(now, new).any(|(now, new)| !is_same(&now.origin, &new.origin)),
        ),
        ("capture.statements", pairs(now, new).any(|(now, new)| now.statements != new.statements)),
        ("limits", limits(now) != limits(new)),
        ("readiness.max_lag", now.serve.max_lag != new.serve.max_lag),
        ("ui", now.serve.ui != new.serve.ui),
        ("shutdown_grace", now.serve.grace != new.serve.grace),
        ("tls (on or off)", now.serve.tls.is_some() != new.serve.tls.is_some()),
        ("token_file (its name)", !now.serve.tokens.can_take_over(&new.serve.tokens)),
        (
            "doubt_token_file (its name)",
            both(now.serve.doubt_tokens.as_ref(), new.serve.doubt_tokens.as_ref()).is_none(),
        ),
        ("token_file or doubt_token_file of a source (its name)", !pairs(now, new).all(can_follow)),
        ("log.format", now.log.1 != new.log.1),
    ];
    keys.into_iter().find(|(_, differs)| *differs).map(|(key, _)| key)
}

/// Whether both say the same of where the history comes from. The number of a replica that nobody
/// gave is another one each time that the settings are read.
fn is_same(now: &Origin, new: &Origin) -> bool {
    let (Origin::Live(now), Origin::Live(new)) = (now, new) else { return now == new };
    let given = |settings: &CaptureSettings| settings.source.server_id < RANDOM_FROM;
    let mut new = new.clone();
    if !given(now) && !given(&new) {
        new.source.server_id = now.source.server_id;
    }
    *now == new
}

/// The histories of both, each with the same of the other.
fn pairs<'c>(
    now: &'c AgentConfig,
    new: &'c AgentConfig,
) -> impl Iterator<Item = (&'c HistorySettings, &'c HistorySettings)> {
    now.histories.iter().zip(&new.histories)
}

/// Tokens as they are and as they are to be; the inner `None`: there are none. `None`: one does not
/// follow the other.
#[expect(clippy::option_option, reason = "no tokens on both sides is one that follows")]
fn both<'c>(now: Option<&'c Tokens>, new: Option<&'c Tokens>) -> Option<Option<(&'c Tokens, &'c Tokens)>> {
    match (now, new) {
        (None, None) => Some(None),
        (Some(now), Some(new)) if now.can_take_over(new) => Some(Some((now, new))),
        (Some(_), _) | (None, Some(_)) => None,
    }
}

/// Whether the tokens of a history can follow.
fn can_follow((now, new): (&HistorySettings, &HistorySettings)) -> bool {
    both(now.tokens.as_ref(), new.tokens.as_ref()).is_some()
        && both(now.doubt_tokens.as_ref(), new.doubt_tokens.as_ref()).is_some()
}

/// Those of the other from here on. They can, as was asked just now.
fn take_over(now: Option<&Tokens>, new: Option<&Tokens>) {
    if let Some(Some((now, new))) = both(now, new) {
        let _ = now.take_over(new);
    }
}

impl Reload {
    pub(super) fn new(args: AgentArgs, config: &AgentConfig) -> Self {
        let pair = Pair::new(config.certificate.clone());
        Self { args, config: config.clone(), pair }
    }

    /// Until the stop.
    pub(super) async fn run(mut self, mut hangup: Signal, stop: CancellationToken) {
        let mut looks = tokio::time::interval(PERIOD);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                received = hangup.recv() => {
                    if received.is_none() {
                        return;
                    }
                    supervisor::reloading();
                    self.all().await;
                    supervisor::ready();
                }
                _ = looks.tick() => self.changed(),
                () = stop.cancelled() => return,
            }
        }
    }

    async fn all(&mut self) {
        let args = self.args.clone();
        let read = spawn_blocking(move || arguments::settings(&args)).await;
        let new = match read {
            Ok(Ok(new)) => new,
            Ok(Err(mistakes)) => return refuse(&mistakes),
            Err(error) => return refuse(&[format!("a bug: {error}")]),
        };
        if let Some(key) = needs_restart(&self.config, &new) {
            return refuse(&[format!("{key} changes only with a restart")]);
        }
        for warning in &new.warnings {
            tracing::warn!("{warning}");
        }
        telemetry::set_level(&new.log.0);
        // It can, as was asked just now.
        let _ = self.config.serve.tokens.take_over(&new.serve.tokens);
        take_over(self.config.serve.doubt_tokens.as_ref(), new.serve.doubt_tokens.as_ref());
        for (now, new) in pairs(&self.config, &new) {
            take_over(now.tokens.as_ref(), new.tokens.as_ref());
            take_over(now.doubt_tokens.as_ref(), new.doubt_tokens.as_ref());
        }
        if let (Some(now), Some(new)) = (&self.config.serve.tls, &new.serve.tls) {
            now.take_over(new);
        }
        self.pair = Pair::new(new.certificate.clone());
        tracing::info!("SIGHUP: configuration, tokens and certificate are read again");
    }

    fn changed(&mut self) {
        let Self { args, config, pair } = self;
        pair.changed(|| {
            let new = arguments::settings(args).map_err(|mistakes| mistakes.join("; "))?;
            if let (Some(now), Some(new)) = (&config.serve.tls, &new.serve.tls) {
                now.take_over(new);
            }
            Ok(())
        });
    }
}

fn refuse(mistakes: &[String]) {
    for mistake in mistakes {
        tracing::error!("SIGHUP: nothing is taken, what was read before stays: {mistake}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Shell {
        #[command(flatten)]
        args: AgentArgs,
    }

    fn settings(line: &str) -> AgentConfig {
        let args = Shell::try_parse_from(line.split(' ')).unwrap().args;
        arguments::settings(&args).unwrap()
    }

    fn origin(line: &str) -> Origin {
        settings(line).histories.remove(0).origin
    }

    #[test]
    fn texts_of_statements_are_kept_or_not_from_the_start_on() {
        for line in ["agent --binlog a --server-id x", "agent --source mysql://u@h --data d --server-id x"] {
            let without = format!("{line} --no-statements");
            assert_eq!(needs_restart(&settings(line), &settings(line)), None, "{line}");
            assert!(needs_restart(&settings(line), &settings(&without)).is_some(), "{line}");
        }
    }

    #[test]
    fn settings_that_were_read_again_are_the_same() {
        let line = "agent --source mysql://u@h --data d --server-id x";
        assert!(is_same(&origin(line), &origin(line)), "its replica has a random number");
        for other in [" --cache 99", " --replica-id 7", " --no-baseline"] {
            assert!(!is_same(&origin(line), &origin(&format!("{line}{other}"))), "{other}");
        }
        let numbered = format!("{line} --replica-id 7");
        assert!(is_same(&origin(&numbered), &origin(&numbered)));
        assert!(!is_same(&origin(&numbered), &origin(&format!("{line} --replica-id 8"))));
        assert!(is_same(
            &origin("agent --binlog a --server-id x"),
            &origin("agent --binlog a --server-id x")
        ));
    }
}
