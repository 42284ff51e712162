//! Updates of keys without any order over a large table that was captured whole, taken in beside
//! `mariadb-binlog -vv` printing the same log: each as a process on one core.

use crate::mariadb::MariaDb;
use crate::past::{ROWS, Random};
use crate::{figure, ingest, median, take_in};
use mysql_async::prelude::Queryable;
use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::runtime::Runtime;

/// Rows of the tables.
const TABLES: [u64; 3] = [2_000_000, 5_000_000, 10_000_000];
/// Row events of a log.
const EVENTS: u64 = 1_000_000;
const ROUNDS: usize = 3;
/// Statements sent together.
const TOGETHER: u64 = 20;
/// What a server of these tests needs beside the usual.
const SERVER: [&str; 3] =
    ["--innodb-buffer-pool-size=2G", "--innodb-log-file-size=1G", "--max-binlog-size=1G"];
const CREATE: &str = "CREATE TABLE `accounts` (`id` int(10) unsigned NOT NULL, `customer` int(10) unsigned NOT NULL, \
    `status` enum('new','open','paid','sent','closed') NOT NULL, `balance` decimal(12,2) NOT NULL, `note` varchar(80) NOT NULL, \
    `changed` datetime NOT NULL, PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci";

/// The log of the updates, and the record of a table of so many rows that was read whole before
/// them; of an earlier run, or made.
struct Captured {
    log: PathBuf,
    data: PathBuf,
}

/// A row as it was when the table was read.
fn row(id: u64) -> Vec<Option<Vec<u8>>> {
    let balance = format!("{}.50", id % 9_000);
    let note = format!("opened by order {}", id % 1_000);
    [
        id.to_string(),
        (id % 30_011).to_string(),
        "new".to_owned(),
        balance,
        note,
        "2026-01-01 00:00:00".to_owned(),
    ]
    .map(|cell| Some(cell.into_bytes()))
    .into()
}

fn update(number: u64, random: &mut Random, rows: u64) -> String {
    let mut keys = String::new();
    for i in 0..ROWS {
        // Writing to a String does not fail.
        let _ = write!(keys, "{}{}", if i == 0 { "" } else { "," }, random.below(rows) + 1);
    }
    format!(
        "UPDATE bench.accounts SET status = ELT({}, 'open', 'paid', 'sent', 'closed'), balance = balance + {}.{:02}, \
         note = 'changed by order {number} at counter {}', changed = NOW() WHERE id IN ({keys});",
        number % 4 + 1,
        number % 90,
        number % 100,
        number % 17
    )
}

impl Captured {
    fn ready(runtime: &Runtime, rows: u64) -> Result<Self, Box<dyn Error>> {
        let folder =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("target/bench-history/scattered-{rows}"));
        let ready = folder.join("ready");
        if !ready.exists() {
            println!(
                "{rows} rows are updated on the server and read by the agent, once, in {}",
                folder.display()
            );
            if folder.exists() {
                std::fs::remove_dir_all(&folder)?;
            }
            std::fs::create_dir_all(&folder)?;
            let log = runtime.block_on(updates(&folder.join("server"), rows))?;
            let name = log.file_name().ok_or("a path without a file")?.to_owned();
            std::fs::copy(&log, folder.join(&name))?;
            std::fs::remove_dir_all(folder.join("server"))?;
            let data = folder.join("agent");
            std::fs::create_dir(&data)?;
            let position = name.to_string_lossy();
            runtime.block_on(take_in::table(
                &data,
                &position,
                ("bench", "accounts", CREATE),
                (1..=rows).map(row),
            ))?;
            ingest::settled(&data)?;
            std::fs::write(&ready, position.as_bytes())?;
        }
        let log = folder.join(std::fs::read_to_string(&ready)?);
        Ok(Self { log, data: folder.join("agent") })
    }
}

/// The log file of updates of a table of so many rows.
async fn updates(folder: &Path, rows: u64) -> Result<PathBuf, Box<dyn Error>> {
    let server = MariaDb::open(folder, &SERVER)?;
    let mut conn = server.connect().await?;
    conn.query_drop("SET sql_log_bin = 0").await?;
    conn.query_drop("CREATE DATABASE bench").await?;
    conn.query_drop("USE bench").await?;
    conn.query_drop(CREATE).await?;
    conn.query_drop(format!(
        "INSERT INTO accounts SELECT seq, seq MOD 30011, 'new', (seq MOD 9000) + 0.5, \
         CONCAT('opened by order ', seq MOD 1000), '2026-01-01' FROM seq_1_to_{rows}"
    ))
    .await?;
    let before = server.binlogs()?.len();
    conn.query_drop("FLUSH BINARY LOGS").await?;
    conn.query_drop("SET sql_log_bin = 1").await?;
    let (mut random, mut number) = (Random(rows), 0);
    while number < EVENTS / ROWS {
        let sql =
            (number..number + TOGETHER).fold(String::new(), |sql, n| sql + &update(n, &mut random, rows));
        conn.query_drop(sql).await?;
        number += TOGETHER;
    }
    conn.query_drop("FLUSH BINARY LOGS").await?;
    server.binlogs()?.into_iter().nth(before + 1).ok_or_else(|| "no log was written".into())
}

/// Of tables of these sizes; none: of the usual ones.
pub fn run(runtime: &Runtime, sizes: &[u64]) -> Result<(), Box<dyn Error>> {
    let own = std::env::current_exe()?;
    for rows in if sizes.is_empty() { &TABLES } else { sizes } {
        let captured = Captured::ready(runtime, *rows)?;
        println!("updates of random keys of {rows} rows, {ROWS} a transaction, {ROUNDS} rounds on one core");
        let (mut by_time, mut by_processor) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let printed = ingest::on_one_core(
                OsStr::new("mariadb-binlog"),
                &[OsStr::new("-vv"), captured.log.as_os_str()],
                false,
            )?;
            let folder = tempfile::tempdir_in(captured.data.parent().ok_or("no folder")?)?;
            let data = folder.path().join("agent");
            let copied = Command::new("cp").arg("-r").arg(&captured.data).arg(&data).status()?;
            if !copied.success() {
                return Err("the record could not be copied".into());
            }
            let arguments = [OsStr::new(take_in::MORE), captured.log.as_os_str(), data.as_os_str()];
            let taken = ingest::on_one_core(own.as_os_str(), &arguments, true)?;
            let changes: u64 = taken.said.parse()?;
            let rate = |seconds: f64| figure(changes) / seconds;
            println!(
                "taken in {:>8.0} row events a second ({:.2} s, {:.2} s of the processor); mariadb-binlog -vv {:>8.0} ({:.2} s, {:.2} s)",
                rate(taken.wall),
                taken.wall,
                taken.processor,
                rate(printed.wall),
                printed.wall,
                printed.processor
            );
            by_time.push(printed.wall / taken.wall);
            by_processor.push(printed.processor / taken.processor);
        }
        println!(
            "{rows} rows: times as fast as mariadb-binlog -vv (medians): {:.2} by the clock, {:.2} by processor time",
            median(by_time),
            median(by_processor)
        );
    }
    Ok(())
}
