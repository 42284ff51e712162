//! Statements on partitions: what they do to rows and definitions.

use super::super::silent_changes::SilentChange;
use super::super::table::Full;
use super::super::token::{Tokens, Unread};
use super::super::{DefinitionId, Effect, Moved, partition};
use super::{Effects, Walk, excerpt};
use crate::schema::unread::{Ambiguity, Malformed};
use dbtrail_types::names::TableName;

impl Walk<'_> {
    /// ALTER TABLE on partitions or on the tablespace; `None`: it is neither.
    pub(super) fn partition_statement(
        &mut self,
        tokens: &mut Tokens,
        name: &TableName,
    ) -> Result<Option<Vec<Effect>>, Unread> {
        let of = |tokens: &mut Tokens, words: &[&'static str]| {
            words.iter().find(|word| tokens.words(&[word, "PARTITION"])).copied()
        };
        if of(tokens, &["REBUILD", "OPTIMIZE", "ANALYZE", "CHECK"]).is_some() {
            return Ok(Some(Vec::new()));
        }
        if tokens.one_of(&["DISCARD", "IMPORT"]).is_some() {
            return Ok(Some(vec![self.rows_unknown(name.clone(), SilentChange::Tablespace)]));
        }
        if tokens.words(&["CONVERT", "PARTITION"]) {
            return self.partition_to_table(tokens, name).map(Some);
        }
        if tokens.words(&["CONVERT", "TABLE"]) {
            return self.table_to_partition(tokens, name).map(Some);
        }
        let words = ["TRUNCATE", "DROP", "ADD", "COALESCE", "REORGANIZE", "REPAIR", "EXCHANGE"];
        let Some(word) = of(tokens, &words) else { return Ok(None) };
        if word == "REPAIR" {
            return Ok(Some(vec![self.rows_unknown(name.clone(), SilentChange::Repair)]));
        }
        if word == "EXCHANGE" {
            return self.exchange(tokens, name).map(Some);
        }
        tokens.one_of(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
        let _ = tokens.words(&["IF", "EXISTS"]) || tokens.words(&["IF", "NOT", "EXISTS"]);
        let empties = matches!(word, "TRUNCATE" | "DROP");
        let names = if empties { partition::names(tokens)? } else { Vec::new() };
        let before = self.catalog.tables.get(name).copied();
        let mut full = before.map(|id| self.catalog.full(id).clone());
        let mut effects = Vec::new();
        let partitions = full.as_mut().and_then(|full| full.partitions.as_mut());
        if empties {
            effects.push(match partitions.as_ref().and_then(|p| p.emptied(&names)) {
                Some(emptied) => Effect::PartitionsEmptied(name.clone(), emptied),
                None => self.rows_unknown(name.clone(), SilentChange::EmptiedPartitions),
            });
        }
        if let (Some(partitions), true) = (partitions, word != "TRUNCATE") {
            match word {
                "DROP" => partitions.remove(&names),
                "ADD" => partitions.add(tokens),
                "COALESCE" => partitions.coalesce(tokens),
                _ => partitions.reorganize(tokens),
            }
            if let (Some(before), Some(full)) = (before, full) {
                effects.push(self.same_columns(name, before, full));
            }
        }
        Ok(Some(effects))
    }

    /// Another definition of a table whose columns stay as they are.
    fn same_columns(&mut self, name: &TableName, before: DefinitionId, full: Full) -> Effect {
        let from = (0..full.columns.len()).map(Some).collect();
        let by = self.by();
        let id = self.catalog.follow_up(before, full, from, (&self.statement.sql, by));
        self.catalog.tables.insert(name.clone(), id);
        Effect::Altered(name.clone(), id)
    }

    /// Rows of a partition go to another table; `None`: which they are is not known.
    fn rows_moved(
        &self,
        (from, partition): (&TableName, Option<&str>),
        to: &TableName,
        back: bool,
    ) -> Option<Effect> {
        let full = self.catalog.tables.get(from).map(|id| self.catalog.full(*id))?;
        let partitions = match partition {
            Some(name) => Some(full.partitions.as_ref()?.emptied(&[name.to_owned()])?),
            None => None,
        };
        let statement = excerpt(&self.statement.sql);
        let moved = Moved { from: from.clone(), partitions, to: to.clone(), back, statement };
        Some(Effect::RowsMoved(Box::new(moved)))
    }

    /// EXCHANGE PARTITION p WITH TABLE t.
    fn exchange(&mut self, tokens: &mut Tokens, name: &TableName) -> Effects {
        let other = self.others.pop().ok_or(Unread::Malformed(Malformed::ExchangedTable))?;
        let partition = tokens.name()?;
        let moved = self.rows_moved((name, Some(&partition)), &other, true);
        let mut effects = match moved {
            Some(moved) => vec![moved],
            None => [name.clone(), other]
                .map(|table| self.rows_unknown(table, SilentChange::ExchangedPartition))
                .into(),
        };
        effects.extend(self.unchecked(tokens, name));
        Ok(effects)
    }

    /// After WITHOUT VALIDATION rows may lie in partitions to which they do not belong.
    fn unchecked(&mut self, tokens: &mut Tokens, name: &TableName) -> Option<Effect> {
        tokens.cut(&["WITHOUT", "VALIDATION"])?;
        let before = self.catalog.tables.get(name).copied()?;
        let mut full = self.catalog.full(before).clone();
        full.partitions.as_mut()?.forget();
        Some(self.same_columns(name, before, full))
    }

    /// CONVERT PARTITION p TO TABLE t (MariaDB): a new table of the same columns.
    fn partition_to_table(&mut self, tokens: &mut Tokens, name: &TableName) -> Effects {
        let partition = tokens.name()?;
        let new = self.others.last().cloned().ok_or(Unread::Malformed(Malformed::ConvertedTable))?;
        let before = self.catalog.tables.get(name).copied();
        let before = before.ok_or(Unread::Ambiguous(Ambiguity::DefinitionBefore))?;
        let mut full = self.catalog.full(before).clone();
        let moved = self.rows_moved((name, Some(&partition)), &new, false);
        let alone = Full { partitions: None, ..full.clone() };
        let mut effects = self.created(Vec::new(), new.clone(), alone);
        if let Some(moved) = moved {
            effects.push(moved);
        } else {
            let both = [name.clone(), new];
            effects.extend(both.map(|table| self.rows_unknown(table, SilentChange::ConvertedPartition)));
        }
        if let Some(partitions) = &mut full.partitions {
            partitions.remove(&[partition]);
        }
        effects.push(self.same_columns(name, before, full));
        Ok(effects)
    }

    /// CONVERT TABLE t TO PARTITION p VALUES ... (MariaDB): the table is gone.
    fn table_to_partition(&mut self, tokens: &mut Tokens, name: &TableName) -> Effects {
        let old = tokens.table(self.schema())?;
        if !tokens.words(&["TO"]) {
            return Err(Unread::Missing("TO"));
        }
        let before = self.catalog.tables.get(name).copied();
        let before = before.ok_or(Unread::Ambiguous(Ambiguity::DefinitionBefore))?;
        let mut full = self.catalog.full(before).clone();
        if let Some(partitions) = &mut full.partitions {
            partitions.add_one(tokens);
        }
        let mut effects = vec![self.same_columns(name, before, full)];
        effects.push(match self.rows_moved((&old, None), name, false) {
            Some(moved) => moved,
            None => self.rows_unknown(name.clone(), SilentChange::ConvertedPartition),
        });
        effects.extend(self.unchecked(tokens, name));
        self.catalog.tables.remove(&old);
        self.catalog.lost.remove(&old);
        self.catalog.foreign.remove(&old);
        effects.push(Effect::Dropped(old));
        Ok(effects)
    }
}
