//! The grammar of SELECT on information_schema.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser has over a hundred tokens; the ones that are not named are refused"
)]

use super::super::cursor::Cursor;
use super::super::select_list::limit;
use super::super::{MOST_COLUMNS, ParseSettings, Refused, item};
use super::subqueries::{CLAUSES, SubqueryParser, closing, set_aside};
use super::{INFORMATION_SCHEMA, Item, Joined, Relation, Selection};
use sqlparser::ast::Expr;
use sqlparser::tokenizer::Token;

/// Tables in one FROM at most: clients join three.
const MOST_TABLES: usize = 8;

/// One SELECT, from after its word SELECT up to UNION or the end.
pub(super) fn selection(
    c: &mut Cursor<'_>,
    reading: ParseSettings,
    subquery: SubqueryParser,
) -> Result<Selection, Refused> {
    let source = c.part(c.index().saturating_sub(1), usize::MAX).source();
    let subqueries = set_aside(c, reading, subquery)?;
    let mut distinct = false;
    while let Some(word) = c.one_of(&["ALL", "DISTINCT", "DISTINCTROW", "SQL_NO_CACHE", "HIGH_PRIORITY"]) {
        distinct |= matches!(word, "DISTINCT" | "DISTINCTROW");
    }
    if let Some(word) =
        c.one_of(&["SQL_CALC_FOUND_ROWS", "SQL_BUFFER_RESULT", "SQL_SMALL_RESULT", "SQL_BIG_RESULT"])
    {
        return Err(Refused::Unsupported { message: format!("{word} in a SELECT on information_schema") });
    }
    let from = c.find(&["FROM"]).min(c.find(&CLAUSES));
    let items = items(&c.part(c.index(), from))?;
    c.go(from);
    let mut found = Vec::new();
    if c.words(&["FROM"]) {
        let end = c.find(&CLAUSES);
        let list = c.part(c.index(), end);
        let mut dual = list.clone();
        if !(dual.words(&["DUAL"]) && dual.is_at_end()) {
            found = tables(&list, reading, &source, subquery)?;
        }
        c.go(end);
    }
    let mut selection = Selection {
        distinct,
        items,
        tables: found,
        filter: None,
        group_by: Vec::new(),
        having: None,
        order_by: Vec::new(),
        limit: None,
        subqueries,
    };
    tail(c, &mut selection)?;
    Ok(selection)
}

fn items(list: &Cursor<'_>) -> Result<Vec<Item>, Refused> {
    let parts = list.split();
    if parts.len() > MOST_COLUMNS {
        return Err(Refused::Unsupported { message: format!("more than {MOST_COLUMNS} columns") });
    }
    parts.iter().map(selected_item).collect()
}

pub(in crate::statement) fn selected_item(part: &Cursor<'_>) -> Result<Item, Refused> {
    let mut c = part.clone();
    let mut qualifier = None;
    while let (Some(Token::Word(w)), Some(Token::Period)) = (c.peek(), c.ahead(1)) {
        qualifier = Some(w.value.clone());
        c.go(c.index() + 2);
    }
    if c.token(&Token::Mul) && c.is_at_end() {
        return Ok(Item::All(qualifier));
    }
    let (name, value) = item(part)?;
    let aliased = name != part.source();
    Ok(Item::Value { name, aliased, value: Box::new(value) })
}

fn tables(
    list: &Cursor<'_>,
    reading: ParseSettings,
    source: &str,
    subquery: SubqueryParser,
) -> Result<Vec<Joined>, Refused> {
    let mut c = list.clone();
    let mut tables = vec![joined(&mut c, false, reading, source, subquery)?];
    while !c.is_at_end() {
        let left = c.words(&["LEFT", "OUTER", "JOIN"]) || c.words(&["LEFT", "JOIN"]);
        let inner = left
            || c.words(&["INNER", "JOIN"])
            || c.words(&["CROSS", "JOIN"])
            || c.one_of(&["JOIN", "STRAIGHT_JOIN"]).is_some();
        if !inner && !c.token(&Token::Comma) {
            return Err(Refused::Unsupported {
                message: format!(
                    "in FROM of information_schema, {}: inner and LEFT joins are carried out",
                    c.here()
                ),
            });
        }
        let mut table = joined(&mut c, left, reading, source, subquery)?;
        if inner {
            conditions(&mut c, &mut table)?;
        }
        tables.push(table);
        if tables.len() > MOST_TABLES {
            return Err(Refused::Unsupported {
                message: format!("more than {MOST_TABLES} tables in a join"),
            });
        }
    }
    Ok(tables)
}

fn joined(
    c: &mut Cursor<'_>,
    left: bool,
    reading: ParseSettings,
    source: &str,
    subquery: SubqueryParser,
) -> Result<Joined, Refused> {
    if c.peek() == Some(&Token::LParen) {
        return derived(c, left, reading, subquery);
    }
    let mut table = c.name("a table")?;
    let mut ours = reading.in_information_schema;
    if c.token(&Token::Period) {
        ours = table.eq_ignore_ascii_case(INFORMATION_SCHEMA);
        table = c.name("a table")?;
    }
    if !ours {
        return Err(Refused::NotForThisServer { what: source.chars().take(60).collect() });
    }
    let is_word = |w: &str, c: &Cursor<'_>| c.clone().words(&[w]);
    let named = c.words(&["AS"])
        || (matches!(c.peek(), Some(Token::Word(_))) && !JOINING.iter().any(|w| is_word(w, c)));
    let alias = if named { Some(c.name("an alias")?) } else { None };
    Ok(Joined { relation: Relation::Table(table), alias, left, on: None, using: Vec::new() })
}

