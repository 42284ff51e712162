//! Packets over a stream that is cut, slow or wrong.

use super::*;
use tokio::io::AsyncWriteExt;

const LIMITS: Limits =
    Limits { read: ReadLimit::Payload(Duration::from_secs(30)), write: Duration::from_secs(60) };

fn packets(stream: tokio::io::DuplexStream) -> Packets {
    Packets::new(Box::new(stream), 0, LIMITS)
}

#[tokio::test]
async fn ok_payloads_around_16_mib_go_both_ways() {
    for length in [0, 1, MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1] {
        let (a, b) = tokio::io::duplex(1 << 16);
        let (mut sender, mut receiver) = (packets(a), packets(b));
        let send = async {
            sender.write(&vec![7; length]).await.unwrap();
            sender.flush().await.unwrap();
        };
        let (received, ()) = tokio::join!(receiver.read(MAX_PAYLOAD * 2), send);
        assert_eq!(received.unwrap().len(), length);
    }
}

#[tokio::test]
async fn ok_what_came_with_the_request_for_tls_goes_to_tls() {
    let (mut a, b) = tokio::io::duplex(64);
    a.write_all(&[1, 0, 0, 0, 7, 0x16, 3, 1]).await.unwrap();
    let mut receiver = packets(b);
    assert_eq!(receiver.read(MAX_PAYLOAD).await.unwrap(), [7]);
    let (mut stream, sequence) = receiver.into_stream();
    a.write_all(&[2]).await.unwrap();
    let mut record = [0; 4];
    stream.read_exact(&mut record).await.unwrap();
    assert_eq!((record, sequence), ([0x16, 3, 1, 2], 1));
}

#[tokio::test]
async fn ok_packed_commands_that_come_together_are_answered_with_their_own_numbers() {
    for algorithm in [Algorithm::Zlib, Algorithm::Zstd(3)] {
        let (mut a, b) = tokio::io::duplex(1 << 16);
        let mut receiver = packets(b);
        receiver.compress(algorithm);
        // A command in two packed packets, numbers 0 and 1, and another one in one packet,
        // number 0.
        a.write_all(b"\x06\0\0\0\0\0\0\x03\0\0\0\x03a\x01\0\0\x01\0\0\0b").await.unwrap();
        let mut next = Vec::new();
        let other = [b"\xc8\0\0\0".as_slice(), &[7; 200]].concat();
        Compression::new(algorithm).put(&other, &mut next).unwrap();
        a.write_all(&next).await.unwrap();
        for (command, number) in [(b"\x03ab".as_slice(), 2), (&[7; 200], 1)] {
            receiver.new_command();
            assert_eq!(receiver.read(MAX_PAYLOAD).await.unwrap(), command);
            // Reading ahead takes nothing from the order.
            tokio::select! {
                biased;
                () = receiver.closed() => panic!("nobody went away"),
                () = tokio::task::yield_now() => {}
            }
            receiver.write(&[0]).await.unwrap();
            receiver.flush().await.unwrap();
            let mut answer = [0; 12];
            a.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, [5, 0, 0, number, 0, 0, 0, 1, 0, 0, 1, 0]);
        }
    }
}

#[tokio::test]
async fn err_too_large_is_refused_before_it_is_read() {
    let (mut a, b) = tokio::io::duplex(64);
    a.write_all(&[0xff, 0xff, 0xfe, 0]).await.unwrap();
    let read = packets(b).read(65_536).await;
    assert!(matches!(read, Err(PacketError::TooLarge(65_536))));
}

async fn received(bytes: &[u8], limits: Limits) -> Result<Vec<u8>, PacketError> {
    let (mut far, near) = tokio::io::duplex(bytes.len().max(1));
    far.write_all(bytes).await.unwrap();
    drop(far);
    Packets::new(Box::new(near), 0, limits).read_ahead(AHEAD).read(1 << 26).await
}

#[tokio::test]
async fn ok_bytes_of_packets() {
    let (near, mut far) = tokio::io::duplex(64);
    let mut sender = packets(near);
    sender.write(b"ab").await.unwrap();
    sender.flush().await.unwrap();
    drop(sender);
    let mut bytes = Vec::new();
    far.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes, b"\x02\0\0\0ab");
}

#[tokio::test(start_paused = true)]
async fn err_a_peer_that_says_nothing() {
    let silence = Limits { read: ReadLimit::Silence(Duration::from_secs(15)), ..LIMITS };
    for (limits, sent, seconds) in
        [(silence, &b""[..], 15), (silence, b"\x09\0\0\0half", 15), (LIMITS, b"\x09\0\0\0half", 30)]
    {
        let (near, mut far) = tokio::io::duplex(64);
        far.write_all(sent).await.unwrap();
        let error = Packets::new(Box::new(near), 0, limits).read(64).await.unwrap_err();
        assert_eq!(error.to_string(), format!("nothing came for {seconds} s"));
    }
}

#[tokio::test]
async fn err_a_packet_cut_short_or_out_of_order() {
    for (bytes, part) in [
        (&b"\x02\0\0\0a"[..], "was closed"),
        (b"\x02\0", "was closed"),
        (b"\x01\0\0\x05a", "packet number 5 where 0"),
    ] {
        let error = received(bytes, LIMITS).await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn ok_packets_that_came_together() {
    let (mut far, near) = tokio::io::duplex(64);
    far.write_all(b"\x01\0\0\0a\x02\0\0\x01bc\x02\0\0\x02d").await.unwrap();
    let mut receiver = Packets::new(Box::new(near), 0, LIMITS).read_ahead(AHEAD);
    assert!(!receiver.has_unread());
    assert_eq!(receiver.read(9).await.unwrap(), b"a");
    assert!(receiver.has_packet());
    assert_eq!(receiver.read(9).await.unwrap(), b"bc");
    assert!(receiver.has_unread() && !receiver.has_packet());
}
