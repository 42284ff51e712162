//! What differed at the first look, looked at again: a row is a difference only if the server has,
//! each time, what the history has in no version of that time.

use super::compare::{Difference, difference, key_in, same_row};
use super::history::No;
use super::key::{Key, Wanted, positions};
use super::source::Row;
use super::table::{HELD, Rest, Sides, Suspect, What, changing, plus, same_columns, too_many};
use dbtrail_types::agent_api::RowLine;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::{AsOf, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often it is looked at.
const LOOKS: u32 = 3;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);
/// Rows of one statement.
const AT_ONCE: usize = 200;

/// What is different in a table, and the last instant at which it certainly was not.
pub(super) type Found = (Vec<Difference>, Timestamp);

/// Versions of rows by their keys; `None`: there was no row.
type Versions = BTreeMap<Key, Vec<Option<RowLine>>>;

/// What the server had of some rows, and when.
struct Look {
    wanted: Wanted,
    keys: Vec<Key>,
    server: BTreeMap<Key, Row>,
    position: AsOf,
    window: (Timestamp, Timestamp),
}

/// What the server had of a table.
enum ServerRows {
    Columns(Vec<String>),
    Rows(Vec<Look>),
    Not(String),
}

impl Sides<'_> {
    /// Looks at all of it again, and says what is left of each table. `oldest`: where the record of
    /// a table begins.
    ///
    /// # Errors
    /// A side does not answer.
    pub(super) async fn again(
        &mut self,
        mut suspects: Vec<Suspect>,
        oldest: &BTreeMap<TableName, Timestamp>,
    ) -> Result<BTreeMap<TableName, Result<Found, String>>, String> {
        let mut all: BTreeMap<TableName, Result<Found, String>> = BTreeMap::new();
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let mut seen = Vec::new();
            for suspect in &suspects {
                seen.push(self.seen(suspect).await?);
            }
            let now = plus(self.source.clock().await?, self.source.slack());
            // One wait for all.
            if !self.history.reaches(now).await.map_err(No::why)? {
                return Err("the agent does not follow: its record does not go on".to_owned());
            }
            let mut left = Vec::new();
            for (suspect, seen) in suspects.into_iter().zip(seen) {
                let name = suspect.table.clone();
                match self.judged(&suspect, seen).await {
                    Ok((differences, _)) if differences.is_empty() => drop(all.remove(&name)),
                    Ok((differences, what)) => {
                        let begin = oldest.get(&name).copied().unwrap_or(now);
                        all.insert(name, Ok((differences, begin)));
                        left.push(Suspect { what, ..suspect });
                    }
                    Err(No::Refused(_, why)) => drop(all.insert(name, Err(why))),
                    Err(No::Failed(why)) => return Err(why),
                }
            }
            suspects = left;
            if suspects.is_empty() {
                break;
            }
        }
        for suspect in &suspects {
            let proven = self.proven(suspect, oldest).await.map_err(No::why)?;
            if let (Some(Ok(found)), Some(proven)) = (all.get_mut(&suspect.table), proven) {
                found.1 = proven;
            }
        }
        Ok(all)
    }

    async fn seen(&mut self, suspect: &Suspect) -> Result<ServerRows, String> {
        let Suspect { table, definition, what } = suspect;
        let What::Rows { keys, .. } = what else {
            return Ok(ServerRows::Columns(self.source.columns(table).await?));
        };
        let mut looks = Vec::new();
        for some in keys.chunks(AT_ONCE) {
            let wanted = Wanted::named(definition, some);
            let before = self.source.clock().await?;
            let position = self.source.position().await?;
            let server = match self.rows(table, definition, &wanted).await {
                Ok(server) => server,
                Err(No::Refused(_, why)) => return Ok(ServerRows::Not(why)),
                Err(No::Failed(why)) => return Err(why),
            };
            let slack = self.source.slack();
            let window = (plus(before, -slack), plus(self.source.clock().await?, slack));
            looks.push(Look { wanted, keys: some.to_vec(), server, position, window });
        }
        Ok(ServerRows::Rows(looks))
    }

    /// What is different still, and what is to be looked at once more.
    async fn judged(&mut self, suspect: &Suspect, seen: ServerRows) -> Result<(Vec<Difference>, What), No> {
        let Suspect { table, definition, what } = suspect;
        let rest = if let What::Rows { rest, .. } = what { rest.clone() } else { Rest::None };
        let looks = match seen {
            ServerRows::Not(why) => return Err(No::Refused(String::new(), why)),
            ServerRows::Columns(server) => {
                let position = self.source.position().await?;
                let definition = self.history.definition(table, &position).await?;
                if same_columns(&server, &definition) {
                    return Err(changing());
                }
                let known: Vec<&str> = definition.columns.iter().map(|c| c.name.as_str()).collect();
                let (there, known) = (server.join(", "), known.join(", "));
                let what = if server.is_empty() {
                    "the history has this table, and the server has none".to_owned()
                } else {
                    format!("the columns on the server are {there}, and in the history {known}")
                };
                let difference = Difference { key: "the table".to_owned(), what };
                return Ok((vec![difference], What::Columns));
            }
            ServerRows::Rows(looks) => looks,
        };
        let (mut differences, mut keys) = (Vec::new(), Vec::new());
        for Look { wanted, keys: asked, server, position, window } in looks {
            let rows = self.history.rows(table, &wanted, position, HELD).await?;
            let (_, history) = rows.ok_or_else(too_many)?;
            let versions = self.versions(suspect, &wanted, window).await?;
            for key in asked {
                let (row, reported) = (server.get(&key), history.get(&key));
                let fits = |version: Option<&RowLine>| match (row, version) {
                    (None, None) => true,
                    (Some(row), Some(version)) => same_row(definition, row, version),
                    _ => false,
                };
                let mut seen = versions.get(&key).into_iter().flatten();
                if !fits(reported) && !seen.any(|version| fits(version.as_ref())) {
                    differences.push(difference(definition, &key, row, reported));
                    keys.push(key);
                }
            }
        }
        Ok((differences, What::Rows { keys, rest }))
    }

    /// What rows were before and after each change of a time.
    async fn versions(
        &self,
        suspect: &Suspect,
        wanted: &Wanted,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<Versions, No> {
        let Suspect { table, definition, .. } = suspect;
        let positions = positions(definition).unwrap_or_default();
        let since = since.max(self.begin().await?);
        let mut all = Versions::new();
        let mut changes = self.history.changes(table, wanted, (since, until)).await?;
        while let Some((under, events)) = changes.next().await? {
            if *under != *definition {
                return Err(changing());
            }
            for event in events {
                let key: Key = event.key.into_iter().map(|value| value.0).collect();
                // Of a row that goes from one key to another, each key has one of the two images.
                let moved = event.before.is_some() && event.after.is_some();
                let mine = |row: &RowLine| !moved || key_in(&positions, row).as_ref() == Some(&key);
                let images = [event.before, event.after].map(|image| image.filter(mine));
                all.entry(key).or_default().extend(images);
            }
        }
        Ok(all)
    }

    /// Where the record begins after its last gap.
    async fn begin(&self) -> Result<Timestamp, No> {
        let status = self.history.status().await?;
        let oldest = status.oldest.ok_or_else(|| No::Failed("the record has not begun".to_owned()))?;
        Ok(status.gaps.iter().map(|gap| gap.to).fold(oldest, Timestamp::max))
    }

    /// The last instant at which rows were certainly what the history says: their last change,
    /// which the log has; else the beginning of the record.
    async fn proven(
        &self,
        suspect: &Suspect,
        oldest: &BTreeMap<TableName, Timestamp>,
    ) -> Result<Option<Timestamp>, No> {
        // What the others were, and since when, was not looked at.
        let What::Rows { keys, rest: Rest::None } = &suspect.what else { return Ok(None) };
        let begin = self.begin().await?;
        let begin = oldest.get(&suspect.table).copied().unwrap_or(begin).max(begin);
        let newest = self.history.status().await?.newest.unwrap_or(begin);
        let mut last: BTreeMap<Key, Timestamp> = BTreeMap::new();
        for some in keys.chunks(AT_ONCE) {
            let wanted = Wanted::named(&suspect.definition, some);
            let mut changes = match self.history.changes(&suspect.table, &wanted, (begin, newest)).await {
                Ok(changes) => changes,
                // Its changes cannot be known as one list.
                Err(No::Refused(..)) => return Ok(Some(begin)),
                Err(no) => return Err(no),
            };
            while let Some((_, events)) = changes.next().await? {
                for event in events {
                    last.insert(event.key.into_iter().map(|v| v.0).collect(), event.event_timestamp);
                }
            }
        }
        Ok(keys.iter().map(|key| last.get(key).copied().unwrap_or(begin)).min())
    }
}
