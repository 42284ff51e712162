//! Rows of ProxySQL's admin port.

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use std::collections::HashMap;

/// A row by column; a NULL is not there.
pub(super) type Row = HashMap<String, String>;

pub(super) async fn rows(conn: &mut Conn, statement: &str) -> Result<Vec<Row>, mysql_async::Error> {
    let rows: Vec<mysql_async::Row> = conn.query(statement).await?;
    let read = |row: mysql_async::Row| {
        let columns = row.columns();
        let cells = columns.iter().map(|c| c.name_str().into_owned()).zip(row.unwrap());
        cells
            .filter_map(|(name, value)| match value {
                mysql_async::Value::NULL => None,
                mysql_async::Value::Bytes(bytes) => {
                    Some((name, String::from_utf8_lossy(&bytes).into_owned()))
                }
                other @ (mysql_async::Value::Int(_)
                | mysql_async::Value::UInt(_)
                | mysql_async::Value::Float(_)
                | mysql_async::Value::Double(_)
                | mysql_async::Value::Date(..)
                | mysql_async::Value::Time(..)) => Some((name, other.as_sql(true))),
            })
            .collect()
    };
    Ok(rows.into_iter().map(read).collect())
}

pub(super) fn number(row: &Row, name: &str) -> Option<i64> {
    row.get(name).and_then(|text| text.parse().ok())
}

pub(super) fn text<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).map_or("", String::as_str)
}
