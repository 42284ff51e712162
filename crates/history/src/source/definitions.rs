//! Definitions that the writing half asks for.

use super::Ended;
use super::client::ClientError;
use super::facts::Facts;
use super::own_connections::OwnConnection;
use super::session::Session;
use super::task::SourceTask;
use crate::capture::{CaptureEvent, Looked, ValidFrom};
use dbtrail_types::names::TableName;
use std::time::Duration;

/// How long to wait when a table does not tell its definition: a DDL statement may hold it.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells definitions, for as long as the log is followed.
pub(super) async fn serve(reader: &SourceTask<'_>, facts: &Facts) -> Ended {
    let mut session = None;
    loop {
        let mut failed = false;
        for (name, version) in reader.command_queue.definitions().await {
            match send_definitions(reader, facts, &mut session, &name).await {
                Ok(definition) => {
                    if reader.writer.send(CaptureEvent::Definition(definition)).await.is_err() {
                        return Ended::Closed;
                    }
                    reader.command_queue.answered(&name, version);
                }
                Err(error) => {
                    tracing::warn!(table = %name, "its definition cannot be read, trying again: {error}");
                    failed = true;
                    if !error.is_of_statement() {
                        session = None;
                    }
                }
            }
        }
        if failed {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn send_definitions(
    reader: &SourceTask<'_>,
    facts: &Facts,
    session: &mut Option<(Session, OwnConnection)>,
    name: &TableName,
) -> Result<ValidFrom<Looked>, ClientError> {
    let (open, _) = if let Some(open) = session {
        open
    } else {
        let opened = Session::open_same(&reader.config, facts).await?;
        let known = reader.own.know(opened.client.id());
        session.insert((opened, known))
    };
    let since = open.log_end().await?;
    let create = open.declared(name).await?;
    let after = open.log_end().await?;
    Ok(ValidFrom { after, what: Looked { name: name.clone(), create, since } })
}
