//! Changes of the session that a client with CLIENT_SESSION_TRACK is given (["Session State
//! Information"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html#sect_protocol_basic_ok_packet_sessinfo)),
//! and the transaction that is one of them.

use super::Session;

/// A change of the session's state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A system variable of those that `session_track_system_variables` names, and its new value;
    /// NULL is empty.
    Variable(String, String),
    /// The current database.
    Schema(String),
    /// Anything: reported where `session_track_state_change` is ON.
    State,
    /// The state of the transaction, in eight letters: `T_______` where one was begun.
    Transaction(&'static str),
    /// The statements that would begin the transaction again.
    Characteristics(String),
}

impl Session {
    fn is_on(&self, name: &str) -> bool {
        self.variable(name).ok().flatten().as_deref() == Some("ON")
    }

    /// A system variable was assigned: also with the value that it had.
    pub(super) fn changed(&mut self, name: &str) {
        let tracked = self.variable("session_track_system_variables").ok().flatten().unwrap_or_default();
        let tracked = tracked.split(',').map(str::trim).any(|t| t == "*" || t.eq_ignore_ascii_case(name));
        if !tracked {
            return;
        }
        let value = self.variable(name).ok().flatten().unwrap_or_default();
        self.changes.retain(|c| !matches!(c, Change::Variable(n, _) if n == name));
        self.changes.push(Change::Variable(name.to_owned(), value));
    }

    /// Another change, if the session tracks its kind.
    pub(super) fn note_change(&mut self, change: Change) {
        let wanted = match change {
            Change::Variable(..) => true,
            Change::Schema(_) => self.is_on("session_track_schema"),
            Change::State => self.is_on("session_track_state_change"),
            Change::Transaction(_) => self.tracks_transactions().is_some(),
            Change::Characteristics(_) => self.tracks_transactions() == Some(true),
        };
        if wanted {
            self.changes.push(change);
        }
    }

    /// `session_track_transaction_info`: whether the characteristics are reported too.
    fn tracks_transactions(&self) -> Option<bool> {
        match self.variable("session_track_transaction_info").ok().flatten().as_deref() {
            Some("STATE") => Some(false),
            Some("CHARACTERISTICS") => Some(true),
            Some(_) | None => None,
        }
    }

    /// BEGIN and START TRANSACTION.
    pub(super) fn begin_transaction(&mut self, read_only: Option<bool>, snapshot: bool) {
        self.transaction.begin(read_only.unwrap_or_else(|| self.is_on("transaction_read_only")));
        self.note_change(Change::Transaction("T_______"));
        let mut words = vec![];
        if snapshot {
            words.push("WITH CONSISTENT SNAPSHOT");
        }
        match read_only {
            Some(true) => words.push("READ ONLY"),
            Some(false) => words.push("READ WRITE"),
            None => {}
        }
        let space = if words.is_empty() { "" } else { " " };
        let statement = format!("START TRANSACTION{space}{};", words.join(", "));
        self.note_change(Change::Characteristics(statement));
    }

    /// COMMIT, ROLLBACK, and the autocommit that is switched on.
    pub(super) fn end_transaction(&mut self) {
        if self.transaction.end() {
            self.note_change(Change::Transaction("________"));
            self.note_change(Change::Characteristics(String::new()));
        }
    }

    /// What the OK of the statement tells, in the order in which mysqld tells it; `None`: nothing
    /// changed.
    pub fn take_changes(&mut self) -> Option<Vec<Change>> {
        let mut changes = std::mem::take(&mut self.changes);
        let kind = |c: &Change| match c {
            Change::Variable(..) => 0,
            Change::Schema(_) => 1,
            Change::State => 2,
            Change::Transaction(_) => 3,
            Change::Characteristics(_) => 4,
        };
        changes.sort_by_key(kind);
        (!changes.is_empty()).then_some(changes)
    }
}
