//! Statements that concern the session alone.

use super::cursor::Cursor;
use super::select_list::limit;
use super::{Assignment, PreparedText, Refused, Savepoint, Show, Statement};
use sqlparser::ast::{Expr, Ident};
use sqlparser::tokenizer::Token;

const SAVEPOINT: &str = "the name of a savepoint";

/// The statement, if it is one of these; `None`: it is for another server.
pub(super) fn session(c: &mut Cursor<'_>) -> Result<Option<Statement>, Refused> {
    let statement = if c.words(&["SET"]) {
        set(c)?
    } else if c.words(&["SHOW"]) {
        match show(c)? {
            Some(show) => Statement::Show(show),
            None => return Ok(None),
        }
    } else if c.words(&["USE"]) {
        Statement::Use(c.name("a schema")?)
    } else if c.words(&["BEGIN"]) {
        c.words(&["WORK"]);
        Statement::Begin { read_only: None, snapshot: false }
    } else if c.words(&["START", "TRANSACTION"]) {
        start(c)?
    } else if c.words(&["COMMIT"]) {
        end(c)?;
        Statement::Commit
    } else if c.words(&["SAVEPOINT"]) {
        Statement::Savepoint(Savepoint::Set, c.name(SAVEPOINT)?)
    } else if c.words(&["RELEASE", "SAVEPOINT"]) {
        Statement::Savepoint(Savepoint::Release, c.name(SAVEPOINT)?)
    } else if c.words(&["ROLLBACK", "TO"]) || c.words(&["ROLLBACK", "WORK", "TO"]) {
        c.words(&["SAVEPOINT"]);
        Statement::Savepoint(Savepoint::RollBack, c.name(SAVEPOINT)?)
    } else if c.words(&["ROLLBACK"]) {
        end(c)?;
        Statement::Rollback
    } else if c.words(&["UNLOCK", "TABLES"]) || c.words(&["UNLOCK", "TABLE"]) {
        Statement::UnlockTables
    } else if c.words(&["DO"]) {
        let expressions = c.split().iter().map(Cursor::expression).collect::<Result<_, _>>()?;
        finish(c);
        Statement::Do(expressions)
    } else if c.words(&["KILL"]) {
        let query_only = c.words(&["QUERY"]);
        if !query_only {
            c.words(&["CONNECTION"]);
        }
        let id = c.expression()?;
        finish(c);
        Statement::Kill { query_only, id: Box::new(id) }
    } else if c.words(&["PREPARE"]) {
        prepare(c)?
    } else if c.words(&["EXECUTE"]) {
        execute(c)?
    } else if c.words(&["DEALLOCATE", "PREPARE"]) || c.words(&["DROP", "PREPARE"]) {
        Statement::Deallocate { name: c.name("the name of a prepared statement")?.to_lowercase() }
    } else {
        return Ok(None);
    };
    if c.is_at_end() { Ok(Some(statement)) } else { Err(c.unexpected("the end of the statement")) }
}

/// `@name`, as it is kept: in lower case, without `@`.
fn user_variable(c: &mut Cursor<'_>) -> Result<String, Refused> {
    let here = c.unexpected("a user variable, such as @a");
    let name = c.name("a user variable, such as @a")?;
    match name.strip_prefix('@') {
        Some(own) if !own.starts_with('@') => Ok(own.to_lowercase()),
        Some(_) | None => Err(here),
    }
}

fn prepare(c: &mut Cursor<'_>) -> Result<Statement, Refused> {
    let name = c.name("a name for the prepared statement")?.to_lowercase();
    if !c.words(&["FROM"]) {
        return Err(c.unexpected("FROM"));
    }
    let source = match c.text() {
        Some(text) => PreparedText::Literal(text),
        None => PreparedText::Variable(user_variable(c)?),
    };
    Ok(Statement::Prepare { name, source })
}

fn execute(c: &mut Cursor<'_>) -> Result<Statement, Refused> {
    let name = c.name("the name of a prepared statement")?.to_lowercase();
    let mut using = Vec::new();
    if c.words(&["USING"]) {
        using.push(user_variable(c)?);
        while c.token(&Token::Comma) {
            using.push(user_variable(c)?);
        }
    }
    Ok(Statement::Execute { name, using })
}

