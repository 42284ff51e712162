//! Questions about what there is: SHOW DATABASES, TABLES, COLUMNS..., DESCRIBE, and SELECT on information_schema.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser has over a hundred tokens; the ones that are not named are refused"
)]

use super::cursor::{Cursor, syntax};
use super::travel::{limit, virtual_schema};
use super::{Limit, MOST_COLUMNS, Refused, Statement, VirtualSchema, item};
use sqlparser::ast::Expr;
use sqlparser::tokenizer::Token;

/// The schema that describes all schemas.
pub const INFORMATION_SCHEMA: &str = "information_schema";

/// Tables in one FROM at most: clients join three.
const MOST_TABLES: usize = 8;

/// A question about schemas, tables and columns, or about what this server can do.
#[derive(Clone, Debug, PartialEq)]
pub enum Catalogue {
    /// SHOW DATABASES
    Databases(Option<Narrowed>),
    /// SHOW [FULL] TABLES
    Tables {
        /// FULL adds the column Table_type.
        full: bool,
        /// FROM.
        schema: Option<String>,
        /// LIKE or WHERE.
        narrowed: Option<Narrowed>,
    },
    /// SHOW TABLE STATUS
    TableStatus {
        /// FROM.
        schema: Option<String>,
        /// LIKE or WHERE.
        narrowed: Option<Narrowed>,
    },
    /// SHOW [FULL] COLUMNS, DESCRIBE
    Columns {
        /// FULL adds Collation, Privileges and Comment.
        full: bool,
        /// Of which table.
        table: Named,
        /// LIKE or WHERE.
        narrowed: Option<Narrowed>,
    },
    /// SHOW INDEX
    Index {
        /// Of which table.
        table: Named,
        /// WHERE.
        narrowed: Option<Narrowed>,
    },
    /// SHOW CREATE TABLE
    CreateTable(Named),
    /// SHOW CREATE DATABASE
    CreateDatabase(String),
    /// SHOW CHARACTER SET
    CharacterSets(Option<Narrowed>),
    /// SHOW COLLATION
    Collations(Option<Narrowed>),
    /// SHOW ENGINES
    Engines,
    /// SHOW of things that this server has none of.
    None {
        /// Which.
        kind: Absent,
        /// FROM.
        schema: Option<String>,
        /// LIKE or WHERE.
        narrowed: Option<Narrowed>,
    },
    /// SELECT on tables of information_schema.
    Select(Box<Selection>),
}

/// What a schema of a MySQL server can hold and one of this server does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// SHOW TRIGGERS
    Triggers,
    /// SHOW EVENTS
    Events,
    /// SHOW PROCEDURE STATUS
    Procedures,
    /// SHOW FUNCTION STATUS
    Functions,
}

/// A table as SHOW and DESCRIBE name it: with a schema, and behind a virtual one with the real one too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The schema that was named, if any.
    pub schema: Option<String>,
    /// The middle part of `_flashback.shop.orders`.
    pub real: Option<String>,
    /// The table.
    pub table: String,
}

/// Which rows a SHOW is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Narrowed {
    /// LIKE 'pattern', on the first column.
    Like(String),
    /// WHERE, on the shown columns.
    Where(Box<Expr>),
}

/// A SELECT on information_schema, nothing checked yet but its grammar.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// DISTINCT
    pub distinct: bool,
    /// What is selected.
    pub items: Vec<Item>,
    /// From which tables, in the order of the text.
    pub tables: Vec<Joined>,
    /// WHERE
    pub filter: Option<Expr>,
    /// GROUP BY
    pub group_by: Vec<Expr>,
    /// HAVING
    pub having: Option<Expr>,
    /// ORDER BY, and whether descending.
    pub order_by: Vec<(Expr, bool)>,
    /// LIMIT
    pub limit: Option<Limit>,
}

/// One selected item.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `*`, or `t.*` with its qualifier.
    All(Option<String>),
    /// An expression.
    Value {
        /// The alias, or the text as it was written.
        name: String,
        /// Whether `name` is an alias.
        aliased: bool,
        /// What.
        value: Box<Expr>,
    },
}

