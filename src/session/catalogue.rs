//! What there is: SHOW, DESCRIBE and information_schema, from what the agent knows of schemas, tables and columns.
//!
//! SHOW is SELECT on information_schema with other names, as it is in mysqld. The agent is asked for no more than a statement's
//! conditions on schema and table leave over, and for so many definitions at most; a question for more is refused, never cut.
//!
//! What an agent does not tell is NULL or left out (defaults, further indexes, generated columns, sizes, times), and never made up.

mod compile;
mod describe;
mod formula;
mod functions;
mod lists;
mod plan;
mod run;
mod source;
mod tables;

use super::evaluate::Value;
use super::{About, Answer, Session, Tenant, computed};
use crate::column::{Column, ColumnType};
use crate::failure::Failure;
use crate::ident::{RequestId, TableName};
use crate::instant::Instant;
use crate::reply::{Note, ResultColumn};
use crate::statement::{
    Absent, Catalogue, Draft, INFORMATION_SCHEMA, Limit, Named, Narrowed, Selection, VirtualSchema,
    virtual_schema_named,
};
use formula::Order;
use plan::Plan;
use source::{Extent, Ground, Reader};
use sqlparser::ast::Expr;

/// SHOW COLUMNS FULL; those that stand in SHOW COLUMNS alone are the first six without Collation.
const COLUMNS: [(&str, &str); 9] = [
    ("Field", "COLUMN_NAME"),
    ("Type", "COLUMN_TYPE"),
    ("Collation", "COLLATION_NAME"),
    ("Null", "IS_NULLABLE"),
    ("Key", "COLUMN_KEY"),
    ("Default", "COLUMN_DEFAULT"),
    ("Extra", "EXTRA"),
    ("Privileges", "PRIVILEGES"),
    ("Comment", "COLUMN_COMMENT"),
];
const INDEX: [(&str, &str); 15] = [
    ("Table", "TABLE_NAME"),
    ("Non_unique", "NON_UNIQUE"),
    ("Key_name", "INDEX_NAME"),
    ("Seq_in_index", "SEQ_IN_INDEX"),
    ("Column_name", "COLUMN_NAME"),
    ("Collation", "COLLATION"),
    ("Cardinality", "CARDINALITY"),
    ("Sub_part", "SUB_PART"),
    ("Packed", "PACKED"),
    ("Null", "NULLABLE"),
    ("Index_type", "INDEX_TYPE"),
    ("Comment", "COMMENT"),
    ("Index_comment", "INDEX_COMMENT"),
    ("Visible", "IS_VISIBLE"),
    ("Expression", "EXPRESSION"),
];
const TABLE_STATUS: [(&str, &str); 18] = [
    ("Name", "TABLE_NAME"),
    ("Engine", "ENGINE"),
    ("Version", "VERSION"),
    ("Row_format", "ROW_FORMAT"),
    ("Rows", "TABLE_ROWS"),
    ("Avg_row_length", "AVG_ROW_LENGTH"),
    ("Data_length", "DATA_LENGTH"),
    ("Max_data_length", "MAX_DATA_LENGTH"),
    ("Index_length", "INDEX_LENGTH"),
    ("Data_free", "DATA_FREE"),
    ("Auto_increment", "AUTO_INCREMENT"),
    ("Create_time", "CREATE_TIME"),
    ("Update_time", "UPDATE_TIME"),
    ("Check_time", "CHECK_TIME"),
    ("Collation", "TABLE_COLLATION"),
    ("Checksum", "CHECKSUM"),
    ("Create_options", "CREATE_OPTIONS"),
    ("Comment", "TABLE_COMMENT"),
];
const CHARACTER_SETS: [(&str, &str); 4] = [
    ("Charset", "CHARACTER_SET_NAME"),
    ("Description", "DESCRIPTION"),
    ("Default collation", "DEFAULT_COLLATE_NAME"),
    ("Maxlen", "MAXLEN"),
];
const COLLATIONS: [(&str, &str); 7] = [
    ("Collation", "COLLATION_NAME"),
    ("Charset", "CHARACTER_SET_NAME"),
    ("Id", "ID"),
    ("Default", "IS_DEFAULT"),
    ("Compiled", "IS_COMPILED"),
    ("Sortlen", "SORTLEN"),
    ("Pad_attribute", "PAD_ATTRIBUTE"),
];
const ENGINES: [(&str, &str); 6] = [
    ("Engine", "ENGINE"),
    ("Support", "SUPPORT"),
    ("Comment", "COMMENT"),
    ("Transactions", "TRANSACTIONS"),
    ("XA", "XA"),
    ("Savepoints", "SAVEPOINTS"),
];
const TRIGGERS: [(&str, &str); 11] = [
    ("Trigger", "TRIGGER_NAME"),
    ("Event", "EVENT_MANIPULATION"),
    ("Table", "EVENT_OBJECT_TABLE"),
    ("Statement", "ACTION_STATEMENT"),
    ("Timing", "ACTION_TIMING"),
    ("Created", "CREATED"),
    ("sql_mode", "SQL_MODE"),
    ("Definer", "DEFINER"),
    ("character_set_client", "CHARACTER_SET_CLIENT"),
    ("collation_connection", "COLLATION_CONNECTION"),
    ("Database Collation", "DATABASE_COLLATION"),
];
const EVENTS: [(&str, &str); 15] = [
    ("Db", "EVENT_SCHEMA"),
    ("Name", "EVENT_NAME"),
    ("Definer", "DEFINER"),
    ("Time zone", "TIME_ZONE"),
    ("Type", "EVENT_TYPE"),
    ("Execute at", "EXECUTE_AT"),
    ("Interval value", "INTERVAL_VALUE"),
    ("Interval field", "INTERVAL_FIELD"),
    ("Starts", "STARTS"),
    ("Ends", "ENDS"),
    ("Status", "STATUS"),
    ("Originator", "ORIGINATOR"),
    ("character_set_client", "CHARACTER_SET_CLIENT"),
    ("collation_connection", "COLLATION_CONNECTION"),
    ("Database Collation", "DATABASE_COLLATION"),
];
const ROUTINES: [(&str, &str); 12] = [
    ("Db", "ROUTINE_SCHEMA"),
    ("Name", "ROUTINE_NAME"),
    ("Type", "ROUTINE_TYPE"),
    ("Language", "EXTERNAL_LANGUAGE"),
    ("Definer", "DEFINER"),
    ("Modified", "LAST_ALTERED"),
    ("Created", "CREATED"),
    ("Security_type", "SECURITY_TYPE"),
    ("Comment", "ROUTINE_COMMENT"),
    ("character_set_client", "CHARACTER_SET_CLIENT"),
    ("collation_connection", "COLLATION_CONNECTION"),
    ("Database Collation", "DATABASE_COLLATION"),
];

