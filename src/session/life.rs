//! What becomes of a session between statements.

use super::about::Noted;
use super::answer::Status;
use super::effective_settings::Network;
use super::identity::{Identity, Role};
use super::tracking::Change;
use super::{Session, SessionSettings, information_schema};
use crate::failure::Failure;
use dbtrail_types::names::RequestId;
use dbtrail_types::result_charset::ResultCharset;
use dbtrail_types::result_set::Note;
use std::sync::Arc;
use std::time::Duration;

impl Session {
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

    pub(super) fn denied(&self, schema: &str) -> Failure {
        let (user, host) = (self.identity.user.clone(), self.identity.host.clone());
        Failure::SchemaDenied { user, host, schema: schema.to_owned() }
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
        let mut fresh =
            Self::new(self.identity.clone(), Arc::clone(&self.settings), Arc::clone(&self.connections), 255);
        if let Some(memory) = self.memory.take() {
            fresh = fresh.sharing(memory);
        }
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
            no_backslash_escapes: self.variables.effective.evaluation.no_backslash_escapes,
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
