//! What tables are and were. A reader of a bucket reads it again and again, and it seldom changes:
//! then what was made of it is shared.

use super::{CATALOG, DEFINITION, NAME, SPACE, SWEEPS, all, failed, parsed};
use crate::engine::{Pair, Snapshot, StoreError, Table};
use crate::names::{Names, Sweep, TableState};
use crate::record::TableGeneration;
use crate::schema::Catalog;
use crate::store::ChangeSequence;
use dbtrail_types::names::TableName;
use std::collections::BTreeMap;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// Definitions, the standings of names, and generations.
#[derive(Clone, Debug)]
pub(crate) struct KnownTables {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) names: Arc<Names>,
    pub(crate) generations: Arc<Vec<TableGeneration>>,
}

/// What was read last, and a digest of what it was made of.
#[derive(Debug, Default)]
pub(crate) struct TableCache(Option<(u128, KnownTables)>);

/// What is stored of them.
struct Texts {
    definitions: Vec<Pair>,
    catalog: Option<Vec<u8>>,
    generations: Vec<Pair>,
    names: Vec<Pair>,
    sweeps: Option<Vec<u8>>,
}

impl Texts {
    fn of(snapshot: &dyn Snapshot) -> Result<Self, StoreError> {
        Ok(Self {
            definitions: all(snapshot, DEFINITION)?,
            catalog: snapshot.get(Table::Meta, CATALOG)?,
            generations: all(snapshot, SPACE)?,
            names: all(snapshot, NAME)?,
            sweeps: snapshot.get(Table::Meta, SWEEPS)?,
        })
    }

    fn digest(&self) -> u128 {
        let mut digest = Xxh3::new();
        let mut add = |text: &[u8]| {
            digest.update(&(text.len() as u64).to_be_bytes());
            digest.update(text);
        };
        for pairs in [&self.definitions, &self.generations, &self.names] {
            add(&(pairs.len() as u64).to_be_bytes());
            for (key, value) in pairs {
                add(key);
                add(value);
            }
        }
        for text in [&self.catalog, &self.sweeps] {
            add(&[u8::from(text.is_some())]);
            add(text.as_deref().unwrap_or_default());
        }
        digest.digest128()
    }

    fn read(&self) -> Result<KnownTables, StoreError> {
        let definitions = self.definitions.iter().map(|(_, text)| text.as_slice());
        let catalog = match &self.catalog {
            Some(rest) => Catalog::restored(definitions, rest).map_err(|e| failed(&e))?,
            None => Catalog::default(),
        };
        let generations: Vec<TableGeneration> =
            self.generations.iter().map(|(_, text)| parsed(text)).collect::<Result<_, _>>()?;
        let mut names = BTreeMap::new();
        for (_, text) in &self.names {
            let (name, table_states): (TableName, Vec<(ChangeSequence, TableState)>) = parsed(text)?;
            names.insert(name, table_states);
        }
        let sweeps: Vec<Sweep> = match &self.sweeps {
            Some(text) => parsed(text)?,
            None => Vec::new(),
        };
        let names = Names::restored(names, sweeps);
        Ok(KnownTables {
            catalog: Arc::new(catalog),
            names: Arc::new(names),
            generations: Arc::new(generations),
        })
    }
}

impl TableCache {
    /// What is stored of tables.
    pub(super) fn read(&mut self, snapshot: &dyn Snapshot) -> Result<KnownTables, StoreError> {
        let texts = Texts::of(snapshot)?;
        let digest = texts.digest();
        if let Some((before, tables)) = &self.0
            && *before == digest
        {
            return Ok(tables.clone());
        }
        let tables = texts.read()?;
        self.0 = Some((digest, tables.clone()));
        Ok(tables)
    }
}