/// A table of information_schema and how it is joined to those before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// Its name, as written.
    pub table: String,
    /// Its alias.
    pub alias: Option<String>,
    /// LEFT JOIN; otherwise an inner one.
    pub left: bool,
    /// ON
    pub on: Option<Expr>,
    /// USING
    pub using: Vec<String>,
}

/// SHOW and DESCRIBE; `None`: it is another statement, and the cursor stands where it stood.
pub(super) fn described(c: &mut Cursor<'_>) -> Result<Option<Statement>, Refused> {
    let place = c.place();
    let found = if c.words(&["SHOW"]) {
        show(c)?
    } else if c.one_of(&["DESCRIBE", "DESC", "EXPLAIN"]).is_some() {
        describe(c)?
    } else {
        None
    };
    let Some(found) = found else {
        c.go(place);
        return Ok(None);
    };
    if !c.is_at_end() {
        return Err(c.unexpected("the end of the statement"));
    }
    Ok(Some(Statement::Catalogue(found)))
}

fn show(c: &mut Cursor<'_>) -> Result<Option<Catalogue>, Refused> {
    let full = c.words(&["FULL"]);
    Ok(Some(if c.words(&["TABLES"]) {
        let schema = schema(c)?;
        Catalogue::Tables { full, schema, narrowed: narrowed(c)? }
    } else if c.one_of(&["COLUMNS", "FIELDS"]).is_some() {
        let table = of_table(c)?;
        Catalogue::Columns { full, table, narrowed: narrowed(c)? }
    } else if full {
        return Ok(None);
    } else if c.one_of(&["DATABASES", "SCHEMAS"]).is_some() {
        Catalogue::Databases(narrowed(c)?)
    } else if c.words(&["TABLE", "STATUS"]) {
        let schema = schema(c)?;
        Catalogue::TableStatus { schema, narrowed: narrowed(c)? }
    } else if c.one_of(&["INDEX", "INDEXES", "KEYS"]).is_some() {
        let table = of_table(c)?;
        let narrowed = narrowed(c)?;
        if let Some(Narrowed::Like(_)) = narrowed {
            return Err(syntax("SHOW INDEX takes WHERE and no LIKE".to_owned()));
        }
        Catalogue::Index { table, narrowed }
    } else if c.words(&["CREATE", "TABLE"]) {
        Catalogue::CreateTable(named(c)?)
    } else if c.words(&["CREATE", "DATABASE"]) || c.words(&["CREATE", "SCHEMA"]) {
        c.words(&["IF", "NOT", "EXISTS"]);
        Catalogue::CreateDatabase(c.name("a database")?)
    } else if c.words(&["CHARSET"]) || c.words(&["CHARACTER", "SET"]) {
        Catalogue::CharacterSets(narrowed(c)?)
    } else if c.words(&["COLLATION"]) {
        Catalogue::Collations(narrowed(c)?)
    } else if c.words(&["ENGINES"]) || c.words(&["STORAGE", "ENGINES"]) {
        Catalogue::Engines
    } else {
        return none(c);
    }))
}

fn none(c: &mut Cursor<'_>) -> Result<Option<Catalogue>, Refused> {
    let (kind, in_schema) = if c.words(&["TRIGGERS"]) {
        (Absent::Triggers, true)
    } else if c.words(&["EVENTS"]) {
        (Absent::Events, true)
    } else if c.words(&["PROCEDURE", "STATUS"]) {
        (Absent::Procedures, false)
    } else if c.words(&["FUNCTION", "STATUS"]) {
        (Absent::Functions, false)
    } else {
        return Ok(None);
    };
    let schema = if in_schema { schema(c)? } else { None };
    Ok(Some(Catalogue::None { kind, schema, narrowed: narrowed(c)? }))
}

