//! A file to read and run: what takes the rows of one or several tables back, as one transaction
//! that checks itself.

use super::literal::{self, Text};
use super::statement::{SQL_MODE, TIME_ZONE};
use super::steps::StepwiseUndo;
use super::{Undone, statement};
use dbtrail_types::agent_api::Reference;
use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// One table of a script.
#[derive(Debug)]
pub struct Part {
    /// The name of the table.
    pub name: TableName,
    /// The end of the record, up to which it is known who changed rows since.
    pub newest: Option<Timestamp>,
    /// Its foreign keys, and those to it; `None`: not known here.
    pub references: Option<Vec<Reference>>,
    /// What takes its rows back.
    pub undone: Undone,
}

/// What is around the statements.
#[derive(Debug)]
pub struct Frame<'a> {
    /// What is undone, for people: `from ... to ...`.
    pub span: &'a str,
    /// COMMIT at the end, if all rows were changed; else ROLLBACK in any case.
    pub commit: bool,
    /// Why it is not all that there was to undo.
    pub incomplete: &'a [String],
    /// The statements change by change; `None`: those of the parts, a row at a time.
    pub steps: Option<&'a StepwiseUndo>,
}

/// The script.
#[must_use]
pub fn script(parts: &[Part], frame: &Frame<'_>) -> String {
    let order = parents_first(parts);
    let ordered = || order.iter().filter_map(|at| parts.get(*at));
    let mut out = String::new();
    head(&mut out, parts, frame);
    let mut step = |sql: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{sql};\nSET @dbtrail_rows = @dbtrail_rows + ROW_COUNT();");
    };
    if let Some(steps) = frame.steps {
        for sql in &steps.statements {
            step(sql);
        }
        tail(&mut out, parts, frame);
        return out;
    }
    // What refers to others gives way before them, and comes back after them.
    for part in ordered().rev() {
        part.undone.deletes.iter().chain(&part.undone.updates).for_each(|sql| step(sql));
    }
    for part in ordered() {
        part.undone.inserts.iter().for_each(|sql| step(sql));
    }
    tail(&mut out, parts, frame);
    out
}

/// How many statements there are, each of one row.
fn statements(parts: &[Part]) -> usize {
    parts.iter().map(|p| p.undone.statements()).sum()
}

fn head(out: &mut String, parts: &[Part], frame: &Frame<'_>) {
    let tables: Vec<String> = parts.iter().map(|p| comment(&p.name.to_string())).collect();
    let end = if frame.commit {
        "It ends with COMMIT, before which it fails (error 1242) if not every statement has found its row: the client then stops, and nothing is changed."
    } else {
        "It ends with ROLLBACK: run it, look at the count, then write it with --commit."
    };
    let steps = if frame.steps.is_some() { " It takes back change by change, the newest first." } else { "" };
    let newest = parts.iter().filter_map(|p| p.newest).max();
    let newest =
        newest.map_or_else(String::new, |at| format!(" What somebody did up to {at} is known to it."));
    let _ = writeln!(
        out,
        "-- Takes back what happened to rows of {} {}.\n\
         -- Written by dbtrail-shim undo, which has run nothing of it. Read it first.\n\
         -- {end}{steps}\n\
         -- Run it with a client that stops at the first error (mysql and mariadb without --force) and sends comments (--comments).\n\
         -- Each statement changes one row, and nothing if the row is not what it was at the end of that time.{newest}\n\
         -- Triggers of these tables fire as with any other statement; foreign keys are not followed (foreign_key_checks=0).",
        tables.join(", "),
        comment(frame.span),
    );
    for Part { name, undone, references, .. } in parts {
        let all = || undone.deletes.iter().chain(&undone.updates).chain(&undone.inserts);
        let count = |word: &str| all().filter(|sql| kind(sql) == word).count();
        let _ = writeln!(
            out,
            "-- {}: {} DELETE, {} UPDATE, {} INSERT; {} rows are not taken back.",
            comment(&name.to_string()),
            count("DELETE"),
            count("UPDATE"),
            count("INSERT"),
            undone.conflicts.len()
        );
        if references.is_none() {
            let _ = writeln!(
                out,
                "--   Its foreign keys are not known here: name parents before children, and see that no row is left without its parent."
            );
        }
    }
    for why in frame.incomplete {
        let _ = writeln!(out, "-- NOT COMPLETE: {}", comment(why));
    }
    let conflicts: Vec<&String> = parts.iter().flat_map(|p| &p.undone.conflicts).collect();
    if !conflicts.is_empty() {
        let _ = writeln!(out, "-- Not taken back:");
    }
    for conflict in conflicts {
        let _ = writeln!(out, "--   {}", comment(conflict));
    }
    let _ = writeln!(
        out,
        "\nSET NAMES utf8mb4;\nSET SESSION time_zone = '{TIME_ZONE}';\nSET SESSION sql_mode = '{SQL_MODE}';\n\
         SET SESSION foreign_key_checks = 0;\nSET @dbtrail_rows = 0;\nSTART TRANSACTION;"
    );
}

