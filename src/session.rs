//! One logged-in conversation: identity, database, variables, warnings; runs one statement through the stages.
//!
//! Knows no packets (that is `wire`) and no HTTP (that is `agent_client`).

mod evaluate;
mod filter;
mod images;
mod prepared;
mod replica;
mod result_charset;
mod settings;
mod show;
mod sort;
mod stream;
mod variables;

pub use crate::statement::Parameter;
pub use prepared::Prepared;
pub use result_charset::{ResultCharset, collation_id};
pub use stream::{Next, RowStream};

use crate::agent_client::{AgentClient, Caller};
use crate::charset;
use crate::column::Column;
use crate::failure::Failure;
use crate::ident::{RequestId, ServerId};
use crate::instant::Instant;
use crate::plan::{self, Context, guard};
use crate::reply::{Note, ResultColumn, Row};
use crate::secret::Secret;
use crate::statement::{Draft, Limit, Reading, Refused, Show, Statement};
use crate::zone::Zone;
use evaluate::Value;
use settings::{Changeable, switch};
use sqlparser::ast::Expr;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What the configuration says about sessions. One for the whole server.
#[derive(Debug)]
pub struct Settings {
    /// The version of the greeting, of `@@version` and of `VERSION()`.
    pub server_version: String,
    /// `limits.max_diff_window`
    pub max_diff_window: Duration,
    /// The rules of the guard.
    pub guard: guard::Settings,
    /// `limits.max_packet`, bytes: also `@@max_allowed_packet`.
    pub max_packet: usize,
    /// `limits.max_connections`: also `@@max_connections`.
    pub max_connections: usize,
    /// `limits.max_prepared_statements`, of one connection.
    pub max_prepared_statements: usize,
}

/// A tenant: one MySQL user, one server's history, one agent.
#[derive(Debug)]
pub struct Tenant {
    /// The MySQL user name.
    pub mysql_user: String,
    /// What a password is checked against.
    pub credential: Credential,
    /// Whose history.
    pub server_id: ServerId,
    /// The agent that keeps it.
    pub agent: AgentClient,
    /// What the agent is told about the caller.
    pub caller: Caller,
    /// The database of a login that names none.
    pub default_schema: Option<String>,
    /// `None`: all.
    pub allowed_schemas: Option<Vec<String>>,
    /// The zone of a new session.
    pub time_zone: Zone,
}

/// What a password is checked against.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The password itself: serves both authentication plugins.
    Password(Secret),
    /// SHA1(SHA1(password)), as in `mysql.user` for mysql_native_password: serves that plugin, and the full exchange of caching_sha2_password.
    NativeHash([u8; 20]),
}

/// Who logged in. Only `wire::auth` makes one, after the password was verified.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Tenant or monitor.
    pub role: Role,
    /// User name as sent.
    pub user: String,
    /// The peer's address without port, as `USER()` shows it.
    pub host: String,
    /// The id of the connection: CONNECTION_ID(), KILL.
    pub connection_id: u32,
}

/// What a login may do.
#[derive(Clone, Debug)]
pub enum Role {
    /// Ask for its own history.
    Tenant(Arc<Tenant>),
    /// ProxySQL's monitor: log in, ping, ask for read_only and replica status; nothing else.
    Monitor,
}

/// KILL reaches other connections through this; `server` implements it.
pub trait Connections: Send + Sync + std::fmt::Debug {
    /// Ends a connection or its running statement, if `user` owns it.
    ///
    /// # Errors
    /// [`Failure::NoSuchThread`], [`Failure::NotOwner`].
    fn kill(&self, id: u64, query_only: bool, user: &str) -> Result<(), Failure>;
    /// `(connections open now, statements since start, seconds since start)` for COM_STATISTICS and SHOW STATUS.
    fn figures(&self) -> (u64, u64, u64);
}

/// An answer to one statement.
#[derive(Debug)]
pub enum Answer {
    /// An OK packet.
    Done,
    /// A result set that is complete.
    Table(Vec<ResultColumn>, Vec<Row>),
    /// A result set whose rows are still coming.
    Stream(Vec<ResultColumn>, Box<RowStream>),
}

/// What every OK and EOF packet tells of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// SERVER_STATUS_AUTOCOMMIT
    pub autocommit: bool,
    /// SERVER_STATUS_IN_TRANS
    pub in_transaction: bool,
    /// SERVER_STATUS_NO_BACKSLASH_ESCAPES
    pub no_backslash_escapes: bool,
    /// Warnings of the last statement.
    pub warnings: u16,
}

