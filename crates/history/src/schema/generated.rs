//! Generated columns: which rows of the log leave them out, and what is known of them then.
//!
//! MySQL 9.7 and MariaDB 10.11 log them with every row. MariaDB 11.8 logs them with inserted rows
//! alone: the images of UPDATE and DELETE have none, VIRTUAL or STORED, whatever `binlog_row_image`
//! says.

use super::StoredDefinition;
use super::lost_cell::UnknownCell;
use super::stored_definition::unreadable_charset;
use super::table::{Full, FullColumn};
use crate::image::{Content, Image, put_unknown};
use dbtrail_types::column::ColumnType;
use std::collections::HashSet;

/// The expression of a column of which a table map says that it is there, and rows leave it out.
const NOT_LOGGED: &str = "?";
/// The same of a column of which a table map does not say how its values are shown: MariaDB writes
/// UUID and INET6 as it writes BINARY(16), and INET4 as BINARY(4).
pub(super) const NO_TYPE: &str = "?type";

/// Functions of what a session can set, or of the time: a column of these is not determined by
/// other columns. Those of which all names begin so end in `_`.
const UNSTABLE: &[&str] = &[
    "now",
    "current_",
    "curdate",
    "curtime",
    "sysdate",
    "utc_",
    "localtime",
    "localtimestamp",
    "unix_timestamp",
    "from_unixtime",
    "rand",
    "random_bytes",
    "uuid",
    "uuid_short",
    "sys_guid",
    "connection_id",
    "user",
    "session_user",
    "system_user",
    "database",
    "schema",
    "version",
    "last_insert_id",
    "convert_tz",
    "date_format",
    "time_format",
    "dayname",
    "monthname",
    "week",
    "yearweek",
    "weekofyear",
    "format",
    "row_count",
    "found_rows",
    "nextval",
    "lastval",
    "setval",
    "sleep",
    "get_lock",
    "release_lock",
    "is_free_lock",
    "is_used_lock",
    "benchmark",
    "load_file",
    "get_format",
    "str_to_date",
    "default",
    "values",
];

pub(super) fn why_unknown(full: &Full, column: usize) -> UnknownCell {
    let known = full.columns.get(column);
    match known.and_then(|known| known.generated.as_deref()) {
        None => known
            .and_then(unreadable_charset)
            .map_or(UnknownCell::NotRecorded, |set| UnknownCell::Charset { set: set.to_owned() }),
        Some(NO_TYPE) => UnknownCell::TypeNotLogged,
        Some(NOT_LOGGED) => UnknownCell::LeftOut,
        Some(_) => UnknownCell::Generated,
    }
}

/// The definition with these columns as generated ones; `None`: it is known otherwise which are.
pub(super) fn left_out(full: &Full, columns: &[usize]) -> Option<Full> {
    let mut full = full.inferred.then(|| full.clone())?;
    for column in columns {
        full.columns.get_mut(*column)?.generated.get_or_insert_with(|| NOT_LOGGED.to_owned());
    }
    Some(full)
}

/// The row with what another row of the same definition tells of its unknown cells; `None`: it
/// tells nothing of them.
pub(super) fn filled(known: &StoredDefinition, row: &Image, other: &Image) -> Option<Image> {
    // Of most rows every cell is known.
    if !row.cells().any(|cell| cell == Content::Unknown) {
        return None;
    }
    let (cells, others): (Vec<Content<'_>>, Vec<Content<'_>>) =
        (row.cells().collect(), other.cells().collect());
    let reported = |i: usize, cell: Content<'_>| {
        let reported = others
            .get(i)
            .copied()
            .filter(|reported| cell == Content::Unknown && *reported != Content::Unknown);
        reported.filter(|_| {
            let Some(column) = known.full.columns.get(i) else { return false };
            let same = |other: usize| {
                let pair = cells.get(other).zip(others.get(other));
                pair.is_some_and(|(a, b)| a == b && *a != Content::Unknown)
            };
            is_stable(&known.full, column) && named(&known.full, i).all(same)
        })
    };
    let found: Vec<Option<Content<'_>>> = (0..).zip(&cells).map(|(i, cell)| reported(i, *cell)).collect();
    if found.iter().all(Option::is_none) {
        return None;
    }
    let mut out = Vec::with_capacity(row.bytes().len() + 16);
    for (cell, reported) in cells.iter().zip(found) {
        match reported.unwrap_or(*cell) {
            Content::Unknown => put_unknown(&mut out, true),
            Content::Null => out.push(0),
            Content::Bytes(bytes) => {
                out.extend_from_slice(Image::pack(&[Some(bytes.to_vec())]).bytes());
            }
        }
    }
    Some(Image::of_bytes(&out))
}

/// The words of an expression, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).map(str::to_lowercase)
}

/// Whether equal columns give an equal value: a VIRTUAL one is computed in the session that reads,
/// a STORED one in each that writes.
fn is_stable(full: &Full, column: &FullColumn) -> bool {
    let Some(text) = column.generated.as_deref().filter(|text| !text.starts_with('?')) else { return false };
    let unstable = |word: String| {
        UNSTABLE.iter().any(|name| if name.ends_with('_') { word.starts_with(name) } else { word == *name })
    };
    // The text of a TIMESTAMP is that of the session's zone.
    let zoned = |word: String| {
        let of = full.position(&word).and_then(|i| full.columns.get(i));
        of.is_some_and(|c| matches!(c.column.ty, ColumnType::Timestamp { .. }))
    };
    !(text.contains('@') || words(text).any(unstable) || words(text).any(zoned))
}

/// Positions of the plain columns that the expression of a generated one may name, by way of other
/// generated ones too.
fn named(full: &Full, generated: usize) -> impl Iterator<Item = usize> {
    let text = full.columns.get(generated).and_then(|c| c.generated.as_deref()).unwrap_or_default();
    let text = text.strip_suffix(" VIRTUAL").or_else(|| text.strip_suffix(" STORED")).unwrap_or(text);
    let words: HashSet<String> = words(text).collect();
    let plain = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let may = |column: &FullColumn| {
        let name = &column.column.name;
        !plain(name) || words.contains(&name.to_lowercase())
    };
    // What another generated column is made of counts too; it is enough that all plain ones are the
    // same.
    let all = full.columns.iter().any(|c| c.generated.is_some() && may(c));
    let columns = (0..).zip(&full.columns).filter(|(_, c)| c.generated.is_none() && (all || may(c)));
    columns.map(|(i, _)| i).collect::<Vec<usize>>().into_iter()
}
