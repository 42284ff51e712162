//! SHOW.

use super::evaluate::Value;
use super::variables::VARIABLES;
use super::{Answer, Session, computed, filter, replica, variables};
use crate::failure::Failure;
use crate::reply::Row;
use crate::statement::Show;

/// A table of text columns.
fn table(names: &[&str], rows: Vec<Vec<Option<String>>>) -> Answer {
    let columns = names.iter().enumerate().map(|(i, name)| {
        let longest = rows
            .iter()
            .filter_map(|r| r.get(i).cloned().flatten())
            .map(|c| c.chars().count())
            .max()
            .unwrap_or(0);
        computed(name, Value::Text(" ".repeat(longest.max(64))).column(name))
    });
    let columns = columns.collect();
    let rows: Vec<Row> =
        rows.into_iter().map(|r| r.into_iter().map(|c| c.map(String::into_bytes)).collect()).collect();
    Answer::Table(columns, rows)
}

/// LIKE without regard to case: `%`, `_`, and `\` before either.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    fn matches(text: &[char], pattern: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|i| matches(&text[i..], rest)),
            ['_', rest @ ..] => !text.is_empty() && matches(&text[1..], rest),
            ['\\', c, rest @ ..] | [c, rest @ ..] => text.first() == Some(c) && matches(&text[1..], rest),
        }
    }
    let chars = |s: &str| s.to_lowercase().chars().take(256).collect::<Vec<char>>();
    // Each `%` multiplies the work: a pattern with many of them has no honest use here.
    pattern.matches('%').count() <= 8 && matches(&chars(text), &chars(pattern))
}

fn wanted(text: &str, pattern: Option<&str>) -> bool {
    pattern.is_none_or(|p| like(text, p))
}

impl Session {
    pub(super) fn show(&self, show: Show) -> Result<Answer, Failure> {
        match show {
            Show::Warnings { errors_only, limit } => {
                let notes = self.warnings.iter().filter(|w| !errors_only || w.level == "Error");
                let (skip, take) = limit.map_or((0, usize::MAX), |l| {
                    (
                        usize::try_from(l.offset).unwrap_or(usize::MAX),
                        usize::try_from(l.count).unwrap_or(usize::MAX),
                    )
                });
                let rows = notes.skip(skip).take(take).map(|w| {
                    vec![Some(w.level.to_owned()), Some(w.code.to_string()), Some(w.message.clone())]
                });
                Ok(table(&["Level", "Code", "Message"], rows.collect()))
            }
            Show::WarningCount { errors_only } => {
                let name = if errors_only { "@@session.error_count" } else { "@@session.warning_count" };
                let count = self.warnings.iter().filter(|w| !errors_only || w.level == "Error").count();
                Ok(table(&[name], vec![vec![Some(count.to_string())]]))
            }
            Show::Variables { global, like, filter } => {
                let mut rows = Vec::new();
                for (name, ..) in VARIABLES.iter().filter(|(n, ..)| wanted(n, like.as_deref())) {
                    let value = if global { self.global(name) } else { self.variable(name).ok().flatten() };
                    let value = value.unwrap_or_default();
                    let shown = [("Variable_name", *name), ("Value", &value)];
                    if filter.as_ref().map_or(Ok(true), |f| filter::wanted(f, &shown))? {
                        rows.push(vec![Some((*name).to_owned()), Some(value)]);
                    }
                }
                Ok(table(&["Variable_name", "Value"], rows))
            }
            Show::Status { like } => {
                let (open, statements, uptime) = self.connections.figures();
                let rows = [("Questions", statements), ("Threads_connected", open), ("Uptime", uptime)];
                let rows = rows.iter().filter(|(n, _)| wanted(n, like.as_deref()));
                Ok(table(
                    &["Variable_name", "Value"],
                    rows.map(|(n, v)| vec![Some((*n).to_owned()), Some(v.to_string())]).collect(),
                ))
            }
            Show::ReplicaStatus { old_words } => Ok(replica::status(old_words)),
            Show::Abilities(words) => Err(Failure::NotForThisServer(format!("SHOW {words}"))),
        }
    }

    /// What SHOW GLOBAL VARIABLES says: the value of a new session.
    fn global(&self, name: &str) -> Option<String> {
        match name {
            "time_zone" => Some(self.default_zone().name().to_owned()),
            _ => variables::find(name, &self.settings).map(|(_, value)| value),
        }
    }
}
