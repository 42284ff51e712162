//! A statement that computes for long ends at a KILL and at its time limit: it lets others run
//! again and again.

use crate::support::{Outcome, pair, soon};
use std::time::{Duration, Instant};

/// Seconds of looking for text that is nowhere, within what a statement may compute.
fn long() -> String {
    let a = "a".repeat(40);
    let found = format!("REPEAT(CONCAT(COLLATION_NAME, '{a}'), 150) LIKE '%aaaaaaaaaaaaaaaaaaaaaac%'");
    format!("SELECT COUNT(*) FROM information_schema.COLLATIONS WHERE {}", vec![found; 6].join(" OR "))
}

#[tokio::test]
async fn a_kill_ends_a_long_evaluation() {
    let (_agent, shim) = pair().await;
    let (mut computes, mut other) = (shim.raw("a").await, shim.raw("a").await);
    let id = computes.cell("SELECT CONNECTION_ID()").await.expect("a number");
    let begun = Instant::now();
    computes.send(&long()).await;
    // KILL finds the statement once it runs.
    let reported = loop {
        assert_eq!(other.query(&format!("KILL QUERY {id}")).await, Outcome::Done(0));
        if let Ok(outcome) = tokio::time::timeout(Duration::from_millis(50), computes.outcome()).await {
            break outcome;
        }
    };
    let Outcome::Error(reported) = reported else {
        panic!("it was done before a KILL reached it: {reported:?}")
    };
    assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"));
    assert!(begun.elapsed() < Duration::from_secs(60));
    // The connection is as it was.
    assert_eq!(computes.cell("SELECT 1").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn max_execution_time_ends_a_long_evaluation() {
    let (_agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    assert_eq!(client.query("SET max_execution_time = 20").await, Outcome::Done(0));
    assert_eq!(soon("the end", client.err_packet(&long())).await.plain().0, 3024);
    assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
}
