//! A SELECT without a table: `SELECT 1`, `SELECT @@version FROM DUAL WHERE ...`.

use super::cursor::Cursor;
use super::select_list::limit;
use super::{MOST_COLUMNS, Refused, Statement, item};

/// What can be after the items that is not carried out here.
const OTHERS: [&str; 9] = ["FROM", "INTO", "UNION", "EXCEPT", "INTERSECT", "GROUP", "HAVING", "ORDER", "FOR"];

/// `None`: it is another statement.
pub(super) fn selected(c: &mut Cursor<'_>) -> Result<Option<Statement>, Refused> {
    if !c.words(&["SELECT"]) {
        return Ok(None);
    }
    let end = c.find(&["FROM", "WHERE", "LIMIT"]);
    let mut behind = c.clone();
    behind.go(end);
    behind.words(&["FROM", "DUAL"]);
    if behind.find(&OTHERS) < behind.place() + behind.length() || c.part(c.place(), end).find(&OTHERS) < end {
        return Ok(None);
    }
    // One row is all of them, distinct, and in no cache.
    while c.one_of(&["ALL", "DISTINCT", "SQL_NO_CACHE"]).is_some() {}
    let parts = c.part(c.place(), end).split();
    if parts.len() > MOST_COLUMNS {
        return Err(Refused::Unsupported { message: format!("more than {MOST_COLUMNS} columns") });
    }
    let mut filter = None;
    if behind.words(&["WHERE"]) {
        let end = behind.find(&["LIMIT"]);
        filter = Some(Box::new(behind.part(behind.place(), end).expression()?));
        behind.go(end);
    }
    let mut most = None;
    if behind.words(&["LIMIT"]) {
        let limit = limit(&mut behind)?;
        most = Some(if limit.offset == 0 { limit.count } else { 0 });
    }
    if !behind.is_at_end() {
        return Err(behind.unexpected("the end of the statement"));
    }
    let items = parts.iter().map(item).collect::<Result<_, _>>()?;
    Ok(Some(Statement::Constants { items, filter, limit: most }))
}
