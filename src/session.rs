//! One logged-in conversation: identity, database, variables, warnings; runs one statement through
//! the stages.
//!
//! Knows no packets (that is `wire`) and no HTTP (that is `agent_client`).

mod about;
mod diagnostics;
mod effective_settings;
mod evaluate;
mod explain;
mod filter;
mod group;
mod heading;
mod history;
mod history_rows;
mod identity;
mod images;
mod information_schema;
mod local_time;
mod notes;
mod origin;
mod own;
mod prepared;
mod prepared_statements;
mod replica;
mod row_maker;
mod session_variables;
mod settings;
mod show;
mod sleep;
mod sort;
mod status;
mod stream;
mod tracking;
mod transaction;
mod travel;
mod undo;
mod values;
mod variables;

pub use crate::statement::Parameter;
pub use about::{About, Noted};
pub use dbtrail_types::secret::Credential;
pub use identity::{Cipher, Identity, Link, Role, Tenant};
pub use prepared::{Declared, Prepared};
pub use status::Process;
pub use stream::{Next, RowStream};
pub use tracking::Change;

use crate::failure::Failure;
use crate::plan::{self, guard};
use crate::statement::{Show, Statement, VirtualSchema};
use dbtrail_expression::Limits;
use dbtrail_types::charset;
use dbtrail_types::names::RequestId;
use dbtrail_types::result_charset::{self, ResultCharset};
use dbtrail_types::result_set::{Note, ResultColumn, Row};
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use diagnostics::Diagnostics;
pub use effective_settings::Network;
use evaluate::Value;
use heading::computed;
use prepared_statements::PreparedStatements;
use session_variables::SessionVariables;
use sqlparser::ast::Expr;
use std::sync::Arc;
use std::time::Duration;
use transaction::Transaction;

/// What the configuration says about sessions. One for the whole server.
#[derive(Debug)]
pub struct SessionSettings {
    /// The version of the greeting, of `@@version` and of `VERSION()`.
    pub server_version: String,
    /// `limits.max_diff_window`
    pub max_diff_window: Duration,
    /// The rules of the guard.
    pub guard: guard::PlanSettings,
    /// `statements.orm_forms`: a hint or a trailing clause makes a query on a real table a
    /// time-travel query.
    pub orm_forms: bool,
    /// `limits.max_packet`, bytes: also `@@max_allowed_packet`.
    pub max_packet: usize,
    /// `limits.max_connections`: also `@@max_connections`.
    pub max_connections: usize,
    /// `limits.max_prepared_statements`, of one connection.
    pub max_prepared_statements: usize,
    /// `limits.compute_time`, `compute_stretch`, `compute_memory`: what a statement may compute
    /// that is no time-travel answer.
    pub compute: Limits,
}

/// KILL reaches other connections through this; `server` implements it.
pub trait Connections: Send + Sync + std::fmt::Debug {
    /// Ends a connection or its running statement, if `user` owns it.
    ///
    /// # Errors
    /// [`Failure::NoSuchThread`], [`Failure::NotOwner`].
    fn kill(&self, id: u64, query_only: bool, user: &str) -> Result<(), Failure>;
    /// The login of connection `id` was right: from here on it takes one of the slots of those who
    /// are logged in.
    ///
    /// # Errors
    /// [`Failure::Full`]: there is none.
    fn enter(&self, id: u32, user: &str, position: LoginSlot) -> Result<(), Failure>;
    /// `(connections of the user open now, statements since start, seconds since start)` for
    /// COM_STATISTICS and SHOW STATUS.
    fn figures(&self, user: &str) -> (u64, u64, u64);
    /// A statement was asked.
    fn asked(&self);
    /// The connections of a user.
    fn processes(&self, user: &str) -> Vec<Process>;
}

/// Which of the places a login takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginSlot {
    /// One of `limits.max_connections`.
    Client,
    /// One that is kept for those who look after the server: ProxySQL's monitor, the connection
    /// with which ProxySQL kills a statement, and `doctor`. A server that is full must not look
    /// like one that is down.
    Caretaker,
}