/// `DESCRIBE t [column | 'pattern']`; not `DESCRIBE SELECT` and its like, which ask for a plan.
fn describe(c: &mut Cursor<'_>) -> Result<Option<Catalogue>, Refused> {
    const OF_A_PLAN: [&str; 12] = [
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "REPLACE",
        "TABLE",
        "VALUES",
        "WITH",
        "ANALYZE",
        "FORMAT",
        "EXTENDED",
        "PARTITIONS",
    ];
    let place = c.place();
    let is_plan = match c.peek() {
        Some(Token::Word(w)) => w.quote_style.is_none() && c.one_of(&OF_A_PLAN).is_some(),
        _ => true,
    } || c.words(&["FOR", "CONNECTION"]);
    c.go(place);
    if is_plan {
        return Ok(None);
    }
    let table = named(c)?;
    let pattern =
        if c.is_at_end() { None } else { c.text().map_or_else(|| c.name("a column"), Ok).map(Some)? };
    Ok(Some(Catalogue::Columns { full: false, table, narrowed: pattern.map(Narrowed::Like) }))
}

fn schema(c: &mut Cursor<'_>) -> Result<Option<String>, Refused> {
    if c.one_of(&["FROM", "IN"]).is_some() { c.name("a database").map(Some) } else { Ok(None) }
}

/// `FROM t [FROM schema]`, with IN for FROM in either place.
fn of_table(c: &mut Cursor<'_>) -> Result<Named, Refused> {
    if c.one_of(&["FROM", "IN"]).is_none() {
        return Err(c.unexpected("FROM and a table"));
    }
    let mut table = named(c)?;
    // The schema behind the table wins over one before it, as in mysqld.
    if let Some(schema) = schema(c)? {
        (table.schema, table.real) = (Some(schema), None);
    }
    Ok(table)
}

fn named(c: &mut Cursor<'_>) -> Result<Named, Refused> {
    let mut parts = vec![c.name("a table")?];
    while c.token(&Token::Period) {
        parts.push(c.name("a table")?);
    }
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(table), None, ..) => Ok(Named { schema: None, real: None, table }),
        (Some(schema), Some(table), None, _) => Ok(Named { schema: Some(schema), real: None, table }),
        (Some(schema), Some(real), Some(table), None) if virtual_schema(&schema).is_some() => {
            Ok(Named { schema: Some(schema), real: Some(real), table })
        }
        _ => Err(syntax(
            "a table has a name of one or two parts, and of three behind _flashback, _diff and _snapshot: \
             _flashback.shop.orders"
                .to_owned(),
        )),
    }
}

fn narrowed(c: &mut Cursor<'_>) -> Result<Option<Narrowed>, Refused> {
    if c.words(&["LIKE"]) {
        let pattern = c.text().ok_or_else(|| c.unexpected("a pattern in quotes"))?;
        return Ok(Some(Narrowed::Like(pattern)));
    }
    if c.words(&["WHERE"]) {
        let filter = c.expression()?;
        c.go(usize::MAX);
        return Ok(Some(Narrowed::Where(Box::new(filter))));
    }
    Ok(None)
}

/// SELECT on information_schema; `current`: unqualified tables are of it too. `None`: it is another statement.
pub(super) fn selected(c: &mut Cursor<'_>, current: bool) -> Result<Option<Statement>, Refused> {
    let place = c.place();
    if !(c.words(&["SELECT"]) && reads_it(c, current)) {
        c.go(place);
        return Ok(None);
    }
    let source = c.part(place, usize::MAX).source();
    let mut distinct = false;
    while let Some(word) = c.one_of(&["ALL", "DISTINCT", "DISTINCTROW", "SQL_NO_CACHE", "HIGH_PRIORITY"]) {
        distinct |= matches!(word, "DISTINCT" | "DISTINCTROW");
    }
    if let Some(word) =
        c.one_of(&["SQL_CALC_FOUND_ROWS", "SQL_BUFFER_RESULT", "SQL_SMALL_RESULT", "SQL_BIG_RESULT"])
    {
        return Err(Refused::Unsupported { message: format!("{word} in a SELECT on information_schema") });
    }
    let from = c.find(&["FROM"]);
    let items = items(&c.part(c.place(), from))?;
    c.go(from);
    if !c.words(&["FROM"]) {
        return Err(c.unexpected("FROM"));
    }
    let end = c.find(&CLAUSES);
    let tables = tables(&c.part(c.place(), end), current, &source)?;
    c.go(end);
    let mut selection = Selection {
        distinct,
        items,
        tables,
        filter: None,
        group_by: Vec::new(),
        having: None,
        order_by: Vec::new(),
        limit: None,
    };
    tail(c, &mut selection)?;
    Ok(Some(Statement::Catalogue(Catalogue::Select(Box::new(selection)))))
}

