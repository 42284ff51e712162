//! Questions to `_history`: `SELECT ... FROM _history.transactions BETWEEN ... AND ...`.

use super::clauses::{Head, alias, allowed, head, one_query, tail};
use super::cursor::Cursor;
use super::hint;
use super::select_list::distinct;
use super::tables::virtual_tables;
use super::timestamp::timestamp;
use super::{Draft, RecordEnd, Refused, Statement, TimeClause, TimestampExpr, VirtualSchema};
use dbtrail_types::happened::HistoryTable;
use sqlparser::tokenizer::Token;

/// The schema as it is in SQL.
pub const HISTORY: &str = "_history";

/// The question that a statement is; `None`: it is something else.
pub(super) fn history(c: &Cursor<'_>) -> Result<Option<Statement>, Refused> {
    let named = |position: usize| {
        matches!(c.token_at(position), Some(Token::Word(w)) if w.value.eq_ignore_ascii_case(HISTORY))
            && c.token_at(position + 1) == Some(&Token::Period)
    };
    let positions = c.index()..c.index() + c.length();
    if !virtual_tables(c).is_empty() || !positions.into_iter().any(named) {
        return Ok(None);
    }
    let mut c = c.clone();
    one_query(&c)?;
    let Head { projection, distinct: is_distinct } = head(&mut c)?;
    let schema = c.clone();
    if !c.name("a table of _history")?.eq_ignore_ascii_case(HISTORY) || !c.token(&Token::Period) {
        return Err(schema.unexpected("a table of _history"));
    }
    let position = c.clone();
    let name = c.name("a table of _history")?;
    let table = HistoryTable::ALL.into_iter().find(|t| t.name().eq_ignore_ascii_case(&name));
    let Some(table) = table else {
        let names: Vec<&str> = HistoryTable::ALL.iter().map(|t| t.name()).collect();
        return Err(Refused::Unsupported {
            message: format!(
                "_history has no such table, at {}: there are {}",
                position.here(),
                names.join(", ")
            ),
        });
    };
    let early = alias(&mut c)?;
    let time_at = c.position();
    let time = if table.has_window() {
        window(&mut c, table)?
    } else {
        TimeClause::At(TimestampExpr::End(RecordEnd::Latest))
    };
    let first = allowed(&mut c);
    let alias = if early.is_some() { early } else { alias(&mut c)? };
    let then = allowed(&mut c);
    let hints = hint::hints(&c.hint())?;
    let mut draft = Draft {
        alias,
        projection,
        allow_wide_diff: first.wide.or(then.wide).or(hints.allow_wide_diff),
        ..Draft::of_all(VirtualSchema::Diff, table.name().to_owned(), time, time_at)
    };
    tail(&mut c, &mut draft)?;
    distinct(&mut draft, is_distinct)?;
    Ok(Some(Statement::History(table, Box::new(draft))))
}

/// `BETWEEN a AND b`, or `AT GTID '...'`.
fn window(c: &mut Cursor<'_>, table: HistoryTable) -> Result<TimeClause, Refused> {
    if c.words(&["AT", "GTID"]) {
        if let Some(number) = c.parameter() {
            return Ok(TimeClause::At(TimestampExpr::Parameter(number)));
        }
        return c.text_or_bytes().map(TimeClause::Gtid).ok_or_else(|| {
            c.unexpected("a GTID in quotes, such as '3e11fa47-71ca-11e1-9e33-c80aa9429562:42',")
        });
    }
    if !c.words(&["BETWEEN"]) {
        return Err(c.unexpected(&format!(
            "BETWEEN and two instants (SELECT * FROM _history.{} BETWEEN NOW() - INTERVAL 5 MINUTE AND NOW()), or AT GTID",
            table.name()
        )));
    }
    let since = timestamp(c)?;
    if !c.words(&["AND"]) {
        return Err(c.unexpected("AND and the end of the window"));
    }
    Ok(TimeClause::Between(since, timestamp(c)?))
}
