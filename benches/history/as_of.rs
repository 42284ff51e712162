//! Rows at an instant, by key: through shim and agent (in one process, and in two over HTTPS), and
//! of a system-versioned table by the server itself.

use crate::chain::{self, Chain, PASSWORD};
use crate::median;
use crate::past::{Past, Random, Scale, sql_time};
use crate::up::Up;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};
use std::error::Error;
use std::ffi::OsString;
use std::time::{Duration, Instant};

const EXTENT: Scale = Scale { keys: 100_000, changes: 14, twin: true };
const SECONDS_A_RUN: u64 = 4;
const ROUNDS: usize = 3;
const CONNECTIONS: [usize; 3] = [1, 8, 32];
/// A quarter of the memory that the server has for the same (its buffer pool).
const CACHE: [&str; 2] = ["--cache", "256"];
/// Answers that are compared first.
const COMPARED: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyMove {
    Shim,
    MariaDb,
}

impl KeyMove {
    /// The statement, without its key.
    fn sql(self, at: &str, key: u64) -> String {
        match self {
            Self::Shim => format!("SELECT * FROM _flashback.accounts AS OF '{at}' WHERE id = {key}"),
            Self::MariaDb => {
                format!("SELECT * FROM bench.twin FOR SYSTEM_TIME AS OF TIMESTAMP '{at}' WHERE id = {key}")
            }
        }
    }
}

/// What is asked next.
fn next(random: &mut Random, since: i64, until: i64) -> (String, u64) {
    let span = u64::try_from(until - since).unwrap_or(1);
    let at = since.saturating_add_unsigned(random.below(span));
    (sql_time(at), random.below(EXTENT.keys) + 1)
}

struct Both<'a> {
    /// Of the shim.
    port: u16,
    password: &'a str,
    past: &'a Past,
}

impl Both<'_> {
    async fn connect(&self, side: KeyMove) -> Result<Conn, Box<dyn Error>> {
        let mut conn = match side {
            KeyMove::Shim => chain::connect(self.port, self.password, "bench").await?,
            KeyMove::MariaDb => self.past.server.connect().await?,
        };
        conn.query_drop("SET time_zone = '+00:00'").await?;
        Ok(conn)
    }

    /// Waits until the agent goes on with the log: till then, nothing is known of times after what
    /// it has taken in.
    async fn wait_for_record(&self) -> Result<(), Box<dyn Error>> {
        let mut conn = self.connect(KeyMove::Shim).await?;
        let end = Instant::now() + Duration::from_secs(30);
        let sql = KeyMove::Shim.sql(&sql_time(self.past.until), 1);
        while let Err(error) = conn.query_drop(&sql).await {
            if Instant::now() > end {
                return Err(error.into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Both must say the same.
    async fn compare(&self) -> Result<(), Box<dyn Error>> {
        let (mut ours, mut theirs) =
            (self.connect(KeyMove::Shim).await?, self.connect(KeyMove::MariaDb).await?);
        let mut random = Random(1);
        for _ in 0..COMPARED {
            let (at, key) = next(&mut random, self.past.since, self.past.until);
            let mut answers = Vec::new();
            for (conn, side) in [(&mut ours, KeyMove::Shim), (&mut theirs, KeyMove::MariaDb)] {
                let rows: Vec<Row> = conn.query(side.sql(&at, key)).await?;
                let rows: Vec<Vec<Value>> = rows.into_iter().map(Row::unwrap).collect();
                answers.push(rows);
            }
            if answers[0].len() != 1 || answers[0] != answers[1] {
                return Err(format!("key {key} at {at}: {answers:?}").into());
            }
        }
        Ok(())
    }

    /// Answers a second, and the median time of one in microseconds.
    async fn measure(&self, side: KeyMove, connections: usize) -> Result<(f64, f64), Box<dyn Error>> {
        let mut tasks = tokio::task::JoinSet::new();
        let mut opened = Vec::new();
        for _ in 0..connections {
            opened.push(self.connect(side).await?);
        }
        let start = Instant::now();
        for (c, mut conn) in opened.into_iter().enumerate() {
            let (since, until) = (self.past.since, self.past.until);
            tasks.spawn(async move {
                let mut random = Random(c as u64 + 7);
                let mut times = Vec::new();
                while start.elapsed() < Duration::from_secs(SECONDS_A_RUN) {
                    let (at, key) = next(&mut random, since, until);
                    let one = Instant::now();
                    let rows: Vec<Row> = conn.query(side.sql(&at, key)).await.map_err(|e| e.to_string())?;
                    times.push(one.elapsed().as_secs_f64() * 1e6);
                    if rows.len() != 1 {
                        return Err(format!("{} rows for key {key} at {at}", rows.len()));
                    }
                }
                Ok(times)
            });
        }
        let mut all = Vec::new();
        while let Some(times) = tasks.join_next().await {
            all.extend(times??);
        }
        let rate = crate::figure(all.len() as u64) / start.elapsed().as_secs_f64();
        Ok((rate, median(all)))
    }
}

impl Both<'_> {
    async fn run(&self, how: &str) -> Result<(), Box<dyn Error>> {
        self.wait_for_record().await?;
        self.compare().await?;
        println!(
            "shim and agent in {how}: rows at an instant, {} versions of {} rows; {COMPARED} answers were the same; {ROUNDS} rounds of \
             {SECONDS_A_RUN} s, in turn",
            EXTENT.keys * (1 + EXTENT.changes),
            EXTENT.keys
        );
        for connections in CONNECTIONS {
            let mut ratios = Vec::new();
            for _ in 0..ROUNDS {
                let (theirs, their_p50) = self.measure(KeyMove::MariaDb, connections).await?;
                let (ours, our_p50) = self.measure(KeyMove::Shim, connections).await?;
                println!(
                    "{connections:>3} connections: shim {ours:>7.0} a second (p50 {our_p50:.0} us), MariaDB {theirs:>7.0} (p50 {their_p50:.0} us)"
                );
                ratios.push(ours / theirs);
            }
            println!("{connections:>3} connections: shim/MariaDB {:.2} (median)", median(ratios));
        }
        Ok(())
    }
}

pub async fn run() -> Result<(), Box<dyn Error>> {
    let past = Past::ready("as_of", EXTENT).await?;
    let mut origin = past.origin();
    origin.extend(CACHE.map(OsString::from));
    let up = Up::start(&past, &origin)?;
    Both { port: up.port, password: &up.password, past: &past }.run("one process (`up`)").await?;
    drop(up);
    let chain = Chain::of(&origin, None)?;
    Both { port: chain.shim_port, password: PASSWORD, past: &past }.run("two processes, over HTTPS").await
}
