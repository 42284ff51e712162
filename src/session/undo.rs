//! `_undo`: the statements that take back what a window, or one transaction, did to the rows of a
//! table.

use super::heading::result_columns;
use super::notes::NOTE;
use super::{Answer, ResultCharset, Session, Tenant};
use crate::agent_client::{NetTable, NetTables};
use crate::failure::Failure;
use crate::plan::{self, When, guard};
use crate::statement::{Draft, Limit};
use crate::undo::changed::Changed;
use crate::undo::literal::Text;
use crate::undo::{self, statement};
use dbtrail_types::agent_api::{NetRequest, Span};
use dbtrail_types::names::RequestId;
use dbtrail_types::result_set::{Note, Row};
use dbtrail_types::timestamp::{AsOf, Timestamp};

/// Bytes of changed rows at most: all of them are held and put in order. The command `undo` takes
/// more.
const MOST: usize = 64 << 20;
/// The same of rows from then up to now.
const MOST_LATER: usize = 16 << 20;
/// The user variable with the tables of which rows are taken back together: what refers to a row
/// that goes is in its way unless its table is one of them.
const TOGETHER: &str = "dbtrail_undo_tables";

impl Session {
    /// Draft, rules, agent, statements.
    pub(super) async fn undo(
        &mut self,
        draft: Draft,
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let (tenant, resolved) = self.asked(draft, now, request).await?;
        let (caller, server) = (&tenant.caller, &resolved.server_id);
        // Statements run on the table as it is, and not as it was.
        let definition =
            tenant.agent.newest_definition(caller, server, &resolved.table, request).await?.into();
        let admitted = guard::admit(&resolved, &definition, self.settings.guard)?;
        self.note_keys(&admitted);
        if !admitted.selected().order.is_empty() {
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
        let allowed = tenant.allowed_schemas.as_deref();
        let own = NetRequest {
            keys: resolved.draft.filter.is_some().then(|| admitted.keys().clone()),
            ..NetRequest::all(resolved.server_id.clone(), resolved.table.clone(), span)
        };
        let asked = self.together(own.clone(), &resolved.draft, &tenant)?;
        let found = Box::pin(tenant.agent.net_tables(caller, &asked, allowed, MOST, request)).await?;
        let related = undo::obstacles::wanted(&changed(&found.tables));
        let later = tenant.agent.later(caller, &own, related, allowed, MOST_LATER, request);
        let later = Box::pin(later).await?;
        // What the client's character set does not have would come as `?`.
        let text = match self.charset {
            Some(ResultCharset::Utf8 { .. }) => Text::Utf8,
            _ => Text::Ascii,
        };
        let NetTables { tables, incomplete } = found;
        let named = asked.len();
        // Long where rows are many: not in the thread of the connections.
        let undone = tokio::task::spawn_blocking(move || {
            let undone = undo::undo(&changed(&tables), &changed(&later.tables), text);
            let mine: Vec<bool> = (0..tables.len()).map(|i| belongs(&tables, named, i, &own)).collect();
            let mine = undone.into_iter().zip(mine).filter(|(_, mine)| *mine);
            (mine.map(|(undone, _)| undone).collect::<Vec<_>>(), later.unknown)
        });
        let (mut undone, unknown) =
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
        for why in unknown {
            self.diagnostics.push(Note {
                level: "Note",
                code: NOTE,
                message: format!(
                    "whether rows of today are in the way of these statements is not known: {why}; the guards of the statements find those that are"
                ),
            });
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
        let row_count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let rows = rows.skip(row_count(offset)).take(row_count(count));
        let shown = |row: Row| -> Row {
            admitted.output().iter().map(|o| row.get(o.source).cloned().flatten()).collect()
        };
        let source = guard::source(resolved.draft.virtual_schema, admitted.definition());
        let columns = result_columns(
            resolved.draft.virtual_schema.name(),
            &resolved.draft,
            &source,
            (admitted.output(), None),
        );
        Ok(Answer::Table(columns, rows.map(shown).collect()))
    }
}

fn changed(tables: &[NetTable]) -> Vec<Changed<'_>> {
    tables.iter().map(|t| Changed { name: &t.name, header: &t.header, changes: &t.changes }).collect()
}

/// Whether a table belongs to the answer: the one that was asked for, and those below it, unless
/// they are below one that comes before it.
fn belongs(tables: &[NetTable], named: usize, at: usize, own: &NetRequest) -> bool {
    let Some(table) = tables.get(at) else { return false };
    let is_own = |t: &NetTable| t.name.schema == own.schema && t.name.table == own.table;
    if at < named {
        return is_own(table);
    }
    let above =
        tables.iter().take(named).find(|t| !t.changes.is_empty() && t.header.below.contains(&table.name));
    above.is_some_and(is_own)
}

impl Session {
    /// The requests of all tables of which rows are taken back together: those that the user
    /// variable names, among them the one that was asked for.
    fn together(&self, own: NetRequest, draft: &Draft, tenant: &Tenant) -> Result<Vec<NetRequest>, Failure> {
        let value = self.variables.user_value(TOGETHER)?;
        let Some(text) = value.text().filter(|text| !text.trim().is_empty()) else { return Ok(vec![own]) };
        let mut all: Vec<NetRequest> = Vec::new();
        for word in text.split(',').map(str::trim) {
            let Some((schema, table)) = word.split_once('.').filter(|(s, t)| !s.is_empty() && !t.is_empty())
            else {
                return Err(Failure::Unsupported(format!(
                    "@{TOGETHER} = '{text}': write tables as schema.table, with commas between them"
                )));
            };
            let named = Draft { schema: Some(schema.to_owned()), table: table.to_owned(), ..draft.clone() };
            let table = plan::table(&named, &self.context(draft, tenant)?)?;
            let one = NetRequest::all(own.server_id.clone(), table, own.span.clone());
            let one = if one.schema == own.schema && one.table == own.table { own.clone() } else { one };
            if !all.iter().any(|other| other.schema == one.schema && other.table == one.table) {
                all.push(one);
            }
        }
        if !all.contains(&own) {
            all.push(own);
        }
        Ok(all)
    }
}

/// What a session needs before it runs the statements.
fn advice() -> String {
    format!(
        "run them in this order, in one transaction, after SET NAMES utf8mb4, time_zone = '{}', sql_mode = '{}', foreign_key_checks = 0; each changes one row \
         or, where somebody has changed it since, none (`dbtrail-shim undo` writes such a file)",
        statement::TIME_ZONE,
        statement::SQL_MODE
    )
}
