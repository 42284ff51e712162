//! A `_diff` of a million events: what the shim's memory does meanwhile, and rows per second beside
//! MariaDB's own SELECT.

#![expect(clippy::wildcard_enum_match_arm, reason = "the text protocol has strings alone")]

use crate::chain::Chain;
use crate::mariadb::MariaDb;
use mysql_async::prelude::Queryable;
use std::error::Error;
use std::time::{Duration, Instant};

const KEYS: u64 = 1000;
const UPDATES: u64 = 1000;
const EVENTS: u64 = KEYS * UPDATES;
const ROUNDS: usize = 3;

/// Reads a result set to its end, row by row; gives rows, bytes of cells and the time it took.
async fn drain(conn: &mut mysql_async::Conn, sql: &str) -> Result<(u64, u64, Duration), Box<dyn Error>> {
    let start = Instant::now();
    let mut result = conn.query_iter(sql).await?;
    let (mut rows, mut bytes) = (0_u64, 0_u64);
    while let Some(row) = result.next().await? {
        rows += 1;
        for value in row.unwrap_raw() {
            if let Some(mysql_async::Value::Bytes(b)) = value {
                bytes += u64::try_from(b.len())?;
            }
        }
    }
    Ok((rows, bytes, start.elapsed()))
}

/// Makes the events; gives the window (UTC) that holds them all and lies inside the record.
async fn fill(server: &MariaDb) -> Result<(String, String), Box<dyn Error>> {
    let mut conn = server.connect().await?;
    for sql in [
        "CREATE DATABASE bench CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "CREATE TABLE bench.counters (id INT NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, hits BIGINT NOT NULL)",
        "INSERT INTO bench.counters SELECT seq, CONCAT('counter number ', seq), 0 FROM bench.seq_1_to_1000",
        "DO SLEEP(1.1)",
    ] {
        conn.query_drop(sql).await?;
    }
    let now = "SELECT CAST(UTC_TIMESTAMP() AS CHAR)";
    let since: String = conn.query_first(now).await?.ok_or("no time")?;
    for _ in 0..UPDATES {
        conn.query_drop("UPDATE bench.counters SET hits = hits + 1").await?;
    }
    conn.query_drop("DO SLEEP(1.1)").await?;
    let until: String = conn.query_first(now).await?.ok_or("no time")?;
    conn.query_drop("DO SLEEP(1.1)").await?;
    conn.query_drop("FLUSH BINARY LOGS").await?;
    Ok((since, until))
}

/// The `_diff`'s own result, as a table of MariaDB: as many rows of the same columns and the same
/// width.
async fn twin(server: &MariaDb, sample: &mysql_async::Row) -> Result<(), Box<dyn Error>> {
    let mut conn = server.connect().await?;
    let text = |i: usize| -> String {
        sample.as_ref(i).map_or_else(String::new, |v| match v {
            mysql_async::Value::Bytes(b) => String::from_utf8_lossy(b).into_owned(),
            other => other.as_sql(true),
        })
    };
    conn.query_drop("SET sql_log_bin = 0").await?;
    conn.query_drop(
        "CREATE TABLE bench.twin (event_id BIGINT UNSIGNED NOT NULL PRIMARY KEY, event_timestamp DATETIME(6) NOT NULL, \
         event_type VARCHAR(6) NOT NULL, gtid VARCHAR(64), id INT NOT NULL, changed_columns LONGTEXT, \
         row_before LONGTEXT, row_after LONGTEXT)",
    )
    .await?;
    conn.exec_drop(
        format!(
            "INSERT INTO bench.twin SELECT seq, ?, ?, ?, seq % 1000, ?, ?, ? FROM bench.seq_1_to_{EVENTS}"
        ),
        (text(1), text(2), text(3), text(5), text(6), text(7)),
    )
    .await?;
    Ok(())
}

pub async fn run() -> Result<(), Box<dyn Error>> {
    let server = MariaDb::start()?;
    let (since, until) = fill(&server).await?;
    let binlogs = server.binlogs()?;
    let chain = Chain::start(&binlogs)?;
    let mut conn = chain.connect("bench").await?;
    let sql =
        format!("SELECT * FROM _diff.counters BETWEEN '{since}' AND '{until}' WHERE id BETWEEN 1 AND 1000");
    let mut source = server.connect().await?;
    let first: mysql_async::Row =
        conn.query_first(sql.replace(" AND 1000", " AND 1")).await?.ok_or("no event")?;
    twin(&server, &first).await?;
    println!("a _diff of {EVENTS} events, {ROUNDS} rounds, shim and MariaDB in turn");
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let (before, _) = chain.shim_memory()?;
        let (rows, bytes, took) = drain(&mut conn, &sql).await?;
        let (_, peak) = chain.shim_memory()?;
        if rows != EVENTS {
            return Err(format!("{rows} events came, not {EVENTS}").into());
        }
        let (their_rows, their_bytes, theirs) = drain(&mut source, "SELECT * FROM bench.twin").await?;
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let rate = |n: u64, t: Duration| n as f64 / t.as_secs_f64();
        println!(
            "shim    {:>9.0} rows a second, {} bytes a row; memory before {before} KiB, peak {peak} KiB",
            rate(rows, took),
            bytes / rows
        );
        println!(
            "MariaDB {:>9.0} rows a second, {} bytes a row",
            rate(their_rows, theirs),
            their_bytes / their_rows
        );
        ratios.push(rate(rows, took) / rate(their_rows, theirs));
    }
    ratios.sort_by(f64::total_cmp);
    println!("shim/MariaDB {:.2} (median)", ratios[ROUNDS / 2]);
    Ok(())
}
