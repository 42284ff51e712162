//! Query events (manual: "MySQL Binary Log Events", `Query_event`): a statement, and the settings it ran under.

use super::bytes::{Bytes, text};
use super::{LogFault, LoggedStatement, ServerVersion, rows};
use dbtrail_types::charset;
use dbtrail_types::instant::Instant;
use mysql_common::collations::{Collation, CollationId};

/// Reads a query event; `compressed`: MariaDB's form.
pub(super) fn read(
    body: &[u8],
    timestamp: u32,
    compressed: bool,
    server: ServerVersion,
) -> Result<LoggedStatement, LogFault> {
    let mut input = Bytes(body);
    let _thread = input.u32()?;
    let exec_time = input.u32()?;
    let schema_length = usize::from(input.u8()?);
    let error = input.u16()?;
    let settings_length = usize::from(input.u16()?);
    let settings = input.take(settings_length)?;
    let schema = text(input.take(schema_length)?)?;
    input.take(1)?;
    let mut statement = LoggedStatement {
        schema: (!schema.is_empty()).then_some(schema),
        exec_time,
        error,
        ..LoggedStatement::plain("", server, Instant::from_micros(i64::from(timestamp) * 1_000_000))
    };
    variables(&mut Bytes(settings), &mut statement)?;
    let inflated;
    let sql = if compressed {
        inflated = rows::inflate(input.0)?;
        &inflated[..]
    } else {
        input.0
    };
    statement.sql = decode(sql, statement.charsets.map(|(client, _, _)| client))?;
    Ok(statement)
}

/// The text in the client's character set. ASCII is the same in all that mysqld allows for clients.
fn decode(sql: &[u8], client: Option<u16>) -> Result<String, LogFault> {
    if let Ok(text) = std::str::from_utf8(sql)
        && (text.is_ascii() || client.is_none())
    {
        return Ok(text.to_owned());
    }
    let collation = Collation::from(CollationId::from(client.unwrap_or(255)));
    charset::decode(collation.charset(), sql)
        .map(std::borrow::Cow::into_owned)
        .map_err(|e| LogFault::new(format!("a statement whose text cannot be read: {e}")))
}

/// The status variables. They come in no promised order and without lengths: one that is not known ends the reading.
fn variables(input: &mut Bytes<'_>, statement: &mut LoggedStatement) -> Result<(), LogFault> {
    while !input.is_empty() {
        match input.u8()? {
            // Flags; AUTO_INCREMENT step and offset.
            0 | 3 => drop(input.take(4)?),
            1 => statement.sql_mode = Some(input.u64()?),
            // Catalog, with a zero at its end.
            2 => {
                let length = usize::from(input.u8()?);
                input.take(length + 1)?;
            }
            4 => statement.charsets = Some((input.u16()?, input.u16()?, input.u16()?)),
            5 => statement.time_zone = Some(input.short_name()?),
            // Catalog.
            6 => drop(input.short_name()?),
            // Language of names of months.
            7 => drop(input.take(2)?),
            8 => statement.database_collation = Some(input.u16()?),
            // Tables of a multi-table update; XID of a DDL statement (MySQL, MariaDB).
            9 | 17 | 129 => drop(input.take(8)?),
            // The user and host of a definer.
            11 => {
                input.short_name()?;
                input.short_name()?;
            }
            12 => updated_schemas(input)?,
            // Microseconds of the start (MySQL, MariaDB).
            13 | 128 => {
                let micros = i64::try_from(input.uint(3)?).unwrap_or_default();
                statement.at = Instant::from_micros(statement.at.micros() + micros);
            }
            16 => statement.explicit_timestamps = Some(input.u8()? != 0),
            // sql_require_primary_key, default_table_encryption.
            19 | 20 => drop(input.take(1)?),
            18 => statement.default_utf8mb4 = Some(input.u16()?),
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Names of the schemas that a statement changed, each with a zero at its end; 254: too many to be listed.
fn updated_schemas(input: &mut Bytes<'_>) -> Result<(), LogFault> {
    let count = input.u8()?;
    if count == 254 {
        return Ok(());
    }
    for _ in 0..count {
        while input.u8()? != 0 {}
    }
    Ok(())
}
