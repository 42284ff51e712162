//! `agent --standby`: answers as a reader does while another agent captures into the bucket, and
//! captures when that one is gone.
//!
//! Who captures is decided by the bucket: whoever opened it last. One that lost it stands by again.

use super::live::{self, Running};
use super::{CONFIG, CannotStart, NO_FOLDER};
use crate::config::agent::CaptureSettings;
use dbtrail_history::HistoryHandle;
use dbtrail_history::engine::DiskOptions;
use dbtrail_history::follower::Follower;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Between two looks at the most: taking over is to be a matter of seconds.
const SELDOM: Duration = Duration::from_secs(1);

/// Stands by until `stop`, and captures where it has to.
pub(super) fn run_standby(
    history_handle: &Arc<HistoryHandle>,
    settings: &CaptureSettings,
    poll: Duration,
    stop: &CancellationToken,
) -> Result<Running, CannotStart> {
    let history_handle = Arc::clone(history_handle);
    let options = live::disk_options(settings);
    // It could not begin otherwise: said at once.
    follower(settings, options, &history_handle)?;
    let (settings, stop, handle) = (settings.clone(), stop.clone(), Arc::clone(&history_handle));
    let poll = poll.min(SELDOM);
    let stands_by = async move {
        let done = Box::pin(turns(&settings, options, poll, &handle, &stop)).await;
        // Also where it cannot capture: a supervisor is to know.
        stop.cancel();
        done.map(|()| None)
    };
    let task = tokio::spawn(stands_by.in_current_span());
    Ok(Running { history_handle, capture: Some(task) })
}

/// Up to a second, another time for each.
fn apart() -> Duration {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(u64::from(now.subsec_nanos()) % 1000)
}

fn follower(
    settings: &CaptureSettings,
    options: DiskOptions,
    history_handle: &Arc<HistoryHandle>,
) -> Result<Follower, CannotStart> {
    Follower::new(settings.data.clone(), options, history_handle)
        .map_err(|why| CannotStart(why.to_string(), CONFIG))
}

/// Stands by and captures by turns, until `stop`.
async fn turns(
    settings: &CaptureSettings,
    options: DiskOptions,
    poll: Duration,
    history_handle: &Arc<HistoryHandle>,
    stop: &CancellationToken,
) -> Result<(), CannotStart> {
    let mut gone = None;
    loop {
        let follower = follower(settings, options, history_handle)?.after(gone);
        let Some((disk, silent)) = follower.run_standby(poll, stop.clone()).await else { return Ok(()) };
        gone = silent;
        let opened = match live::open(settings, disk, history_handle).await {
            Ok(opened) => opened,
            Err(error) if error.is_written() => {
                tracing::info!("{error}: this one stands by");
                // Of several that open it at the same moment it may be that none has it: not at the
                // same moment again.
                tokio::time::sleep(apart()).await;
                continue;
            }
            // The object store, for a moment: what is answered meanwhile is what is known.
            Err(error) if error.may_pass() => {
                tracing::error!("{error}: tried again");
                tokio::time::sleep(SELDOM).await;
                continue;
            }
            Err(error) => return Err(CannotStart(error.to_string(), NO_FOLDER)),
        };
        tracing::warn!("nobody else captures into {}: this agent does from here on", settings.data);
        history_handle.update(|l| (l.reads, l.failed) = (false, None));
        let looked = live::look(settings, history_handle.current().is_some()).await?;
        // Ends with the turn, and the turn with the stop.
        let turn = stop.child_token();
        live::verify(settings, history_handle, &turn)?;
        let taken = live::capture(opened, looked, settings, history_handle, stop).await;
        turn.cancel();
        let Some(taken) = taken else { return Ok(()) };
        tracing::error!("{taken}: this one stands by");
    }
}
