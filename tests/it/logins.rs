//! A hundred thousand logins in a row with each authentication plugin: a scramble with an unlucky
//! byte, or a slot that is not given back, would show.

use super::support::{Agent, Plan, Raw, certificates, rounds};
use mysql_common::scramble::{scramble_native, scramble_sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const LOGINS: usize = 100_000;
/// At a time.
const CLIENTS: usize = 4;

/// PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH.
const CAPABILITIES: u32 = 1 << 9 | 1 << 15 | 1 << 19;

/// Logs in; gives what came last.
async fn login(port: u16, plugin: &str, password: &str) -> Vec<u8> {
    let mut raw = Raw::connect(port).await;
    let nonce = &raw.scramble;
    assert!(nonce.len() == 20 && nonce.iter().all(|b| (0x21..=0x7e).contains(b) && *b != b'$'), "{nonce:?}");
    let response = if plugin == "mysql_native_password" {
        scramble_native(nonce, password.as_bytes()).expect("a password").to_vec()
    } else {
        scramble_sha256(nonce, password.as_bytes()).expect("a password").to_vec()
    };
    let mut payload = CAPABILITIES.to_le_bytes().to_vec();
    payload.extend_from_slice(&(1_u32 << 24).to_le_bytes());
    payload.push(45);
    payload.extend_from_slice(&[0; 23]);
    payload.extend_from_slice(b"a\0");
    payload.push(u8::try_from(response.len()).expect("a short response"));
    payload.extend_from_slice(&response);
    payload.extend_from_slice(plugin.as_bytes());
    payload.push(0);
    raw.write(&payload).await;
    let mut answer = raw.read().await.expect("an answer");
    // "fast_auth_success": the OK follows.
    if answer == [1, 3] {
        answer = raw.read().await.expect("OK");
    }
    // No port waits for packets that nobody sends any more.
    raw.stream.set_zero_linger().expect("a socket");
    answer
}

async fn all(plugin: &'static str) {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan { max_connections: 50, ..Plan::before(&agent, &made) }.start().await;
    let left = Arc::new(AtomicUsize::new(rounds(LOGINS)));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (left, port) = (Arc::clone(&left), shim.port);
        clients.spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
                let answer = login(port, plugin, "secret-a").await;
                // OK, SERVER_STATUS_AUTOCOMMIT, no warnings.
                assert_eq!(answer, [0, 0, 0, 2, 0, 0, 0]);
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("every login is good");
    }
    assert_eq!(left.load(Ordering::Relaxed), 0);
    // A wrong password is refused, or has to be sent whole ("perform_full_authentication").
    let refused = login(shim.port, plugin, "secret-b").await;
    let full = plugin == "caching_sha2_password" && refused == [1, 4];
    assert!(full || refused.starts_with(&[0xff, 0x15, 0x04]), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_with_mysql_native_password() {
    all("mysql_native_password").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_with_caching_sha2_password() {
    all("caching_sha2_password").await;
}
