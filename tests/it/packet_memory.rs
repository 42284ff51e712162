//! Memory of commands that are not done with: bounded for each user and for all, while others are
//! answered. Compressed ones are in `crates/mysql-wire/tests/memory.rs`.

use super::support::{Agent, Plan, Raw, Reply, Shim, certificates, error};
use dbtrail_shim::session::MemoryLimits;
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;

async fn shim(memory: usize) -> (Agent, Shim) {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    agent.world(|_| Reply::json(200, r#"{"success":true,"schemas":["tt"]}"#));
    let plan = Plan {
        memory: MemoryLimits { all: memory, user: memory / 2 },
        max_packet: 16 * MIB,
        max_connections: 100,
        ..Plan::before(&agent, &made)
    };
    let shim = plan.start().await;
    (agent, shim)
}

/// The begin of a command of so many bytes: it says that more will come.
async fn unfinished(client: &mut Raw, bytes: usize) {
    client.sequence = 0;
    let length = u32::try_from(8 * MIB).expect("short").to_le_bytes();
    let mut packet = vec![length[0], length[1], length[2], 0, 3];
    packet.resize(bytes, b' ');
    let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, &packet).await;
    client.sequence = 1;
}

async fn is_answered(client: &mut Raw) {
    let begin = Instant::now();
    assert_eq!(client.cell("SELECT 1").await.as_deref(), Some("1"));
    // On an idle machine it is some milliseconds; what is left alone ends after much longer.
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_commands_of_one_user_leave_room_for_the_others() {
    let (_agent, shim) = shim(16 * MIB).await;
    let mut other = shim.raw("b").await;
    let mut clients = Vec::new();
    for _ in 0..6 {
        let mut client = shim.raw("a").await;
        unfinished(&mut client, 2 * MIB).await;
        clients.push(client);
    }
    // Half of the memory holds three of them at most; the others are refused.
    let mut refused = 0;
    for client in &mut clients {
        let answer = tokio::time::timeout(Duration::from_millis(500), client.read()).await;
        if let Ok(Some(packet)) = answer {
            assert_eq!(error(&packet).code, 1041);
            refused += 1;
        }
    }
    assert!((2..6).contains(&refused), "{refused} of six were refused");
    is_answered(&mut other).await;
    let long = format!("SELECT LENGTH('{}')", "x".repeat(3 * MIB));
    assert_eq!(other.cell(&long).await, Some((3 * MIB).to_string()), "the other half is there");
    // What is given up can be had again.
    drop(clients);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut again = shim.raw("a").await;
    assert_eq!(again.cell(&long).await, Some((3 * MIB).to_string()));
    is_answered(&mut again).await;
}
