//! One logged-in conversation: identity, database, variables, warnings; runs one statement through
//! the stages.
//!
//! Knows no packets (that is `wire`) and no HTTP (that is `agent_client`).

mod about;
mod aggregate;
mod answer;
mod diagnostics;
mod effective_settings;
mod equal_values;
mod evaluate;
mod explain;
mod figures;
mod filter;
mod group;
mod heading;
mod history;
mod history_rows;
mod identity;
mod images;
mod information_schema;
mod life;
mod local_time;
mod memory;
mod notes;
mod origin;
mod output;
mod own;
mod prepared;
mod prepared_statements;
mod replica;
mod row_maker;
mod run;
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
pub use figures::STATUS_OF_METRICS;
pub use identity::{Cipher, Identity, Link, Role, Tenant};
pub use prepared::{Declared, Prepared};
pub use status::Process;
pub use stream::{Next, RowStream};
pub use tracking::Change;

use crate::failure::Failure;
use crate::plan::guard;
use crate::statement::Show;
use crate::statement::Statement;
pub use answer::{Answer, LoginSlot, Status};
use dbtrail_expression::Limits;
use dbtrail_types::charset;
use dbtrail_types::memory::Memory;
use dbtrail_types::names::RequestId;
use dbtrail_types::result_charset::{self, ResultCharset};
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use diagnostics::Diagnostics;
pub use effective_settings::Network;
use heading::computed;
use memory::KeptMemory;
pub use memory::MemoryLimits;
use prepared_statements::PreparedStatements;
use session_variables::SessionVariables;
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
    /// `limits.memory` and `limits.memory_per_user`.
    pub memory: MemoryLimits,
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
    /// `(connections of the user open now, seconds since the start)`
    fn figures(&self, user: &str) -> (u64, u64);
    /// The connections of a user.
    fn processes(&self, user: &str) -> Vec<Process>;
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
    memory: Option<Arc<Memory>>,
    kept: KeptMemory,
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
            memory: None,
            kept: KeptMemory::default(),
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

    /// Nothing of the statement before is left.
    fn begin_statement(&mut self) {
        (self.diagnostics.failed, self.diagnostics.of_before, self.changes) = (false, false, Vec::new());
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
}

/// 8.0.36 as executable comments write it: 80036.
fn version_number(version: &str) -> u32 {
    let digits =
        |part: &str| part.chars().map_while(|c| c.to_digit(10)).fold(0_u32, |n, d| (n * 10 + d).min(999));
    let mut parts = version.splitn(3, '.').map(digits);
    parts.next().unwrap_or(0) * 10_000 + parts.next().unwrap_or(0) * 100 + parts.next().unwrap_or(0)
}
