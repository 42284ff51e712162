//! SHOW VARIABLES, STATUS, GRANTS, PLUGINS and PROCESSLIST: what the server says of itself.

use super::filter::Filter;
use super::variables::VARIABLES;
use super::variables::{Scope, Variable};
use super::{Answer, Session};
use crate::failure::Failure;
use crate::statement::{Limit, VirtualSchema};
use dbtrail_types::column::{Column, ColumnType, IntSize};
use dbtrail_types::result_set::{Note, ResultColumn, Row};

/// Characters of a statement that SHOW PROCESSLIST shows without FULL.
const INFO: usize = 100;

/// A connection as SHOW PROCESSLIST shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The connection id.
    pub id: u32,
    /// The MySQL user.
    pub user: String,
    /// The peer's address, without its port.
    pub host: String,
    /// The current database.
    pub schema: Option<String>,
    /// `Sleep`, `Query`...
    pub command: &'static str,
    /// For how long, in seconds.
    pub seconds: u64,
    /// The statement that runs.
    pub statement: Option<String>,
}

/// A column of a list that no table has.
fn column(name: &str, ty: ColumnType, nullable: bool) -> ResultColumn {
    let text = matches!(ty, ColumnType::VarChar { .. } | ColumnType::Text { .. });
    ResultColumn {
        name: name.to_owned(),
        org_name: String::new(),
        table: String::new(),
        org_table: String::new(),
        schema: String::new(),
        column: Column::new(name.to_owned(), ty, text.then(|| "utf8mb3_general_ci".to_owned()), nullable),
    }
}

fn text(name: &str, chars: u32, nullable: bool) -> ResultColumn {
    column(name, ColumnType::VarChar { chars }, nullable)
}

fn integer(name: &str, size: IntSize, width: u8) -> ResultColumn {
    let ty = ColumnType::Int { size, unsigned: false, zerofill: false, display_width: Some(width) };
    column(name, ty, false)
}

/// `Variable_name` and `Value` are columns of tables in MySQL, and declared so.
fn pairs(rows: Vec<(String, String)>) -> Answer {
    let mut columns = vec![text("Variable_name", 64, false), text("Value", 1024, true)];
    for column in &mut columns {
        column.org_name.clone_from(&column.name);
    }
    columns[0].column.has_default = false;
    let row = |(name, value): (String, String)| vec![Some(name.into_bytes()), Some(value.into_bytes())];
    Answer::Table(columns, rows.into_iter().map(row).collect())
}

fn rows(cells: Vec<Vec<Option<String>>>) -> Vec<Row> {
    cells.into_iter().map(|r| r.into_iter().map(|c| c.map(String::into_bytes)).collect()).collect()
}

/// SHOW WARNINGS.
pub(super) fn warnings<'a>(notes: impl Iterator<Item = &'a Note>) -> Answer {
    let code =
        ColumnType::Int { size: IntSize::Int, unsigned: true, zerofill: false, display_width: Some(5) };
    let columns = vec![text("Level", 7, false), column("Code", code, false), text("Message", 512, false)];
    let row = |n: &Note| vec![Some(n.level.to_owned()), Some(n.code.to_string()), Some(n.message.clone())];
    Answer::Table(columns, rows(notes.map(row).collect()))
}

/// Rows by LIKE and WHERE.
fn chosen(
    all: Vec<(String, String)>,
    mut filter: Filter<'_>,
    limit: Option<Limit>,
) -> Result<Answer, Failure> {
    let mut rows = Vec::new();
    let most = limit.map_or(usize::MAX, |l| usize::try_from(l.count).unwrap_or(usize::MAX));
    for (name, value) in all {
        if rows.len() >= most {
            break;
        }
        if filter.wants(&name, &value)? {
            rows.push((name, value));
        }
    }
    Ok(pairs(rows))
}

impl Session {
    pub(super) fn show_variables(&self, global: bool, filter: Filter<'_>) -> Result<Answer, Failure> {
        let value = |v: &Variable| if global { self.default_of(v) } else { self.session_value(v) };
        let all = VARIABLES.iter().filter(|v| !(global && v.scope == Scope::Session));
        chosen(
            all.map(|v| (v.name.to_owned(), value(v).unwrap_or_default())).collect(),
            filter,
            self.select_limit(),
        )
    }

    pub(super) fn show_status(&self, filter: Filter<'_>) -> Result<Answer, Failure> {
        chosen(self.status_variables().into_iter().collect(), filter, self.select_limit())
    }

    /// What the user may do here: log in, and read the virtual schemas.
    pub(super) fn show_grants(&self) -> Answer {
        let (user, host) = (&self.identity.user, &self.identity.host);
        let account = format!("`{}`@`{}`", user.replace('`', "``"), host.replace('`', "``"));
        let mut all = vec![vec![Some(format!("GRANT USAGE ON *.* TO {account}"))]];
        let schemas =
            [VirtualSchema::Diff, VirtualSchema::Flashback, VirtualSchema::Snapshot, VirtualSchema::Undo];
        for schema in schemas {
            all.push(vec![Some(format!("GRANT SELECT ON `{}`.* TO {account}", schema.name()))]);
        }
        Answer::Table(vec![text(&format!("Grants for {user}@{host}"), 1024, false)], rows(all))
    }

    /// The ways to log in. There are no storage engines among the plugins, since nothing is stored.
    pub(super) fn show_plugins() -> Answer {
        let columns = vec![
            text("Name", 64, false),
            text("Status", 10, false),
            text("Type", 80, false),
            text("Library", 64, true),
            text("License", 80, true),
        ];
        let plugin = |name: &str| {
            let cell = |t: &str| Some(t.to_owned());
            vec![cell(name), cell("ACTIVE"), cell("AUTHENTICATION"), None, cell("MIT OR Apache-2.0")]
        };
        Answer::Table(columns, rows(vec![plugin("mysql_native_password"), plugin("caching_sha2_password")]))
    }

    /// The connections of the same user, as mysqld shows them to those without the PROCESS
    /// privilege.
    pub(super) fn show_processes(&self, full: bool) -> Answer {
        let columns = vec![
            integer("Id", IntSize::Big, 22),
            text("User", 32, false),
            text("Host", 255, false),
            text("db", 64, true),
            text("Command", 16, false),
            integer("Time", IntSize::Int, 8),
            text("State", 30, true),
            text("Info", if full { 16_383 } else { 100 }, true),
        ];
        let mut all = self.connections.processes(&self.identity.user);
        all.sort_by_key(|p| p.id);
        let row = |p: Process| {
            let shown = if full { usize::MAX } else { INFO };
            let state = if p.command == "Sleep" { "" } else { "executing" };
            vec![
                Some(p.id.to_string()),
                Some(p.user),
                Some(p.host),
                p.schema,
                Some(p.command.to_owned()),
                Some(p.seconds.to_string()),
                Some(state.to_owned()),
                p.statement.map(|s| s.chars().take(shown).collect()),
            ]
        };
        Answer::Table(columns, rows(all.into_iter().map(row).collect()))
    }
}