/// An answer to one statement.
#[derive(Debug)]
pub enum Answer {
    /// An OK packet.
    Done,
    /// A result set that is complete.
    Table(Vec<ResultColumn>, Vec<Row>),
    /// A result set whose rows are still coming.
    Stream(Arc<[ResultColumn]>, Box<RowStream>),
}

/// What every OK and EOF packet tells of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// SERVER_STATUS_AUTOCOMMIT
    pub autocommit: bool,
    /// SERVER_STATUS_IN_TRANS
    pub in_transaction: bool,
    /// SERVER_STATUS_IN_TRANS_READONLY
    pub read_only: bool,
    /// SERVER_STATUS_NO_BACKSLASH_ESCAPES
    pub no_backslash_escapes: bool,
    /// SERVER_MORE_RESULTS_EXISTS
    pub more_results: bool,
    /// Warnings of the last statement.
    pub warnings: u16,
}

/// A session.
#[derive(Debug)]
pub struct Session {
    identity: Arc<Identity>,
    settings: Arc<SessionSettings>,
    connections: Arc<dyn Connections>,
    schema: Option<String>,
    zone: Zone,
    transaction: Transaction,
    variables: SessionVariables,
    /// `None`: a character set that nothing can be converted to, announced at login.
    charset: Option<ResultCharset>,
    diagnostics: Diagnostics,
    changes: Vec<Change>,
    multi_statements: bool,
    more_results: bool,
    /// The client asked for the end of its own connection.
    over: bool,
    about: Noted,
    heading: Option<heading::Heading>,
    prepared: PreparedStatements,
}

impl Session {
    /// A fresh session with everything at its default, `collation_id` being the one in the
    /// handshake.
    #[must_use]
    pub fn new(
        identity: impl Into<Arc<Identity>>,
        settings: Arc<SessionSettings>,
        connections: Arc<dyn Connections>,
        collation_id: u16,
    ) -> Self {
        // As in mysqld, a collation that nobody knows is the server's own.
        let (charset, collation) =
            result_charset::by_id(collation_id).unwrap_or(("utf8mb4", "utf8mb4_0900_ai_ci"));
        let id = if result_charset::by_id(collation_id).is_some() { collation_id } else { 255 };
        let mut session = Self {
            identity: identity.into(),
            settings,
            connections,
            schema: None,
            zone: Zone::utc(),
            transaction: Transaction::none(),
            variables: SessionVariables::default(),
            charset: ResultCharset::of(charset, id),
            diagnostics: Diagnostics::default(),
            changes: Vec::new(),
            multi_statements: false,
            more_results: false,
            over: false,
            about: Noted::default(),
            heading: None,
            prepared: PreparedStatements::default(),
        };
        session.zone = session.default_zone();
        session.schema = session.tenant().and_then(|t| t.default_schema.clone());
        for name in ["character_set_client", "character_set_connection", "character_set_results"] {
            session.variables.system.insert(name, Some(charset.to_owned()));
        }
        session.variables.system.insert("collation_connection", Some(collation.to_owned()));
        session.work_out();
        session
    }

    /// Who this is.
    #[must_use]
    pub fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    fn tenant(&self) -> Option<Arc<Tenant>> {
        match &self.identity.role {
            Role::Tenant(tenant) => Some(Arc::clone(tenant)),
            Role::Monitor => None,
        }
    }

    /// Goes on with what was reloaded: the tenant as it is now (its agent, its token, the schemas
    /// that it may use), and the limits. The same user and the same server's history; database,
    /// variables and prepared statements stay.
    pub fn take_up(&mut self, role: Role, settings: Arc<SessionSettings>) {
        let before = &self.identity;
        self.identity = Arc::new(Identity {
            role,
            user: before.user.clone(),
            host: before.host.clone(),
            connection_id: before.connection_id,
            link: before.link.clone(),
        });
        self.settings = settings;
        // What was kept of answers is of the tenant as it was.
        self.heading = None;
    }

