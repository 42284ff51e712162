//! The actions of an ALTER TABLE, carried out together.

use super::{AlterReader, Altered, ColumnPosition, PositionedColumn, called, drop_index};
use crate::schema::converted::{fits_row, keeps_labels, redefined_size, sized_for, unchanged_size};
use crate::schema::table::{BackfilledValue, Full, FullColumn};
use crate::schema::token::Unread;
use crate::schema::versioned;
use dbtrail_types::column::{ColumnType, same_name};

/// A column of the table as it will be.
pub(super) struct Slot {
    pub(super) column: FullColumn,
    /// Its position before.
    pub(super) old: Option<usize>,
    /// The one before it that its values come from.
    pub(super) from: Option<usize>,
}

impl AlterReader<'_> {
    pub(super) fn carry_out(mut self) -> Result<Altered, Unread> {
        self.set_defaults()?;
        if let Some((collation, known)) = self.converted.take() {
            self.convert_columns(&collation, known)?;
        }
        let mut full = Full {
            collation: self.declared.collation.clone(),
            collation_known: self.declared.collation_known,
            inferred: self.before.inferred,
            engine: self.declared.engine.take(),
            partitions: self.declared.partitions.take(),
            foreign_keys: std::mem::take(&mut self.declared.foreign_keys),
            ..Full::default()
        };
        self.keys(&mut full);
        let slots = self.slots()?;
        full.primary_key.retain(|n| slots.iter().any(|s| same_name(&s.column.column.name, n)));
        let mut altered = Altered {
            full,
            from: Vec::new(),
            renamed: self.renamed,
            dropped_keys: self.dropped_keys,
            versioning: self.versioning,
        };
        for slot in slots {
            altered.full.columns.push(slot.column);
            altered.from.push(slot.from);
        }
        altered.full.check()?;
        altered.full.settle();
        if self.versioning == Some(true) {
            altered.full.versioned = true;
            versioned::add_columns(&mut altered.full)?;
            altered.from.extend([None; 2]);
            if let Some(end) = altered.full.columns.last_mut() {
                end.filled = versioned::end_of_time(self.silent.server);
            }
        }
        Ok(altered)
    }

    /// The columns in their new order, as the servers work it out: first all that stay, under their
    /// new definitions and where they were; then, in the order of the statement, what has a
    /// position or is new is put among the columns as they are by then.
    pub(super) fn slots(&mut self) -> Result<Vec<Slot>, Unread> {
        let mut slots: Vec<Slot> = Vec::new();
        let mut positions: Vec<ColumnPosition> = Vec::new();
        for (at, before) in self.before.columns.iter().enumerate() {
            let (column, position) = self.changed[at].take().unwrap_or_else(|| {
                let generated = before.generated.as_deref().map(|text| self.silent.generated_again(text));
                (FullColumn { generated, ..before.clone() }, ColumnPosition::Stay)
            });
            positions.push(position);
            if self.dropped[at] {
                continue;
            }
            let mut slot = Slot { column, old: Some(at), from: Some(at) };
            // A column that becomes generated, or whose expression changes, is computed again.
            if slot.column.generated.is_some() && slot.column.generated != before.generated {
                slot.from = None;
                slot.column.filled = BackfilledValue::Unknown(format!(
                    "generated column {} was computed again, which is not followed",
                    slot.column.column.name
                ));
            }
            slots.push(slot);
        }
        for placed in std::mem::take(&mut self.placed) {
            let (slot, position) = match placed {
                PositionedColumn::Old(old) => {
                    let Some(at) = slots.iter().position(|s| s.old == Some(old)) else { continue };
                    (slots.remove(at), std::mem::replace(&mut positions[old], ColumnPosition::Stay))
                }
                PositionedColumn::New(column, position) => {
                    (Slot { column: *column, old: None, from: None }, position)
                }
            };
            let at = match position {
                ColumnPosition::Stay => slots.len(),
                ColumnPosition::First => 0,
                ColumnPosition::After(name) => {
                    let before = slots.iter().position(|s| same_name(&s.column.column.name, &name));
                    before.ok_or_else(|| Unread::NoColumnBefore(name.clone()))? + 1
                }
            };
            slots.insert(at, slot);
        }
        Ok(slots)
    }

    /// The primary key and the indexes under the new names of their columns.
    pub(super) fn keys(&self, full: &mut Full) {
        let new_name = |old: &String| -> Option<String> {
            let Some(at) = self.before.position(old) else { return Some(old.clone()) };
            let changed = self.changed[at].as_ref().map_or(old, |(c, _)| &c.column.name);
            (!self.dropped[at]).then(|| changed.clone())
        };
        let mut left = Full {
            primary_key: self.before.primary_key.clone(),
            indexes: self.before.indexes.clone(),
            ..Full::default()
        };
        if self.drops_primary_key {
            left.primary_key.clear();
        }
        for name in &self.dropped_indexes {
            drop_index(&mut left, name);
        }
        for (old, new) in &self.renamed_indexes {
            for index in left.indexes.iter_mut().filter(|i| same_name(&called(i), old)) {
                index.name = Some(new.clone());
            }
        }
        full.primary_key = left.primary_key.iter().filter_map(new_name).collect();
        for mut index in left.indexes {
            index.columns = index.columns.iter().filter_map(new_name).collect();
            if !index.columns.is_empty() {
                full.indexes.push(index);
            }
        }
        if !self.declared.primary_key.is_empty() {
            full.primary_key.clone_from(&self.declared.primary_key);
        }
        full.indexes.extend(self.declared.indexes.iter().cloned());
    }

    /// All text columns go over to a collation, also those that the statement adds or defines
    /// again, whatever it says of them. A TEXT that was there and whose characters would not fit
    /// any more grows.
    pub(super) fn convert_columns(&mut self, collation: &str, known: bool) -> Result<(), Unread> {
        for at in 0..self.before.columns.len() {
            let before = &self.before.columns[at];
            if self.dropped[at] || (!self.defined[at] && !before.is_text()) {
                continue;
            }
            if before.is_text() && !before.collation_known {
                return Err(Unread::UnknownCharset(before.column.name.clone()));
            }
            let column = before.column.clone();
            if !self.defined[at] {
                unchanged_size(&column, &mut self.current(at).column.ty, collation)?;
            } else if !self.silent.server.mariadb {
                // MySQL looks at what the column was, also where the statement defines it again;
                // MariaDB does not.
                let said = self.declared.lengths.iter().find(|(name, _)| {
                    self.changed[at].as_ref().is_some_and(|(c, _)| same_name(&c.column.name, name))
                });
                if said.is_none() {
                    redefined_size(&column, &mut self.current(at).column.ty, collation)?;
                }
            }
        }
        let added = self.placed.iter_mut().filter_map(|p| match p {
            PositionedColumn::New(column, _) => Some(&mut **column),
            PositionedColumn::Old(_) => None,
        });
        let old = self.changed.iter_mut().flatten().map(|(column, _)| column);
        let lengths = &self.declared.lengths;
        for full in old.chain(added).filter(|c| c.is_text()) {
            keeps_labels(&full.column, collation)?;
            // TEXT(n) has room for n characters of the new set.
            let said = lengths.iter().find(|(name, _)| same_name(name, &full.column.name));
            if let (ColumnType::Text { size }, Some((_, length))) = (&mut full.column.ty, said) {
                *size = sized_for(*length, collation)?;
            }
            fits_row(&full.column, collation)?;
            full.column.collation = Some(collation.to_owned());
            full.collation_known = known;
        }
        Ok(())
    }
}
