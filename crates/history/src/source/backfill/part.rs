//! A part of the log that is there, event by event.

use crate::binlog_position::BinlogPosition;
use crate::source::SourceError;
use crate::source::client::{Client, StartFrom};
use crate::source::config::SourceConfig;
use crate::source::event::{Step, Track};
use crate::source::session::Session;
use crate::source::stream;
use crate::source_error::Unfit;

/// Where the first event of a file is.
pub(super) const FIRST: u64 = 4;

/// Events of a part of the log that is there.
#[derive(Debug)]
pub(super) struct Part {
    client: Client,
    track: Track,
}

impl Part {
    pub(super) async fn open(
        config: &SourceConfig,
        session: &Session,
        from: &BinlogPosition,
    ) -> Result<Self, SourceError> {
        let mut client = Client::connect(config).await?;
        let checksum = stream::prepare(&mut client, &session.facts, config.heartbeat).await?;
        let offset = stream::offset(from)?;
        let asked = StartFrom::ResumePosition { file: &from.file, offset, to_end: true };
        client.follow(config.server_id, asked).await?;
        Ok(Self { client, track: Track::from(from.clone(), checksum) })
    }

    /// The next event that is in a file, and its position where that is not after the one before;
    /// `None`: that was the last one.
    pub(super) async fn next(&mut self) -> Result<Option<(Vec<u8>, Option<BinlogPosition>)>, SourceError> {
        while let Some(event) = self.client.event().await? {
            let step = self.track.take(&event).map_err(Unfit::from)?;
            if let Step::Event(position) = step {
                return Ok(Some((event, position)));
            }
        }
        Ok(None)
    }
}