impl Session {
    /// Whether the configuration lets the tenant use a real schema.
    pub(super) fn may_use(&self, schema: &str) -> bool {
        let tenant = self.tenant();
        tenant.is_some_and(|t| {
            t.allowed_schemas.as_ref().is_none_or(|allowed| allowed.iter().any(|a| a == schema))
        })
    }

    /// The current database, where it is a real one. `USE _flashback` and `USE information_schema` are carried out, since command lines
    /// and graphical clients do that with whatever SHOW DATABASES shows; but they are no database whose past can be asked for.
    ///
    /// The real one of before `USE _flashback` does not count any more: connections of a pool are handed on, and what somebody else
    /// had chosen would be taken for it.
    pub(super) fn real_schema(&self) -> Option<&str> {
        self.schema.as_deref().filter(|s| own(s).is_none())
    }

    /// The real schema that a time-travel statement without a three-part name is about.
    pub(super) fn schema_of<'a>(
        &'a self,
        draft: &Draft,
        tenant: &'a Tenant,
    ) -> Result<Option<&'a str>, Failure> {
        let current = self.real_schema();
        if let (None, None, Some(own)) = (&draft.schema, current, &self.schema) {
            // After USE _flashback; one schema alone cannot be mistaken.
            if let Some([only]) = tenant.allowed_schemas.as_deref() {
                return Ok(Some(only));
            }
            return Err(Failure::Unsupported(format!(
                "a table without its database while the current one is {own}: USE the real database, or write {}.<database>.{}",
                draft.virtual_schema.name(),
                draft.table
            )));
        }
        Ok(current)
    }

    /// Answers a question about what there is.
    pub(super) async fn catalogue(
        &mut self,
        question: Catalogue,
        now: Instant,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let mut reader = Reader::new(self, request)?;
        let constant = |e: &Expr| self.evaluate(e, now);
        let answer = answered(self, &mut reader, question, &constant).await?;
        let notes = std::mem::take(&mut reader.notes);
        self.told(notes);
        Ok(answer)
    }

    fn told(&mut self, notes: Vec<Note>) {
        self.warnings.extend(notes);
    }

    /// COM_FIELD_LIST: the columns of a table of the current database whose names are like `wildcard` (empty: all), as the record
    /// knows them last. Command lines ask it of every table, to complete names.
    ///
    /// # Errors
    /// 1046 without a database, 1044 where the tenant may not, 1146 for a table that SHOW TABLES does not show, agent failures.
    pub async fn field_list(
        &mut self,
        table: &[u8],
        wildcard: &[u8],
        request: &RequestId,
    ) -> Result<Vec<ResultColumn>, Failure> {
        self.about = About { kind: "field_list", table: None };
        let (table, wildcard) = (self.decoded(table)?, self.decoded(wildcard)?);
        let mut reader = Reader::new(self, request)?;
        let place = reader.place(None, None).await?;
        let shown = reader.shown(&place, &table).await?;
        let name = TableName { schema: place.shown, table };
        self.about.table = Some(name.to_string());
        let wanted = |c: &Column| wildcard.is_empty() || Order::Lower.like(&c.name, &wildcard);
        let columns = shown.columns.into_iter().filter(wanted).map(|column| ResultColumn {
            name: column.name.clone(),
            org_name: column.name.clone(),
            table: name.table.clone(),
            org_table: name.table.clone(),
            schema: name.schema.clone(),
            column,
        });
        Ok(columns.collect())
    }
}