    /// Changes the current database: COM_INIT_DB, `USE`, the schema of the handshake. Asks the
    /// agent which schemas exist.
    ///
    /// # Errors
    /// 1044 when the tenant may not, 1049 when the agent knows no such schema, agent failures.
    pub async fn use_schema(&mut self, name: &str, request: &RequestId) -> Result<(), Failure> {
        let Some(tenant) = self.tenant() else { return Err(self.denied(name)) };
        if let Some(own) = information_schema::own(name) {
            self.schema = Some(own.to_owned());
            return Ok(());
        }
        if !self.may_use(name) {
            return Err(self.denied(name));
        }
        let schemas = tenant.agent.schemas(&tenant.caller, &tenant.server_id, request).await?;
        if !schemas.iter().any(|s| s == name) {
            return Err(Failure::UnknownSchema(name.to_owned()));
        }
        self.schema = Some(name.to_owned());
        self.note_change(Change::Schema(name.to_owned()));
        self.note_change(Change::State);
        Ok(())
    }

    /// The schema of a login that the tenant may use, while the agent cannot say whether it exists:
    /// [`Session::use_schema`] has failed for that reason. Nothing is claimed by it, since every
    /// statement asks the agent again.
    pub fn assume_schema(&mut self, name: &str) {
        self.schema = Some(name.to_owned());
        self.note_change(Change::Schema(name.to_owned()));
    }

    fn denied(&self, schema: &str) -> Failure {
        let (user, host) = (self.identity.user.clone(), self.identity.host.clone());
        Failure::SchemaDenied { user, host, schema: schema.to_owned() }
    }

    /// Nothing of the statement before is left, and the server counts one more.
    fn begin_statement(&mut self) {
        (self.diagnostics.failed, self.diagnostics.of_before, self.changes) = (false, false, Vec::new());
        self.connections.asked();
    }

    /// Runs one statement (COM_QUERY). Dropping the future, or the stream in the answer, cancels
    /// the agent request.
    ///
    /// # Errors
    /// Any [`Failure`]; the session can go on after every one.
    pub async fn query(&mut self, text: &[u8], request: &RequestId) -> Result<Answer, Failure> {
        let now = Timestamp::now();
        self.about.set(About::of("unreadable"));
        self.begin_statement();
        let answer = self.answered(text, now, request).await;
        self.diagnostics.row_count = if matches!(answer, Ok(Answer::Done)) { 0 } else { -1 };
        answer
    }

    async fn answered(
        &mut self,
        text: &[u8],
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let text = self.decoded(text)?;
        let statement = crate::statement::parse(&text, self.reading());
        self.about.note(|about| about.kind = statement.kind());
        // A SET keeps them, as MariaDB does: with autocommit=0 ProxySQL sends one before the SHOW
        // WARNINGS of its client.
        if !matches!(
            statement,
            Statement::Show(Show::Warnings { .. } | Show::WarningCount { .. }) | Statement::Set(_)
        ) {
            self.diagnostics.clear();
        }
        self.diagnostics.of_before = matches!(statement, Statement::Set(_));
        match statement {
            Statement::Prepare { name, source } => {
                self.prepare_named(name, source, request).await.map(|()| Answer::Done)
            }
            Statement::Execute { name, using } => self.execute_named(&name, &using, request).await,
            Statement::Deallocate { name } => self.deallocate(&name).map(|()| Answer::Done),
            other @ (Statement::TimeTravel(_)
            | Statement::History(..)
            | Statement::Explain(_)
            | Statement::Set(_)
            | Statement::Constants { .. }
            | Statement::Show(_)
            | Statement::InformationSchema(_)
            | Statement::Use(_)
            | Statement::Begin { .. }
            | Statement::Commit
            | Statement::Rollback
            | Statement::Savepoint(..)
            | Statement::UnlockTables
            | Statement::Do(_)
            | Statement::Kill { .. }
            | Statement::Empty
            | Statement::Comments
            | Statement::Refused(_)) => self.run(other, now, request).await,
        }
    }

    /// What a client sent, by its `character_set_client`.
    fn decoded(&self, text: &[u8]) -> Result<String, Failure> {
        let client = self.setting("character_set_client");
        // ASCII is written alike in all sets that a client can announce: enough to SET NAMES.
        let charset = if client == "binary" || text.is_ascii() { "utf8mb4" } else { &client };
        charset::decode(charset, text)
            .map(std::borrow::Cow::into_owned)
            .map_err(|e| Failure::Syntax(format!("the statement is {e}")))
    }

