//! Questions without a key: all changes of a short window out of a long past, beside
//! `mariadb-binlog -vv`; a whole table at an instant, beside `FOR SYSTEM_TIME AS OF`.

use crate::chain::{Chain, PASSWORD, connect};
use crate::past::{Past, Scale, sql_time};
use crate::{figure, median, take_in};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row};
use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// That of `lookup`, so that one past serves both.
const LONG: Scale = Scale { keys: 1_000_000, changes: 9, twin: false };
const FULL: Scale = Scale { keys: 1_000_000, changes: 1, twin: true };
/// Changes in a window, about.
const CHANGES: i64 = 10_000;
const ROUNDS: usize = 3;

/// Rows of an answer, none of which is kept.
async fn count(conn: &mut Conn, sql: &str) -> Result<u64, Box<dyn Error>> {
    let mut rows = 0;
    let mut answer = conn.query_iter(sql).await?;
    while let Some(row) = answer.next().await? {
        let _: Row = row;
        rows += 1;
    }
    drop(answer);
    Ok(rows)
}

async fn shim(chain: &Chain) -> Result<Conn, Box<dyn Error>> {
    let mut conn = connect(chain.shim_port, PASSWORD, "bench").await?;
    conn.query_drop("SET time_zone = '+00:00', @dbtrail_allow_wide_diff = ON").await?;
    Ok(conn)
}

/// Waits until the agent goes on with the log: till then, nothing is known of times after what it
/// has taken in.
async fn wait_for_record(conn: &mut Conn, until: i64) -> Result<(), Box<dyn Error>> {
    let sql = format!("SELECT * FROM _flashback.accounts AS OF '{}' WHERE id = 1", sql_time(until));
    let end = Instant::now() + Duration::from_secs(30);
    while let Err(error) = conn.query_drop(&sql).await {
        if Instant::now() > end {
            return Err(error.into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// All changes of a window.
pub async fn window() -> Result<(), Box<dyn Error>> {
    let past = Past::ready("lookup", LONG).await?;
    let chain = Chain::of(&past.origin(), None)?;
    let mut conn = shim(&chain).await?;
    wait_for_record(&mut conn, past.until).await?;
    let versions = i64::try_from(LONG.keys * LONG.changes)?;
    let span = CHANGES * (past.until - past.since) / versions;
    // Between two transactions: in their very seconds it is not known what came first.
    let since = past.since + (past.until - past.since) / 2 + 2;
    let (from, to) = (sql_time(since), sql_time(since + span + 3));
    let sql = format!("SELECT * FROM _diff.accounts BETWEEN '{from}' AND '{to}' ALLOW SCAN");
    let folder = tempfile::tempdir_in(past.data.parent().ok_or("no folder")?)?;
    let mut logs = Vec::new();
    for log in past.server.binlogs()? {
        let copy = folder.path().join(log.file_name().ok_or("a path without a file")?);
        take_in::with_times_of_then(&log, &copy)?;
        logs.push(copy);
    }
    println!(
        "all changes of {span} s out of {versions} over {} s; {ROUNDS} rounds, in turn",
        past.until - past.since
    );
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let timer = Instant::now();
        let rows = count(&mut conn, &sql).await?;
        let ours = timer.elapsed().as_secs_f64();
        let timer = Instant::now();
        let mut printing = Command::new("mariadb-binlog");
        printing.arg("-vv").env("TZ", "UTC");
        printing.arg(format!("--start-datetime={from}")).arg(format!("--stop-datetime={to}")).args(&logs);
        let printed = printing.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        let theirs = timer.elapsed().as_secs_f64();
        println!(
            "{rows} changes: shim and agent {ours:.3} s; mariadb-binlog -vv over {} files {theirs:.3} s ({printed})",
            logs.len()
        );
        ratios.push(theirs / ours);
    }
    println!("times as fast as mariadb-binlog -vv (median): {:.1}", median(ratios));
    Ok(())
}

/// A whole table at an instant.
pub async fn full_table() -> Result<(), Box<dyn Error>> {
    let past = Past::ready("whole", FULL).await?;
    let chain = Chain::of(&past.origin(), None)?;
    let (mut ours, mut theirs) = (shim(&chain).await?, past.server.connect().await?);
    theirs.query_drop("SET time_zone = '+00:00'").await?;
    wait_for_record(&mut ours, past.until).await?;
    // Between two transactions.
    let at = sql_time(past.since + (past.until - past.since) / 2 + 7);
    let mine = format!("SELECT * FROM _flashback.accounts AS OF '{at}' ALLOW SCAN");
    let its = format!("SELECT * FROM bench.twin FOR SYSTEM_TIME AS OF TIMESTAMP '{at}'");
    println!(
        "a table of {} rows as of an instant; {ROUNDS} rounds, in turn, the first to fill caches",
        FULL.keys
    );
    let mut ratios = Vec::new();
    for round in 0..=ROUNDS {
        let (before, _) = chain.shim_memory()?;
        let timer = Instant::now();
        let rows = count(&mut ours, &mine).await?;
        let own = figure(rows) / timer.elapsed().as_secs_f64();
        let (_, peak) = chain.shim_memory()?;
        let timer = Instant::now();
        let same = count(&mut theirs, &its).await?;
        let other = figure(same) / timer.elapsed().as_secs_f64();
        println!(
            "{rows} and {same} rows: shim and agent {own:.0} a second, MariaDB {other:.0}; memory of the shim before {before} KiB, peak {peak} KiB"
        );
        if round > 0 {
            ratios.push(own / other);
        }
    }
    println!("shim and agent/MariaDB (median): {:.2}", median(ratios));
    Ok(())
}
