//! What an agent says of changes, as the statements that take them back.

use crate::agent_client::{AgentClient, Caller, LaterRows, NetTable};
use crate::failure::Failure;
use crate::undo::changed::Changed;
use crate::undo::literal::Text;
use crate::undo::script::{Part, parents_first};
use crate::undo::steps::{StepwiseUndo, steps};
use crate::undo::{Undone, obstacles, undo};
use dbtrail_types::agent_api::NetRequest;
use dbtrail_types::names::RequestId;

/// The statements, and what they do not do.
pub(super) struct Written {
    /// A part a table.
    pub(super) parts: Vec<Part>,
    /// Why it is not all that there is to take back.
    pub(super) incomplete: Vec<String>,
    /// The statements change by change, where that was asked for.
    pub(super) steps: Option<StepwiseUndo>,
    /// Why it is not known whether rows of today are in the way.
    pub(super) unknown: Vec<String>,
}

/// Asks for all of `asked`, which is of one span, and writes the statements. `most`: bytes of
/// changed rows at most.
///
/// # Errors
/// Every agent failure; [`Failure::Unsupported`] beyond `most`.
pub(super) async fn write(
    client: &AgentClient,
    caller: &Caller,
    asked: &[NetRequest],
    most: usize,
    request: &RequestId,
) -> Result<Written, Failure> {
    let found = client.net_tables(caller, asked, None, most, request).await?;
    let related = obstacles::wanted(&changed(&found.tables));
    let later = match asked.first() {
        Some(like) => client.later(caller, like, related, None, most, request).await?,
        None => LaterRows::default(),
    };
    let by_step = asked.iter().any(|one| one.steps);
    // Long where rows are many: not in the thread of the connections.
    let made = tokio::task::spawn_blocking(move || {
        let (undone, steps) = statements(&found.tables, &later, by_step);
        Written {
            parts: found.tables.into_iter().zip(undone).map(part).collect(),
            incomplete: found.incomplete,
            steps,
            unknown: later.unknown,
        }
    });
    made.await.map_err(|e| Failure::Internal(format!("statements were not written: {e}")))
}

fn statements(tables: &[NetTable], later: &LaterRows, by_step: bool) -> (Vec<Undone>, Option<StepwiseUndo>) {
    let (all, later) = (changed(tables), changed(&later.tables));
    if !by_step {
        return (undo(&all, &later, Text::Utf8), None);
    }
    let empty = |table: &NetTable| Part {
        name: table.name.clone(),
        newest: None,
        references: table.header.references.clone(),
        undone: Undone::default(),
    };
    let order = parents_first(&tables.iter().map(empty).collect::<Vec<_>>());
    let mut steps = steps(&all, &later, &order, Text::Utf8);
    (std::mem::take(&mut steps.tables), Some(steps))
}

fn part((table, undone): (NetTable, Undone)) -> Part {
    Part { undone, newest: Some(table.header.newest), references: table.header.references, name: table.name }
}

fn changed(tables: &[NetTable]) -> Vec<Changed<'_>> {
    tables.iter().map(|t| Changed { name: &t.name, header: &t.header, changes: &t.changes }).collect()
}
