//! The catalog as bytes, and back: definitions one by one, since they never change, and the rest as
//! a whole.

use super::foreign::{ForeignKey, ForeignKeys};
use super::table::Full;
use super::{Catalog, DefinitionId, Rename, Step, StoredDefinition};
use dbtrail_types::names::TableName;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Serialize, Deserialize)]
struct Definition {
    full: Full,
    step: Option<Step>,
}

#[derive(Serialize, Deserialize)]
struct Rest {
    tables: Vec<(TableName, DefinitionId)>,
    schemas: Vec<(String, (Option<String>, bool))>,
    #[serde(rename = "whole")]
    complete: Vec<String>,
    lost: Vec<TableName>,
    temporary: Vec<TableName>,
    #[serde(default)]
    views: Vec<TableName>,
    #[serde(default)]
    links: super::links::Links,
    #[serde(default)]
    united: Vec<(TableName, Vec<TableName>)>,
    #[serde(default)]
    foreign: (u32, Vec<(TableName, Vec<ForeignKey>)>),
    #[serde(default)]
    folds: Option<bool>,
    #[serde(default)]
    all_schemas: bool,
    #[serde(default)]
    renames: Vec<Rename>,
}

impl Catalog {
    /// How many definitions there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.definitions.len()).unwrap_or(u32::MAX)
    }

    /// One definition, written.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn definition_text(&self, id: DefinitionId) -> Result<Option<Vec<u8>>, serde_json::Error> {
        let Some(known) = self.known(id) else { return Ok(None) };
        let text = Definition { full: known.full.clone(), step: known.step.clone() };
        serde_json::to_vec(&text).map(Some)
    }

    /// All but the definitions, written.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn rest_text(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Rest {
            tables: self.tables.iter().map(|(n, d)| (n.clone(), *d)).collect(),
            schemas: self.schemas.iter().map(|(n, s)| (n.clone(), s.clone())).collect(),
            complete: self.complete.iter().cloned().collect(),
            lost: self.lost.iter().cloned().collect(),
            temporary: self.temporary.iter().cloned().collect(),
            views: self.views.iter().cloned().collect(),
            links: self.links.clone(),
            united: self.united.iter().map(|(n, t)| (n.clone(), t.clone())).collect(),
            foreign: self.foreign.listed(),
            folds: self.folds,
            all_schemas: self.all_schemas,
            renames: self.renames.clone(),
        })
    }

    /// A catalog of what [`Self::definition_text`] gave for each definition in order, and
    /// [`Self::rest_text`].
    ///
    /// # Errors
    /// The text is not of this kind.
    pub fn restored<'a>(
        definitions: impl Iterator<Item = &'a [u8]>,
        rest: &[u8],
    ) -> Result<Self, serde_json::Error> {
        let definitions = definitions.map(|text| {
            let Definition { full, step } = serde_json::from_slice(text)?;
            Ok(Arc::new(StoredDefinition::new(full, step)))
        });
        let definitions = definitions.collect::<Result<Vec<Arc<StoredDefinition>>, serde_json::Error>>()?;
        let rest: Rest = serde_json::from_slice(rest)?;
        let Rest {
            tables, schemas, complete, lost, temporary, links, united, foreign, folds, renames, ..
        } = rest;
        Ok(Self {
            definitions,
            tables: tables.into_iter().collect(),
            schemas: schemas.into_iter().collect(),
            complete: complete.into_iter().collect(),
            lost: lost.into_iter().collect(),
            temporary: temporary.into_iter().collect(),
            views: rest.views.into_iter().collect(),
            links,
            united: united.into_iter().collect(),
            foreign: ForeignKeys::restored(foreign),
            folds,
            renaming: Vec::new(),
            all_schemas: rest.all_schemas,
            renames,
        })
    }
}
