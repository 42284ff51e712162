//! Conditions on changes: on the columns of the table, before or after, and on what happened, when
//! and by whom.

use super::change_rows::{images, key_positions, keyed, kind_name};
use super::conditions::{unsupported, value};
use super::lines::stamp;
use super::origin::Origins;
use super::{History, Refusal};
use crate::commit_index::Commit;
use crate::image::{Content, Image};
use crate::schema::DefinitionId;
use crate::store::Version;
use dbtrail_expression::{RowFilter, RowValue};
use dbtrail_types::agent_api::{Filter, change_columns, code};
use dbtrail_types::column::{Column, ColumnType, TableDefinition, same_name};
use std::collections::BTreeSet;

/// A condition, ready for changes under one definition after the other.
#[derive(Debug)]
pub(super) struct ChangeFilter {
    filter: Filter,
    own: Needed,
    /// The definition under which its constants were read.
    asked: DefinitionId,
    ready: Ready,
}

/// What it is under one definition.
#[derive(Debug)]
struct Ready {
    under: DefinitionId,
    rows: RowFilter,
    keys: Vec<usize>,
}

impl ChangeFilter {
    /// A condition on changes of a table with this definition.
    ///
    /// # Errors
    /// A column that it names is not there, or is there twice; how it compares is not known.
    pub(super) fn new(history: &History, filter: &Filter, asked: DefinitionId) -> Result<Self, Refusal> {
        let own = Needed::of(filter, change_columns());
        let ready = Ready::new(history, filter, &own.columns, asked)?;
        Ok(Self { filter: filter.clone(), own, asked, ready })
    }

