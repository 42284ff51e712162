//! 10 million versions of 1 million rows: point look-ups at the agent while it captures, its
//! memory, and how long it takes to start.

use crate::chain::{Agent, Door, SERVER_ID, TOKEN};
use crate::past::{Past, ROWS, Random, Scale, api_time, update};
use crate::{figure, median};
use mysql_async::prelude::Queryable;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

const EXTENT: Scale = Scale { keys: 1_000_000, changes: 9, twin: false };
const CLIENTS: u64 = 8;
/// Look-ups a second of all clients together, where they keep to a rate.
const RATE: u32 = 2_000;
/// Row events a second meanwhile.
const EVENTS: u64 = 5_000;
const SECONDS_A_RUN: u64 = 8;
const ROUNDS: usize = 3;

type Failed = Box<dyn Error + Send + Sync>;

/// Asks an agent, over a connection of its own.
struct Client {
    runtime: Runtime,
    http: reqwest::Client,
    base: String,
}

impl Client {
    fn new(ca_pem: &str, port: u16) -> Result<Self, Failed> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let http = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_pem(ca_pem.as_bytes())?])
            .no_proxy()
            .build()?;
        Ok(Self { runtime, http, base: format!("https://localhost:{port}") })
    }

    /// The row with a key at an instant; it must be there.
    fn look_up(&self, key: u64, at: i64) -> Result<(), Failed> {
        let body = format!(
            "{{\"server_id\":\"{SERVER_ID}\",\"schema\":\"bench\",\"table\":\"accounts\",\"keys\":{{\"columns\":[\"id\"],\
             \"values\":[[\"{key}\"]]}},\"at\":{{\"time\":\"{}\"}}}}",
            api_time(at)
        );
        let request = self.http.post(format!("{}/v1/flashback", self.base)).bearer_auth(TOKEN);
        let request = request.header("content-type", "application/json").body(body);
        let text = self.runtime.block_on(async { request.send().await?.text().await })?;
        // The row itself, and the line that says that it was all.
        if text.contains(&format!("\n[\"{key}\",")) && text.contains("\"rows\":1") {
            Ok(())
        } else {
            Err(format!("the agent answered {text}").into())
        }
    }

    fn status(&self, field: &str) -> Result<serde_json::Value, Failed> {
        let request = self.http.get(format!("{}/v1/status", self.base)).bearer_auth(TOKEN);
        let text = self.runtime.block_on(async { request.send().await?.text().await })?;
        let status: serde_json::Value = serde_json::from_str(&text)?;
        status.get(field).cloned().ok_or_else(|| format!("the agent's status has no {field}: {text}").into())
    }

    fn count(&self, field: &str) -> Result<u64, Failed> {
        Ok(self.status(field)?.as_u64().ok_or("no number")?)
    }

    /// Waits until the record is a few seconds behind the server at most.
    fn wait_for_record(&self) -> Result<(), Failed> {
        let end = Instant::now() + Duration::from_secs(60);
        while self.status("lag_seconds")?.as_f64().is_none_or(|lag| lag > 3.0) {
            if Instant::now() > end {
                return Err("the agent does not catch up with the server".into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

/// Changes rows at a steady rate, until told to stop.
async fn write(past: &Past, stop: &AtomicBool, written: &AtomicU64) -> Result<(), Box<dyn Error>> {
    let mut conn = past.server.connect().await?;
    let mut ticks = tokio::time::interval(Duration::from_millis(1000 * ROWS / EVENTS));
    let mut random = Random(u64::from(past.server.port));
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let first = random.below(past.scale.keys / ROWS) * ROWS;
        conn.query_drop(update("accounts", number, first)).await?;
        written.fetch_add(ROWS, Ordering::Relaxed);
        number += 1;
    }
    Ok(())
}

/// Look-ups of all clients for some seconds, at a rate or as fast as each is answered; what each
/// took, in order of size.
fn look_ups(
    door: &Door,
    agent: &Agent,
    past: &Past,
    rate: Option<u32>,
) -> Result<(Vec<Duration>, Duration), Box<dyn Error>> {
    let all = Arc::new(Mutex::new(Vec::new()));
    let pause = rate.map(|rate| Duration::from_secs(CLIENTS) / rate);
    let began = Instant::now();
    let mut threads = Vec::new();
    for c in 0..CLIENTS {
        let client = Client::new(&door.ca_pem, agent.port).map_err(|e| e.to_string())?;
        let (all, since, until, keys) = (Arc::clone(&all), past.since, past.until, past.scale.keys);
        threads.push(std::thread::spawn(move || -> Result<(), Failed> {
            let mut random = Random(c);
            let mut times = Vec::new();
            client.look_up(1, until)?;
            let mut due = Instant::now();
            while began.elapsed() < Duration::from_secs(SECONDS_A_RUN) {
                let mut one = Instant::now();
                if let Some(pause) = pause {
                    due += pause;
                    if one < due {
                        std::thread::sleep(due - one);
                        one = Instant::now();
                    } else {
                        // The look-up before took longer than it should: this one has waited for
                        // it.
                        one = due;
                    }
                }
                let span = u64::try_from(until - since)?;
                let at = since + i64::try_from(random.below(span))?;
                client.look_up(random.below(keys) + 1, at)?;
                times.push(one.elapsed());
            }
            all.lock().unwrap_or_else(PoisonError::into_inner).extend(times);
            Ok(())
        }));
    }
    for thread in threads {
        thread.join().map_err(|_| "a client panicked")?.map_err(|e| e.to_string())?;
    }
    let elapsed = began.elapsed();
    let mut times = std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner));
    times.sort_unstable();
    Ok((times, elapsed))
}

fn show(what: &str, (times, elapsed): &(Vec<Duration>, Duration)) -> (f64, f64) {
    let at =
        |share: usize| times.get(times.len() * share / 1000).copied().unwrap_or_default().as_secs_f64() * 1e3;
    let rate = figure(times.len() as u64) / elapsed.as_secs_f64();
    println!(
        "{what:<10} {rate:>7.0} look-ups a second   p50 {:.3} ms   p99 {:.3} ms   p999 {:.3} ms",
        at(500),
        at(990),
        at(999)
    );
    (at(500), at(990))
}

/// From the start of the process to its first answer.
fn start(door: &Door, past: &Past) -> Result<(Agent, f64), Box<dyn Error>> {
    let began = Instant::now();
    let agent = Agent::spawn(door, &past.origin())?;
    let client = Client::new(&door.ca_pem, agent.port).map_err(|e| e.to_string())?;
    while let Err(error) = client.look_up(1, past.until) {
        if began.elapsed() > Duration::from_secs(60) {
            return Err(error.to_string().into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok((agent, began.elapsed().as_secs_f64()))
}

pub fn run(runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    let past = runtime.block_on(Past::ready("lookup", EXTENT))?;
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let writing =
            scope.spawn(|| runtime.block_on(write(&past, &stop, &written)).map_err(|e| e.to_string()));
        let done = measure(&past, &written);
        stop.store(true, Ordering::Relaxed);
        writing.join().map_err(|_| "the writer panicked")??;
        done
    })
}

fn measure(past: &Past, written: &AtomicU64) -> Result<(), Box<dyn Error>> {
    let door = Door::make()?;
    let (mut agent, first) = start(&door, past)?;
    let client = Client::new(&door.ca_pem, agent.port).map_err(|e| e.to_string())?;
    client.wait_for_record().map_err(|e| e.to_string())?;
    let ask = |what| client.count(what).map_err(|e| e.to_string());
    println!(
        "{} versions of {} rows, {} transactions, {} bytes on disk; first start {first:.2} s",
        ask("versions")?,
        past.scale.keys,
        ask("transactions")?,
        ask("bytes_on_disk")?
    );
    let (began, before, taken) = (Instant::now(), written.load(Ordering::Relaxed), ask("row_changes")?);
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (half, most) = show(&format!("{RATE} a second"), &look_ups(&door, &agent, past, Some(RATE))?);
        p50.push(half);
        p99.push(most);
        show("flat out", &look_ups(&door, &agent, past, None)?);
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = |n: u64| figure(n) / seconds;
    println!(
        "meanwhile {:.0} rows a second changed, {:.0} row events a second taken in; the agent's memory: highest {} KiB, of its own now {} KiB",
        rate(written.load(Ordering::Relaxed) - before),
        rate(ask("row_changes")? - taken),
        agent.memory("VmHWM:")?,
        agent.memory("RssAnon:")?
    );
    println!("medians at {RATE} a second: p50 {:.3} ms, p99 {:.3} ms", median(p50), median(p99));
    let (mut clean, mut killed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        agent.stop()?;
        let (next, took) = start(&door, past)?;
        clean.push(took);
        std::thread::sleep(Duration::from_secs(2));
        // Dropping it kills it.
        drop(next);
        let (next, took) = start(&door, past)?;
        killed.push(took);
        std::thread::sleep(Duration::from_secs(2));
        agent = next;
    }
    println!("start to first answer: after a clean end {clean:.2?} s, after kill -9 {killed:.2?} s");
    println!("medians: {:.2} s, {:.2} s", median(clean), median(killed));
    Ok(())
}
