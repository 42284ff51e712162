//! The columns of a result as they are declared.

use crate::plan::group::Grouping;
use crate::plan::guard::{Admitted, Output};
use crate::statement::{Draft, VirtualSchema};
use dbtrail_types::column::{Column, TableDefinition};
use dbtrail_types::result_set::ResultColumn;
use std::sync::Arc;

/// The columns of a result, kept for the next one: most statements of a session ask for what the
/// one before asked for, and a name more or less is a piece of memory more or less for every
/// column.
#[derive(Debug)]
pub(super) struct Heading {
    virtual_schema: VirtualSchema,
    table: String,
    alias: Option<String>,
    output: Vec<Output>,
    grouping: Option<Grouping>,
    definition: Arc<TableDefinition>,
    columns: Arc<[ResultColumn]>,
}

impl Heading {
    /// The columns of a statement; `last`: those of the one before, and then of this one.
    pub(super) fn columns(
        admitted: &Admitted,
        source: &[Column],
        last: &mut Option<Self>,
    ) -> Arc<[ResultColumn]> {
        if let Some(columns) = last.as_ref().and_then(|last| last.of(admitted)) {
            return columns;
        }
        let draft = &admitted.resolved().draft;
        let columns: Arc<[ResultColumn]> = result_columns(
            draft.virtual_schema.name(),
            draft,
            source,
            (admitted.output(), admitted.grouping()),
        )
        .into();
        *last = (columns.len() <= KEPT_COLUMNS).then(|| Self::new(admitted, Arc::clone(&columns)));
        columns
    }

    /// The columns, if all that they are made of is the same.
    fn of(&self, admitted: &Admitted) -> Option<Arc<[ResultColumn]>> {
        let draft = &admitted.resolved().draft;
        let same = Arc::ptr_eq(&self.definition, admitted.definition())
            && self.virtual_schema == draft.virtual_schema
            && self.table == draft.table
            && self.alias == draft.alias
            && self.output == admitted.output()
            && self.grouping.as_ref() == admitted.grouping();
        same.then(|| Arc::clone(&self.columns))
    }

    fn new(admitted: &Admitted, columns: Arc<[ResultColumn]>) -> Self {
        let draft = &admitted.resolved().draft;
        Self {
            virtual_schema: draft.virtual_schema,
            table: draft.table.clone(),
            alias: draft.alias.clone(),
            output: admitted.output().to_vec(),
            grouping: admitted.grouping().cloned(),
            definition: Arc::clone(admitted.definition()),
            columns,
        }
    }
}

/// Columns of a heading that is kept at most: an idle session holds it.
const KEPT_COLUMNS: usize = 256;

/// The columns of a result as they are declared.
/// `schema`: the virtual one.
pub(super) fn result_columns(
    schema: &str,
    draft: &Draft,
    source: &[Column],
    (output, grouping): (&[Output], Option<&Grouping>),
) -> Vec<ResultColumn> {
    let columns = output.iter().filter_map(|o| {
        let Some(column) = source.get(o.source).cloned() else {
            let at = o.source.saturating_sub(source.len());
            let planned = grouping.and_then(|grouping| grouping.aggregates.get(at))?;
            return Some(computed(&o.name, planned.declared.clone()));
        };
        Some(ResultColumn {
            name: o.name.clone(),
            org_name: column.name.clone(),
            table: draft.alias.clone().unwrap_or_else(|| draft.table.clone()),
            org_table: draft.table.clone(),
            schema: schema.to_owned(),
            column,
        })
    });
    columns.collect()
}

/// A result column that stands for no table's.
pub(super) fn computed(name: &str, column: Column) -> ResultColumn {
    ResultColumn {
        name: name.to_owned(),
        org_name: String::new(),
        table: String::new(),
        org_table: String::new(),
        schema: String::new(),
        column,
    }
}