/// The name of a schema that is this server's own: virtual, or information_schema.
pub(super) fn own(schema: &str) -> Option<&'static str> {
    let information = schema.eq_ignore_ascii_case(INFORMATION_SCHEMA).then_some(INFORMATION_SCHEMA);
    virtual_schema_named(schema).map(VirtualSchema::name).or(information)
}

type OfSession<'a> = &'a (dyn Fn(&Expr) -> Result<Value, Failure> + Sync);

async fn answered(
    session: &Session,
    reader: &mut Reader<'_>,
    question: Catalogue,
    constant: OfSession<'_>,
) -> Result<Answer, Failure> {
    let (table, shown, narrowed, extent): (&str, Vec<(String, &str)>, Option<Narrowed>, Extent) =
        match question {
            Catalogue::Databases(narrowed) => (
                "SCHEMATA",
                vec![(headed("Database", narrowed.as_ref(), false), "SCHEMA_NAME")],
                narrowed,
                Extent::All,
            ),
            Catalogue::Tables { full, schema, narrowed } => {
                let place = reader.place(schema.as_deref(), None).await?;
                let upper = place.ground == Ground::Information;
                let mut shown = vec![(
                    headed(&format!("Tables_in_{}", place.shown), narrowed.as_ref(), upper),
                    "TABLE_NAME",
                )];
                if full {
                    shown.push(("Table_type".to_owned(), "TABLE_TYPE"));
                }
                ("TABLES", shown, narrowed, Extent::Schema(place))
            }
            Catalogue::TableStatus { schema, narrowed } => {
                let place = reader.place(schema.as_deref(), None).await?;
                ("TABLES", owned(&TABLE_STATUS), narrowed, Extent::Schema(place))
            }
            Catalogue::Columns { full, table, narrowed } => {
                let extent = existing(reader, &table).await?;
                let shown = COLUMNS.iter().enumerate().filter(|(at, _)| full || !matches!(at, 2 | 7 | 8));
                ("COLUMNS", shown.map(|(_, (n, f))| ((*n).to_owned(), *f)).collect(), narrowed, extent)
            }
            Catalogue::Index { table, narrowed } => {
                let extent = existing(reader, &table).await?;
                ("STATISTICS", owned(&INDEX), narrowed, extent)
            }
            Catalogue::CharacterSets(narrowed) => {
                ("CHARACTER_SETS", owned(&CHARACTER_SETS), narrowed, Extent::All)
            }
            Catalogue::Collations(narrowed) => ("COLLATIONS", owned(&COLLATIONS), narrowed, Extent::All),
            Catalogue::Engines => ("ENGINES", owned(&ENGINES), None, Extent::All),
            Catalogue::None { kind, schema, narrowed } => {
                if let Absent::Triggers | Absent::Events = kind {
                    reader.place(schema.as_deref(), None).await?;
                }
                match kind {
                    Absent::Triggers => ("TRIGGERS", owned(&TRIGGERS), narrowed, Extent::All),
                    Absent::Events => ("EVENTS", owned(&EVENTS), narrowed, Extent::All),
                    Absent::Procedures | Absent::Functions => {
                        ("ROUTINES", owned(&ROUTINES), narrowed, Extent::All)
                    }
                }
            }
            Catalogue::CreateTable(table) => return create_table(reader, &table).await,
            Catalogue::CreateDatabase(name) => return create_database(reader, &name).await,
            Catalogue::Select(selection) => return select(session, reader, *selection, constant).await,
        };
    let table =
        tables::find(table).ok_or_else(|| Failure::Internal(format!("there is no table {table} to show")))?;
    let shown: Vec<(&str, &str)> = shown.iter().map(|(name, field)| (name.as_str(), *field)).collect();
    let plan = Plan::show(table, &shown, narrowed.as_ref(), constant)?;
    let rows = run::run(&plan, reader, &extent).await?;
    Ok(Answer::Table(plan.columns(), rows))
}

