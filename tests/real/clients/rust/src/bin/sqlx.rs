//! sqlx for the matrix. It checks the declared type of a column before it decodes: a wrong
//! declaration fails here.

use dbtrail_shim_matrix_clients::{Told, answer, hex, next, port, span, text, unhex};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use sqlx::mysql::types::MySqlTime;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode};
use sqlx::types::time::{Date, OffsetDateTime, PrimitiveDateTime, Time};
use sqlx::types::{BigDecimal, Json};
use sqlx::{
    Arguments, Column, ConnectOptions, Connection, Decode, Error, Executor, MySql, Row, Type, TypeInfo,
    ValueRef,
};

#[tokio::main]
async fn main() {
    let mut connection = None;
    while let Some(command) = next() {
        answer(run(&mut connection, &command).await.map_err(told));
    }
}

fn told(error: Error) -> Told {
    match error {
        Error::Database(e) => {
            let e = e.downcast::<sqlx::mysql::MySqlDatabaseError>();
            (e.number(), e.code().unwrap_or_default().to_owned(), e.message().to_owned())
        }
        other => panic!("{other:?}"),
    }
}

async fn run(connection: &mut Option<MySqlConnection>, command: &Value) -> Result<Value, Error> {
    if text(command, "do") == "connect" {
        let tls = command["tls"] == true;
        let options = MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(port(command))
            .username(text(command, "user"))
            .password(text(command, "password"))
            .database(text(command, "database"))
            .ssl_mode(if tls { MySqlSslMode::VerifyCa } else { MySqlSslMode::Disabled })
            .ssl_ca(text(command, "ca"));
        *connection = Some(options.connect().await?);
        return Ok(json!({}));
    }
    let conn = connection.as_mut().expect("connected");
    match text(command, "do") {
        "query" => {
            let sql = text(command, "sql").to_owned();
            let rows: Vec<MySqlRow> = sqlx::raw_sql(&sql).fetch(&mut *conn).try_collect().await?;
            // Without a row, raw_sql tells no columns.
            let names = match rows.first() {
                Some(row) => row.columns().iter().map(|c| c.name().to_owned()).collect(),
                None if sql.starts_with("SELECT") => described(conn, &sql).await?,
                None => Vec::new(),
            };
            Ok(table(names, &rows))
        }
        "prepared" => {
            let sql = text(command, "sql").to_owned();
            let mut arguments = MySqlArguments::default();
            for sent in command["parameters"].as_array().expect("parameters") {
                bind(&mut arguments, sent);
            }
            let names = described(conn, &sql).await?;
            let rows: Vec<MySqlRow> =
                sqlx::query_with(&sql, arguments).fetch(&mut *conn).try_collect().await?;
            Ok(table(names, &rows))
        }
        "ping" => conn.ping().await.map(|()| json!({})),
        other => panic!("{other}"),
    }
}

/// Names of the columns, as PREPARE declares them.
async fn described(conn: &mut MySqlConnection, sql: &str) -> Result<Vec<String>, Error> {
    Ok(conn.describe(sql).await?.columns().iter().map(|c| c.name().to_owned()).collect())
}

fn table(names: Vec<String>, rows: &[MySqlRow]) -> Value {
    let rows: Vec<Vec<Value>> = rows.iter().map(|r| (0..r.len()).map(|i| shown(r, i)).collect()).collect();
    json!({ "columns": names, "rows": rows })
}

/// A cell as `T`, which its declared type must allow.
fn cell<'r, T: Decode<'r, MySql> + Type<MySql>>(
    row: &'r MySqlRow,
    at: usize,
    show: impl Fn(T) -> Value,
) -> Value {
    match row.try_get::<T, _>(at) {
        Ok(value) => show(value),
        Err(error) => json!(["error", error.to_string()]),
    }
}

fn shown(row: &MySqlRow, at: usize) -> Value {
    let raw = row.try_get_raw(at).expect("a cell");
    if raw.is_null() {
        return Value::Null;
    }
    let kind = raw.type_info().name().to_owned();
    match kind.as_str() {
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            cell(row, at, |v: i64| json!(["int", v.to_string()]))
        }
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED"
        | "BIGINT UNSIGNED" | "YEAR" => cell(row, at, |v: u64| json!(["int", v.to_string()])),
        "BOOLEAN" => cell(row, at, |v: i8| json!(["int", v.to_string()])),
        "BIT" => cell(row, at, |v: u64| json!(["int", v.to_string()])),
        "FLOAT" => cell(row, at, |v: f32| json!(["float", format!("{v:e}")])),
        "DOUBLE" => cell(row, at, |v: f64| json!(["float", format!("{v:e}")])),
        "DECIMAL" => cell(row, at, |v: BigDecimal| json!(["decimal", v.to_plain_string()])),
        "DATE" => cell(row, at, |v: Date| json!(["date", v.to_string()])),
        "DATETIME" => cell(row, at, |v: PrimitiveDateTime| moment(v.date(), v.time())),
        // It has set the session's time zone to UTC.
        "TIMESTAMP" => cell(row, at, |v: OffsetDateTime| moment(v.date(), v.time())),
        "TIME" => cell(row, at, |v: MySqlTime| {
            span(
                v.sign().is_negative(),
                v.hours().into(),
                v.minutes().into(),
                v.seconds().into(),
                v.microseconds().into(),
            )
        }),
        "CHAR" | "VARCHAR" | "TEXT" | "TINYTEXT" | "MEDIUMTEXT" | "LONGTEXT" | "ENUM" | "SET" => {
            cell(row, at, |v: String| json!(["str", v]))
        }
        "JSON" => cell(row, at, |v: Json<Box<serde_json::value::RawValue>>| json!(["json", v.0.get()])),
        "GEOMETRY" => match row.try_get_unchecked::<Vec<u8>, _>(at) {
            Ok(v) => json!(["bytes", hex(&v)]),
            Err(error) => json!(["error", error.to_string()]),
        },
        "BINARY" | "VARBINARY" | "BLOB" | "TINYBLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
            cell(row, at, |v: Vec<u8>| json!(["bytes", hex(&v)]))
        }
        other => json!(["type", other]),
    }
}

fn moment(date: Date, time: Time) -> Value {
    let (h, m, s, us) = time.as_hms_micro();
    json!(["datetime", format!("{date} {h:02}:{m:02}:{s:02}.{us:06}")])
}

fn bind(arguments: &mut MySqlArguments, sent: &Value) {
    let of = |i: usize| sent[i].as_str().expect("a kind and a text");
    let added = match of(0) {
        "int" => match of(1).parse::<i64>() {
            Ok(signed) => arguments.add(signed),
            Err(_) => arguments.add(of(1).parse::<u64>().expect("a number")),
        },
        "bytes" => arguments.add(unhex(of(1))),
        "datetime" => {
            let n = |from: usize, to: usize| of(1)[from..to].parse::<u32>().expect("digits");
            let small = |from: usize| u8::try_from(n(from, from + 2)).expect("two digits");
            let month = small(5).try_into().expect("a month");
            let date = Date::from_calendar_date(n(0, 4).try_into().expect("a year"), month, small(8));
            let time = Time::from_hms_micro(small(11), small(14), small(17), n(20, 26));
            arguments.add(PrimitiveDateTime::new(date.expect("a date"), time.expect("a time")))
        }
        _ => arguments.add(of(1)),
    };
    added.expect("a parameter");
}
