//! What clients send between their statements, beside MariaDB: `SELECT 1`, `SELECT @@version`,
//! COM_PING and logins a second, each server on the same single core, the client on another.

use crate::chain::{Chain, PASSWORD, USER};
use crate::client::{Client, Failed};
use crate::mariadb::MariaDb;
use mysql_async::prelude::Queryable;
use std::error::Error;
use std::time::{Duration, Instant};

const SECONDS_A_RUN: u64 = 2;
const ROUNDS: usize = 5;
const CONNECTIONS: usize = 4;

/// What is asked.
#[derive(Clone, Copy)]
enum Ask {
    Command(&'static [u8], usize),
    Login,
}

const ASKS: [(&str, Ask); 4] = [
    ("SELECT 1", Ask::Command(b"\x03SELECT 1", 4)),
    ("SELECT @@version", Ask::Command(b"\x03SELECT @@version", 4)),
    ("COM_PING", Ask::Command(b"\x0e", 1)),
    ("login", Ask::Login),
];

/// How many a second.
fn measure(port: u16, ask: Ask) -> Result<f64, Failed> {
    let end = Instant::now() + Duration::from_secs(SECONDS_A_RUN);
    let mut threads = Vec::new();
    for _ in 0..CONNECTIONS {
        threads.push(std::thread::spawn(move || -> Result<u32, Failed> {
            let mut count = 0;
            let mut client = Client::login(port)?;
            while Instant::now() < end {
                match ask {
                    Ask::Command(payload, packets) => {
                        client.send(0, payload)?;
                        let answer = client.packets(packets)?;
                        if answer[4] == 0xff {
                            return Err(String::from_utf8_lossy(&answer).into_owned().into());
                        }
                    }
                    Ask::Login => client = Client::login(port)?,
                }
                count += 1;
            }
            Ok(count)
        }));
    }
    let mut all = 0;
    for thread in threads {
        all += thread.join().map_err(|_| "a client broke")??;
    }
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    Ok(f64::from(all) / SECONDS_A_RUN as f64)
}

fn on_core(core: &str, pid: u32) -> Result<(), Box<dyn Error>> {
    let done = std::process::Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", core, &pid.to_string()])
        .stdout(std::process::Stdio::null())
        .status()
        .map_err(|e| format!("taskset: {e} (install util-linux)"))?;
    if done.success() { Ok(()) } else { Err("taskset failed".into()) }
}

pub async fn run() -> Result<(), Box<dyn Error>> {
    let server = MariaDb::start()?;
    let mut root = server.connect().await?;
    root.query_drop(format!("CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")).await?;
    let recording =
        std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/mysql-9.7/binlog.000003");
    let chain = Chain::start_on(&[recording], Some("0"))?;
    on_core("0", server.pid())?;
    on_core("1", std::process::id())?;
    println!(
        "{CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS_A_RUN} s, shim and MariaDB in turn, each on one core"
    );
    for (name, ask) in ASKS {
        let mut ratios = Vec::new();
        let mut figures = (0.0, 0.0);
        for _ in 0..ROUNDS {
            let ours = measure(chain.shim_port, ask).map_err(|e| e.to_string())?;
            let theirs = measure(server.port, ask).map_err(|e| e.to_string())?;
            ratios.push(ours / theirs);
            figures = (ours, theirs);
        }
        ratios.sort_by(f64::total_cmp);
        println!(
            "{name:<17} shim {:>8.0} a second, MariaDB {:>8.0}: {:.2} (median)",
            figures.0,
            figures.1,
            ratios[ROUNDS / 2]
        );
    }
    Ok(())
}
