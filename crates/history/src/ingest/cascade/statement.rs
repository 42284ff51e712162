//! Statements whose foreign keys are not known: which tables may have changed with them.

use super::super::Ingest;
use crate::log::{MappedColumn, MappedTable, Rows, RowsEvent, Statement, code};
use crate::names::TableState;
use crate::store::ChangeSequence;
use dbtrail_types::agent_api::EventType;
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Types of table maps that may refer to each other are of one class.
fn class(column: &MappedColumn) -> u8 {
    match column.type_code {
        code::VARCHAR | code::STRING | code::BLOB | code::VAR_STRING => code::VARCHAR,
        other => other,
    }
}

impl Ingest {
    /// A rows event begins.
    pub(in crate::ingest) fn statement_goes_on(&mut self, event: &RowsEvent) {
        let Statement { mapped, checks, logs_cascades, .. } = &event.statement;
        let first = *self.under.first.get_or_insert(self.next);
        self.under.deletes_since = Some(first).filter(|_| *logs_cascades && event.kind == EventType::Delete);
        if !self.catalog.united(&event.table.name).is_empty() {
            let at = self.take_number();
            for table in self.catalog.united(&event.table.name).to_vec() {
                let reason = format!("rows of it were changed through {}, a MERGE table", event.table.name);
                self.rows_unknown(&table, at, &reason);
            }
        }
        if mapped.len() > 1 {
            self.under.changed.insert(event.table.name.clone());
        }
        if event.kind == EventType::Insert || !checks || *logs_cascades {
            return;
        }
        if event.table.server.mariadb && mapped.len() > 1 && self.under.mapped.is_none() {
            self.under.watched |= mapped.iter().any(|m| !self.catalog.is_declared(&m.name));
            self.under.mapped = Some(Arc::clone(mapped));
        }
        let declared = self.catalog.is_declared(&event.table.name);
        if event.table.referred && (!declared || self.has_unknown_children()) {
            self.under.watched = true;
            self.under.referred.insert(event.table.name.clone());
        }
    }

    /// Looks at what changed of a row, where that says which other rows may have changed with it.
    pub(in crate::ingest) fn watch(&mut self, rows: &Rows<'_>, event: &RowsEvent) {
        if !self.under.watched || event.kind == EventType::Insert {
            return;
        }
        let (Some(before), Some(after)) = (rows.before(), rows.after()) else {
            self.under.any = true;
            return;
        };
        for ((column, before), after) in event.table.columns.iter().zip(before).zip(after) {
            // What an image leaves out has not changed.
            if after.is_some() && before != after {
                self.under.types.insert(class(column));
            }
        }
    }

    /// The last rows event of a statement was taken in. MariaDB maps the tables whose rows a
    /// foreign key may change, and writes no rows of them; MySQL only says that a foreign key
    /// refers to the table.
    pub(in crate::ingest) fn statement_ends(&mut self) {
        let under = std::mem::take(&mut self.under);
        if !under.watched {
            return;
        }
        let hit = |columns: &[MappedColumn]| {
            under.any || columns.is_empty() || columns.iter().any(|c| under.types.contains(&class(c)))
        };
        let maps = || under.mapped.iter().flat_map(|m| m.iter());
        let hidden = |m: &&Arc<MappedTable>| {
            let twice = || maps().filter(|other| other.name == m.name).count() > 1;
            hit(&m.columns) && (!under.changed.contains(&m.name) || twice())
        };
        let parents: Vec<String> = under.changed.iter().map(ToString::to_string).collect();
        let children: Vec<TableName> = maps().filter(hidden).map(|m| m.name.clone()).collect();
        let children = children.into_iter().filter(|name| !self.catalog.is_declared(name));
        let children: BTreeSet<TableName> = children.collect();
        let nothing = !under.any && under.types.is_empty();
        if nothing || (children.is_empty() && under.referred.is_empty()) {
            return;
        }
        let at = self.take_number();
        for child in children {
            self.hidden_child(&child, &parents.join(", "), at);
        }
        if let Some(parent) = under.referred.first() {
            self.doubt_unknown_children(parent, at);
        }
    }

    fn hidden_child(&mut self, child: &TableName, parents: &str, at: ChangeSequence) {
        let reason = format!(
            "a statement on {parents} may have changed or removed rows of it by a foreign key (the log names the table, and has no rows of it; its foreign keys \
             are not in the record)"
        );
        self.rows_unknown(child, at, &reason);
        self.unknown_below(child, at);
    }

    /// Whether there are tables whose foreign keys are not known.
    fn has_unknown_children(&mut self) -> bool {
        let mentioned = self.names.iter().len();
        if let Some((of, known)) = self.unknown_children
            && of == mentioned
        {
            return known;
        }
        let known = !self.unknown_children().is_empty();
        self.unknown_children = Some((mentioned, known));
        known
    }

    /// The tables whose foreign keys are not known: those that the record tells of, and those that
    /// foreign keys refer to.
    fn unknown_children(&self) -> BTreeSet<TableName> {
        let living = self.names.living(&[]).into_iter().filter(|name| !self.catalog.is_declared(name));
        let parents = self.catalog.unknown_parents();
        let parents = parents.filter(|name| !matches!(self.names.current(name), TableState::Absent));
        living.chain(parents.cloned()).collect()
    }

    /// Some table refers to the parent, and the log does not say which: each whose foreign keys are
    /// not known.
    fn doubt_unknown_children(&mut self, parent: &TableName, at: ChangeSequence) {
        let reason = format!(
            "a statement on {parent} may have changed or removed rows of it by a foreign key (foreign keys refer to {parent}, the server does not log what they \
             do, and the foreign keys of this table are not in the record)"
        );
        for name in self.unknown_children() {
            self.rows_unknown(&name, at, &reason);
            self.unknown_below(&name, at);
        }
        self.names_mut().sweep_unmentioned(at);
    }

    /// Rows of a parent changed, and how is not known: what follows from that is not known either.
    pub(in crate::ingest) fn unknown_below(&mut self, parent: &TableName, at: ChangeSequence) {
        for child in self.catalog.below(parent) {
            let reason = format!(
                "rows of {parent} changed in a way that is not known, and a foreign key may have changed or removed rows of this table with them"
            );
            self.rows_unknown(&child, at, &reason);
        }
    }

    /// A rows event of a table that cannot be read: rows that refer to its rows may have changed.
    pub(in crate::ingest) fn unreadable_parent(&mut self, event: &RowsEvent, at: ChangeSequence) {
        let Statement { checks, logs_cascades, .. } = event.statement;
        if event.kind != EventType::Insert && checks && !logs_cascades {
            self.under.any = true;
            self.unknown_below(&event.table.name, at);
        }
    }
}
