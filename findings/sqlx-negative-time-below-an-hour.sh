#!/usr/bin/env bash
# sqlx 0.8.6 with MySQL 9.7.4: a TIME between -00:59:59 and -00:00:01 has lost its sign in the rows of a statement that is not prepared
# (`raw_sql`): the hours of its text are read as a number, and -00 is 0. From an hour on, and in the rows of prepared statements, the
# sign is there.
source "$(dirname "$0")/server.sh"
install sid mysql-server-core mysql-client-core
version /usr/sbin/mysqld 9.7.4
start mysqld
sql "CREATE USER u@'%' IDENTIFIED BY 'p'; GRANT ALL ON *.* TO u@'%'; CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, t TIME);
    INSERT INTO d.t VALUES (1, '-00:30:00'), (2, '-01:30:00')"
mkdir -p "$work/ask/src"
cat >"$work/ask/Cargo.toml" <<'END'
[package]
name = "ask"
version = "0.0.0"
edition = "2021"

[dependencies]
sqlx = { version = "=0.8.6", default-features = false, features = ["mysql", "runtime-tokio", "tls-none"] }
tokio = { version = "1", features = ["rt", "macros"] }

[workspace]
END
cat >"$work/ask/src/main.rs" <<'END'
use sqlx::mysql::{types::MySqlTime, MySqlConnectOptions, MySqlSslMode};
use sqlx::{ConnectOptions, Executor, Row};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), sqlx::Error> {
    let port = std::env::args().nth(1).unwrap().parse().unwrap();
    let options = MySqlConnectOptions::new().host("127.0.0.1").port(port).username("u").password("p");
    let mut connection = options.ssl_mode(MySqlSslMode::Disabled).connect().await?;
    let sql = "SELECT t FROM d.t ORDER BY id";
    let plain = connection.fetch_all(sqlx::raw_sql(sql)).await?;
    let prepared = connection.fetch_all(sqlx::query(sql)).await?;
    for (how, rows) in [("plain", plain), ("prepared", prepared)] {
        let times: Vec<String> = rows.iter().map(|row| row.get::<MySqlTime, _>(0).to_string()).collect();
        println!("{how} {}", times.join(" "));
    }
    Ok(())
}
END
cargo build --quiet --manifest-path "$work/ask/Cargo.toml" --target-dir "$work/target"
seen=$("$work/target/debug/ask" "$port")
same "not prepared" "plain 0:30:00 -1:30:00" "$(grep plain <<<"$seen")"
same "prepared" "prepared -0:30:00 -1:30:00" "$(grep prepared <<<"$seen")"
