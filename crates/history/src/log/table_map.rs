//! Table map events (manual: [MySQL Binary Log
//! Events](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html),
//! `Table_map_event`): the columns of a table as the rows after it have them.

mod optional_metadata;

use super::bytes::{Bytes, bit};
use super::{LogFault, MappedColumn, MappedTable, ServerVersion};
use super::{raw, type_code as code};
use dbtrail_types::names::TableName;
use optional_metadata::optional;
use std::collections::HashMap;
use std::sync::Arc;

/// TM_REFERRED_FK_DB_F: a foreign key refers to the table (seen in MySQL 9.7, with and without
/// `innodb_native_foreign_keys`).
const REFERRED: u16 = 2;
/// Table maps that are remembered at most.
const REMEMBERED: usize = 1024;

/// What a table map tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mapped {
    /// A table.
    Known(Arc<MappedTable>),
    /// The name of a table, and why its columns cannot be read.
    Unread(TableName, LogFault),
}

impl Mapped {
    /// The table, as the statement's other rows events name it: without columns where these cannot
    /// be read.
    pub(super) fn named(&self) -> Arc<MappedTable> {
        match self {
            Self::Known(table) => Arc::clone(table),
            Self::Unread(name, _) => Arc::new(MappedTable {
                name: name.clone(),
                columns: Vec::new(),
                primary_key: None,
                server: ServerVersion { mariadb: true, ..ServerVersion::default() },
                referred: false,
            }),
        }
    }
}

/// The last table map of each id: a server sends one in front of every statement's rows, mostly the
/// same again.
#[derive(Debug, Default)]
pub(super) struct Maps(HashMap<u64, (Box<[u8]>, Mapped)>);

impl Maps {
    /// Reads a table map: the table's id, and what is known of it.
    ///
    /// # Errors
    /// Not even its name can be read.
    pub(super) fn read(&mut self, body: &[u8], server: ServerVersion) -> Result<(u64, Mapped), LogFault> {
        let id = Bytes(body).uint(6)?;
        if let Some((_, same)) = self.0.get(&id).filter(|(known, _)| **known == *body) {
            return Ok((id, same.clone()));
        }
        let mapped = read(body, server)?;
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(id, (body.into(), mapped.clone()));
        Ok((id, mapped))
    }
}

fn read(body: &[u8], server: ServerVersion) -> Result<Mapped, LogFault> {
    let mut input = Bytes(body);
    input.take(6)?;
    let flags = input.u16()?;
    let schema = input.short_name()?;
    input.take(1)?;
    let table = input.short_name()?;
    input.take(1)?;
    let name = TableName { schema, table };
    let referred = !server.mariadb && flags & REFERRED != 0;
    Ok(match columns(&mut input, name.clone(), server) {
        Ok(table) => Mapped::Known(Arc::new(MappedTable { referred, ..table })),
        Err(fault) => Mapped::Unread(name, fault),
    })
}

fn columns(input: &mut Bytes<'_>, name: TableName, server: ServerVersion) -> Result<MappedTable, LogFault> {
    let count = input.lenenc_size()?;
    let kinds = input.take(count)?;
    let mut metadata = Bytes(input.lenenc_bytes()?);
    let nullable = input.take(count.div_ceil(8))?;
    let mut columns = Vec::with_capacity(count);
    for (i, kind) in kinds.iter().enumerate() {
        columns.push(column(*kind, &mut metadata, bit(nullable, i))?);
    }
    let mut mapped = MappedTable { name, columns, primary_key: None, server, referred: false };
    optional(input, &mut mapped)?;
    Ok(mapped)
}

fn column(kind: u8, metadata: &mut Bytes<'_>, nullable: bool) -> Result<MappedColumn, LogFault> {
    let length = raw::metadata_length(kind).ok_or(LogFault::ColumnType(kind))?;
    let meta = metadata.take(length)?.to_vec();
    // ENUM and SET travel as STRING and tell their real type in the metadata.
    let type_code = match (kind, meta.first()) {
        (code::STRING, Some(real @ (&code::ENUM | &code::SET))) => *real,
        _ => kind,
    };
    Ok(MappedColumn::plain(type_code, meta, nullable))
}

