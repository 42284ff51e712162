//! Texts of the statements that changed rows, where the server logs them (MySQL: `Rows_query`,
//! `binlog_rows_query_log_events`; MariaDB: `Annotate_rows`, `binlog_annotate_row_events`).

use super::event::{Event, kind};
use super::text;
use std::sync::Arc;

/// Bytes of a text that are kept; a statement can have a gigabyte.
const MOST: usize = 8 << 10;

/// The text. What is longer than can be kept is cut, and says so; characters that are not of the
/// client's character set are U+FFFD. `client`: its collation, where it is known; else the text is
/// taken for UTF-8.
pub(super) fn read(event: &Event, client: Option<u16>) -> Option<Arc<str>> {
    let mut bytes = event.body();
    if event.kind == kind::ROWS_QUERY {
        // A length in one byte, which the server itself does not go by.
        bytes = bytes.get(1..)?;
    }
    let all = bytes.len();
    let (mut sql, _) = text::decode(bytes.get(..MOST).unwrap_or(bytes), client);
    if all > MOST {
        // The last character may be cut too.
        sql.truncate(sql.trim_end_matches(text::UNREAD).len());
        sql.push_str(&mark(all));
    }
    (!sql.is_empty()).then(|| sql.into())
}

/// A text, cut where it is longer than can be kept.
pub(crate) fn cut(sql: &str) -> String {
    if sql.len() <= MOST {
        return sql.to_owned();
    }
    let end = (0..=MOST).rev().find(|at| sql.is_char_boundary(*at)).unwrap_or(0);
    sql[..end].to_owned() + &mark(sql.len())
}

fn mark(all: usize) -> String {
    format!(" ... /* cut by dbtrail-shim: {all} bytes in all */")
}