    async fn run(
        &mut self,
        statement: Statement,
        now: Timestamp,
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        self.permitted(&statement)?;
        if self.charset.is_none() && !matches!(statement, Statement::Set(_)) {
            let name = self.variable("character_set_results").ok().flatten().unwrap_or_default();
            return Err(Failure::UnknownCharset(name));
        }
        match statement {
            Statement::TimeTravel(draft) if draft.virtual_schema == VirtualSchema::Undo => {
                self.undo(*draft, now, request).await
            }
            Statement::TimeTravel(draft) => self.travel(*draft, now, request).await,
            Statement::History(table, draft) => self.history(table, *draft, now, request).await,
            Statement::Explain(draft) => self.explain(*draft, now, request).await,
            Statement::Set(assignments) => self.set(&assignments, now).map(|()| Answer::Done),
            Statement::Constants { mut items, filter, limit } => {
                if !self.selects(filter.as_deref(), now)? {
                    return self.constants(&items, Some(0), now);
                }
                self.ends_selected(&mut items, request).await?;
                self.slept(items.iter().map(|(_, expression)| expression), now).await?;
                self.constants(&items, limit, now)
            }
            Statement::Show(show) => self.show(show, now),
            Statement::InformationSchema(question) => self.information_schema(question, now, request).await,
            Statement::Use(name) => self.use_schema(&name, request).await.map(|()| Answer::Done),
            Statement::Begin { read_only, snapshot } => {
                self.begin_transaction(read_only, snapshot);
                Ok(Answer::Done)
            }
            Statement::Commit | Statement::Rollback => {
                self.end_transaction();
                Ok(Answer::Done)
            }
            Statement::Savepoint(what, name) => {
                self.transaction.savepoint(what, &name).map(|()| Answer::Done)
            }
            // No table is ever locked here: there is nothing to unlock, which is what mysqld does
            // then.
            Statement::Comments | Statement::UnlockTables => Ok(Answer::Done),
            Statement::Do(expressions) => {
                self.slept(expressions.iter(), now).await?;
                let mut budget = self.budget();
                for expression in &expressions {
                    self.typed(expression, now, &mut budget)?;
                }
                Ok(Answer::Done)
            }
            Statement::Kill { query_only, id } => {
                let Value::Int(id) = self.evaluate(&id, now)? else {
                    return Err(Failure::Syntax("KILL takes the number of a connection".to_owned()));
                };
                let id = u64::try_from(id).map_err(|_| Failure::NoSuchThread(u64::MAX))?;
                // Whoever kills itself is informed of it, as by mysqld, and a connection ends after
                // that.
                if id == u64::from(self.identity.connection_id) {
                    self.over = !query_only;
                    return Err(Failure::Interrupted);
                }
                self.connections.kill(id, query_only, &self.identity.user).map(|()| Answer::Done)
            }
            Statement::Prepare { .. } | Statement::Execute { .. } | Statement::Deallocate { .. } => {
                Err(Failure::NotPreparable)
            }
            Statement::Empty => Err(Failure::EmptyQuery),
            Statement::Refused(refused) => Err(plan::refusal(refused)),
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

    /// Whether a SELECT without a table has its row.
    fn selects(&self, filter: Option<&Expr>, now: Timestamp) -> Result<bool, Failure> {
        let Some(filter) = filter else { return Ok(true) };
        let here = evaluate::EvaluationContext { session: self, now };
        let node = dbtrail_expression::condition(filter, &here).map_err(|e| (e, "where clause"))?;
        Ok(node.holds(&[], &[], &mut self.budget()).map_err(|e| (e, "where clause"))?)
    }

    fn constants(
        &mut self,
        items: &[(String, Expr)],
        limit: Option<u64>,
        now: Timestamp,
    ) -> Result<Answer, Failure> {
        let (mut columns, mut row) = (Vec::new(), Vec::new());
        let (mut budget, mut length) = (self.budget(), 0_usize);
        for (name, expression) in items {
            let (value, ty) = if limit == Some(0) {
                self.declared(expression, now)?
            } else {
                self.assigned(expression, now, &mut budget)?
            };
            // A variable that is named often is kept once, and sent as often as it is named.
            length = length.saturating_add(value.length());
            if length > self.settings.max_packet {
                return Err(Failure::Unsupported("a row that is longer than max_allowed_packet".to_owned()));
            }
            row.push(value.text().map(|t| t.as_bytes().to_vec()));
            columns.push(computed(name, evaluate::column(name, &ty)));
        }
        let none =
            limit == Some(0) || self.variable("sql_select_limit").ok().flatten().as_deref() == Some("0");
        Ok(Answer::Table(columns, if none { Vec::new() } else { vec![row] }))
    }

    /// The statement is over: keeps its notes for SHOW WARNINGS and `@@warning_count`.
    pub fn finish(&mut self, notes: Vec<Note>) {
        self.diagnostics.finish(notes, self.variables.effective.notes);
    }

    /// The statement failed: SHOW WARNINGS shows it.
    pub fn failed(&mut self, code: u16, message: String) {
        self.diagnostics.fail(code, message);
    }

    /// COM_RESET_CONNECTION: everything back to what a fresh login has, but the identity and the
    /// current database, which mysqld keeps.
    pub fn reset(&mut self) {
        let fresh =
            Self::new(self.identity.clone(), Arc::clone(&self.settings), Arc::clone(&self.connections), 255);
        let (schema, multi_statements) = (self.schema.take(), self.multi_statements);
        *self = fresh;
        (self.schema, self.multi_statements) = (schema, multi_statements);
    }

    /// Whether the client has ended its own connection (KILL of its number): the last answer is
    /// sent and nothing more is read.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// CLIENT_MULTI_STATEMENTS, and COM_SET_OPTION: whether a packet may hold several statements.
    /// Without it, a second one is a syntax error.
    pub fn set_multi_statements(&mut self, on: bool) {
        self.multi_statements = on;
    }

    /// The first statement of a packet, and the rest of it, if there is one. The statement may
    /// change how the rest is read.
    #[must_use]
    pub fn split<'t>(&self, text: &'t [u8]) -> (&'t [u8], Option<&'t [u8]>) {
        if self.multi_statements {
            crate::statement::split::first(text, self.reading())
        } else {
            (text, None)
        }
    }

    /// Whether the answer to the statement is followed by another.
    pub fn set_more_results(&mut self, more: bool) {
        self.more_results = more;
    }

    /// Whether the last statement failed: those after it are not run.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.diagnostics.failed
    }

