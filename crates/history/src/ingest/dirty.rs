//! What of the record is to be written with the next batch.

use dbtrail_types::names::TableName;
use std::collections::BTreeSet;

/// What has changed beside rows since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    /// Definitions, or which table has which.
    pub(crate) catalog: bool,
    /// Definitions that are written already.
    pub(crate) definitions: u32,
    /// Incarnations.
    pub(crate) generations: BTreeSet<u32>,
    /// What befell whole schemas and is written already.
    pub(crate) sweeps: usize,
    /// Tables that statements touched.
    pub(crate) touched: BTreeSet<TableName>,
}
