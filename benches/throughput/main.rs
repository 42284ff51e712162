//! Throughput of the chain, beside what it is measured against, in one run.
//!
//! ```text
//! cargo bench --bench throughput -- lookup     point look-ups: through the shim, and straight at the agent
//! cargo bench --bench throughput -- diff       one `_diff` of 1,000,000 events, and MariaDB's SELECT of as many rows
//! cargo bench --bench throughput -- chatter    SELECT 1, SELECT @@version, COM_PING and logins, and MariaDB's
//! cargo bench --bench throughput -- idle       memory of an idle connection, plain and with TLS
//! ```
//! `diff` and `chatter` need `mariadbd`: they make a server of their own in a temporary folder, on
//! loopback, and end it. Agent and shim are the real executable, as two processes, over HTTPS.
//! Figures are printed, never asserted: machines differ.

#![expect(clippy::print_stdout, reason = "the figures are its output")]

#[expect(dead_code, reason = "what the benchmarks of the history alone use")]
#[path = "../compared/chain.rs"]
mod chain;
mod chatter;
mod client;
mod diff;
mod idle;
mod lookup;
#[path = "../compared/mariadb.rs"]
mod mariadb;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if wanted.is_empty() || wanted.iter().any(|w| w == "lookup") {
        runtime.block_on(lookup::run())?;
    }
    if wanted.is_empty() || wanted.iter().any(|w| w == "diff") {
        runtime.block_on(diff::run())?;
    }
    if wanted.is_empty() || wanted.iter().any(|w| w == "chatter") {
        runtime.block_on(chatter::run())?;
    }
    if wanted.is_empty() || wanted.iter().any(|w| w == "idle") {
        idle::run()?;
    }
    Ok(())
}
