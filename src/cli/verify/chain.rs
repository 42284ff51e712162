//! Each version against the one before it: the row before a change is the row after the change
//! before, the first one is that of the beginning, and the last one that of the end.

use super::compare::{Difference, key_in, shown_key};
use super::history::{History, No};
use super::key::{Key, Wanted, places};
use dbtrail_types::agent_api::{RowCell, RowLine};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::instant::{AsOf, Instant};
use dbtrail_types::names::TableName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Keys that are held at most.
const HELD: usize = 500_000;
/// Keys that are asked for at a time.
const AT_ONCE: usize = 1_000;

/// The first and the last row that changes of a key tell, each with its definition.
struct Ends {
    first: Version,
    last: Version,
}

/// A row, or none, under a definition.
type Version = (Arc<TableDefinition>, Option<RowLine>);

/// Where the versions of a table since an instant contradict each other.
///
/// # Errors
/// The agent does not answer.
pub(super) async fn checked(
    history: &History,
    table: &TableName,
    since: Instant,
) -> Result<Vec<Difference>, No> {
    let status = history.status().await?;
    let until = status.newest.ok_or_else(|| No::Failed("the record has not begun".to_owned()))?;
    let definition = Arc::new(history.definition(table, &AsOf::Time(until)).await?);
    let mut found = Vec::new();
    let mut ends: BTreeMap<Key, Ends> = BTreeMap::new();
    let mut changes =
        history.changes(table, &Wanted::all(&definition), (super::table::plus(since, 1), until)).await?;
    while let Some((under, events)) = changes.next().await? {
        let places = places(&under).unwrap_or_default();
        for event in events {
            let key: Key = event.key.into_iter().map(|value| value.0).collect();
            // Of a row that goes from one key to another, each key has one of the two images.
            let moved = event.before.is_some() && event.after.is_some();
            let mine = |row: &RowLine| !moved || key_in(&places, row).as_ref() == Some(&key);
            let before = (Arc::clone(&under), event.before.filter(mine));
            let after = (Arc::clone(&under), event.after.filter(mine));
            if let Some(known) = ends.get_mut(&key) {
                if !agree(&known.last, &before) {
                    let what = format!(
                        "the row before the change of {} (event {}) is not the row after the change before it",
                        event.event_timestamp, event.event_id
                    );
                    found.push(Difference { key: shown_key(&under, &key), what });
                }
                known.last = after;
            } else {
                ends.insert(key, Ends { first: before, last: after });
                if ends.len() > HELD {
                    let why = format!(
                        "more than {HELD} rows of {table} changed since {since}: choose a later --since"
                    );
                    return Err(No::Refused(String::new(), why));
                }
            }
        }
    }
    let keys: Vec<Key> = ends.keys().cloned().collect();
    for some in keys.chunks(AT_ONCE) {
        for (at, is_first) in [(since, true), (until, false)] {
            let wanted = Wanted::named(&definition, some);
            // A row may be in doubt at that very instant, and not be a contradiction.
            let rows = match history.rows(table, &wanted, AsOf::Time(at), AT_ONCE).await {
                Ok(rows) => rows,
                Err(No::Refused(..)) => continue,
                Err(no) => return Err(no),
            };
            let Some((under, rows)) = rows else { continue };
            for key in some {
                let Some(ends) = ends.get(key) else { continue };
                let told = (Arc::clone(&under), rows.get(key).cloned());
                let agrees = agree(&told, if is_first { &ends.first } else { &ends.last });
                if !agrees {
                    let what = if is_first {
                        format!("the row of {at} is not the row before the first change after it")
                    } else {
                        format!("the row of {at} is not the row after the last change before it")
                    };
                    found.push(Difference { key: shown_key(&under, key), what });
                }
            }
        }
    }
    Ok(found)
}

/// Whether two versions can be of one row; under two definitions nobody can tell.
fn agree((one, row): &Version, (other, version): &Version) -> bool {
    let same = |(a, b): (&RowCell, &RowCell)| {
        a == b || matches!(a, RowCell::Unknown(_)) || matches!(b, RowCell::Unknown(_))
    };
    one != other
        || match (row, version) {
            (None, None) => true,
            (Some(row), Some(version)) => row.len() == version.len() && row.iter().zip(version).all(same),
            _ => false,
        }
}