/// What can stand behind the tables of a SELECT.
const CLAUSES: [&str; 14] = [
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WINDOW",
    "QUALIFY",
    "PROCEDURE",
    "FOR",
    "INTO",
    "LOCK",
];

/// Whether a table of information_schema is named.
fn reads_it(c: &Cursor<'_>, current: bool) -> bool {
    let is_it = |ahead| matches!(c.ahead(ahead), Some(Token::Word(w)) if w.value.eq_ignore_ascii_case(INFORMATION_SCHEMA));
    let is_period = |ahead| c.ahead(ahead) == Some(&Token::Period);
    let named = (0..c.length()).any(|i| is_it(i) && is_period(i + 1) && (i == 0 || !is_period(i - 1)));
    let from = c.find(&["FROM"]);
    let mut behind = c.clone();
    behind.go(from);
    named || (current && behind.words(&["FROM"]) && !behind.words(&["DUAL"]))
}

fn items(list: &Cursor<'_>) -> Result<Vec<Item>, Refused> {
    let parts = list.split();
    if parts.len() > MOST_COLUMNS {
        return Err(Refused::Unsupported { message: format!("more than {MOST_COLUMNS} columns") });
    }
    parts.iter().map(selected_item).collect()
}

fn selected_item(part: &Cursor<'_>) -> Result<Item, Refused> {
    let mut c = part.clone();
    let mut qualifier = None;
    while let (Some(Token::Word(w)), Some(Token::Period)) = (c.peek(), c.ahead(1)) {
        qualifier = Some(w.value.clone());
        c.go(c.place() + 2);
    }
    if c.token(&Token::Mul) && c.is_at_end() {
        return Ok(Item::All(qualifier));
    }
    let (name, value) = item(part)?;
    let aliased = name != part.source();
    Ok(Item::Value { name, aliased, value: Box::new(value) })
}

fn tables(list: &Cursor<'_>, current: bool, source: &str) -> Result<Vec<Joined>, Refused> {
    let mut c = list.clone();
    let mut tables = vec![joined(&mut c, false, current, source)?];
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
        let mut table = joined(&mut c, left, current, source)?;
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

fn joined(c: &mut Cursor<'_>, left: bool, current: bool, source: &str) -> Result<Joined, Refused> {
    if c.peek() == Some(&Token::LParen) {
        return Err(Refused::Unsupported {
            message: "parentheses or a subquery in FROM of information_schema".to_owned(),
        });
    }
    let mut table = c.name("a table")?;
    let mut ours = current;
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
    Ok(Joined { table, alias, left, on: None, using: Vec::new() })
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
        table.on = Some(c.part(c.place(), end).expression()?);
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
    ahead.place()
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
    if c.is_at_end() {
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
    let end = part.place() + part.length();
    let mut last = part.clone();
    last.go(end.saturating_sub(1));
    let direction = last.one_of(&["ASC", "DESC"]);
    let end = end - usize::from(direction.is_some());
    Ok((part.part(part.place(), end).expression()?, direction == Some("DESC")))
}

/// What stands before the next clause; the cursor goes there.
fn section<'a>(c: &mut Cursor<'a>) -> Cursor<'a> {
    let end = c.find(&CLAUSES);
    let part = c.part(c.place(), end);
    c.go(end);
    part
}

/// The virtual schema of this name, if it is one.
#[must_use]
pub fn virtual_schema_named(name: &str) -> Option<VirtualSchema> {
    virtual_schema(name)
}
