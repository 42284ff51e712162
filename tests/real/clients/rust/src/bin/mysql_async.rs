//! mysql_async for the matrix.

use dbtrail_shim_matrix_clients::{Told, answer, hex, next, port, span, text, unhex};
use mysql_async::prelude::Queryable;
use mysql_async::{ChangeUserOpts, Conn, Error, OptsBuilder, Params, SslOpts, Value as Cell};
use serde_json::{Value, json};

#[tokio::main]
async fn main() {
    let mut connection = None;
    while let Some(command) = next() {
        answer(run(&mut connection, &command).await.map_err(told));
    }
}

fn told(error: Error) -> Told {
    match error {
        Error::Server(e) => (e.code, e.state, e.message),
        other => panic!("{other:?}"),
    }
}

async fn run(connection: &mut Option<Conn>, command: &Value) -> Result<Value, Error> {
    if text(command, "do") == "connect" {
        let tls = command["tls"] == true;
        let ssl = tls.then(|| {
            SslOpts::default().with_root_certs(vec![std::path::PathBuf::from(text(command, "ca")).into()])
        });
        let options = OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(port(command))
            .user(Some(text(command, "user")))
            .pass(Some(text(command, "password")))
            .db_name(Some(text(command, "database")))
            .prefer_socket(false)
            .ssl_opts(ssl);
        *connection = Some(Conn::new(options).await?);
        return Ok(json!({}));
    }
    let conn = connection.as_mut().expect("connected");
    match text(command, "do") {
        "query" => {
            let result = conn.query_iter(text(command, "sql")).await?;
            let names: Vec<String> = result.columns_ref().iter().map(|c| c.name_str().into_owned()).collect();
            let rows: Vec<mysql_async::Row> = result.collect_and_drop().await?;
            Ok(table(names, rows))
        }
        "prepared" => {
            let parameters: Vec<Cell> =
                command["parameters"].as_array().expect("parameters").iter().map(parameter).collect();
            let parameters =
                if parameters.is_empty() { Params::Empty } else { Params::Positional(parameters) };
            let result = conn.exec_iter(text(command, "sql"), parameters).await?;
            let names: Vec<String> = result.columns_ref().iter().map(|c| c.name_str().into_owned()).collect();
            let rows: Vec<mysql_async::Row> = result.collect_and_drop().await?;
            Ok(table(names, rows))
        }
        "change_user" => {
            let options = ChangeUserOpts::new()
                .with_user(Some(text(command, "user").to_owned()))
                .with_pass(Some(text(command, "password").to_owned()))
                .with_db_name(Some(text(command, "database").to_owned()));
            conn.change_user(options).await.map(|()| json!({}))
        }
        "reset" => conn.reset().await.map(|done| {
            assert!(done, "the client took the server for one without COM_RESET_CONNECTION");
            json!({})
        }),
        "ping" => conn.ping().await.map(|()| json!({})),
        other => panic!("{other}"),
    }
}

fn table(names: Vec<String>, rows: Vec<mysql_async::Row>) -> Value {
    let rows: Vec<Vec<Value>> = rows.into_iter().map(|r| r.unwrap().iter().map(shown).collect()).collect();
    json!({ "columns": names, "rows": rows })
}

fn shown(cell: &Cell) -> Value {
    match cell {
        Cell::NULL => Value::Null,
        Cell::Bytes(bytes) => json!(["raw", hex(bytes)]),
        Cell::Int(i) => json!(["int", i.to_string()]),
        Cell::UInt(i) => json!(["int", i.to_string()]),
        Cell::Float(f) => json!(["float", format!("{f:e}")]),
        Cell::Double(f) => json!(["float", format!("{f:e}")]),
        Cell::Date(y, mo, d, h, mi, s, us) => {
            json!(["moment", format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}.{us:06}")])
        }
        Cell::Time(negative, d, h, m, s, us) => {
            span(*negative, u64::from(*d) * 24 + u64::from(*h), u64::from(*m), u64::from(*s), u64::from(*us))
        }
    }
}

fn parameter(sent: &Value) -> Cell {
    let of = |i: usize| sent[i].as_str().expect("a kind and a text");
    match of(0) {
        "int" => {
            of(1).parse::<i64>().map_or_else(|_| Cell::UInt(of(1).parse().expect("a number")), Cell::Int)
        }
        "bytes" => Cell::Bytes(unhex(of(1))),
        "datetime" => {
            let n = |from: usize, to: usize| of(1)[from..to].parse::<u32>().expect("digits");
            let small = |from: usize| u8::try_from(n(from, from + 2)).expect("two digits");
            Cell::Date(
                u16::try_from(n(0, 4)).expect("a year"),
                small(5),
                small(8),
                small(11),
                small(14),
                small(17),
                n(20, 26),
            )
        }
        _ => Cell::Bytes(of(1).as_bytes().to_vec()),
    }
}
