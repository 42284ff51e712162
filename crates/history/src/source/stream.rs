//! The log as the server sends it, from where the record goes on.

use super::client::{Client, ClientError, StartFrom};
use super::command_queue::CommandQueue;
use super::config::SourceConfig;
use super::dump_origin::Origin;
use super::durability::{Durabilities, Durability};
use super::event::{self, Step, Track};
use super::facts::Facts;
use super::{Ended, SourceError, resume};
use crate::binlog_position::{BinlogPosition, Identity};
use crate::capture::{CaptureEvent, Disconnected, LogLoss, ReceivedEvent, RecorderHandle};
use crate::gtid::GtidSet;
use crate::source_error::Unfit;
use mysql_common::packets::{GnoInterval, Sid, Tag};
use std::time::{Duration, Instant as Timer};

/// Bytes of events handed over at once, about.
const TOGETHER: usize = 1 << 16;

/// Tells the server how to send its log; whether checksums come with events.
pub(super) async fn prepare(
    client: &mut Client,
    facts: &Facts,
    heartbeat: Duration,
) -> Result<bool, ClientError> {
    let nanos = heartbeat.as_nanos();
    // A server that knows nothing of these variables keeps them like any other, so both names of
    // each can be set.
    client
        .execute(&format!(
            "SET @master_heartbeat_period = {nanos}, @source_heartbeat_period = {nanos}, \
             @master_binlog_checksum = @@GLOBAL.binlog_checksum, @source_binlog_checksum = @@GLOBAL.binlog_checksum"
        ))
        .await?;
    // The server's thread may be held up by the writing half.
    client.execute("SET SESSION net_write_timeout = 86400").await?;
    if facts.mariadb() {
        // MARIA_SLAVE_CAPABILITY_GTID: without it the server replaces its own events by others.
        client.execute("SET @mariadb_slave_capability = 4").await?;
    }
    let checksum = client.one("SELECT @master_binlog_checksum").await?.unwrap_or_default();
    Ok(!checksum.is_empty() && !checksum.eq_ignore_ascii_case("NONE"))
}

/// The offset as the protocol takes it.
pub(super) fn offset(position: &BinlogPosition) -> Result<u32, SourceError> {
    u32::try_from(position.offset).map_err(|_| Unfit::BeyondDump { position: position.clone() }.into())
}

/// A connection on which the log comes in.
#[derive(Debug)]
pub(super) struct Stream {
    client: Client,
    track: Track,
    server: Identity,
    /// How the server is set, and was before.
    durabilities: Durabilities,
    /// Whether the server sent more than the head of a file, or found nothing more to send.
    flows: bool,
}

impl Stream {
    /// Connects and asks for the log.
    pub(super) async fn open(
        config: &SourceConfig,
        facts: &Facts,
        origin: &Origin,
        durabilities: &Durabilities,
    ) -> Result<Self, SourceError> {
        let mut client = Client::connect(config).await?;
        let found = Facts::ask(&mut client).await?;
        if !found.is_of_same_server(facts) {
            return Err(Unfit::OtherServer {
                now: found.who(),
                address: config.address(),
                before: facts.who(),
            }
            .into());
        }
        let checksum = prepare(&mut client, facts, config.heartbeat).await?;
        let nowhere = || Track::from(BinlogPosition { file: String::new(), offset: 0 }, checksum);
        let track = match origin {
            Origin::ResumePosition(position) => {
                let from = StartFrom::ResumePosition {
                    file: &position.file,
                    offset: offset(position)?,
                    to_end: false,
                };
                client.follow(config.server_id, from).await?;
                Track::from(position.clone(), checksum)
            }
            Origin::Gtids(set) => {
                by_gtid(&mut client, config, facts, set).await?;
                nowhere()
            }
            Origin::AfterGtids(position, set) => {
                by_gtid(&mut client, config, facts, set).await?;
                Track::after(position.clone(), checksum)
            }
        };
        client.wait_at_most(config.heartbeat * 3);
        durabilities.note(Durability::of(&found));
        let durabilities = durabilities.clone();
        Ok(Self { client, track, server: found.identity, durabilities, flows: false })
    }

    /// Waits for the first packet: the server has found the position, or says why it has not.
    pub(super) async fn first(&mut self) -> Result<(), SourceError> {
        let event = self.client.event().await?;
        let event = event.ok_or(Unfit::NoEvents)?;
        match self.track.take(&event) {
            Ok(Step::Nothing) => Ok(()),
            Ok(Step::Event(_)) => Err(Unfit::NoFileName.into()),
            Err(e) => Err(Unfit::from(e).into()),
        }
    }

