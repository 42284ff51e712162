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
    let mut following = c.clone();
    following.go(end);
    following.words(&["FROM", "DUAL"]);
    if following.find(&OTHERS) < following.index() + following.length()
        || c.part(c.index(), end).find(&OTHERS) < end
    {
        return Ok(None);
    }
    // One row is all of them, distinct, and in no cache.
    while c.one_of(&["ALL", "DISTINCT", "SQL_NO_CACHE"]).is_some() {}
    let parts = c.part(c.index(), end).split();
    if parts.len() > MOST_COLUMNS {
        return Err(Refused::Unsupported { message: format!("more than {MOST_COLUMNS} columns") });
    }
    let mut filter = None;
    if following.words(&["WHERE"]) {
        let end = following.find(&["LIMIT"]);
        filter = Some(Box::new(following.part(following.index(), end).expression()?));
        following.go(end);
    }
    let mut most = None;
    if following.words(&["LIMIT"]) {
        let limit = limit(&mut following)?;
        most = Some(if limit.offset == 0 { limit.count } else { 0 });
    }
    if !following.is_at_end() {
        return Err(following.unexpected("the end of the statement"));
    }
    let items = parts.iter().map(item).collect::<Result<_, _>>()?;
    Ok(Some(Statement::Constants { items, filter, limit: most }))
}