fn tail(out: &mut String, parts: &[Part], frame: &Frame<'_>) {
    let count = statements(parts);
    let all = match frame.steps {
        None => format!("@dbtrail_rows = {count}"),
        Some(steps) => {
            let _ = writeln!(out, "SET @dbtrail_orphans = 0;");
            for query in &steps.orphans {
                let _ = writeln!(out, "SET @dbtrail_orphans = @dbtrail_orphans + ({query});");
            }
            let _ = writeln!(
                out,
                "SELECT @dbtrail_orphans AS rows_without_parent, IF(@dbtrail_orphans = 0, 'every row has the one to which it refers', \
                 'NOT ALL: somebody has inserted or deleted rows since this was written') AS verdict;"
            );
            format!("@dbtrail_rows = {count} AND @dbtrail_orphans = 0")
        }
    };
    // Row by row, each waits for the one to which it refers.
    let circles = match frame.steps {
        Some(_) => "",
        None => ", or rows refer to each other in a circle, which a file written with --steps takes back",
    };
    let _ = writeln!(
        out,
        "SELECT @dbtrail_rows AS rows_changed, {count} AS rows_expected, \
         IF(@dbtrail_rows = {count}, 'every statement has found its row', \
         'NOT ALL: somebody has changed rows since this was written{circles}') AS verdict;"
    );
    if frame.steps.is_none() {
        for check in orphans(parts) {
            let _ = writeln!(out, "{check};");
        }
    }
    let _ = writeln!(out, "{};", triggers(parts));
    if frame.commit {
        let _ = writeln!(
            out,
            "-- Fails if not all of them did.\n\
             SELECT IF({all}, 'committed', (SELECT 1 UNION ALL SELECT 2)) AS verdict;\nCOMMIT;"
        );
    } else {
        let _ = writeln!(out, "ROLLBACK;");
    }
}

/// The triggers of the tables, as far as the account sees them: what they set is in no statement.
fn triggers(parts: &[Part]) -> String {
    let tables: Vec<String> = parts
        .iter()
        .map(|Part { name: TableName { schema, table }, .. }| {
            let text = |words| literal::quoted(words, Text::Utf8);
            format!("(event_object_schema = {} AND event_object_table = {})", text(schema), text(table))
        })
        .collect();
    format!(
        "SELECT COUNT(*) AS triggers, IF(COUNT(*) = 0, 'this account sees no trigger of these tables', \
         'LOOK AT THE ROWS: triggers of these tables may have made them other than they were') AS verdict \
         FROM information_schema.triggers WHERE {}",
        tables.join(" OR ")
    )
}

/// For each foreign key between two tables of the script whose column an UPDATE may have set: rows
/// that refer to none.
fn orphans(parts: &[Part]) -> Vec<String> {
    let mut checks = Vec::new();
    for part in parts.iter().filter(|p| !p.undone.updates.is_empty()) {
        for reference in part.references.iter().flatten().filter(|r| r.child == part.name) {
            if reference.columns.len() != reference.referenced.len() || reference.columns.is_empty() {
                continue;
            }
            let pairs = reference.columns.iter().zip(&reference.referenced);
            let same: Vec<String> =
                pairs.map(|(c, p)| format!("p.{} = c.{}", literal::name(p), literal::name(c))).collect();
            let set: Vec<String> =
                reference.columns.iter().map(|c| format!("c.{} IS NOT NULL", literal::name(c))).collect();
            checks.push(format!(
                "SELECT COUNT(*) AS {} FROM {} AS c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
                literal::name(&format!(
                    "rows of {} without one in {} (0 is right)",
                    reference.child.table, reference.parent.table
                )),
                statement::sql_name(&reference.child),
                set.join(" AND "),
                statement::sql_name(&reference.parent),
                same.join(" AND ")
            ));
        }
    }
    checks
}

/// The first word of a statement, after the comments of some.
#[must_use]
pub fn kind(sql: &str) -> &str {
    let plain = if sql.starts_with("/*") { sql.split_once("*/ ").map_or(sql, |(_, rest)| rest) } else { sql };
    plain.split(' ').next().unwrap_or_default()
}

/// Text that cannot end a comment's line.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

/// The positions of the parts, those to which others refer first.
#[must_use]
pub fn parents_first(parts: &[Part]) -> Vec<usize> {
    let at = |name: &TableName| parts.iter().position(|p| p.name == *name);
    let parents: Vec<BTreeSet<usize>> = parts
        .iter()
        .enumerate()
        .map(|(i, part)| {
            let own = part.references.iter().flatten().filter(|r| r.child == part.name);
            own.filter_map(|r| at(&r.parent)).filter(|p| *p != i).collect()
        })
        .collect();
    let mut order = Vec::new();
    while order.len() < parts.len() {
        let left = (0..parts.len()).filter(|i| !order.contains(i));
        let mut free = left.clone().filter(|i| {
            parents.get(*i).is_none_or(|parents| parents.iter().all(|parent| order.contains(parent)))
        });
        // Tables that refer to each other in a circle come as they were named.
        let Some(next) = free.next().or_else(|| left.clone().next()) else { break };
        order.push(next);
    }
    order
}
