//! Logs of replicas, read from files.

#![expect(clippy::expect_used, reason = "a test")]

use dbtrail_history::History;
use dbtrail_types::names::ServerId;
use std::path::Path;

/// A log of a primary with another server in its head becomes that of a replica of it.
fn of_replica(mut log: Vec<u8>) -> Vec<u8> {
    const START: usize = 4;
    const CHECKSUM: usize = 4;
    let length = log[START + 9..START + 13].try_into().expect("a length");
    let end = START + u32::from_le_bytes(length) as usize;
    log[START + 5..START + 9].copy_from_slice(&4_000_000_000_u32.to_le_bytes());
    assert_eq!(log[end - CHECKSUM - 1], 1, "a log with checksums");
    // The file was closed, or is open still, which does not count.
    let mut head = log[START..end - CHECKSUM].to_vec();
    head[17] &= 0xfe;
    let sum = crc32fast::hash(&head).to_le_bytes();
    log[end - CHECKSUM..end].copy_from_slice(&sum);
    log
}

/// MariaDB logs what a replica applies with the times of its source: up to when all of it is there,
/// the end of the replica's own log does not say.
#[test]
fn the_log_of_a_replica_goes_as_far_as_it_had_applied() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/mariadb-10.11/binlog.000003");
    let read = |path: &Path| History::read(ServerId("x".into()), &[path.to_owned()]).expect("the log");
    let primary = read(&path).coverage();
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("binlog.000003");
    let log = of_replica(std::fs::read(&path).expect("the log"));
    std::fs::write(&copy, log).expect("a file");
    let replica = read(&copy).coverage();
    assert_eq!(replica.oldest, primary.oldest);
    assert!(replica.newest < primary.newest, "{replica:?} {primary:?}");
    // Of the second of the last transaction, another one may follow.
    assert_eq!(replica.newest.micros().rem_euclid(1_000_000), 999_999);
}
