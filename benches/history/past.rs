//! A long past: a table every row of which was changed several times in the course of a month, on a
//! MariaDB server, and the agent's history of it.
//!
//! Both stay in a folder, since they take minutes to make. The server stamps its transactions with
//! times of the past (`SET timestamp`), as its own documentation does to fill a system-versioned
//! table, and the writing half takes its log in as if it had followed then. From there on the real
//! agent goes on.

use crate::chain::SERVER_ID;
use crate::mariadb::MariaDb;
use crate::take_in;
use dbtrail_history::patterns::Patterns;
use dbtrail_types::timestamp::Timestamp;
use mysql_async::prelude::Queryable;
use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant as Timer;

/// Rows of one transaction.
pub const ROWS: u64 = 25;
/// Rows that are changed again and again before it is the next ones' turn.
const BLOCK: u64 = 100_000;
/// Statements sent together.
const TOGETHER: u64 = 20;
const MONTH: i64 = 30 * 86_400;
/// What a server of these tests needs beside the usual.
const SERVER: [&str; 4] = [
    "--innodb-buffer-pool-size=1G",
    "--innodb-log-file-size=512M",
    "--max-binlog-size=256M",
    "--innodb-lock-wait-timeout=5",
];

/// How much.
#[derive(Clone, Copy)]
pub struct Scale {
    /// Rows of the table; a multiple of [`BLOCK`].
    pub keys: u64,
    /// How often each is changed after it was made.
    pub changes: u64,
    /// Whether there is the same in a system-versioned table, `bench.twin`.
    pub twin: bool,
}

/// A server with its past, and the folder with the history of it.
pub struct Past {
    pub server: MariaDb,
    pub scale: Scale,
    /// Seconds since 1970: from here on every row is there; up to here the past was made.
    pub since: i64,
    pub until: i64,
    pub data: PathBuf,
}

/// Keys in the order in which they are changed: block by block, as what is new is changed more than
/// what is old; inside of a block, neighbours lie far from each other.
fn scattered(i: u64) -> u64 {
    i / BLOCK * BLOCK + i % BLOCK * 37_019 % BLOCK + 1
}

fn list(first: u64) -> String {
    (first..first + ROWS).fold(String::new(), |mut text, i| {
        // Writing to a String does not fail.
        let _ = write!(text, "{}{}", if i == first { "" } else { "," }, scattered(i));
        text
    })
}

/// A statement that changes the rows from this one on, in that order.
pub fn update(table: &str, number: u64, first: u64) -> String {
    format!(
        "UPDATE bench.{table} SET status = ELT({} , 'open', 'paid', 'sent', 'closed'), balance = balance + {}.{:02}, \
         note = 'changed by order {number} at counter {}', changed = NOW() WHERE id IN ({})",
        number % 4 + 1,
        number % 90,
        number % 100,
        number % 17,
        list(first)
    )
}

fn insert(table: &str, number: u64, first: u64) -> String {
    let mut text = format!("INSERT INTO bench.{table} VALUES ");
    for i in first..first + ROWS {
        let key = i + 1;
        let _ = write!(
            text,
            "{}({key}, {}, 'new', {}.50, 'opened by order {number}', NOW())",
            if i == first { "" } else { "," },
            key % 30_011,
            key % 9_000
        );
    }
    text
}

