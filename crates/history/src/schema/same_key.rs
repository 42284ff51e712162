//! Whether two definitions of one table identify rows in the same way.

use super::{Catalog, DefinitionId, StoredDefinition, carry, convert};

impl Catalog {
    /// Whether `later` came of `earlier` by ALTERs.
    #[must_use]
    pub fn precedes(&self, earlier: DefinitionId, later: DefinitionId) -> bool {
        carry::path(self, earlier, later).is_some()
    }

    /// Whether two definitions of one table identify rows in the same way: the same columns as key,
    /// of the same collations, and of types under which a key is the same bytes (an INT that became
    /// a BIGINT).
    #[must_use]
    pub fn same_key(&self, a: DefinitionId, b: DefinitionId) -> bool {
        if a == b {
            return true;
        }
        let (first, second) = if a < b { (a, b) } else { (b, a) };
        let (Some(old), Some(new)) = (self.known(first), self.known(second)) else { return false };
        let Some(path) = carry::path(self, first, second) else {
            // Two tables that had the name one after the other.
            let key = |known: &StoredDefinition| -> Vec<_> {
                let columns = known.public.key_columns();
                columns.iter().map(|c| (c.name.to_lowercase(), c.ty.clone(), c.collation.clone())).collect()
            };
            return key(old) == key(new);
        };
        let mut positions: Vec<Option<usize>> =
            old.public.primary_key.iter().map(|n| old.full.position(n)).collect();
        let mut before = first;
        for id in path {
            let Some(StoredDefinition { step: Some(step), full, .. }) = self.known(id) else { return false };
            let earlier = self.full(before);
            for position in &mut positions {
                let next = position.and_then(|p| step.from.iter().position(|f| *f == Some(p)));
                let pair = position.zip(next);
                let pair = pair.and_then(|(a, b)| earlier.columns.get(a).zip(full.columns.get(b)));
                if !pair.is_some_and(|(a, b)| convert::keeps_keys(&a.column, &b.column, step.by)) {
                    return false;
                }
                *position = next;
            }
            before = id;
        }
        let now: Vec<Option<usize>> = new.public.primary_key.iter().map(|n| new.full.position(n)).collect();
        positions == now
    }

    /// Columns of the key of `new`, by their places in `old`, in which the statement between the
    /// two gave each zero a number: they became AUTO_INCREMENT.
    pub(crate) fn numbered_keys(&self, old: DefinitionId, new: DefinitionId) -> Vec<usize> {
        let (Some(before), Some(now)) = (self.known(old), self.known(new)) else { return Vec::new() };
        let Some(step) = now.step.as_ref().filter(|s| s.before == old && !s.by.keeps_zeros()) else {
            return Vec::new();
        };
        let numbered = |name: &String| {
            let at = now.full.position(name)?;
            let from = (*step.from.get(at)?)?;
            let (was, is) = (before.full.columns.get(from)?, now.full.columns.get(at)?);
            (is.column.auto_increment && !was.column.auto_increment).then_some(from)
        };
        now.full.primary_key.iter().filter_map(numbered).collect()
    }

    /// The first statement that made `later` of `earlier` and changed how rows are identified.
    #[must_use]
    pub fn changed_key(&self, earlier: DefinitionId, later: DefinitionId) -> Option<&str> {
        let path = carry::path(self, earlier, later)?;
        let id = path.into_iter().find(|id| !self.same_key(earlier, *id))?;
        self.known(id)?.step.as_ref().map(|step| step.statement.as_str())
    }
}
