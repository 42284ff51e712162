//! System-versioned tables of MariaDB (Knowledge Base: ["System-Versioned
//! Tables"](https://mariadb.com/kb/en/system-versioned-tables/)): the columns that the server adds
//! to them.
//!
//! In the log their rows have two invisible columns more than their declaration, after all others
//! also after an ALTER, and those of the past are rows like others. Only the form in which the
//! server adds the columns is followed; with columns and a period of one's own, and with numbers of
//! transactions in them, the declaration is not read.

use super::table::{BackfilledValue, Full, FullColumn};
use super::token::Unread;
use crate::log::ServerVersion;
use crate::schema::unread::Ambiguity;
use dbtrail_types::column::{Column, ColumnType};

pub(super) const ROW_START: &str = "row_start";
pub(super) const ROW_END: &str = "row_end";

/// The last microsecond that a TIMESTAMP has, before MariaDB 11.5 and since.
const END_OF_TIME: [&str; 2] = ["2038-01-19 03:14:07.999999", "2106-02-07 06:28:15.999999"];

/// What the end of a row's time can hold in a row of now. To a server with the later end the
/// earlier one is past, whoever wrote it (a dump with the history, a data folder of an older
/// server): it shows no such row.
#[must_use]
pub fn ends_of_time(server: ServerVersion) -> &'static [&'static str] {
    &END_OF_TIME[usize::from(server.number >= (11, 5))..]
}

/// The table without them, as an ALTER of it speaks of it.
pub(super) fn without_columns(full: &Full) -> Result<Full, Unread> {
    let mut bare = Full { versioned: false, ..full.clone() };
    let columns = [bare.columns.pop(), bare.columns.pop()];
    let are =
        |name: &str, column: &Option<FullColumn>| column.as_ref().is_some_and(|c| c.column.name == name);
    if are(ROW_END, &columns[0]) && are(ROW_START, &columns[1]) {
        Ok(bare)
    } else {
        Err(Unread::Ambiguous(Ambiguity::ServerColumns))
    }
}

/// What `row_end` holds in the rows that are there when a table begins to be versioned.
pub(super) fn end_of_time(server: ServerVersion) -> BackfilledValue {
    let end = END_OF_TIME[usize::from(server.number >= (11, 5))];
    BackfilledValue::With(Some(end.as_bytes().to_vec()))
}

/// Adds the columns as the server does: after all others.
pub(super) fn add_columns(full: &mut Full) -> Result<(), Unread> {
    if [ROW_START, ROW_END].iter().any(|name| full.position(name).is_some()) {
        return Err(Unread::Ambiguous(Ambiguity::OwnPeriod));
    }
    if full.primary_key.is_empty() {
        return Err(Unread::Ambiguous(Ambiguity::VersionedWithoutKey));
    }
    for name in [ROW_START, ROW_END] {
        full.columns.push(FullColumn {
            column: Column {
                invisible: true,
                ..Column::new(name.to_owned(), ColumnType::Timestamp { fsp: 6 }, None, false)
            },
            visible: false,
            collation_known: true,
            nullability_known: true,
            filled: BackfilledValue::Unknown("the server sets it".to_owned()),
            generated: None,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row that ends with 2038 is there on MariaDB 10.11, and is not on 11.8.
    #[test]
    fn the_earlier_end_is_past_to_a_server_with_the_later_one() {
        let [earlier, later] = END_OF_TIME;
        for (version, ends) in [
            ("10.11.19-MariaDB", &[earlier, later][..]),
            ("11.4.2-MariaDB", &[earlier, later]),
            ("11.5.1-MariaDB", &[later]),
            ("12.0.1-MariaDB", &[later]),
        ] {
            assert_eq!(ends_of_time(ServerVersion::read(version)), ends, "{version}");
        }
    }
}