fn finish(c: &mut Cursor<'_>) {
    while c.next().is_some() {}
}

/// What follows START TRANSACTION, in any order and each at most once. Whatever else is there
/// (TiDB's `AS OF TIMESTAMP`) would mean something.
fn start(c: &mut Cursor<'_>) -> Result<Statement, Refused> {
    let (mut read_only, mut snapshot) = (None, false);
    if c.is_at_end() {
        return Ok(Statement::Begin { read_only, snapshot });
    }
    loop {
        if !snapshot && c.words(&["WITH", "CONSISTENT", "SNAPSHOT"]) {
            snapshot = true;
        } else if read_only.is_none() && c.words(&["READ", "ONLY"]) {
            read_only = Some(true);
        } else if read_only.is_none() && c.words(&["READ", "WRITE"]) {
            read_only = Some(false);
        } else {
            return Err(c.unexpected("READ ONLY, READ WRITE or WITH CONSISTENT SNAPSHOT"));
        }
        if !c.token(&Token::Comma) {
            return Ok(Statement::Begin { read_only, snapshot });
        }
    }
}

/// What follows COMMIT and ROLLBACK. What would begin another transaction or end the connection is
/// not carried out here.
fn end(c: &mut Cursor<'_>) -> Result<(), Refused> {
    c.words(&["WORK"]);
    for (yes, no) in
        [(&["AND", "CHAIN"][..], &["AND", "NO", "CHAIN"][..]), (&["RELEASE"], &["NO", "RELEASE"])]
    {
        if !c.words(no) && c.words(yes) {
            return Err(Refused::Unsupported {
                message: format!("{} after COMMIT or ROLLBACK", yes.join(" ")),
            });
        }
    }
    Ok(())
}

fn filter(c: &mut Cursor<'_>) -> Result<Option<Box<Expr>>, Refused> {
    if !c.words(&["WHERE"]) {
        return Ok(None);
    }
    let filter = c.expression()?;
    finish(c);
    Ok(Some(Box::new(filter)))
}

/// `FOR CURRENT_USER`, with or without parentheses, or nothing.
fn own_grants(c: &mut Cursor<'_>) -> Result<(), Refused> {
    if c.words(&["FOR"]) {
        if !c.words(&["CURRENT_USER"]) {
            return Err(Refused::Unsupported { message: "grants of other users".to_owned() });
        }
        if c.token(&Token::LParen) && !c.token(&Token::RParen) {
            return Err(c.unexpected(")"));
        }
    }
    Ok(())
}

fn set(c: &mut Cursor<'_>) -> Result<Statement, Refused> {
    let mut assignments = Vec::new();
    let position = c.index();
    let session = c.one_of(&["SESSION", "LOCAL"]).is_some();
    let global = !session && c.words(&["GLOBAL"]);
    if c.words(&["TRANSACTION"]) {
        let mut characteristics = Vec::new();
        for part in c.split() {
            characteristics.push(part.source().to_lowercase());
        }
        finish(c);
        if global {
            return Ok(Statement::Refused(Refused::Unsupported { message: "SET GLOBAL".to_owned() }));
        }
        return Ok(Statement::Set(vec![Assignment::Transaction { session, characteristics }]));
    }
    c.go(position);
    for mut part in c.split() {
        assignments.push(assignment(&mut part)?);
    }
    finish(c);
    Ok(Statement::Set(assignments))
}

fn word_or_text(part: &mut Cursor<'_>) -> Result<String, Refused> {
    part.text().map_or_else(|| part.name("a name"), Ok)
}

