//! SHOW.

use super::evaluate::{self, EvaluationContext, Value};
use super::filter::Filter;
use super::{Answer, Session, computed, replica, status};
use crate::failure::Failure;
use crate::statement::Show;
use dbtrail_types::result_set::Row;
use dbtrail_types::timestamp::Timestamp;

/// A table of text columns.
pub(super) fn table(names: &[&str], rows: Vec<Vec<Option<String>>>) -> Answer {
    let columns = names.iter().enumerate().map(|(i, name)| {
        let longest = rows
            .iter()
            .filter_map(|r| r.get(i).cloned().flatten())
            .map(|c| c.chars().count())
            .max()
            .unwrap_or(0);
        computed(name, evaluate::column_of(name, &Value::from(" ".repeat(longest.max(64)))))
    });
    let columns = columns.collect();
    let rows: Vec<Row> =
        rows.into_iter().map(|r| r.into_iter().map(|c| c.map(String::into_bytes)).collect()).collect();
    Answer::Table(columns, rows)
}

impl Session {
    pub(super) fn show(&self, show: Show, now: Timestamp) -> Result<Answer, Failure> {
        match show {
            Show::Warnings { errors_only, limit } => {
                let notes = self.diagnostics.notes(errors_only);
                let (skip, take) = limit.map_or((0, usize::MAX), |l| {
                    (
                        usize::try_from(l.offset).unwrap_or(usize::MAX),
                        usize::try_from(l.count).unwrap_or(usize::MAX),
                    )
                });
                Ok(status::warnings(notes.skip(skip).take(take)))
            }
            Show::WarningCount { errors_only } => {
                let name = if errors_only { "@@session.error_count" } else { "@@session.warning_count" };
                let count = self.diagnostics.notes(errors_only).count();
                let row = vec![Some(count.to_string().into_bytes())];
                Ok(Answer::Table(
                    vec![computed(
                        name,
                        evaluate::column(name, &evaluate::system_number(None, true, true).ty),
                    )],
                    vec![row],
                ))
            }
            Show::Variables { global, like, filter } => {
                let here = EvaluationContext { session: self, now };
                self.show_variables(global, Filter::new(here, like.as_deref(), filter.as_deref())?)
            }
            Show::Status { like, filter } => {
                let here = EvaluationContext { session: self, now };
                self.show_status(Filter::new(here, like.as_deref(), filter.as_deref())?)
            }
            Show::Grants => Ok(self.show_grants()),
            Show::Plugins => Ok(Self::show_plugins()),
            Show::ProcessList { full } => Ok(self.show_processes(full)),
            Show::ReplicaStatus { old_words } => Ok(replica::status(old_words)),
            Show::Abilities(words) => Err(Failure::NotForThisServer(format!("SHOW {words}"))),
        }
    }
}
