//! What people type who know another system, or are tired: each learns what is wrong, where,
//! and what works.

mod example;

use super::cursor::{Cursor, shortened};
use super::tables::virtual_schema;
use super::{Refused, VirtualSchema};
pub(super) use example::Example;
use sqlparser::tokenizer::Token;

/// A time clause of another system, or none, where one was expected: what is wrong, without what
/// works.
pub(super) fn not_a_time_clause(c: &Cursor<'_>, schema: VirtualSchema) -> String {
    let here = c.here();
    let next = |words: &[&str]| c.clone().words(words);
    let expected = match schema {
        VirtualSchema::Flashback | VirtualSchema::Snapshot => "AS OF <instant> or AT GTID '...'",
        VirtualSchema::Diff => "BETWEEN <instant> AND <instant>",
        VirtualSchema::Undo => "BETWEEN <instant> AND <instant> or AT GTID '...'",
    };
    let history = "the changes of a span of time are asked of _diff with BETWEEN";
    if next(&["FOR", "SYSTEM_TIME", "ALL"]) {
        return format!("FOR SYSTEM_TIME ALL at {here}: {history}");
    }
    if next(&["FOR", "SYSTEM_TIME", "FROM"]) || next(&["FOR", "SYSTEM_TIME", "CONTAINED"]) {
        return format!("FOR SYSTEM_TIME takes AS OF or BETWEEN ... AND ... here, at {here}: {history}");
    }
    if next(&["VERSIONS"]) {
        return format!("VERSIONS BETWEEN at {here} is Oracle's: {history}");
    }
    for words in [
        &["FOR", "VERSION"][..],
        &["FOR", "TIMESTAMP"],
        &["FOR", "SYSTEM"],
        &["FOR", "SYSTEM_VERSION"],
        &["TIMESTAMP", "AS"],
        &["VERSION", "AS"],
        &["SYSTEM_TIME"],
    ] {
        if next(words) {
            return format!(
                "{} at {here} is another system's time clause; here it is {expected}",
                words.join(" ")
            );
        }
    }
    if (next(&["AT"]) || next(&["BEFORE"])) && c.ahead(1) == Some(&Token::LParen) {
        return format!(
            "AT (...) and BEFORE (...) at {here} are Snowflake's; here the time clause is {expected}"
        );
    }
    if next(&["AT"]) || next(&["BEFORE"]) {
        return format!("the time clause is {expected}, and not what is at {here}");
    }
    let later = c.find_any(&[&["AS", "OF"], &["AT", "GTID"], &["FOR", "SYSTEM_TIME"]]);
    let mut there = c.clone();
    there.go(later);
    if !there.is_at_end() {
        return format!(
            "the time clause belongs right after the name of the table; this one comes later, at {}",
            there.here()
        );
    }
    if c.is_at_end() || next(&["WHERE"]) || next(&["ORDER"]) || next(&["LIMIT"]) {
        return format!("the time clause is missing: {expected} was expected after the table, at {here}");
    }
    format!("{expected} was expected after the table, at {here}")
}

/// What is in a select list that cannot be shown.
pub(super) fn not_a_column(part: &Cursor<'_>) -> String {
    let mut clause = part.clone();
    clause.go(part.find_any(&[&["AS", "OF"], &["AT", "GTID"]]));
    if !clause.is_at_end() {
        return format!(
            "a time clause in the select list, at {}: it belongs right after the name of the table",
            clause.position()
        );
    }
    if part.clone().words(&["TOP"]) {
        return format!("TOP at {}: MySQL writes LIMIT n at the end of the statement", part.position());
    }
    format!(
        "'{}' in the select list, at {}: name columns of the table; of functions, aggregates and expressions only COUNT, MIN, MAX and SUM of columns are computed here",
        shortened(&part.source(), 60),
        part.position()
    )
}

/// A query without a virtual table that means one, by the looks of it.
pub(super) fn nearly_time_travel(c: &Cursor<'_>) -> Option<Refused> {
    let mut c = c.clone();
    if !c.words(&["SELECT"]) {
        return None;
    }
    let mut tables = c.clone();
    tables.go(c.find(&["FROM"]));
    while tables.one_of(&["FROM", "JOIN"]).is_some() {
        if let Some(refused) = misspelt(&tables) {
            return Some(refused);
        }
        tables.go(tables.find(&["JOIN"]));
    }
    foreign_clause(&c)
}

