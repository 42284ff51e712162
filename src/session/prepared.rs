//! Prepared statements: what is checked and said at PREPARE, and how they are executed.
//!
//! The text is kept, and is read again with its values at each execution: there is one way for a
//! statement, prepared or not. As in mysqld a statement keeps the database, the sql_mode and the
//! character set of its PREPARE.

mod columns;

use super::memory::KeptKind;
use super::{About, Answer, Session, computed};
use crate::failure::Failure;
use crate::plan::charsets::Charsets;
use crate::plan::refusal;
use crate::statement::{MOST_PARAMETERS, Parameter, Statement, Template};
use columns::UNKNOWN_LENGTH;
use dbtrail_types::column::{Column, ColumnType, IntSize};
use dbtrail_types::names::RequestId;
use dbtrail_types::result_set::ResultColumn;
use dbtrail_types::timestamp::Timestamp;

/// A prepared statement.
#[derive(Debug)]
pub struct Prepared {
    template: Template,
    /// The current database of its PREPARE, which every execution has.
    schema: Option<String>,
    /// Those of its PREPARE, in which its literals are read.
    charsets: Charsets,
}

/// What is known of a statement when it is prepared. It is not kept: it may be a hundred times as
/// long as the text.
#[derive(Debug)]
pub struct Declared {
    /// The declarations of the parameters.
    pub parameters: Vec<ResultColumn>,
    /// The columns of its result, as far as they are known before it is there; none for a statement
    /// without a result.
    pub columns: Vec<ResultColumn>,
}

impl Prepared {
    /// How many parameters it has.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.template.parameters()
    }

    /// Bytes that it keeps.
    #[must_use]
    pub fn length(&self) -> usize {
        self.template.length()
    }
}

/// A session that is in another database for a while, also where the while is cut short.
struct Elsewhere<'a> {
    session: &'a mut Session,
    home: Option<String>,
}

impl<'a> Elsewhere<'a> {
    fn go(session: &'a mut Session, schema: Option<String>) -> Self {
        let home = std::mem::replace(&mut session.schema, schema);
        Self { session, home }
    }
}

impl Drop for Elsewhere<'_> {
    fn drop(&mut self) {
        self.session.schema = self.home.take();
    }
}

impl Session {
    /// What a client sent as text (a parameter), by its `character_set_client`; `None`: bytes that
    /// are none.
    #[must_use]
    pub fn text_of(&self, sent: &[u8]) -> Option<String> {
        self.decoded(sent).ok()
    }

    /// Prepares a statement (COM_STMT_PREPARE). `kept`: how many others the connection keeps, and
    /// the bytes of their texts.
    ///
    /// # Errors
    /// Limits, 1295 for a statement that cannot be prepared, and every refusal that is known
    /// without the values of the parameters.
    pub async fn prepare(
        &mut self,
        text: &[u8],
        kept: (usize, usize),
        request: &RequestId,
    ) -> Result<(Prepared, Declared), Failure> {
        self.about.set(About::of("prepare"));
        self.diagnostics.clear();
        let text = self.decoded(text)?;
        self.kept.hold(KeptKind::Statements, kept.1 + text.len())?;
        self.prepare_text(text, kept, request).await
    }

    pub(super) async fn prepare_text(
        &mut self,
        text: String,
        kept: (usize, usize),
        request: &RequestId,
    ) -> Result<(Prepared, Declared), Failure> {
        let now = Timestamp::now();
        let (count, bytes) = self.prepared.totals(kept);
        if count >= self.settings.max_prepared_statements {
            return Err(Failure::TooManyPrepared(self.settings.max_prepared_statements));
        }
        if bytes + text.len() > self.settings.max_packet {
            return Err(Failure::Unsupported(
                "prepared statements that together are longer than max_allowed_packet: close some".to_owned(),
            ));
        }
        let (template, outline) = Template::new(&text, self.reading()).map_err(refusal)?;
        if template.parameters() > MOST_PARAMETERS {
            return Err(Failure::TooManyParameters);
        }
        let mut parameters: Vec<ResultColumn> =
            vec![parameter(ColumnType::VarChar { chars: UNKNOWN_LENGTH }, true); template.parameters()];
        for limit in parameters.iter_mut().rev().take(outline.limits) {
            *limit = parameter(big_int(true), false);
        }
        let columns = self.described(&template, outline, &mut parameters, now, request).await?;
        let (schema, charsets) = (self.schema.clone(), self.variables.effective.charsets);
        Ok((Prepared { template, schema, charsets }, Declared { parameters, columns }))
    }

    /// Executes a prepared statement (COM_STMT_EXECUTE) with a value for each parameter.
    ///
    /// # Errors
    /// Any [`Failure`]; the statement stays prepared.
    pub async fn execute(
        &mut self,
        prepared: &Prepared,
        values: &[Parameter],
        request: &RequestId,
    ) -> Result<Answer, Failure> {
        let now = Timestamp::now();
        self.begin_statement();
        self.diagnostics.clear();
        let statement = prepared.template.bound(values);
        self.about.set(About::of(statement.kind()));
        if prepared.charsets != self.variables.effective.charsets
            && matches!(statement, Statement::TimeTravel(_) | Statement::History(..) | Statement::Explain(_))
        {
            return Err(Failure::Unsupported(
                "a statement that was prepared under another character_set_client or character_set_connection: prepare it again"
                    .to_owned(),
            ));
        }
        let there = Elsewhere::go(self, prepared.schema.clone());
        let answer = there.session.run(statement, now, request).await;
        there.session.diagnostics.row_count = if matches!(answer, Ok(Answer::Done)) { 0 } else { -1 };
        answer
    }
}

const fn big_int(unsigned: bool) -> ColumnType {
    ColumnType::Int { size: IntSize::Big, unsigned, zerofill: false, display_width: None }
}

/// The declaration of a parameter: `?`, of this type.
fn parameter(ty: ColumnType, text: bool) -> ResultColumn {
    let column = Column::new("?".to_owned(), ty, text.then(|| "utf8mb4_0900_ai_ci".to_owned()), true);
    computed("?", column)
}
