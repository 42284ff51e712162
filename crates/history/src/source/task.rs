//! The reading half of a capture: what its parts share.

use super::command_queue::CommandQueue;
use super::config::SourceConfig;
use super::durability::Durabilities;
use super::own_connections::OwnConnections;
use crate::capture::RecorderHandle;

/// The reading half.
#[derive(Debug)]
pub(super) struct SourceTask<'a> {
    pub(super) config: SourceConfig,
    pub(super) writer: RecorderHandle,
    pub(super) command_queue: &'a CommandQueue,
    pub(super) own: OwnConnections,
    pub(super) durabilities: Durabilities,
}

impl<'a> SourceTask<'a> {
    pub(super) fn new(config: SourceConfig, writer: RecorderHandle, command_queue: &'a CommandQueue) -> Self {
        let (own, durabilities) = (OwnConnections::default(), Durabilities::default());
        Self { config, writer, command_queue, own, durabilities }
    }
}