/// `flashback.orders`, `_flashbak.orders`, `_flashback` without a table.
fn misspelt(c: &Cursor<'_>) -> Option<Refused> {
    let position = c.here();
    let mut c = c.clone();
    if c.token(&Token::LBracket) {
        let schema = virtual_schema(&c.name("a name").ok()?)?;
        return Some(Refused::Unsupported {
            message: format!(
                "square brackets at {position}: MySQL quotes names with backticks, and these need none: {}",
                Example::new(&c, &["orders"]).form(schema)
            ),
        });
    }
    let first = c.name("a table").ok()?;
    if let Some((schema, table)) = first.split_once('.')
        && let Some(schema) = virtual_schema(schema)
    {
        let path: Vec<&str> = table.split('.').collect();
        return Some(Refused::Unsupported {
            message: format!(
                "one pair of backticks around schema and table, at {position}, makes one name of them: {}",
                Example::new(&c, &path).form(schema)
            ),
        });
    }
    if c.token(&Token::Period) {
        let mut path = vec![c.name("a table").ok()?];
        while c.token(&Token::Period) {
            path.push(c.name("a table").ok()?);
        }
        let schema = nearest(&first)?;
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let example = Example::new(&c, &path);
        return Some(Refused::Unsupported {
            message: format!(
                "'{first}' is no virtual schema, at {position}: did you mean {}? {}",
                schema.name(),
                example.form(schema)
            ),
        });
    }
    let schema = virtual_schema(&first)?;
    let example = Example::new(&c, &["orders"]);
    Some(Refused::Unsupported {
        message: format!(
            "{} is a schema, at {position}: name the table in it too, as in {}",
            schema.name(),
            example.form(schema)
        ),
    })
}

/// The virtual schema that a name is a slip of.
fn nearest(name: &str) -> Option<VirtualSchema> {
    let plain = name.trim_start_matches('_').to_lowercase();
    [
        (VirtualSchema::Flashback, 2),
        (VirtualSchema::Snapshot, 2),
        (VirtualSchema::Diff, 1),
        (VirtualSchema::Undo, 1),
    ]
    .into_iter()
    .find(|(schema, most)| distance(&plain, &schema.name()[1..]) <= *most)
    .map(|(schema, _)| schema)
}

/// How many letters must be put in, taken out or changed to make one word of the other. For short
/// words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(32).collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row[b.len()]
}

/// A time clause after a real table.
fn foreign_clause(c: &Cursor<'_>) -> Option<Refused> {
    const CLAUSES: &[&[&str]] = &[
        &["AS", "OF"],
        &["AT", "GTID"],
        &["FOR", "SYSTEM_TIME"],
        &["FOR", "VERSION"],
        &["FOR", "TIMESTAMP"],
        &["VERSIONS", "BETWEEN"],
    ];
    let mut table = c.clone();
    table.go(c.find(&["FROM"]));
    if !table.words(&["FROM"]) {
        return None;
    }
    let mut clause = table.clone();
    clause.go(table.find_any(CLAUSES));
    // `AT (`, `BEFORE (`: Snowflake's.
    let call = table.find(&["AT", "BEFORE"]);
    if clause.is_at_end() && table.ahead(call + 1 - table.index()) == Some(&Token::LParen) {
        clause.go(call);
    }
    if clause.is_at_end() {
        return None;
    }
    let mut path = vec![table.name("a table").ok()?];
    while table.token(&Token::Period) {
        path.push(table.name("a table").ok()?);
    }
    let mut path: Vec<&str> = path.iter().map(String::as_str).collect();
    // `_history.orders`: no real schema is called so, and an example must not repeat it.
    let meant = if path.len() > 1 && path[0].starts_with('_') { Some(path.remove(0)) } else { None };
    let example = Example::new(&table, &path);
    let window = ["BETWEEN", "ALL", "FROM", "CONTAINED"].iter().any(|w| {
        let mut following = clause.clone();
        following.words(&["FOR", "SYSTEM_TIME"]);
        following.words(&["VERSIONS"]);
        following.words(&[w])
    });
    let schema = if window { VirtualSchema::Diff } else { VirtualSchema::Flashback };
    if let Some(meant) = meant {
        return Some(Refused::Unsupported {
            message: format!(
                "'{}' is no virtual schema, at {}: there are _flashback, _snapshot (AS OF, AT GTID), _diff (BETWEEN) and _undo (BETWEEN, AT GTID): {}",
                shortened(meant, 40),
                clause.here(),
                example.form(schema)
            ),
        });
    }
    Some(Refused::Unsupported {
        message: format!(
            "a time clause at {} after the real table {}: the past is in the virtual schemas: {}",
            clause.here(),
            shortened(&path.join("."), 64),
            example.form(schema)
        ),
    })
}