impl Past {
    /// Opens what an earlier run has made, or makes it.
    pub async fn ready(name: &str, scale: Scale) -> Result<Self, Box<dyn Error>> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/bench-history").join(name);
        std::fs::create_dir_all(&folder)?;
        let (passed, taken) = (folder.join("passed"), folder.join("taken-in"));
        if !passed.exists() {
            println!("{name}: a month passes on the server, once, in {}", folder.display());
            recreate(&folder.join("server"))?;
        }
        let server = MariaDb::open(&folder.join("server"), &SERVER)?;
        if !passed.exists() {
            let began = Timestamp::now().micros() / 1_000_000 - MONTH;
            let (since, until) = fill(&server, scale, began).await?;
            std::fs::write(&passed, format!("{began} {since} {until}\n"))?;
        }
        let times: Result<Vec<i64>, _> =
            std::fs::read_to_string(&passed)?.split_whitespace().map(str::parse).collect();
        let &[began, since, until] = &times?[..] else { return Err("the marker cannot be read".into()) };
        let past = Self { server, scale, since, until, data: folder.join("agent") };
        if !taken.exists() {
            recreate(&past.data)?;
            past.take_in(name, began).await?;
            std::fs::write(&taken, "")?;
        }
        Ok(past)
    }

    /// What the agent would have made of the log so far.
    async fn take_in(&self, name: &str, began: i64) -> Result<(), Box<dyn Error>> {
        private(&self.data)?;
        self.server.connect().await?.query_drop("FLUSH BINARY LOGS").await?;
        let at = Timestamp::from_micros((began - 1) * 1_000_000);
        let timer = Timer::now();
        let logs = self.server.binlogs()?;
        let tables = Patterns::new(&["*.accounts".to_owned()], &[])?;
        let (_, versions) = take_in::files(&self.data, SERVER_ID, &logs, at, tables).await?;
        println!("{name}: {versions} versions were taken in, in {:.0} s", timer.elapsed().as_secs_f64());
        let wanted = self.scale.keys * (1 + self.scale.changes);
        if versions < wanted { Err(format!("{wanted} were to come").into()) } else { Ok(()) }
    }

    /// The arguments with which the agent goes on from there.
    pub fn origin(&self) -> Vec<OsString> {
        let source = format!("mysql://root@127.0.0.1:{}", self.server.port);
        let mut origin: Vec<OsString> =
            ["--source", &source, "--include", "bench.accounts", "--no-baseline", "--data"]
                .iter()
                .map(OsString::from)
                .collect();
        origin.push(self.data.clone().into());
        origin
    }
}

/// Takes away what a run left that did not come to its end.
fn recreate(folder: &Path) -> std::io::Result<()> {
    if folder.exists() { std::fs::remove_dir_all(folder) } else { Ok(()) }
}

/// Made as the agent would make it: for its owner alone.
fn private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Where the rows of a statement begin: first all rows are made, then each block is changed so many
/// times.
fn first_row(number: u64, scale: Scale) -> u64 {
    let Some(change) = number.checked_sub(scale.keys / ROWS) else { return number * ROWS };
    let (a_pass, a_block) = (BLOCK / ROWS, BLOCK / ROWS * scale.changes);
    change / a_block * BLOCK + change % a_pass * ROWS
}

async fn fill(server: &MariaDb, scale: Scale, began: i64) -> Result<(i64, i64), Box<dyn Error>> {
    let mut conn = server.connect().await?;
    conn.query_drop(format!("SET time_zone = '+00:00', timestamp = {began}")).await?;
    conn.query_drop("CREATE DATABASE bench").await?;
    let mut tables = vec![("accounts", "")];
    if scale.twin {
        tables.push(("twin", " WITH SYSTEM VERSIONING"));
    }
    for (table, how) in &tables {
        conn.query_drop(format!(
            "CREATE TABLE bench.{table} (id INT UNSIGNED NOT NULL PRIMARY KEY, customer INT UNSIGNED NOT NULL, \
             status ENUM('new','open','paid','sent','closed') NOT NULL, balance DECIMAL(12,2) NOT NULL, \
             note VARCHAR(80) NOT NULL, changed DATETIME NOT NULL) CHARSET utf8mb4{how}"
        ))
        .await?;
    }
    let pass = scale.keys / ROWS;
    let count = pass * (1 + scale.changes);
    let second = |n: u64| -> Result<i64, Box<dyn Error>> {
        let share = u128::from(n) * u128::from(MONTH.unsigned_abs() - 600) / u128::from(count);
        Ok(began + 60 + i64::try_from(share)?)
    };
    let mut n = 0;
    while n < count {
        let mut sql = String::new();
        for number in n..n + TOGETHER {
            let _ = write!(sql, "SET timestamp = {};", second(number)?);
            let first = first_row(number, scale);
            for (table, _) in &tables {
                let statement = if number < pass { insert } else { update };
                let _ = write!(sql, "{};", statement(table, number, first));
            }
        }
        conn.query_drop(sql).await?;
        n += TOGETHER;
    }
    conn.query_drop("SET timestamp = DEFAULT").await?;
    conn.query_drop("FLUSH BINARY LOGS").await?;
    Ok((second(pass)?, second(count)?))
}

/// An instant as the agent API writes it.
pub fn api_time(seconds: i64) -> String {
    Timestamp::from_micros(seconds * 1_000_000).to_string()
}

/// The same as SQL has it, UTC.
pub fn sql_time(seconds: i64) -> String {
    api_time(seconds).replace('T', " ").trim_end_matches('Z').to_owned()
}

/// Numbers without order.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % end
    }
}
