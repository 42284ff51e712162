//! Rows that go with their partitions.

use super::Ingest;
use super::references::Referring;
use super::rows::Target;
use crate::engine::StoreError;
use crate::image::{self, Content};
use crate::log::{Change, Entry};
use crate::names::Standing;
use crate::schema::Emptied;
use crate::store::{EncodedKey, Sequence, SpaceId, Versions};
use dbtrail_types::agent_api::EventType;
use dbtrail_types::ident::TableName;
use std::sync::Arc;

/// Keys looked at in one go.
const AT_ONCE: usize = 1024;
/// Rows of partitions that go one by one, at most: each is a change that is kept in memory until its statement is whole.
const MOST: usize = 500_000;

impl Ingest {
    /// Whether rows of an entry can only be told by rows that are in the store: a commit has to come before it.
    #[must_use]
    pub fn leans_on_store(entry: &Entry) -> bool {
        entry.changes.iter().any(|change| match change {
            Change::Statement(statement) => {
                let sql = statement.sql.to_ascii_uppercase();
                sql.contains("PARTITION") && !sql.contains("CREATE")
            }
            Change::Rows(_) | Change::Unfollowable { .. } => false,
        })
    }

    /// Some partitions of a table lose their rows.
    pub(super) fn empty_partitions(
        &mut self,
        name: &TableName,
        emptied: &Emptied,
        at: Sequence,
    ) -> Result<(), StoreError> {
        let unknown = |why: &str| format!("a statement emptied partitions of the table, and {why}");
        let Standing::Table(space, id) = self.names.current(name) else {
            self.rows_unknown(name, at, &unknown("its columns are not known"));
            return Ok(());
        };
        let columns = self.columns_of(id).filter(|c| c.has_key());
        let (Some(columns), Ok(())) = (columns, self.is_known(space)) else {
            self.rows_unknown(name, at, &unknown("not all of its rows are known"));
            return Ok(());
        };
        let roles = self.roles(name);
        let keyed = !roles.keys.is_empty();
        let referring = keyed.then(|| Arc::new(Referring::of(roles.keys.clone(), &columns.definition)));
        let target = Target { space, id, columns, referring, roles, row_end: None };
        match self.rows_in(&target, emptied)? {
            Err(why) => self.rows_unknown(name, at, &unknown(&why)),
            Ok(rows) => {
                for row in rows {
                    self.changes += 1;
                    self.noting.changed(name, EventType::Delete);
                    if let Err(why) = self.keep_made(&target, (&row, None), at, None)? {
                        self.rows_unknown(name, at, &unknown(&why));
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows that lie in some partitions; the error says why that is not certain.
    fn rows_in(
        &mut self,
        target: &Target,
        emptied: &Emptied,
    ) -> Result<Result<Vec<Vec<u8>>, String>, StoreError> {
        let mut rows = Vec::new();
        for base in [false, true] {
            let mut from = Vec::new();
            while let Some(keys) = self.some_keys(target.space, &from, base)? {
                if let Some(last) = keys.last() {
                    from = super::references::behind(last);
                }
                for key in keys {
                    let snapshot = self.committed();
                    if base
                        && Versions(&*snapshot).newest_before(target.space, &key, Sequence::END)?.is_some()
                    {
                        continue;
                    }
                    let Some((row, under)) = self.row_now(target.space, &key)? else { continue };
                    let row = match self.under_now(row, under, target.id) {
                        Ok(row) => row,
                        Err(why) => return Ok(Err(why)),
                    };
                    let cells: Option<Vec<Option<&[u8]>>> = image::cells(row.bytes())
                        .map(|cell| match cell {
                            Content::Null => Some(None),
                            Content::Bytes(bytes) => Some(Some(bytes)),
                            Content::Unknown => None,
                        })
                        .collect();
                    let held = cells.and_then(|cells| emptied.held(&target.columns.definition, &cells));
                    match held {
                        Some(true) => rows.push(row.bytes().to_vec()),
                        Some(false) => {}
                        None => return Ok(Err("in which one a row lies is not certain".to_owned())),
                    }
                    if rows.len() > MOST {
                        return Ok(Err("they held more rows than are told one by one".to_owned()));
                    }
                }
            }
        }
        Ok(Ok(rows))
    }

    fn some_keys(
        &mut self,
        space: SpaceId,
        from: &[u8],
        base: bool,
    ) -> Result<Option<Vec<EncodedKey>>, StoreError> {
        let snapshot = self.committed();
        let versions = Versions(&*snapshot);
        let last = vec![0xff_u8; 1 << 12];
        let window = (from, last.as_slice());
        let keys = if base {
            versions.base_keys(space, window, AT_ONCE)?
        } else {
            versions.keys(space, window, Sequence::END, AT_ONCE)?
        };
        Ok((!keys.is_empty()).then_some(keys))
    }
}