    /// How long a statement may run: max_execution_time, milliseconds; 0 is for ever.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        self.variables.effective.time_limit
    }

    /// How long the client may be silent: wait_timeout, seconds.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.variables.effective.patience
    }

    /// How long the client may stop in the middle of a packet.
    #[must_use]
    pub fn network(&self) -> Network {
        self.variables.effective.network
    }

    /// What OK and EOF packets tell.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            autocommit: self.transaction.autocommit,
            in_transaction: self.transaction.is_open,
            read_only: self.transaction.read_only,
            no_backslash_escapes: self.variables.effective.no_backslash_escapes,
            more_results: self.more_results,
            warnings: self.diagnostics.count(),
        }
    }

    /// The current database.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// What is known of the statement that runs, or of the last one.
    #[must_use]
    pub fn noted(&self) -> &Noted {
        &self.about
    }

    /// What text is sent as.
    #[must_use]
    pub fn result_charset(&self) -> ResultCharset {
        self.charset.unwrap_or(ResultCharset::AsStored)
    }
}

/// 8.0.36 as executable comments write it: 80036.
fn version_number(version: &str) -> u32 {
    let digits =
        |part: &str| part.chars().map_while(|c| c.to_digit(10)).fold(0_u32, |n, d| (n * 10 + d).min(999));
    let mut parts = version.splitn(3, '.').map(digits);
    parts.next().unwrap_or(0) * 10_000 + parts.next().unwrap_or(0) * 100 + parts.next().unwrap_or(0)
}