/// A session.
#[derive(Debug)]
pub struct Session {
    identity: Identity,
    settings: Arc<Settings>,
    connections: Arc<dyn Connections>,
    schema: Option<String>,
    zone: Zone,
    autocommit: bool,
    in_transaction: bool,
    user: HashMap<String, Value>,
    system: HashMap<String, Option<String>>,
    charset: ResultCharset,
    warnings: Vec<Note>,
    about: About,
    /// Statements of PREPARE, by their names in lower case.
    named: HashMap<String, Arc<Prepared>>,
}

/// What the log says of the last statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// `_diff`, `set`, `show`...
    pub kind: &'static str,
    /// The real table that was asked for.
    pub table: Option<String>,
}

impl Session {
    /// A fresh session with everything at its default, `collation_id` being the one in the handshake.
    #[must_use]
    pub fn new(
        identity: Identity,
        settings: Arc<Settings>,
        connections: Arc<dyn Connections>,
        collation_id: u16,
    ) -> Self {
        // Of the character sets that a client can announce, these are the ones that results are converted to.
        let charset =
            ResultCharset::of_collation(collation_id).unwrap_or(ResultCharset::Utf8 { collation_id: 255 });
        let mut session = Self {
            identity,
            settings,
            connections,
            schema: None,
            zone: Zone::utc(),
            autocommit: true,
            in_transaction: false,
            user: HashMap::new(),
            system: HashMap::new(),
            charset,
            warnings: Vec::new(),
            about: About::default(),
            named: HashMap::new(),
        };
        session.zone = session.default_zone();
        session.schema = session.tenant().and_then(|t| t.default_schema.clone());
        if let Some(set) = charset.name() {
            for name in ["character_set_client", "character_set_connection", "character_set_results"] {
                session.system.insert(name.to_owned(), Some(set.to_owned()));
            }
        }
        if let Some(name) = result_charset::collation_name(collation_id) {
            session.system.insert("collation_connection".to_owned(), Some(name));
        }
        session
    }

