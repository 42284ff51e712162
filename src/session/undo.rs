//! `_undo`: the statements that take back what a window, or one transaction, did to the rows of a
//! table.

use super::stream::{NOTE, result_columns};
use super::{Answer, ResultCharset, Session};
use crate::agent_client::{NetTable, NetTables};
use crate::failure::Failure;
use crate::plan::{When, guard};
use crate::statement::{Draft, Limit};
use crate::undo::literal::Text;
use crate::undo::{self, statement};
use dbtrail_types::agent_api::{NetRequest, Span};
use dbtrail_types::instant::{AsOf, Instant};
use dbtrail_types::names::RequestId;
use dbtrail_types::result_set::{Note, Row};

/// Bytes of changed rows at most: all of them are held and put in order. The command `undo` takes
/// more.
const MOST: usize = 64 << 20;

impl Session {
    /// Draft, rules, agent, statements.
    pub(super) async fn undo(
        &mut self,
        draft: Draft,
        now: Instant,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let (tenant, resolved) = self.asked(draft, now, request).await?;
        let (caller, server) = (&tenant.caller, &resolved.server_id);
        // Statements run on the table as it is, and not as it was.
        let definition =
            tenant.agent.newest_definition(caller, server, &resolved.table, request).await?.into();
        let admitted = guard::admit(&resolved, &definition, self.settings.guard)?;
        if !admitted.order().is_empty() {
            return Err(Failure::Unsupported(
                "ORDER BY on _undo: its rows come in an order in which they can be run; leave it out"
                    .to_owned(),
            ));
        }
        let span = match &resolved.when {
            When::Between(since, until) => Span::Window { since: *since, until: *until },
            When::At(AsOf::Gtid(gtid)) => Span::Transaction(gtid.clone()),
            When::At(AsOf::Time(_)) => {
                return Err(Failure::Syntax("_undo takes BETWEEN ... AND ... or AT GTID".to_owned()));
            }
        };
        let asked = NetRequest {
            server_id: resolved.server_id.clone(),
            schema: resolved.table.schema.clone(),
            table: resolved.table.table.clone(),
            span,
            keys: resolved.draft.filter.is_some().then(|| admitted.keys().clone()),
            derived_only: false,
        };
        let allowed = tenant.allowed_schemas.as_deref();
        let found = tenant.agent.net_tables(caller, &[asked], allowed, MOST, request).await?;
        // What the client's character set does not have would come as `?`.
        let text = match self.charset {
            Some(ResultCharset::Utf8 { .. }) => Text::Utf8,
            _ => Text::Ascii,
        };
        let NetTables { tables, incomplete } = found;
        // Long where rows are many: not in the thread of the connections.
        let undone = tokio::task::spawn_blocking(move || {
            let of = |t: NetTable| undo::undo(&t.name, &t.header, &t.changes, text);
            tables.into_iter().map(of).collect::<Vec<_>>()
        });
        let mut undone =
            undone.await.map_err(|e| Failure::Internal(format!("statements were not written: {e}")))?;
        // Children give way before their parents, and come back after them: here, the table that
        // was asked for is the parent of all others.
        let (mut statements, mut conflicts) = (Vec::new(), Vec::new());
        for one in undone.iter_mut().rev() {
            statements.append(&mut one.deletes);
            statements.append(&mut one.updates);
        }
        for one in &mut undone {
            statements.append(&mut one.inserts);
            conflicts.append(&mut one.conflicts);
        }
        conflicts.extend(incomplete.iter().map(|why| format!("NOT COMPLETE: {why}")));
        if !statements.is_empty() {
            self.diagnostics.push(Note { level: "Note", code: NOTE, message: advice() });
        }
        for why in incomplete {
            self.diagnostics.push(Note {
                level: "Warning",
                code: NOTE,
                message: format!("these statements are not all that there is to undo: {why}"),
            });
        }
        let rows = statements.into_iter().map(|sql| vec![Some(sql.into_bytes()), None]);
        let rows = rows.chain(conflicts.into_iter().map(|why| vec![None, Some(why.into_bytes())]));
        let Limit { offset, count } = admitted.limit().unwrap_or(Limit { offset: 0, count: u64::MAX });
        let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let rows = rows.skip(whole(offset)).take(whole(count));
        let shown = |row: Row| -> Row {
            admitted.output().iter().map(|o| row.get(o.source).cloned().flatten()).collect()
        };
        let source = guard::source(resolved.draft.virtual_schema, admitted.definition());
        let columns = result_columns(&resolved.draft, &source, admitted.output());
        Ok(Answer::Table(columns, rows.map(shown).collect()))
    }
}

/// What a session needs before it runs the statements.
fn advice() -> String {
    format!(
        "run them in this order, in one transaction, behind SET NAMES utf8mb4, time_zone = '{}', sql_mode = '{}', foreign_key_checks = 0; each changes one row \
         or, where somebody has changed it since, none (`dbtrail-shim undo` writes such a file)",
        statement::TIME_ZONE,
        statement::SQL_MODE
    )
}
