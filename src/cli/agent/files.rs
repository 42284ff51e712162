//! Log files to a history.

use super::{CONFIG, CannotStart, DATA};
use crate::config::log_files::LogFiles;
use dbtrail_history::engine::temporary_folder;
use dbtrail_history::schema_dump::SchemaDump;
use dbtrail_history::{History, ReadOptions};
use dbtrail_types::names::ServerId;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Unreadable tables named in the log at start-up, at most.
const MAX_NAMED: usize = 50;

/// The history in log files; `None`: the agent is to stop. It is kept in a temporary folder, for as
/// long as somebody has it.
pub(super) async fn read(
    server_id: ServerId,
    files: LogFiles,
    statements: bool,
    stop: &CancellationToken,
) -> Result<Option<Arc<History>>, CannotStart> {
    let schema = files.schema.as_deref().map(dump).transpose()?;
    let LogFiles { files, time, tables, from, to, schema: _ } = files;
    let store = Some(temporary_folder());
    let options = ReadOptions { without_statements: !statements, time, tables, from, to, schema, store };
    let reading = tokio::task::spawn_blocking(move || History::read_with(server_id, &files, &options));
    let history = tokio::select! {
        () = stop.cancelled() => return Ok(None),
        read = reading => read.map_err(|e| CannotStart(e.to_string(), DATA))?.map_err(|e| CannotStart(e.to_string(), DATA))?,
    };
    describe(&history);
    Ok(Some(Arc::new(history)))
}

fn dump(path: &Path) -> Result<SchemaDump, CannotStart> {
    let failed = |why: String| CannotStart(format!("--schema {}: {why}", path.display()), CONFIG);
    let bytes = std::fs::read(path).map_err(|e| failed(e.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| failed("it is not UTF-8 text: dump with --default-character-set=utf8mb4".to_owned()))?;
    SchemaDump::read(&text).map_err(|e| failed(e.to_string()))
}

/// What the record covers, for the person who started it.
fn describe(history: &History) {
    let coverage = history.coverage();
    tracing::info!(
        transactions = history.entries(),
        row_changes = history.changes(),
        tables = history.table_count(),
        "the record goes from {} to {}",
        coverage.oldest,
        coverage.newest
    );
    if let Some(why) = history.stopped() {
        tracing::error!("reading stopped before the end of the files, the record ends there: {why}");
    }
    let unreadable = history.unreadable();
    for (name, since, why) in unreadable.iter().take(MAX_NAMED) {
        let since = since.map_or_else(|| "the start".to_owned(), |t| t.to_string());
        tracing::warn!("table {name} cannot be read from {since} on: {why}");
    }
    if unreadable.len() > MAX_NAMED {
        tracing::warn!("{} more tables cannot be read", unreadable.len() - MAX_NAMED);
    }
}