    /// Who this is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    fn tenant(&self) -> Option<Arc<Tenant>> {
        match &self.identity.role {
            Role::Tenant(tenant) => Some(Arc::clone(tenant)),
            Role::Monitor => None,
        }
    }

    fn default_zone(&self) -> Zone {
        self.tenant().map_or_else(Zone::utc, |t| t.time_zone.clone())
    }

    fn changeable(&self) -> Changeable {
        Changeable {
            user: self.user.clone(),
            system: self.system.clone(),
            zone: self.zone.clone(),
            autocommit: self.autocommit,
            charset: self.charset,
        }
    }

    fn restore(&mut self, before: Changeable) {
        self.user = before.user;
        self.system = before.system;
        self.zone = before.zone;
        self.autocommit = before.autocommit;
        self.charset = before.charset;
    }

    fn user_variable(&self, name: &str) -> Value {
        self.user.get(name).cloned().unwrap_or(Value::Null)
    }

    /// The value of a system variable; `None` is SQL's NULL.
    fn variable(&self, name: &str) -> Result<Option<String>, Failure> {
        let Some((_, default)) = variables::find(name, &self.settings) else {
            return Err(Failure::UnknownVariable(name.to_owned()));
        };
        Ok(match name {
            "time_zone" => Some(self.zone.name().to_owned()),
            "autocommit" => Some(if self.autocommit { "ON" } else { "OFF" }.to_owned()),
            "warning_count" => Some(self.warnings.len().to_string()),
            "error_count" => Some(self.warnings.iter().filter(|w| w.level == "Error").count().to_string()),
            _ => self.system.get(name).cloned().unwrap_or(Some(default)),
        })
    }

    /// Changes the current database: COM_INIT_DB, `USE`, the schema of the handshake. Asks the agent which schemas exist.
    ///
    /// # Errors
    /// 1044 when the tenant may not, 1049 when the agent knows no such schema, agent failures.
    pub async fn use_schema(&mut self, name: &str, request: &RequestId) -> Result<(), Failure> {
        let Some(tenant) = self.tenant() else { return Err(self.denied(name)) };
        if tenant.allowed_schemas.as_ref().is_some_and(|allowed| !allowed.iter().any(|a| a == name)) {
            return Err(self.denied(name));
        }
        let schemas = tenant.agent.schemas(&tenant.caller, &tenant.server_id, request).await?;
        if !schemas.iter().any(|s| s == name) {
            return Err(Failure::UnknownSchema(name.to_owned()));
        }
        self.schema = Some(name.to_owned());
        Ok(())
    }

    /// The schema of a login that the tenant may use, while the agent cannot say whether it exists: [`Session::use_schema`] has failed for
    /// that reason. Nothing is claimed by it, since every statement asks the agent anew.
    pub fn assume_schema(&mut self, name: &str) {
        self.schema = Some(name.to_owned());
    }

    fn denied(&self, schema: &str) -> Failure {
        let (user, host) = (self.identity.user.clone(), self.identity.host.clone());
        Failure::SchemaDenied { user, host, schema: schema.to_owned() }
    }

    /// Runs one statement (COM_QUERY). Dropping the future, or the stream in the answer, cancels the agent request.
    ///
    /// # Errors
    /// Any [`Failure`]; the session can go on after every one.
    pub async fn query(&mut self, text: &[u8], request: &RequestId) -> Result<Answer, Failure> {
        let now = Instant::now();
        self.about = About { kind: "unreadable", table: None };
        let text = self.decoded(text)?;
        let statement = crate::statement::parse(&text, self.reading());
        self.about.kind = statement.kind();
        if !matches!(statement, Statement::Show(Show::Warnings { .. } | Show::WarningCount { .. })) {
            self.warnings.clear();
        }
        match statement {
            Statement::Prepare { name, source } => {
                self.prepare_named(name, source, request).await.map(|()| Answer::Done)
            }
            Statement::Execute { name, using } => self.execute_named(&name, &using, request).await,
            Statement::Deallocate { name } => self.deallocate(&name).map(|()| Answer::Done),
            other => self.run(other, now, request).await,
        }
    }

    /// How text is read now.
    fn reading(&self) -> Reading {
        let modes = self.variable("sql_mode").ok().flatten().unwrap_or_default();
        Reading {
            ansi_quotes: modes.split(',').any(|m| m == "ANSI_QUOTES"),
            no_backslash_escapes: modes.split(',').any(|m| m == "NO_BACKSLASH_ESCAPES"),
        }
    }

    /// What a client sent, by its `character_set_client`.
    fn decoded(&self, text: &[u8]) -> Result<String, Failure> {
        let client = self.variable("character_set_client").ok().flatten().unwrap_or_default();
        let charset = if client == "binary" { "utf8mb4" } else { client.as_str() };
        charset::decode(charset, text)
            .map(std::borrow::Cow::into_owned)
            .map_err(|e| Failure::Syntax(format!("the statement is {e}")))
    }

    async fn run(
        &mut self,
        statement: Statement,
        now: Instant,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        self.permitted(&statement)?;
        match statement {
            Statement::TimeTravel(draft) => self.travel(*draft, now, request).await,
            Statement::Set(assignments) => self.set(&assignments, now).map(|()| Answer::Done),
            Statement::Constants { items, limit } => self.constants(&items, limit, now),
            Statement::Show(show) => self.show(show, request).await,
            Statement::Use(name) => self.use_schema(&name, request).await.map(|()| Answer::Done),
            Statement::Begin => {
                self.in_transaction = true;
                Ok(Answer::Done)
            }
            Statement::Commit | Statement::Rollback => {
                self.in_transaction = false;
                Ok(Answer::Done)
            }
            Statement::Kill { query_only, id } => {
                let Value::Int(id) = self.evaluate(&id, now)? else {
                    return Err(Failure::Syntax("KILL takes the number of a connection".to_owned()));
                };
                let id = u64::try_from(id).map_err(|_| Failure::NoSuchThread(u64::MAX))?;
                self.connections.kill(id, query_only, &self.identity.user).map(|()| Answer::Done)
            }
            Statement::Prepare { .. } | Statement::Execute { .. } | Statement::Deallocate { .. } => {
                Err(Failure::NotPreparable)
            }
            Statement::Empty => Err(Failure::EmptyQuery),
            Statement::Refused(refused) => Err(refusal(refused)),
        }
    }

    /// The monitor may ask what its probes ask.
    fn permitted(&self, statement: &Statement) -> Result<(), Failure> {
        if matches!(self.identity.role, Role::Monitor)
            && !matches!(
                statement,
                Statement::Constants { .. } | Statement::Set(_) | Statement::Show(Show::ReplicaStatus { .. })
            )
        {
            return Err(Failure::NotForThisServer("anything but the probes of the monitor user".to_owned()));
        }
        Ok(())
    }

    /// What the plan is told of this session.
    fn context<'a>(&'a self, tenant: &'a Tenant) -> Context<'a> {
        let allow_wide_diff =
            switch(self.user_variable("dbtrail_allow_wide_diff").text().as_deref()) == Some(true);
        Context {
            user: &self.identity.user,
            host: &self.identity.host,
            server_id: &tenant.server_id,
            current_schema: self.schema.as_deref(),
            allowed_schemas: tenant.allowed_schemas.as_deref(),
            zone: &self.zone,
            max_diff_window: self.settings.max_diff_window,
            allow_wide_diff,
        }
    }

    /// Draft, rules, agent. A definition from the cache is tried once, and asked for afresh where the answer contradicts it.
    async fn travel(
        &mut self,
        mut draft: Draft,
        now: Instant,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let Some(tenant) = self.tenant() else {
            return Err(Failure::Internal("the monitor asked for rows".to_owned()));
        };
        let select_limit =
            self.variable("sql_select_limit").ok().flatten().and_then(|v| v.parse().ok()).unwrap_or(u64::MAX);
        if draft.limit.is_none() && select_limit < u64::MAX {
            draft.limit = Some(Limit { offset: 0, count: select_limit });
        }
        let resolved = plan::resolve(draft, &self.context(&tenant), now)?;
        self.about.table = Some(resolved.table.to_string());
        let (mut definition, mut cached) =
            tenant.agent.definition(&tenant.caller, &resolved, request).await?;
        loop {
            let attempt = async {
                let admitted = guard::admit(&resolved, &definition, self.settings.guard)?;
                let rows = tenant.agent.rows(&tenant.caller, &admitted, request).await?;
                Ok((admitted, rows))
            };
            match attempt.await {
                Ok((admitted, rows)) if rows.header.definition == *definition => {
                    let (columns, stream) = RowStream::new(rows, &admitted, &self.zone)?;
                    return Ok(Answer::Stream(columns, Box::new(stream)));
                }
                Ok(_) if !cached => {
                    return Err(Failure::AgentNonsense(format!(
                        "the agent told one definition of {} and answered with another",
                        resolved.table
                    )));
                }
                Err(failure) if !cached => return Err(failure),
                Err(failure @ (Failure::AgentUnreachable(_) | Failure::AgentFailed { .. })) => {
                    return Err(failure);
                }
                Ok(_) | Err(_) => {}
            }
            cached = false;
            definition = tenant.agent.fresh_definition(&tenant.caller, &resolved, request).await?;
        }
    }

    fn constants(
        &self,
        items: &[(String, Expr)],
        limit: Option<u64>,
        now: Instant,
    ) -> Result<Answer, Failure> {
        let (mut columns, mut row) = (Vec::new(), Vec::new());
        for (name, expression) in items {
            let value = self.evaluate(expression, now)?;
            columns.push(computed(name, value.column(name)));
            row.push(value.text().map(String::into_bytes));
        }
        Ok(Answer::Table(columns, if limit == Some(0) { Vec::new() } else { vec![row] }))
    }

    /// The statement is over: keeps its notes for SHOW WARNINGS and `@@warning_count`.
    pub fn finish(&mut self, notes: Vec<Note>) {
        self.warnings = notes;
    }

    /// The statement failed: SHOW WARNINGS shows it.
    pub fn failed(&mut self, code: u16, message: String) {
        self.warnings = vec![Note { level: "Error", code, message }];
    }

    /// COM_RESET_CONNECTION: everything back to what a fresh login has, but the identity and the current database, which mysqld keeps.
    pub fn reset(&mut self) {
        let fresh =
            Self::new(self.identity.clone(), Arc::clone(&self.settings), Arc::clone(&self.connections), 255);
        let schema = self.schema.take();
        *self = fresh;
        self.schema = schema;
    }

    /// COM_SET_OPTION. Several statements in one packet are a syntax error here in either case.
    pub fn set_multi_statements(&mut self, on: bool) {
        let _ = on;
    }

    /// What OK and EOF packets tell.
    #[must_use]
    pub fn status(&self) -> Status {
        let modes = self.variable("sql_mode").ok().flatten().unwrap_or_default();
        Status {
            autocommit: self.autocommit,
            in_transaction: self.in_transaction,
            no_backslash_escapes: modes.split(',').any(|m| m == "NO_BACKSLASH_ESCAPES"),
            warnings: u16::try_from(self.warnings.len()).unwrap_or(u16::MAX),
        }
    }

    /// What the log says of the last statement.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// What text is sent as.
    #[must_use]
    pub fn result_charset(&self) -> ResultCharset {
        self.charset
    }
}

fn refusal(refused: Refused) -> Failure {
    match refused {
        Refused::Syntax { message } => Failure::Syntax(message),
        Refused::JoinWithReal { virtual_table, real_table } => {
            Failure::JoinWithReal { virtual_table, real_table }
        }
        Refused::Unsupported { message } => Failure::Unsupported(message),
        Refused::NotForThisServer { what } => Failure::NotForThisServer(what),
    }
}

/// A result column that stands for no table's.
fn computed(name: &str, column: Column) -> ResultColumn {
    ResultColumn {
        name: name.to_owned(),
        org_name: String::new(),
        table: String::new(),
        org_table: String::new(),
        schema: String::new(),
        column,
    }
}
