//! EXPLAIN of a time-travel query: its plan, without asking for a row.
//!
//! The answer is a list of items and values. mysqld's twelve columns have no place for an instant,
//! a zone or an endpoint, and all of it in `Extra` could not be read; clients take the columns of
//! EXPLAIN as they come, since mysqld itself answers with one column under FORMAT=TREE and
//! FORMAT=JSON.

use super::show::table;
use super::{Answer, Session};
use crate::failure::Failure;
use crate::plan::guard::{self, Admitted};
use crate::plan::{Resolved, When};
use crate::statement::{Draft, VirtualSchema};
use dbtrail_types::agent_api::{KeyChoice, KeyScan, Octets};
use dbtrail_types::column::Column;
use dbtrail_types::names::RequestId;
use dbtrail_types::result_set::ResultColumn;
use dbtrail_types::timestamp::{AsOf, Timestamp};
use dbtrail_types::zone::Zone;

/// Keys and columns that are shown; more are counted.
const MOST_SHOWN: usize = 10;

impl Session {
    /// All rules, and the definition of the table as the agent knows it now: what would be refused
    /// is refused here.
    pub(super) async fn explain(
        &mut self,
        draft: Draft,
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let (tenant, resolved) = self.asked(draft, now, request).await?;
        let definition = tenant.agent.fresh_definition(&tenant.caller, &resolved, request).await?;
        let admitted = guard::admit(&resolved, &definition, self.settings.guard)?;
        let mut items = plan(&admitted, &self.zone);
        items.extend(tenant.agent.endpoint(&resolved).map(|url| ("endpoint", format!("POST {url}"))));
        let rows = items.into_iter().map(|(item, value)| vec![Some(item.to_owned()), Some(value)]);
        Ok(table(&COLUMNS, rows.collect()))
    }
}

const COLUMNS: [&str; 2] = ["item", "value"];

/// The columns of the answer, for a statement that is prepared.
pub(super) fn columns() -> Vec<ResultColumn> {
    match table(&COLUMNS, Vec::new()) {
        Answer::Table(columns, _) => columns,
        Answer::Done | Answer::Stream(..) => Vec::new(),
    }
}

fn plan(admitted: &Admitted, zone: &Zone) -> Vec<(&'static str, String)> {
    let resolved = admitted.resolved();
    let draft = &resolved.draft;
    let answers = match draft.virtual_schema {
        VirtualSchema::Flashback => "the rows as they were, from the recorded changes",
        VirtualSchema::Snapshot => "the rows as they were, from the recorded changes and a baseline",
        VirtualSchema::Diff => "every change of the rows, oldest first",
        VirtualSchema::Undo => "statements that take the changes of the rows back",
    };
    let mut items = vec![
        ("virtual schema", format!("{}: {answers}", draft.virtual_schema.name())),
        ("server", resolved.server_id.to_string()),
        ("schema", resolved.table.schema.clone()),
        ("table", resolved.table.table.clone()),
    ];
    let key = admitted.definition().key_columns();
    let columns: Vec<String> = key.iter().map(|c| format!("{} {}", c.name, c.ty)).collect();
    items.push(("key columns", columns.join(", ")));
    items.extend(keys(admitted, &key));
    if admitted.filter().is_some() {
        items.push(("filter", "the rest of WHERE, carried out by the agent on each row".to_owned()));
    }
    items.extend(when(resolved, zone));
    let output: Vec<&str> = admitted.output().iter().map(|o| o.name.as_str()).collect();
    items.push(("columns", shown(output.len(), &output.iter().take(MOST_SHOWN).collect::<Vec<_>>())));
    if !draft.group_by.is_empty() {
        items.push(("groups", draft.group_by.join(", ")));
    }
    if let Some(having) = &draft.having {
        items.push(("having", having.to_string()));
    }
    if !draft.order_by.is_empty() {
        let order = draft.order_by.iter().map(|(n, down)| format!("{n}{}", if *down { " DESC" } else { "" }));
        items.push(("order", order.collect::<Vec<_>>().join(", ")));
    }
    if let Some(limit) = admitted.limit() {
        items.push(("limit", format!("{} rows after the first {}", limit.count, limit.offset)));
    }
    items
}

