//! Time travel for programs that cannot write a virtual schema: `statements.orm_forms`.
//!
//! `SELECT /*+ DBTRAIL_AT='...' */ ...` and a time clause at the end of a query on a real table
//! mean `_flashback`. Off by default: where such a statement is sent to MySQL by mistake, the hint
//! is ignored there with a warning that nobody reads, and the present is read.

use super::clauses::{self, Allowed, Head};
use super::cursor::{Cursor, syntax};
use super::diagnostics::Example;
use super::hint::{self, Hints};
use super::select_list::distinct;
use super::{Draft, ParseSettings, Refused, StatementPosition, TimeClause, VirtualSchema};
use sqlparser::tokenizer::Token;

/// The query, if it has one of these forms.
pub(super) fn orm(c: &Cursor<'_>, reading: ParseSettings) -> Result<Option<Draft>, Refused> {
    let mut c = c.clone();
    if !c.clone().words(&["SELECT"]) {
        return Ok(None);
    }
    let clause = clause_at_the_end(&c);
    if clause.is_none() && !c.hint().is_ours() {
        return Ok(None);
    }
    let hints = hint::hints(&c.hint())?;
    let end = clause.unwrap_or(c.index() + c.length());
    if clause.is_none() && hints.at.is_none() {
        return Ok(None);
    }
    if !reading.orm_forms {
        return Err(off(&c, clause, &hints));
    }
    let (time, time_at, allowed) = time(&c, clause, &hints)?;
    c = c.part(c.index(), end);
    clauses::one_query(&c)?;
    let Head { projection, distinct: is_distinct } = clauses::head(&mut c)?;
    let (schema, table) = real_name(&mut c)?;
    let alias = clauses::alias(&mut c)?;
    let mut draft = Draft {
        schema,
        alias,
        projection,
        allow_wide_diff: allowed.wide.or(hints.allow_wide_diff),
        allow_table_scan: allowed.scan.or(hints.allow_table_scan),
        ..Draft::of_all(VirtualSchema::Flashback, table, time, time_at)
    };
    clauses::tail(&mut c, &mut draft)?;
    distinct(&mut draft, is_distinct)?;
    Ok(Some(draft))
}

/// Where a time clause begins after WHERE, ORDER BY or LIMIT.
fn clause_at_the_end(c: &Cursor<'_>) -> Option<usize> {
    let mut following = c.clone();
    following.go(c.find(&["FROM"]));
    following.go(following.find(&["WHERE", "ORDER", "LIMIT"]));
    following.go(following.find_any(&[&["AS", "OF"], &["AT", "GTID"]]));
    (!following.is_at_end()).then(|| following.index())
}

fn time(
    c: &Cursor<'_>,
    clause: Option<usize>,
    hints: &Hints,
) -> Result<(TimeClause, StatementPosition, Allowed), Refused> {
    let Some(pos) = clause else {
        let at = hints.at.clone().ok_or_else(|| syntax("the instant is missing".to_owned()));
        return at.map(|(time, position)| (time, position, Allowed::default()));
    };
    let mut c = c.clone();
    c.go(pos);
    if let Some((_, position)) = &hints.at {
        return Err(Refused::Unsupported {
            message: format!("two instants, in the hint at {position} and at {}: write one", c.here()),
        });
    }
    let position = c.position();
    let time = if c.words(&["AT", "GTID"]) {
        TimeClause::Gtid(c.text().ok_or_else(|| c.unexpected("a GTID in quotes"))?)
    } else {
        c.words(&["AS", "OF"]);
        TimeClause::At(super::timestamp::timestamp(&mut c)?)
    };
    let allowed = clauses::allowed(&mut c);
    if c.is_at_end() {
        Ok((time, position, allowed))
    } else {
        Err(c.unexpected("the end of the statement after the time clause"))
    }
}

/// `[schema.]table`
fn real_name(c: &mut Cursor<'_>) -> Result<(Option<String>, String), Refused> {
    if c.peek() == Some(&Token::LParen) {
        return Err(Refused::Unsupported {
            message: format!(
                "a subquery or parentheses around the table, at {}: name the table itself",
                c.here()
            ),
        });
    }
    let first = c.name("a table")?;
    if c.token(&Token::Period) { Ok((Some(first), c.name("the table's name")?)) } else { Ok((None, first)) }
}

fn off(c: &Cursor<'_>, clause: Option<usize>, hints: &Hints) -> Refused {
    let mut table = c.clone();
    table.go(c.find(&["FROM"]));
    table.words(&["FROM"]);
    let form = real_name(&mut table).map_or_else(
        |_| {
            "SELECT * FROM _flashback.<table> AS OF '2026-04-27 09:00:00' WHERE <primary key> = ..."
                .to_owned()
        },
        |(schema, name)| {
            let path: Vec<&str> = schema.iter().chain([&name]).map(String::as_str).collect();
            Example::new(&table, &path).form(VirtualSchema::Flashback)
        },
    );
    let what = if let Some(pos) = clause {
        let mut there = c.clone();
        there.go(pos);
        format!("a time clause at the end of a query on a real table, at {}", there.here())
    } else {
        let at = hints.at.as_ref().map(|(_, position)| format!(" at {position}")).unwrap_or_default();
        format!("the hint{at}")
    };
    Refused::Unsupported {
        message: format!(
            "{what}: statements.orm_forms is off, since MySQL ignores the hint DBTRAIL_AT and reads the present without a word where \
             the statement is sent there by mistake; this always works: {form}"
        ),
    }
}