/// `(SELECT ...) [AS] alias`
fn derived(
    c: &mut Cursor<'_>,
    left: bool,
    reading: ParseSettings,
    subquery: SubqueryParser,
) -> Result<Joined, Refused> {
    let position = c.index();
    if !c.part(position + 1, usize::MAX).words(&["SELECT"]) {
        return Err(Refused::Unsupported {
            message: "parentheses in FROM of information_schema, but for a subquery".to_owned(),
        });
    }
    let end = closing(c, position)?;
    let query = subquery(&c.part(position + 1, end - 1), reading)?;
    c.go(end);
    c.words(&["AS"]);
    // 1248 in mysqld: each derived table has an alias.
    let alias = Some(c.name("an alias of the derived table")?);
    if c.peek() == Some(&Token::LParen) {
        return Err(Refused::Unsupported { message: "names for the columns of a derived table".to_owned() });
    }
    Ok(Joined { relation: Relation::Derived(Box::new(query)), alias, left, on: None, using: Vec::new() })
}

/// Words that no alias is.
const JOINING: [&str; 13] = [
    "ON",
    "USING",
    "JOIN",
    "INNER",
    "CROSS",
    "LEFT",
    "RIGHT",
    "NATURAL",
    "STRAIGHT_JOIN",
    "PARTITION",
    "USE",
    "FORCE",
    "IGNORE",
];

fn conditions(c: &mut Cursor<'_>, table: &mut Joined) -> Result<(), Refused> {
    if c.words(&["USING"]) {
        if !c.token(&Token::LParen) {
            return Err(c.unexpected("("));
        }
        loop {
            table.using.push(c.name("a column")?);
            if c.token(&Token::RParen) {
                return Ok(());
            }
            if !c.token(&Token::Comma) {
                return Err(c.unexpected(", or )"));
            }
        }
    }
    if c.words(&["ON"]) {
        let end = end_of_condition(c);
        table.on = Some(c.part(c.index(), end).expression()?);
        c.go(end);
    }
    if table.left && table.on.is_none() {
        return Err(c.unexpected("ON or USING"));
    }
    Ok(())
}

/// Where the condition of a join ends: at the next join, or at a comma.
fn end_of_condition(c: &Cursor<'_>) -> usize {
    let mut ahead = c.clone();
    let mut depth = 0_usize;
    while let Some(token) = ahead.peek() {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Comma if depth == 0 => break,
            Token::Word(_) if depth == 0 => {
                let next = ahead.clone();
                let begins = |words: &[&str]| next.clone().words(words);
                if begins(&["JOIN"])
                    || begins(&["STRAIGHT_JOIN"])
                    || begins(&["NATURAL"])
                    || ["INNER", "CROSS", "LEFT", "RIGHT"]
                        .iter()
                        .any(|w| begins(&[w, "JOIN"]) || begins(&[w, "OUTER", "JOIN"]))
                {
                    break;
                }
            }
            _ => {}
        }
        ahead.next();
    }
    ahead.index()
}

fn tail(c: &mut Cursor<'_>, selection: &mut Selection) -> Result<(), Refused> {
    if c.words(&["WHERE"]) {
        selection.filter = Some(section(c).expression()?);
    }
    if c.words(&["GROUP", "BY"]) {
        selection.group_by = section(c).split().iter().map(Cursor::expression).collect::<Result<_, _>>()?;
    }
    if c.words(&["HAVING"]) {
        selection.having = Some(section(c).expression()?);
    }
    if c.words(&["ORDER", "BY"]) {
        selection.order_by = section(c).split().iter().map(ordered).collect::<Result<_, _>>()?;
    }
    if c.words(&["LIMIT"]) {
        selection.limit = Some(limit(c)?);
    }
    if c.is_at_end() || c.clone().words(&["UNION"]) {
        return Ok(());
    }
    match c.peek() {
        Some(Token::Word(_)) => {
            Err(Refused::Unsupported { message: format!("in a SELECT on information_schema, {}", c.here()) })
        }
        _ => Err(c.unexpected("the end of the statement")),
    }
}

fn ordered(part: &Cursor<'_>) -> Result<(Expr, bool), Refused> {
    let end = part.index() + part.length();
    let mut last = part.clone();
    last.go(end.saturating_sub(1));
    let direction = last.one_of(&["ASC", "DESC"]);
    let end = end - usize::from(direction.is_some());
    Ok((part.part(part.index(), end).expression()?, direction == Some("DESC")))
}

/// What is before the next clause; the cursor goes there.
fn section<'a>(c: &mut Cursor<'a>) -> Cursor<'a> {
    let end = c.find(&CLAUSES);
    let part = c.part(c.index(), end);
    c.go(end);
    part
}