/// A count and the first of so many.
fn shown(count: usize, first: &[impl std::fmt::Display]) -> String {
    let mut texts: Vec<String> = first.iter().map(ToString::to_string).collect();
    if count > texts.len() {
        texts.push("...".to_owned());
    }
    format!("{count}: {}", texts.join(", "))
}

/// A value as it is asked for: text, or the hexadecimal digits of bytes that are none.
fn cell(octets: &Octets) -> String {
    std::str::from_utf8(&octets.0).map_or_else(|_| format!("x'{}'", hex::encode(&octets.0)), str::to_owned)
}

fn keys(admitted: &Admitted, key: &[&Column]) -> Vec<(&'static str, String)> {
    let tuple = |values: &[Octets]| format!("({})", values.iter().map(cell).collect::<Vec<_>>().join(", "));
    match &admitted.keys().choice {
        KeyChoice::Values(values) => {
            let first: Vec<String> = values.iter().take(MOST_SHOWN).map(|v| tuple(v)).collect();
            vec![("keys", shown(values.len(), &first))]
        }
        KeyChoice::Range(range) => {
            let mut fixed = String::new();
            for (column, value) in key.iter().zip(&range.prefix) {
                fixed.extend([&column.name, " = ", &cell(value), ", "]);
            }
            let last = key.last().map(|c| c.name.as_str()).unwrap_or_default();
            let most = range.max_keys.map_or_else(String::new, |n| format!(", at most {n}"));
            let (from, to) = (cell(&range.from), cell(&range.to));
            vec![("keys", format!("{fixed}{last} from {from} to {to}{most}"))]
        }
        KeyChoice::Scan(scan) => vec![("keys", scanned(scan, key))],
    }
}

/// A range of keys.
fn scanned(scan: &KeyScan, key: &[&Column]) -> String {
    let mut conditions: Vec<String> = key
        .iter()
        .zip(&scan.prefix)
        .map(|(column, value)| format!("{} = {}", column.name, cell(value)))
        .collect();
    let next = key.get(scan.prefix.len()).map_or("", |c| c.name.as_str());
    for (bound, sign) in [(&scan.lower, '>'), (&scan.upper, '<')] {
        conditions.extend(
            bound
                .iter()
                .map(|b| format!("{next} {sign}{} {}", if b.inclusive { "=" } else { "" }, cell(&b.value))),
        );
    }
    if conditions.is_empty() {
        "all of the table".to_owned()
    } else {
        format!("all with {}", conditions.join(", "))
    }
}

fn when(resolved: &Resolved, zone: &Zone) -> Vec<(&'static str, String)> {
    let utc = Zone::utc();
    let local = |instant: Timestamp, zone: &Zone| {
        let text = zone.local(instant).map(|t| t.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string());
        text.unwrap_or_else(|| instant.to_string())
    };
    let here = |instant| format!("{} ({})", local(instant, zone), zone.name());
    match &resolved.when {
        When::At(AsOf::Time(at)) => {
            vec![("instant (UTC)", local(*at, &utc)), ("instant (session)", here(*at))]
        }
        When::At(AsOf::Gtid(gtid)) => vec![("after transaction", gtid.clone())],
        When::Between(since, until) => {
            let micros = until.micros().saturating_sub(since.micros());
            vec![
                ("from (UTC)", local(*since, &utc)),
                ("from (session)", here(*since)),
                ("to (UTC)", local(*until, &utc)),
                ("to (session)", here(*until)),
                (
                    "window",
                    format!("{}.{:06} s, both ends inclusive", micros / 1_000_000, micros % 1_000_000),
                ),
            ]
        }
    }
}
