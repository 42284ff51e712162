//! A definition as the catalog keeps it, with what follows from it.

use super::convert::By;
use super::table::{Full, FullColumn};
use super::{DefinitionId, compute};
use dbtrail_types::charset;
use dbtrail_types::column::{TableDefinition, same_name};
use dbtrail_types::result_set::Cell;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// The character set of a column whose text cannot be read.
pub(super) fn unreadable_charset(column: &FullColumn) -> Option<&str> {
    column.column.charset().filter(|set| !charset::is_known(set))
}

/// One definition.
#[derive(Debug)]
pub(super) struct StoredDefinition {
    pub(super) public: Arc<TableDefinition>,
    pub(super) full: Full,
    /// Positions of the generated columns.
    pub(super) generated: Vec<usize>,
    /// Positions of the columns, none of the key, whose text cannot be read.
    pub(super) unreadable: Vec<usize>,
    /// Positions of both, rising.
    pub(super) uncompared: Vec<usize>,
    pub(super) step: Option<Step>,
    /// How the generated ones are computed, by their positions.
    pub(super) computations: OnceLock<HashMap<usize, compute::Computation>>,
    /// See [`Catalog::memo`].
    pub(super) memo: OnceLock<Vec<u8>>,
}

impl StoredDefinition {
    pub(super) fn new(full: Full, step: Option<Step>) -> Self {
        let generated = (0..).zip(&full.columns).filter(|(_, c)| c.generated.is_some());
        let generated: Vec<usize> = generated.map(|(i, _)| i).collect();
        let public = Arc::new(full.public());
        let is_key = |name: &String| public.primary_key.iter().any(|key| same_name(key, name));
        let unreadable = (0..).zip(&full.columns).filter(|(_, c)| {
            c.column.ty.is_text() && unreadable_charset(c).is_some() && !is_key(&c.column.name)
        });
        let unreadable: Vec<usize> = unreadable.map(|(i, _)| i).collect();
        let mut uncompared = [generated.as_slice(), &unreadable].concat();
        uncompared.sort_unstable();
        uncompared.dedup();
        let (computations, memo) = Default::default();
        Self { public, full, generated, unreadable, uncompared, step, computations, memo }
    }

    /// A generated cell of a row of which the others are given; `None`: what it holds is not known.
    pub(super) fn computed<'a>(
        &'a self,
        at: usize,
        cell: impl Fn(usize) -> Option<Option<&'a [u8]>>,
    ) -> Option<Cell> {
        let all = self.computations.get_or_init(|| {
            let each = self.generated.iter();
            each.filter_map(|at| Some((*at, compute::of(&self.full, *at)?))).collect()
        });
        let columns = &self.full.columns;
        let cell = |at: usize| Some((&columns.get(at)?.column, cell(at)?));
        all.get(&at)?.value(cell, &columns.get(at)?.column)
    }
}

/// How a definition came from the one before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) before: DefinitionId,
    /// For each column: the one before it came from.
    pub(super) from: Vec<Option<usize>>,
    pub(super) statement: String,
    /// Who changed the values.
    #[serde(default)]
    pub(super) by: By,
}