fn owned(shown: &[(&'static str, &'static str)]) -> Vec<(String, &'static str)> {
    shown.iter().map(|(name, field)| ((*name).to_owned(), *field)).collect()
}

/// The header of a list of names: mysqld puts the pattern of LIKE behind it, and the names of information_schema are in upper case.
fn headed(name: &str, narrowed: Option<&Narrowed>, upper: bool) -> String {
    match narrowed {
        Some(Narrowed::Like(pattern)) if upper => format!("{name} ({})", pattern.to_uppercase()),
        Some(Narrowed::Like(pattern)) => format!("{name} ({pattern})"),
        Some(Narrowed::Where(_)) | None => name.to_owned(),
    }
}

/// A table that is there, or 1046, 1044, 1049, 1146.
async fn existing(reader: &mut Reader<'_>, table: &Named) -> Result<Extent, Failure> {
    let place = reader.place(table.schema.as_deref(), table.real.as_deref()).await?;
    reader.shown(&place, &table.table).await?;
    // Names of information_schema have no case.
    let known = tables::find(&table.table).filter(|_| place.ground == Ground::Information);
    Ok(Extent::Table(place, known.map_or_else(|| table.table.clone(), |t| t.name.to_owned())))
}

async fn create_table(reader: &mut Reader<'_>, table: &Named) -> Result<Answer, Failure> {
    let place = reader.place(table.schema.as_deref(), table.real.as_deref()).await?;
    if place.ground == Ground::Information {
        return Err(Failure::Unsupported("SHOW CREATE TABLE of a table of information_schema".to_owned()));
    }
    let shown = reader.shown(&place, &table.table).await?;
    let text = describe::create_table(&place, &table.table, &shown);
    Ok(pair(["Table", "Create Table"], [table.table.clone(), text]))
}

async fn create_database(reader: &mut Reader<'_>, name: &str) -> Result<Answer, Failure> {
    // A virtual schema is there, whatever its tables are those of.
    let shown = match virtual_schema_named(name) {
        Some(schema) => schema.name().to_owned(),
        None => reader.place(Some(name), None).await?.shown,
    };
    let text = format!("CREATE DATABASE `{}`", shown.replace('`', "``"));
    Ok(pair(["Database", "Create Database"], [shown, text]))
}

/// One row of a name and a statement, declared as mysqld does.
fn pair(names: [&str; 2], cells: [String; 2]) -> Answer {
    let columns = names.iter().zip(&cells).zip([64, 1024]).map(|((name, cell), least)| {
        let mut column = Value::Text(String::new()).column(name);
        let chars = u32::try_from(cell.chars().count()).unwrap_or(u32::MAX).max(least);
        (column.ty, column.nullable) = (ColumnType::VarChar { chars }, false);
        computed(name, column)
    });
    Answer::Table(columns.collect(), vec![cells.into_iter().map(|c| Some(c.into_bytes())).collect()])
}

async fn select(
    session: &Session,
    reader: &mut Reader<'_>,
    mut selection: Selection,
    constant: OfSession<'_>,
) -> Result<Answer, Failure> {
    if selection.limit.is_none() {
        let limit = session.variable("sql_select_limit").ok().flatten().and_then(|v| v.parse().ok());
        selection.limit = limit.filter(|n| *n < u64::MAX).map(|count| Limit { offset: 0, count });
    }
    let plan = Plan::select(&selection, constant)?;
    let rows = run::run(&plan, reader, &Extent::All).await?;
    Ok(Answer::Table(plan.columns(), rows))
}
