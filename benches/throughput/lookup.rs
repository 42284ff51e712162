//! Point look-ups per second: through the shim, against the same requests sent straight to the
//! agent.

use crate::chain::{Chain, SERVER_ID, TOKEN};
use mysql_async::prelude::Queryable;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECONDS_A_RUN: u64 = 4;
const ROUNDS: usize = 3;

/// What one run gave: requests per second, and the median of one request.
#[derive(Clone, Copy)]
struct Figure {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

struct Work {
    as_of: String,
    at: String,
    keys: Vec<String>,
}

/// The keys that were alive at the last tick of the recording.
fn work(folder: &Path) -> Result<Work, Box<dyn Error>> {
    let truth = std::fs::read_to_string(folder.join("truth.jsonl"))?;
    let last: serde_json::Value = serde_json::from_str(truth.lines().last().ok_or("an empty record")?)?;
    let as_of = last["as_of"].as_str().ok_or("no as_of")?.to_owned();
    let rows = last["tables"]["orders"]["rows"].as_array().ok_or("no rows")?;
    let keys = rows.iter().filter_map(|r| r[0].as_str().map(str::to_owned)).collect();
    Ok(Work { at: format!("{}.000000Z", as_of.replace(' ', "T")), as_of, keys })
}

fn figure(mut times: Vec<Duration>, elapsed: Duration) -> Result<Figure, Box<dyn Error>> {
    times.sort_unstable();
    let count = u32::try_from(times.len())?;
    let at = |share: usize| {
        times.get((times.len() * share / 100).min(times.len() - 1)).copied().unwrap_or_default()
    };
    Ok(Figure { per_second: f64::from(count) / elapsed.as_secs_f64(), p50: at(50), p99: at(99) })
}

async fn shim(chain: &Chain, work: &Arc<Work>, connections: usize) -> Result<Figure, Box<dyn Error>> {
    let mut tasks = tokio::task::JoinSet::new();
    let start = Instant::now();
    for c in 0..connections {
        let mut conn = chain.connect("tt").await?;
        let work = Arc::clone(work);
        tasks.spawn(async move {
            let mut times = Vec::new();
            let mut i = c;
            while start.elapsed() < Duration::from_secs(SECONDS_A_RUN) {
                let key = &work.keys[i % work.keys.len()];
                let sql = format!("SELECT * FROM _flashback.orders AS OF '{}' WHERE id = {key}", work.as_of);
                let one = Instant::now();
                let rows: Vec<mysql_async::Row> = conn.query(sql).await.map_err(|e| e.to_string())?;
                times.push(one.elapsed());
                if rows.len() != 1 {
                    return Err(format!("{} rows for key {key}", rows.len()));
                }
                i += 1;
            }
            Ok(times)
        });
    }
    gather(tasks, start).await
}

async fn agent(chain: &Chain, work: &Arc<Work>, connections: usize) -> Result<Figure, Box<dyn Error>> {
    let url = format!("https://localhost:{}/v1/flashback", chain.agent_port);
    let mut tasks = tokio::task::JoinSet::new();
    let start = Instant::now();
    for c in 0..connections {
        // A client has a pool of its own: so many connections, as there are to the shim.
        let client = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(chain.ca_pem.as_bytes())?])
            .no_proxy()
            .build()?;
        let (url, work) = (url.clone(), Arc::clone(work));
        tasks.spawn(async move {
            let mut times = Vec::new();
            let mut i = c;
            while start.elapsed() < Duration::from_secs(SECONDS_A_RUN) {
                let key = &work.keys[i % work.keys.len()];
                let body = format!(
                    "{{\"server_id\":\"{SERVER_ID}\",\"schema\":\"tt\",\"table\":\"orders\",\"keys\":{{\"columns\":[\"id\"],\
                     \"values\":[[\"{key}\"]]}},\"at\":{{\"time\":\"{}\"}}}}",
                    work.at
                );
                let one = Instant::now();
                let answer = client.post(&url).bearer_auth(TOKEN).header("content-type", "application/json").body(body);
                let answer = answer.send().await.map_err(|e| e.to_string())?;
                let text = answer.text().await.map_err(|e| e.to_string())?;
                times.push(one.elapsed());
                if !text.contains("\"rows\":1") {
                    return Err(format!("the agent answered {text}"));
                }
                i += 1;
            }
            Ok(times)
        });
    }
    gather(tasks, start).await
}

async fn gather(
    mut tasks: tokio::task::JoinSet<Result<Vec<Duration>, String>>,
    start: Instant,
) -> Result<Figure, Box<dyn Error>> {
    let mut all = Vec::new();
    while let Some(times) = tasks.join_next().await {
        all.extend(times??);
    }
    figure(all, start.elapsed())
}

fn show(what: &str, connections: usize, f: Figure) {
    println!(
        "{what:<6} {connections:>3} connections {:>9.0} a second   p50 {:>8.1} us   p99 {:>8.1} us",
        f.per_second,
        f.p50.as_secs_f64() * 1e6,
        f.p99.as_secs_f64() * 1e6
    );
}

pub async fn run() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/mysql-9.7");
    let work = Arc::new(work(&folder)?);
    let chain = Chain::start(&[folder.join("binlog.000003")])?;
    println!("point look-ups, {ROUNDS} rounds of {SECONDS_A_RUN} s, shim and agent in turn");
    for connections in [1, 32] {
        let (mut ratios, mut added) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let straight = agent(&chain, &work, connections).await?;
            let through = shim(&chain, &work, connections).await?;
            show("agent", connections, straight);
            show("shim", connections, through);
            ratios.push(through.per_second / straight.per_second);
            added.push(through.p50.saturating_sub(straight.p50).as_secs_f64() * 1e6);
        }
        ratios.sort_by(f64::total_cmp);
        added.sort_by(f64::total_cmp);
        println!(
            "       {connections:>3} connections: shim/agent {:.2} (median), added p50 {:.0} us (median)",
            ratios[ROUNDS / 2],
            added[ROUNDS / 2]
        );
    }
    Ok(())
}