fn is_number(kind: u8) -> bool {
    matches!(
        kind,
        code::TINY
            | code::SHORT
            | code::INT24
            | code::LONG
            | code::LONGLONG
            | code::FLOAT
            | code::DOUBLE
            | code::NEWDECIMAL
    ) || kind == code::YEAR
}

fn is_text(kind: u8) -> bool {
    matches!(kind, code::STRING | code::VAR_STRING | code::VARCHAR | code::TINY_BLOB..=code::BLOB)
}

/// What MySQL counts as text: seen with a VECTOR column in front of others (9.7), which has a
/// position in the list of collations.
fn is_text_or_vector(kind: u8) -> bool {
    is_text(kind) || kind == code::VECTOR
}

/// What MariaDB counts as text: seen with a POINT column after others (10.11), which has a position
/// in the list of collations.
fn is_text_or_geometry(kind: u8) -> bool {
    is_text(kind)
        || matches!(kind, code::GEOMETRY | code::MARIADB_BLOB_COMPRESSED | code::MARIADB_VARCHAR_COMPRESSED)
}

fn is_enum(kind: u8) -> bool {
    matches!(kind, code::ENUM | code::SET)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table map of one column.
    fn body(table: &[u8], kind: u8) -> Vec<u8> {
        let name = [&[u8::try_from(table.len()).unwrap()][..], table, &[0]].concat();
        [&[9, 0, 0, 0, 0, 0, 1, 0, 1, b's', 0][..], &name, &[1, kind, 0, 0]].concat()
    }

    /// Ids are given out again after a restart of the server.
    #[test]
    fn an_id_is_not_taken_for_the_table_that_had_it_before() {
        let mut maps = Maps::default();
        let mut read = |body: &[u8]| match maps.read(body, ServerVersion::read("11.8.9-MariaDB")).unwrap() {
            (9, Mapped::Known(table)) => table,
            other => panic!("{other:?}"),
        };
        let first = read(&body(b"a", code::LONG));
        assert!(Arc::ptr_eq(&first, &read(&body(b"a", code::LONG))));
        assert_eq!(read(&body(b"a", code::LONGLONG)).columns[0].type_code, code::LONGLONG);
        assert_eq!(read(&body(b"b", code::LONG)).name.table, "b");
        assert_eq!(*read(&body(b"a", code::LONG)), *first);
    }

    /// A type of a server to come: its own table is lost, and no other one.
    #[test]
    fn a_table_with_a_column_of_an_unknown_type_has_its_name() {
        let (id, mapped) = Maps::default().read(&body(b"a", 200), ServerVersion::default()).unwrap();
        let Mapped::Unread(name, fault) = mapped else { panic!("{mapped:?}") };
        assert_eq!((id, name.to_string().as_str()), (9, "s.a"));
        assert!(fault.to_string().contains("type 200"));
    }

    /// As MySQL 9.7 wrote it for `(id INT PRIMARY KEY, v VECTOR(3), t VARCHAR(9) CHARACTER SET
    /// latin1, b VARBINARY(3), u TEXT CHARACTER SET utf8mb4, j JSON, w VECTOR(3))`.
    #[test]
    fn a_vector_counts_among_the_columns_with_collations() {
        let bytes = "7b00000000000100016300027665000703f20f0ffcf5f20804090003000204047e01010002073f010803fcff000d020303";
        let body = hex::decode(bytes).unwrap();
        let (_, Mapped::Known(table)) = Maps::default().read(&body, ServerVersion::default()).unwrap() else {
            panic!()
        };
        let collations: Vec<Option<u16>> = table.columns.iter().map(|c| c.collation).collect();
        assert_eq!(collations, [None, Some(63), Some(8), Some(63), Some(255), None, Some(63)]);
    }
}
