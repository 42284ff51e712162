//! The one table from failures to MySQL errors (manual: [Server Error Message
//! Reference](https://dev.mysql.com/doc/mysql-errors/9.7/en/server-error-reference.html)).

use super::cause;
use crate::failure::Failure;
use dbtrail_types::names::RequestId;
use std::fmt::Write as _;

/// What the operator chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorSettings {
    /// `errors.sqlstate_1064: mysql`: 42000 with every 1064, not only with syntax errors.
    pub plain_1064: bool,
    /// `proxysql.unreachable_code`
    pub unreachable: Unreachable,
}

/// Under which number an unreachable agent is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// 1429 to ProxySQL and to libmariadb, which take 2002 for a broken connection; 2002 to all
    /// others.
    Auto,
    /// 2002 always.
    Code2002,
    /// 1429 always.
    Code1429,
}

/// An error as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MySqlError {
    /// The MySQL error number.
    pub code: u16,
    /// The SQLSTATE, five characters.
    pub state: &'static str,
    /// Its text, at most 512 bytes, without control characters.
    pub message: String,
}

/// Bytes of a message at most.
const LONGEST: usize = 512;

/// The error of a failure. `cannot_carry_2002`: the peer takes errors of 2000 to 2999 for a broken
/// connection.
#[must_use]
#[expect(clippy::too_many_lines, reason = "it is the table of failures, a row each")]
pub fn of(
    failure: &Failure,
    settings: ErrorSettings,
    cannot_carry_2002: bool,
    request: Option<&RequestId>,
) -> MySqlError {
    let documented = if settings.plain_1064 { "42000" } else { "HY000" };
    let unreachable = match settings.unreachable {
        Unreachable::Auto if cannot_carry_2002 => 1429,
        Unreachable::Auto | Unreachable::Code2002 => 2002,
        Unreachable::Code1429 => 1429,
    };
    let (code, state, message) = match failure {
        Failure::AgentUnreachable(what) => {
            (unreachable, "HY000", format!("Can't connect to dbtrail backend: {what}"))
        }
        Failure::AgentFailed { status, body } => {
            (1317, "70100", with_body(format!("dbtrail backend returned HTTP {status}"), body))
        }
        Failure::AgentRejected { status, body, .. } => {
            (1064, documented, with_body(format!("dbtrail backend rejected request (HTTP {status})"), body))
        }
        Failure::AgentNonsense(what) | Failure::Internal(what) => {
            (1815, "HY000", format!("dbtrail-shim: {what}"))
        }
        Failure::KeyRule(what) => {
            (1064, documented, format!("dbtrail-shim: time-travel queries require a PK predicate: {what}"))
        }
        Failure::JoinWithReal { virtual_table, real_table } => (
            1064,
            documented,
            format!(
                "dbtrail-shim: cannot join virtual schema {virtual_table} with a real table {real_table}: run two statements and \
                 join in the application, or copy the time-travel rows into a temporary table first"
            ),
        ),
        Failure::TooManyRows(what) => (1104, "42000", format!("dbtrail-shim: {what}")),
        Failure::WindowTooWide(what) => {
            (1064, documented, format!("dbtrail-shim: _diff window exceeds limit: {what}"))
        }
        Failure::ReversedWindow(what) | Failure::UnknownCell(what) => (1064, documented, format!("dbtrail-shim: {what}")),
        Failure::UnknownTenant(user) => (1045, "28000", format!("unknown tenant for MySQL user \"{user}\"")),
        Failure::AccessDenied { user, host, using_password } => {
            let using = if *using_password { "YES" } else { "NO" };
            (1045, "28000", format!("Access denied for user '{user}'@'{host}' (using password: {using})"))
        }
        Failure::InsecureTransport => (
            3159,
            "HY000",
            "Connections using insecure transport are prohibited while --require_secure_transport=ON.".to_owned(),
        ),
        Failure::SchemaDenied { user, host, schema } => {
            (1044, "42000", format!("Access denied for user '{user}'@'{host}' to database '{schema}'"))
        }
        Failure::UnknownSchema(name) => (1049, "42000", format!("Unknown database '{name}'")),
        Failure::UnknownTable(name) => (1146, "42S02", format!("Table '{name}' doesn't exist")),
        Failure::UnknownInformationTable(name) => {
            (1109, "42S02", format!("Unknown table '{name}' in information_schema"))
        }
        Failure::AmbiguousColumn(name, clause) => {
            (1052, "23000", format!("Column '{name}' in {clause} is ambiguous"))
        }
        Failure::NoDatabase => (1046, "3D000", "No database selected".to_owned()),
        Failure::UnknownColumn(name, clause) => {
            (1054, "42S22", format!("Unknown column '{name}' in '{clause}'"))
        }
        Failure::UnknownVariable(name) => (1193, "HY000", format!("Unknown system variable '{name}'")),
        Failure::WrongValue(name, value) => {
            (1231, "42000", format!("Variable '{name}' can't be set to the value of '{value}'"))
        }
        Failure::WrongType(name) => (1232, "42000", format!("Incorrect argument type to variable '{name}'")),
        Failure::SessionVariable(name) => {
            (1238, "HY000", format!("Variable '{name}' is a SESSION variable"))
        }
        Failure::NoSessionValue(name) => (1238, "HY000", format!("Variable '{name}' is a GLOBAL variable")),
        Failure::InTransaction => (
            1568,
            "25001",
            "Transaction characteristics can't be changed while a transaction is in progress".to_owned(),
        ),
        Failure::ReadOnlyInSession(name) => (
            1621,
            "HY000",
            format!("SESSION variable '{name}' is read-only. Use SET GLOBAL to assign the value"),
        ),
        Failure::OutOfRange(ty, what) => (1690, "22003", format!("{ty} value is out of range in '{what}'")),
        Failure::ReadOnlyVariable(name, why) => {
            (1238, "HY000", format!("Variable '{name}' is a {why} variable"))
        }
        Failure::GlobalVariable(name) => (
            1229,
            "HY000",
            format!("Variable '{name}' is a GLOBAL variable and should be set with SET GLOBAL"),
        ),
        Failure::PrivilegeRequired(what) => (
            1227,
            "42000",
            format!("Access denied; you need (at least one of) the {what} privilege(s) for this operation"),
        ),
        Failure::UnknownCharset(name) => (1115, "42000", format!("Unknown character set: '{name}'")),
        Failure::UnknownCollation(name) => (1273, "HY000", format!("Unknown collation: '{name}'")),
        Failure::CollationMismatch(collation, charset) => {
            (1253, "42000", format!("COLLATION '{collation}' is not valid for CHARACTER SET '{charset}'"))
        }
        Failure::UnknownTimeZone(name) => {
            (1298, "HY000", format!("Unknown or incorrect time zone: '{name}'"))
        }
        Failure::BadTimestamp(what) => (1292, "22007", what.clone()),
        Failure::Unsupported(what) | Failure::OutOfBudget(what) | Failure::OutOfMemory(what) => {
            (1235, "42000", format!("dbtrail-shim: not supported: {what}"))
        }
        Failure::NotForThisServer(what) => (
            1235,
            "42000",
            format!(
                "dbtrail-shim: this server answers time-travel statements only, and not: {what}. Write SELECT ... FROM \
                 _flashback.<table> AS OF '<instant>' WHERE <primary key> = ..., or ask MySQL itself; behind ProxySQL, its rules \
                 should have sent it there, and a SET of a user variable locks a session to this server"
            ),
        ),
        Failure::Unaudited(why) => (
            1290,
            "HY000",
            format!(
                "dbtrail-shim: nothing is answered while the audit log cannot be written (audit.on_failure is refuse): {why}"
            ),
        ),
        Failure::Syntax(what) => (1064, "42000", format!("You have an error in your SQL syntax; {what}")),
        Failure::EmptyQuery => (1065, "42000", "Query was empty".to_owned()),
        Failure::Interrupted => (1317, "70100", "Query execution was interrupted".to_owned()),
        Failure::TooLong => (
            3024,
            "HY000",
            "Query execution was interrupted, maximum statement execution time exceeded".to_owned(),
        ),
        Failure::Inactive => (
            4031,
            "HY000",
            "The client was disconnected by the server because of inactivity. See wait_timeout and interactive_timeout for \
             configuring this behavior."
                .to_owned(),
        ),
        Failure::Stalled => (1159, "08S01", "Got timeout reading communication packets".to_owned()),
        Failure::ShuttingDown => (1053, "08S01", "Server shutdown in progress".to_owned()),
        Failure::Full { user, limit } => (
            1226,
            "42000",
            format!(
                "User '{user}' has exceeded the 'max_user_connections' resource (current value: {limit})"
            ),
        ),
        Failure::UnknownSavepoint(name) => (1305, "42000", format!("SAVEPOINT {name} does not exist")),
        Failure::NoSuchThread(id) => (1094, "HY000", format!("Unknown thread id: {id}")),
        Failure::NotOwner(id) => (1095, "HY000", format!("You are not owner of thread {id}")),
        Failure::UnknownCommand => (1047, "08S01", "Unknown command".to_owned()),
        Failure::NoMemory => (
            1041,
            "HY000",
             "Out of memory for packets: what this user (limits.memory_per_user), or all (limits.memory), sent, keeps \
             and computes leaves no room; close prepared statements, or send it again later, or shorter"
                .to_owned(),
        ),
        Failure::PacketTooLarge => {
            (1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes".to_owned())
        }
        Failure::MalformedPacket(what) => (1835, "HY000", format!("Malformed communication packet: {what}")),
        Failure::UnknownPrepared(which, command) => {
            (1243, "HY000", format!("Unknown prepared statement handler ({which}) given to {command}"))
        }
        Failure::WrongArguments(command) => (1210, "HY000", format!("Incorrect arguments to {command}")),
        Failure::NotPreparable => {
            (1295, "HY000", "This command is not supported in the prepared statement protocol yet".to_owned())
        }
        Failure::TooManyParameters => {
            (1390, "HY000", "Prepared statement contains too many placeholders".to_owned())
        }
        Failure::TooManyPrepared(limit) => (
            1461,
            "42000",
            format!(
                "Can't create more than max_prepared_stmt_count statements (current value: {limit}): close some, or raise \
                 limits.max_prepared_statements"
            ),
        ),
        Failure::NoCursor(id) => (1421, "HY000", format!("The statement ({id}) has no open cursor.")),
        Failure::LongDataTooLong => (
            1105,
            "HY000",
            "Parameter of prepared statement which is set through mysql_send_long_data() is longer than \
             'max_allowed_packet' bytes"
                .to_owned(),
        ),
    };
    MySqlError { code, state, message: fitted(&message, request, cause::word(failure)) }
}

/// The fixed sentence, and what the agent said, if it said anything.
fn with_body(sentence: String, body: &str) -> String {
    if body.is_empty() { sentence } else { format!("{sentence}: {body}") }
}

/// Control characters escaped, cut to fit with the request id and the word at the end.
fn fitted(message: &str, request: Option<&RequestId>, word: Option<&str>) -> String {
    let mut tail = request.map(|id| format!(" (request {id})")).unwrap_or_default();
    if let Some(word) = word {
        // Writing to a String does not fail.
        let _ = write!(tail, " [{word}]");
    }
    let mut text = String::with_capacity(message.len().min(LONGEST));
    for c in message.chars() {
        let piece = if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
        if text.len() + piece.len() + tail.len() > LONGEST {
            break;
        }
        text.push_str(&piece);
    }
    text.push_str(&tail);
    text
}

#[cfg(test)]
mod tests;
