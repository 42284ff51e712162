//! Periods of one's own (MariaDB Knowledge Base: "Application-Time Periods"): `PERIOD FOR p (a, b)`
//! makes two columns NOT NULL, and stands for both in a key WITHOUT OVERLAPS.

use crate::schema::table::Full;
use crate::schema::token::{Tokens, Unread};
use crate::schema::unread::Ambiguity;
use dbtrail_types::column::same_name;

/// A period among the parts of a table.
pub(super) struct Period {
    name: String,
    from: String,
    to: String,
}

/// A period; `None`: none comes next.
pub(super) fn period(tokens: &mut Tokens) -> Result<Option<Period>, Unread> {
    if !tokens.words(&["PERIOD", "FOR"]) {
        return Ok(None);
    }
    let name = tokens.name()?;
    if same_name(&name, "SYSTEM_TIME") {
        return Err(Unread::Ambiguous(Ambiguity::OwnPeriodColumns));
    }
    let mut group = tokens.group()?;
    let from = group.name()?;
    if !group.symbol(',') {
        return Err(Unread::Ambiguous(Ambiguity::PeriodOfTwo));
    }
    let to = group.name()?;
    Ok(Some(Period { name, from, to }))
}

impl Period {
    /// Carries it out on a table that was read whole.
    pub(super) fn settle(&self, full: &mut Full) {
        for column in &mut full.columns {
            if [&self.from, &self.to].iter().any(|name| same_name(name, &column.column.name)) {
                column.column.nullable = false;
            }
        }
        // An index has the end before the beginning.
        let put = |columns: &mut Vec<String>| {
            if let Some(at) = columns.iter().position(|name| same_name(name, &self.name)) {
                columns.splice(at..=at, [self.to.clone(), self.from.clone()]);
            }
        };
        put(&mut full.primary_key);
        full.indexes.iter_mut().for_each(|index| put(&mut index.columns));
    }
}