    /// Whether the server has something to send from there.
    pub(super) fn flows(&self) -> bool {
        self.flows
    }

    /// Whether the server crashed where a file ended, in a way that can have made its tables others
    /// than its log says.
    fn crash(&mut self) -> Option<LogLoss> {
        let file = self.track.crashed()?;
        let settings = self.durabilities.after_crash();
        if settings.is_none() {
            tracing::warn!(
                "the server crashed at the end of {file}: every commit was synced, and it lost none"
            );
        }
        Some(LogLoss::Crash { file, settings: settings? })
    }

    /// Hands events over for as long as they come: those that have come together, together. While
    /// the log is not taken in, the server waits with it.
    pub(super) async fn pump(&mut self, writer: &RecorderHandle, commands: &CommandQueue) -> Ended {
        let (mut events, mut bytes) = (Vec::new(), 0);
        loop {
            let event = match self.client.event().await {
                Ok(Some(event)) => event,
                Ok(None) => return Ended::Failed(Disconnected::StreamEnded),
                Err(e) if !self.flows && resume::is_final(&e) => return Ended::Refused(e),
                Err(e) => return Ended::Failed(SourceError::from(e).into()),
            };
            let received = Timer::now();
            match self.track.take(&event) {
                Ok(Step::Nothing) => {
                    self.flows |= event::is_heartbeat(&event);
                    if let Some(loss) = self.crash() {
                        let before = CaptureEvent::Events(events);
                        let sent = writer.send(before).await;
                        return if sent.is_ok() { Ended::Resnapshot(loss) } else { Ended::Closed };
                    }
                }
                Ok(Step::Event(position)) => {
                    if let Some(position) = position {
                        let before = CaptureEvent::Events(std::mem::take(&mut events));
                        let follow = CaptureEvent::Follow(position, self.server.clone());
                        if writer.send(before).await.is_err() || writer.send(follow).await.is_err() {
                            return Ended::Closed;
                        }
                    }
                    if self.track.closed() {
                        self.durabilities.file_closed();
                    }
                    self.flows |= !event::is_head(&event);
                    bytes += event.len();
                    events.push(ReceivedEvent { raw: event, received });
                }
                Err(e) => {
                    return Ended::Damaged(self.track.position().clone(), e);
                }
            }
            if !self.client.has_event() || bytes >= TOGETHER {
                bytes = 0;
                commands.flowing().await;
                if !events.is_empty()
                    && writer.send(CaptureEvent::Events(std::mem::take(&mut events))).await.is_err()
                {
                    return Ended::Closed;
                }
            }
        }
    }
}

/// Asks for what the server's log has after a set of transactions.
async fn by_gtid(
    client: &mut Client,
    config: &SourceConfig,
    facts: &Facts,
    set: &str,
) -> Result<(), SourceError> {
    if !facts.mariadb() {
        return Ok(client.follow(config.server_id, StartFrom::Without(sids(set)?)).await?);
    }
    let set = set.replace('\'', "");
    client
        .execute(&format!(
            "SET @slave_connect_state = '{set}', @slave_gtid_strict_mode = 0, @slave_gtid_ignore_duplicates = 0"
        ))
        .await?;
    Ok(client.follow(config.server_id, StartFrom::ConnectState).await?)
}

/// A set of GTIDs as COM_BINLOG_DUMP_GTID takes it.
fn sids(set: &str) -> Result<Vec<Sid<'static>>, SourceError> {
    let bad = || SourceError::from(Unfit::NoGtidSet(set.to_owned()));
    if set.trim().is_empty() {
        return Ok(Vec::new());
    }
    let GtidSet::MySql(sources) = GtidSet::parse(set).map_err(|_| bad())? else { return Err(bad()) };
    sources
        .into_iter()
        .map(|((uuid, tag), ranges)| {
            // The protocol names the number after the last one.
            let interval = |(from, to): (u64, u64)| {
                GnoInterval::check_and_new(from, to.checked_add(1).ok_or_else(bad)?).map_err(|_| bad())
            };
            let intervals = ranges.into_iter().map(interval).collect::<Result<Vec<_>, _>>()?;
            let sid = Sid::new(uuid).with_intervals(intervals);
            match tag {
                Some(tag) => Ok(sid.with_tag(Tag::new(tag).map_err(|_| bad())?)),
                None => Ok(sid),
            }
        })
        .collect()
}
