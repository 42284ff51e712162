//! Compressed commands are held in the memory that is shared before they are unpacked.

#![expect(clippy::expect_used, reason = "a test")]

use dbtrail_mysql_wire::compress::Algorithm;
use dbtrail_mysql_wire::packets::{Limits, PacketError, Packets, ReadLimit};
use dbtrail_types::memory::Memory;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const MIB: usize = 1 << 20;

/// A command of so many bytes in one compressed packet.
fn packed(length: usize) -> Vec<u8> {
    let header = u32::try_from(length).expect("short").to_le_bytes();
    let mut plain = vec![header[0], header[1], header[2], 0];
    plain.resize(4 + length, 0);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&plain).expect("memory");
    let packed = encoder.finish().expect("memory");
    let sizes = [packed.len(), plain.len()].map(|n| u32::try_from(n).expect("short").to_le_bytes());
    let mut all = sizes[0][..3].to_vec();
    all.push(0);
    all.extend_from_slice(&sizes[1][..3]);
    all.extend_from_slice(&packed);
    all
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let memory = Memory::new(8 * MIB);
        let limit = Duration::from_secs(5);
        for (length, fits) in [(MIB, true), (15 * MIB, false), (2 * MIB, true)] {
            let (mut client, server) = tokio::io::duplex(MIB);
            let limits = Limits { read: ReadLimit::Payload(limit), write: limit };
            let mut packets = Packets::new(Box::new(server), 0, limits);
            packets.compress(Algorithm::Zlib);
            packets.share(Arc::clone(&memory));
            let bomb = packed(length);
            assert!(bomb.len() < 32 * 1024, "{}", bomb.len());
            client.write_all(&bomb).await.expect("sent");
            match packets.read(64 * MIB).await {
                Ok(payload) => {
                    assert!(fits && payload.len() == length, "{length}");
                    assert!(memory.held() >= length, "it counts until the next command");
                }
                Err(PacketError::NoMemory(bytes)) => assert!(!fits && bytes > length, "{length}"),
                Err(other) => panic!("{length}: {other}"),
            }
            drop(packets);
            assert_eq!(memory.held(), 0);
        }
    });
}

#[test]
fn an_unfinished_command_holds_what_has_come_of_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let memory = Memory::new(3 * MIB);
        let limit = Duration::from_secs(20);
        for (sent, fits) in [(2 * MIB, true), (4 * MIB, false)] {
            let (mut client, server) = tokio::io::duplex(5 * MIB);
            let limits = Limits { read: ReadLimit::Payload(limit), write: limit };
            let mut packets = Packets::new(Box::new(server), 0, limits);
            packets.share(Arc::clone(&memory));
            let mut begun = vec![0, 0, 0x80, 0];
            begun.resize(sent, b' ');
            client.write_all(&begun).await.expect("sent");
            let read = tokio::time::timeout(Duration::from_secs(2), packets.read(64 * MIB)).await;
            match read {
                Err(_) => assert!(
                    fits && memory.held() >= sent && memory.held() <= sent + MIB / 2,
                    "{sent} {}",
                    memory.held()
                ),
                Ok(Err(PacketError::NoMemory(bytes))) => assert!(!fits && bytes > 2 * MIB, "{sent}: {bytes}"),
                Ok(other) => panic!("{sent}: {:?}", other.map(|payload| payload.len())),
            }
            drop(packets);
            assert_eq!(memory.held(), 0);
        }
    });
}
