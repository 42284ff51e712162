//! Rows under a definition: cells that the log left out are computed, or carry the reason why they
//! are not known.

use super::super::image::{Content, Image};
use super::carry::Carried;
use super::convert::By;
use super::lost_cell::UnknownCell;
use super::versioned::{ROW_END, ROW_START};
use super::{Catalog, DefinitionId, compute, generated};
use dbtrail_types::names::TableName;
use dbtrail_types::result_set::Cell;

impl Catalog {
    /// A packed row of this definition; of a cell that is not known: why.
    #[must_use]
    pub fn unpack(&self, id: DefinitionId, image: &Image) -> Carried {
        let cells = image.cells().enumerate();
        cells
            .map(|(i, cell)| match cell {
                Content::Null => Ok(None),
                Content::Bytes(bytes) => Ok(Some(bytes.to_vec())),
                Content::Unknown => self.computed(id, i, image),
            })
            .collect()
    }

    /// A cell that a row of this definition leaves out, where it is computed from the others;
    /// `Err`: why it is not known.
    ///
    /// # Errors
    /// It is not.
    pub fn computed(&self, id: DefinitionId, column: usize, image: &Image) -> Result<Cell, UnknownCell> {
        let reported = |at: usize| match image.cells().nth(at)? {
            Content::Null => Some(None),
            Content::Bytes(bytes) => Some(Some(bytes)),
            Content::Unknown => None,
        };
        let computed = self.known(id).and_then(|known| known.computed(column, reported));
        computed.ok_or_else(|| self.why_unknown(id, column))
    }

    /// Why a cell of this column is not known in a row that was recorded under this definition.
    #[must_use]
    pub fn why_unknown(&self, id: DefinitionId, column: usize) -> UnknownCell {
        generated::why_unknown(self.full(id), column)
    }

    /// Positions of the generated columns of a definition, rising: not all servers log them with
    /// each row.
    #[must_use]
    pub fn generated(&self, id: DefinitionId) -> &[usize] {
        self.known(id).map_or(&[], |k| &k.generated)
    }

    /// Positions of the columns that no statement can set, rising: generated ones, and those in
    /// which a system-versioned table keeps the time of a row.
    #[must_use]
    pub fn set_by_server(&self, id: DefinitionId) -> Vec<usize> {
        let mut all = self.generated(id).to_vec();
        if let Some(known) = self.known(id).filter(|known| known.full.versioned) {
            all.extend([ROW_START, ROW_END].iter().filter_map(|name| known.full.position(name)));
            all.sort_unstable();
        }
        all
    }

    /// Whether the log, or the server, names the engine of a table of this definition.
    #[must_use]
    pub fn names_engine(&self, id: DefinitionId) -> bool {
        self.full(id).engine.is_some()
    }

    /// Positions of the columns that are not compared, rising: rows of the log may lack them.
    #[must_use]
    pub fn uncompared(&self, id: DefinitionId) -> &[usize] {
        self.known(id).map_or(&[], |k| &k.uncompared)
    }

    /// Positions of the columns whose text is in a character set that cannot be converted.
    #[must_use]
    pub fn unreadable(&self, id: DefinitionId) -> &[usize] {
        self.known(id).map_or(&[], |k| &k.unreadable)
    }

    /// Positions of the columns of which the log does not say how their values are shown, or whose
    /// text cannot be read.
    #[must_use]
    pub fn unlogged(&self, id: DefinitionId) -> Vec<usize> {
        let columns = &self.full(id).columns;
        let unlogged =
            |at: &usize| columns.get(*at).is_some_and(|c| c.generated.as_deref() == Some(generated::NO_TYPE));
        self.generated(id)
            .iter()
            .copied()
            .filter(unlogged)
            .chain(self.unreadable(id).iter().copied())
            .collect()
    }

    /// Whether it has a generated column whose value is not computed here.
    #[must_use]
    pub fn has_uncomputed(&self, id: DefinitionId) -> bool {
        let full = self.full(id);
        self.generated(id).iter().any(|at| compute::of(full, *at).is_none())
    }

    /// The row with those unknown generated cells that another row of the same definition tells: a
    /// generated column has the same value where all columns that its expression names have.
    #[must_use]
    pub fn filled(&self, id: DefinitionId, row: &Image, other: &Image) -> Option<Image> {
        generated::filled(self.known(id)?, row, other)
    }

    /// A definition in which these columns are known to be generated, whatever their expressions:
    /// rows of the log leave them out. Only where the definition was learned from table maps alone.
    pub fn leave_out(&mut self, name: &TableName, columns: &[usize]) -> Option<DefinitionId> {
        let id = *self.tables.get(name)?;
        let full = generated::left_out(self.full(id), columns)?;
        let from = (0..full.columns.len()).map(Some).collect();
        let id = self.follow_up(id, full, from, ("rows of the log leave columns out", By::Nobody));
        self.tables.insert(name.clone(), id);
        Some(id)
    }

    /// The generated columns that may be computed from some columns: those whose expressions have a
    /// word of such a name.
    #[must_use]
    pub fn dependents(&self, id: DefinitionId, columns: &[&str]) -> Vec<usize> {
        let Some(known) = self.known(id) else { return Vec::new() };
        let uses = |expression: &String| {
            let expression = expression.to_lowercase();
            // More than words: a name with other characters in it is no one word.
            columns.iter().any(|column| expression.contains(&column.to_lowercase()))
        };
        let columns = known.full.columns.iter().enumerate();
        columns.filter(|(_, c)| c.generated.as_ref().is_some_and(uses)).map(|(at, _)| at).collect()
    }
}