fn assignment(part: &mut Cursor<'_>) -> Result<Assignment, Refused> {
    let names = part.words(&["NAMES"]);
    if names || part.words(&["CHARACTER", "SET"]) || part.words(&["CHARSET"]) {
        let charset = word_or_text(part)?;
        let collation = if part.words(&["COLLATE"]) { Some(word_or_text(part)?) } else { None };
        if !part.is_at_end() {
            return Err(part.unexpected("the end of the assignment"));
        }
        let charset = (!charset.eq_ignore_ascii_case("default")).then(|| charset.to_lowercase());
        return Ok(Assignment::Names { names, charset, collation: collation.map(|c| c.to_lowercase()) });
    }
    let mut global = part.one_of(&["GLOBAL", "PERSIST", "PERSIST_ONLY"]).is_some();
    if !global {
        part.one_of(&["SESSION", "LOCAL"]);
    }
    let mut name = part.name("a variable")?;
    let user = name.starts_with('@') && !name.starts_with("@@");
    if let Some(system) = name.strip_prefix("@@") {
        name = system.to_owned();
        if part.token(&Token::Period) {
            global = matches!(name.to_lowercase().as_str(), "global" | "persist" | "persist_only");
            name = part.name("a variable")?;
        }
    }
    if !(part.token(&Token::Eq) || part.token(&Token::Assignment)) {
        return Err(part.unexpected("="));
    }
    let value = value(part)?;
    if user {
        return Ok(Assignment::User { name: name.trim_start_matches('@').to_lowercase(), value });
    }
    Ok(Assignment::System { global, name: name.to_lowercase(), value })
}

/// ON, DEFAULT and other bare words come as identifiers, whatever they mean elsewhere in SQL.
fn value(part: &Cursor<'_>) -> Result<Expr, Refused> {
    let mut ahead = part.clone();
    if let Some(Token::Word(w)) = ahead.next()
        && ahead.is_at_end()
        && (w.quote_style.is_some()
            || !["NULL", "TRUE", "FALSE"].iter().any(|l| w.value.eq_ignore_ascii_case(l)))
    {
        return Ok(Expr::Identifier(Ident {
            value: w.value,
            quote_style: w.quote_style,
            span: sqlparser::tokenizer::Span::empty(),
        }));
    }
    part.expression()
}

fn like(c: &mut Cursor<'_>) -> Result<Option<String>, Refused> {
    if c.words(&["LIKE"]) {
        return c.text().map(Some).ok_or_else(|| c.unexpected("a pattern in quotes"));
    }
    Ok(None)
}

fn replica_status(c: &mut Cursor<'_>) -> Option<&'static str> {
    let which = c.one_of(&["SLAVE", "REPLICA"])?;
    c.words(&["STATUS"]).then_some(which)
}

fn show(c: &mut Cursor<'_>) -> Result<Option<Show>, Refused> {
    let position = c.index();
    let full = c.words(&["FULL"]);
    let global = c.words(&["GLOBAL"]);
    if !global {
        c.one_of(&["SESSION", "LOCAL"]);
    }
    Ok(Some(if let Some(which) = c.one_of(&["WARNINGS", "ERRORS"]) {
        let limit = if c.words(&["LIMIT"]) { Some(limit(c)?) } else { None };
        Show::Warnings { errors_only: which == "ERRORS", limit }
    } else if c.words(&["COUNT"]) {
        c.token(&Token::LParen);
        c.token(&Token::Mul);
        c.token(&Token::RParen);
        match c.one_of(&["WARNINGS", "ERRORS"]) {
            Some(which) => Show::WarningCount { errors_only: which == "ERRORS" },
            None => return Err(c.unexpected("WARNINGS or ERRORS")),
        }
    } else if c.words(&["VARIABLES"]) {
        Show::Variables { global, like: like(c)?, filter: filter(c)? }
    } else if c.words(&["STATUS"]) {
        Show::Status { like: like(c)?, filter: filter(c)? }
    } else if c.words(&["GRANTS"]) {
        own_grants(c)?;
        Show::Grants
    } else if c.words(&["PLUGINS"]) {
        Show::Plugins
    } else if c.words(&["PROCESSLIST"]) {
        Show::ProcessList { full }
    } else if let Some(which) = replica_status(c) {
        if c.words(&["FOR", "CHANNEL"]) && c.text().is_none() {
            return Err(c.unexpected("a channel in quotes"));
        }
        Show::ReplicaStatus { old_words: which == "SLAVE" }
    } else {
        c.go(position);
        let words = c.source().to_lowercase();
        finish(c);
        return Ok(if words.is_empty() { None } else { Some(Show::Abilities(words)) });
    }))
}
