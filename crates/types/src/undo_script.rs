//! `POST /v1/undo_script`: SQL that takes changes back, as a file to read and run. Nothing runs it.

use crate::agent_api::{Keys, Span};
use crate::names::{ServerId, TableName};
use serde::{Deserialize, Serialize};

/// Where it is asked, below the base URL.
pub const PATH: &str = "/v1/undo_script";

/// Tables that one request may name.
pub const MOST_TABLES: usize = 64;

/// Body of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoScriptRequest {
    /// Whose history.
    pub server_id: ServerId,
    /// The tables whose rows are taken back together, in any order.
    pub tables: Vec<TableName>,
    /// Which changes.
    pub span: Span,
    /// Which rows, where there is one table; left out: all that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Keys>,
    /// End with COMMIT, if every statement has found its row; else with ROLLBACK in any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub commit: bool,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoScript {
    /// Always true here.
    pub success: bool,
    /// The file, as `dbtrail-shim undo` writes it: one transaction that checks itself.
    pub script: String,
    /// Statements in it that change rows.
    pub statements: u64,
    /// Rows that they take back.
    pub rows: u64,
    /// Rows that no statement takes back, and why.
    pub not_taken_back: Vec<String>,
    /// Why it is not all that there is to take back.
    pub incomplete: Vec<String>,
    /// Why it is not known whether rows of today are in the way of it.
    pub unknown: Vec<String>,
}