    /// Whether a change is wanted: the condition is true with the row before it, or with the row
    /// after it.
    ///
    /// # Errors
    /// That is not known.
    pub(super) fn holds(
        &mut self,
        history: &History,
        version: &Version,
        commit: &Commit,
        origins: &mut Origins,
    ) -> Result<bool, Refusal> {
        if self.ready.under != version.definition {
            self.same_columns(history, version.definition)?;
            self.ready = Ready::new(history, &self.filter, &self.own.columns, version.definition)?;
        }
        let own = own_cells(&self.own, history, version, commit, origins)?;
        let own: Vec<RowValue<'_>> =
            own.iter().map(|cell| cell.as_deref().map_or(RowValue::Null, RowValue::Bytes)).collect();
        let catalog = &history.catalog;
        let generated = !catalog.uncompared(version.definition).is_empty();
        let key = keyed(version);
        let mut undecided = None;
        for image in images(catalog, version).into_iter().flatten() {
            let unpacked = generated.then(|| catalog.unpack(version.definition, &image));
            let mut cells: Vec<RowValue<'_>> = match &unpacked {
                Some(cells) => cells
                    .iter()
                    .map(|cell| match cell {
                        Ok(Some(bytes)) => RowValue::Bytes(bytes),
                        Ok(None) => RowValue::Null,
                        Err(_) => RowValue::Unknown,
                    })
                    .collect(),
                None => image.cells().map(value).collect(),
            };
            if let Some(key) = key {
                self.put_key(key, &mut cells);
            }
            cells.extend_from_slice(&own);
            match self.ready.rows.holds(&cells) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(why) => undecided = Some(why),
            }
        }
        undecided.map_or(Ok(false), |why| Err(unsupported(&why)))
    }

    /// Puts the key under which the change is shown instead of the row's.
    fn put_key<'r>(&self, key: &'r Image, cells: &mut [RowValue<'r>]) {
        let shown: Vec<Content<'r>> = key.cells().collect();
        for at in &self.ready.keys {
            if let (Some(cell), Some(shown)) = (cells.get_mut(*at), shown.get(*at)) {
                *cell = value(*shown);
            }
        }
    }

    /// Refuses changes under other types than those by which the constants were read.
    fn same_columns(&self, history: &History, under: DefinitionId) -> Result<(), Refusal> {
        let of = |id| {
            let definition = history.catalog.definition(id);
            definition.ok_or_else(|| Refusal::internal("a change without a definition".to_owned()))
        };
        let (asked, then) = (of(self.asked)?, of(under)?);
        for name in self.filter.columns() {
            let (Some(asked), Some(then)) = (column(asked, name), column(then, name)) else { continue };
            if !alike(asked, then) {
                return Err(Refusal::new(
                    422,
                    code::UNSUPPORTED_FILTER,
                    format!(
                        "a condition on column {} is read as one on {}, and it is {} in a part of the window: ask for the windows before and after that \
                         ALTER TABLE",
                        asked.name, asked.ty, then.ty
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// Columns that say of a change what happened, when and by whom, and which of them a condition
/// names: the others are not looked up.
#[derive(Debug)]
pub(super) struct Needed {
    columns: Vec<Column>,
    uses: Vec<bool>,
}

impl Needed {
    /// Those of these columns that a condition names.
    pub(super) fn of(filter: &Filter, columns: Vec<Column>) -> Self {
        let named: BTreeSet<String> = filter.columns().into_iter().map(str::to_lowercase).collect();
        let uses = columns.iter().map(|column| named.contains(&column.name)).collect();
        Self { columns, uses }
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }
}

/// The cells of what is named of these columns; nothing of the others, nor of those that are a
/// table's.
pub(super) fn own_cells(
    needed: &Needed,
    history: &History,
    version: &Version,
    commit: &Commit,
    origins: &mut Origins,
) -> Result<Vec<Option<Vec<u8>>>, Refusal> {
    let mut cells = Vec::with_capacity(needed.columns.len());
    for (column, used) in needed.columns.iter().zip(&needed.uses) {
        let cell = match column.name.as_str() {
            _ if !used => None,
            "event_id" => Some(version.sequence.0.to_string()),
            "event_timestamp" => Some(stamp(commit.committed)),
            "event_type" => Some(kind_name(version.kind).to_owned()),
            "gtid" => commit.gtid.as_ref().map(ToString::to_string),
            "cause" => version.cause.map(|cause| cause.0.to_string()),
            name @ ("connection_user" | "connection_host" | "connection_program") => {
                let known = origins.session(history, version.sequence)?.map(|known| &known.info);
                match name {
                    "connection_user" => known.map(|info| info.user.clone()),
                    "connection_host" => known.and_then(|info| info.host.clone()),
                    _ => known.and_then(|info| info.program.clone()),
                }
            }
            other => {
                let made = origins.of(history, version.sequence)?;
                match other {
                    "connection_id" => made.connection.map(|id| id.to_string()),
                    "server_id" => Some(made.server.to_string()),
                    "binlog_file" => Some(made.file.to_string()),
                    "binlog_position" => Some(made.offset.to_string()),
                    "statement" => made.statement_of(version.sequence).map(ToString::to_string),
                    _ => None,
                }
            }
        };
        cells.push(cell.map(String::into_bytes));
    }
    Ok(cells)
}

impl Ready {
    fn new(history: &History, filter: &Filter, own: &[Column], under: DefinitionId) -> Result<Self, Refusal> {
        let definition = history.catalog.definition(under);
        let definition =
            definition.ok_or_else(|| Refusal::internal("a change without a definition".to_owned()))?;
        let both = |name: &&str| {
            column(definition, name).is_some() && own.iter().any(|column| same_name(&column.name, name))
        };
        if let Some(name) = filter.columns().into_iter().find(both) {
            return Err(Refusal::new(
                422,
                code::UNSUPPORTED_FILTER,
                format!(
                    "a condition on {name}: the table has a column of this name, and so has every change"
                ),
            ));
        }
        let columns: Vec<Column> = definition.columns.iter().chain(own).cloned().collect();
        let rows = RowFilter::new(filter, &columns).map_err(|why| unsupported(&why))?;
        Ok(Self { under, rows, keys: key_positions(definition) })
    }
}

fn column<'d>(definition: &'d TableDefinition, name: &str) -> Option<&'d Column> {
    definition.columns.iter().find(|column| same_name(&column.name, name))
}

/// Whether a constant that was read for one column means the same to the other.
fn alike(asked: &Column, then: &Column) -> bool {
    let same = |a: &ColumnType, b: &ColumnType| match (a, b) {
        (ColumnType::Int { .. }, ColumnType::Int { .. })
        | (ColumnType::VarChar { .. }, ColumnType::VarChar { .. })
        | (ColumnType::VarBinary { .. }, ColumnType::VarBinary { .. })
        | (ColumnType::Text { .. }, ColumnType::Text { .. })
        | (ColumnType::Blob { .. }, ColumnType::Blob { .. }) => true,
        (a, b) => a == b,
    };
    same(&asked.ty, &then.ty) && asked.collation == then.collation
}
