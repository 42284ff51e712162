//! Query events (manual: ["MySQL Binary Log
//! Events"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html),
//! `Query_event`): a statement, and the settings it ran under.

use super::author::Author;
use super::bytes::{Bytes, text};
use super::event::{Event, kind};
use super::{LogFault, LoggedStatement, ServerVersion, collations, rows, text as decoding};
use dbtrail_types::timestamp::Timestamp;

/// Reads a query event, in MariaDB's compressed form too, or an execute-load-query event.
pub(super) fn read(event: &Event, server: ServerVersion) -> Result<LoggedStatement, LogFault> {
    let mut input = Bytes(event.body());
    let connection = Some(input.u32()?).filter(|id| *id > 0);
    let exec_time = input.u32()?;
    let schema_length = usize::from(input.u8()?);
    let error = input.u16()?;
    let settings_length = usize::from(input.u16()?);
    if event.kind == kind::EXECUTE_LOAD_QUERY {
        // The file's number, where its name is in the text, and what becomes of duplicates.
        input.take(13)?;
    }
    let settings = input.take(settings_length)?;
    let schema = text(input.take(schema_length)?)?;
    input.take(1)?;
    let mut statement = LoggedStatement {
        schema: (!schema.is_empty()).then_some(schema),
        exec_time,
        error,
        connection,
        ..LoggedStatement::plain("", server, Timestamp::from_micros(i64::from(event.timestamp) * 1_000_000))
    };
    let numbered = variables(&mut Bytes(settings), &mut statement)?;
    let inflated;
    let sql = if event.kind == kind::MARIADB_QUERY_COMPRESSED {
        inflated = rows::inflate(input.0)?;
        &inflated[..]
    } else {
        input.0
    };
    let client = statement.charsets.map(|(client, _, _)| client);
    (statement.sql, statement.decoded) = match Author::of(sql, server, numbered) {
        Author::Client => decoding::decode(sql, client),
        Author::Server => {
            // Nothing of it was ever in the character set of the connection.
            statement.charsets = statement.charsets.map(|(client, _, server)| (client, client, server));
            decoding::decode(sql, None)
        }
        Author::Unknown => decoding::decode_either(sql, client),
    };
    Ok(statement)
}

/// The status variables (MySQL: `Query_event_status_vars`). They come in no promised order and
/// without lengths: one that is not known ends the reading. Gives whether the number of a DDL
/// statement is among them.
fn variables(input: &mut Bytes<'_>, statement: &mut LoggedStatement) -> Result<bool, LogFault> {
    let mut numbered = false;
    let mariadb = statement.server.mariadb;
    let collation = |input: &mut Bytes<'_>| input.u16().map(|id| collations::of_server(id, mariadb));
    while !input.is_empty() {
        match input.u8()? {
            // Flags; the size of a source's events.
            0 | 10 => drop(input.take(4)?),
            3 => statement.auto_increment_steps = Some((input.u16()?, input.u16()?)),
            1 => statement.sql_mode = Some(input.u64()?),
            // Catalog, with a zero at its end.
            2 => {
                let length = usize::from(input.u8()?);
                input.take(length + 1)?;
            }
            4 => statement.charsets = Some((collation(input)?, collation(input)?, collation(input)?)),
            5 => statement.time_zone = Some(input.short_name()?),
            // Catalog.
            6 => drop(input.short_name()?),
            // Language of names of months.
            7 => drop(input.take(2)?),
            8 => statement.database_collation = Some(collation(input)?),
            // Tables of a multi-table update; then the XID of a DDL statement (MySQL, MariaDB).
            9 => drop(input.take(8)?),
            17 | 129 => {
                input.take(8)?;
                numbered = true;
            }
            // The user and host of a definer.
            11 => {
                input.short_name()?;
                input.short_name()?;
            }
            12 => statement.updated_schemas = updated_schemas(input)?,
            // Microseconds of the start (MySQL, MariaDB).
            13 | 128 => {
                let micros = i64::try_from(input.uint(3)?).unwrap_or_default();
                statement.at = Timestamp::from_micros(statement.at.micros() + micros);
            }
            16 => statement.explicit_timestamps = Some(input.u8()? != 0),
            // sql_require_primary_key, default_table_encryption; one that MySQL 9.7 writes with DML
            // and that no manual names.
            19..=21 => drop(input.take(1)?),
            18 => statement.default_utf8mb4 = Some(input.u16()?),
            // MariaDB: whether an ALTER begins, ends or fails, and the number of its beginning. The
            // GTID event says the same.
            130 => {
                if input.u8()? & (super::gtid::COMMIT_ALTER | super::gtid::ROLLBACK_ALTER) != 0 {
                    input.take(8)?;
                }
            }
            // MariaDB: character_set_collations where it is not the server's own: pairs of a
            // character set, known by its first collation, and the one it has.
            131 => {
                let count = usize::from(input.u8()?);
                let pairs = (0..count).map(|_| Ok((collation(input)?, collation(input)?)));
                statement.set_collations = Some(pairs.collect::<Result<_, LogFault>>()?);
            }
            other => {
                tracing::debug!(variable = other, "a status variable of a statement that is not known");
                return Ok(numbered);
            }
        }
    }
    Ok(numbered)
}

/// Names of the schemas that a statement changed, each with a zero at its end; 254: too many to be
/// listed. `None`: all, which an empty name says too.
fn updated_schemas(input: &mut Bytes<'_>) -> Result<Option<Vec<String>>, LogFault> {
    let count = input.u8()?;
    if count == 254 {
        return Ok(None);
    }
    let mut schemas = Vec::new();
    for _ in 0..count {
        let mut name = Vec::new();
        loop {
            match input.u8()? {
                0 => break,
                byte => name.push(byte),
            }
        }
        schemas.push(text(&name)?);
    }
    Ok((!schemas.is_empty() && schemas.iter().all(|name| !name.is_empty())).then_some(schemas))
}
