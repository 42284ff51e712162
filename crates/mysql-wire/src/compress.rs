//! Compressed packets: bytes in, bytes out. They begin after the OK of the login, and hold the
//! bytes of ordinary packets, cut anywhere
//! ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression_packet.html)).

use crate::reader::{Malformed, length};
use flate2::Compression as Level;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use std::io::{self, Read};

/// Length of what follows, a number, length of it unpacked (0: it is not packed).
const HEADER: usize = 7;
/// What is shorter is not worth packing.
const SHORTEST: usize = 50;
/// How much goes into one packet: a long row is packed in steps, between which others have their
/// turn.
const CHUNK: usize = 256 * 1024;
/// The memory that a zstd frame may ask for: no packet holds more.
const WINDOW_LOG: u32 = 24;

/// How a client wants its connection packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// CLIENT_COMPRESS
    Zlib,
    /// CLIENT_ZSTD_COMPRESSION_ALGORITHM, with the level of the handshake response.
    Zstd(u8),
}

impl Algorithm {
    /// As `SHOW STATUS LIKE 'Compression_algorithm'` names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zlib => "zlib",
            Self::Zstd(_) => "zstd",
        }
    }
}

/// Both directions of one connection.
#[derive(Debug)]
pub struct Compression {
    algorithm: Algorithm,
    /// The number of the next packet to send: each one follows the last that was taken or sent.
    sequence: u8,
}

/// Why a packed packet cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnpackError {
    /// It is longer than what may come.
    TooLarge,
    /// It is cut, or not what it says.
    Malformed(Malformed),
}

impl From<Malformed> for UnpackError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

fn malformed(what: impl std::fmt::Display) -> Malformed {
    Malformed(format!("a compressed packet that cannot be unpacked: {what}"))
}

impl Compression {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, sequence: 0 }
    }

    /// The length that the packet at the front of `raw` says to have when it is unpacked, once it
    /// is there as a whole; 0: it is not, or is not packed.
    #[must_use]
    pub fn unpacked(raw: &[u8]) -> usize {
        let Some((header, rest)) = raw.split_at_checked(HEADER) else { return 0 };
        if rest.len() >= length(&header[..3]) { length(&header[4..7]) } else { 0 }
    }

    /// Takes one packet off the front of `raw`, unpacked onto the end of `plain`; false: it is not
    /// there as a whole yet. What says that it is longer than `largest` when unpacked is not
    /// unpacked.
    ///
    /// # Errors
    /// It is too long, or cannot be unpacked.
    pub fn take(
        &mut self,
        raw: &mut Vec<u8>,
        plain: &mut Vec<u8>,
        largest: usize,
    ) -> Result<bool, UnpackError> {
        if raw.len() < HEADER {
            return Ok(false);
        }
        let (length, unpacked) = (length(&raw[..3]), length(&raw[4..7]));
        if unpacked.max(length) > largest {
            return Err(UnpackError::TooLarge);
        }
        let Some(payload) = raw.get(HEADER..HEADER + length) else { return Ok(false) };
        if unpacked == 0 {
            plain.extend_from_slice(payload);
        } else {
            let before = plain.len();
            // One byte more than was said, so that a lie is seen.
            let most = unpacked as u64 + 1;
            let read = match self.algorithm {
                Algorithm::Zlib => ZlibDecoder::new(payload).take(most).read_to_end(plain),
                Algorithm::Zstd(_) => unpack_zstd(payload, most, plain),
            };
            read.map_err(malformed)?;
            if plain.len() - before != unpacked {
                return Err(malformed("it is not as long as it says").into());
            }
        }
        self.sequence = raw[3].wrapping_add(1);
        raw.drain(..HEADER + length);
        Ok(true)
    }

    /// Packs the front of `plain` onto the end of `raw`; gives how much of it that was.
    ///
    /// # Errors
    /// The library that packs failed.
    pub fn put(&mut self, plain: &[u8], raw: &mut Vec<u8>) -> io::Result<usize> {
        let now = &plain[..plain.len().min(CHUNK)];
        let mut packed = Vec::new();
        if now.len() >= SHORTEST {
            match self.algorithm {
                Algorithm::Zlib => {
                    ZlibEncoder::new(now, Level::default()).read_to_end(&mut packed)?;
                }
                Algorithm::Zstd(level) => {
                    packed = zstd::bulk::compress(now, i32::from(level.clamp(1, 22)))?;
                }
            }
        }
        let is_packed = !packed.is_empty() && packed.len() < now.len();
        let (payload, unpacked) = if is_packed { (packed.as_slice(), now.len()) } else { (now, 0) };
        let length = |n: usize| u32::try_from(n).unwrap_or(0).to_le_bytes();
        raw.extend_from_slice(&length(payload.len())[..3]);
        raw.push(self.sequence);
        self.sequence = self.sequence.wrapping_add(1);
        raw.extend_from_slice(&length(unpacked)[..3]);
        raw.extend_from_slice(payload);
        Ok(now.len())
    }
}

fn unpack_zstd(payload: &[u8], most: u64, plain: &mut Vec<u8>) -> io::Result<usize> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(payload)?.single_frame();
    decoder.window_log_max(WINDOW_LOG)?;
    decoder.take(most).read_to_end(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LARGEST: usize = 1 << 20;

    /// COM_QUERY of `SELECT 'aaa...'` with 58 letters, packed by the zlib of another program.
    const CAPTURED: &[u8] = &[
        0x19, 0x00, 0x00, 0x00, 0x48, 0x00, 0x00, 0x78, 0x9c, 0x73, 0x66, 0x60, 0x60, 0x60, 0x0e, 0x76, 0xf5,
        0x71, 0x75, 0x0e, 0x51, 0x50, 0x4f, 0x24, 0x1b, 0xa8, 0x03, 0x00, 0x34, 0x31, 0x18, 0x6f,
    ];

    #[test]
    fn ok_a_packet_of_another_program() {
        let (mut raw, mut plain) = (CAPTURED.to_vec(), Vec::new());
        assert!(Compression::new(Algorithm::Zlib).take(&mut raw, &mut plain, LARGEST).unwrap());
        assert_eq!(plain, [b"\x43\0\0\0\x03SELECT '".as_slice(), &[b'a'; 58], b"'"].concat());
    }

    fn both() -> [Algorithm; 2] {
        [Algorithm::Zlib, Algorithm::Zstd(3)]
    }

    #[test]
    fn ok_short_payloads_go_as_they_are() {
        for algorithm in both() {
            let (mut raw, mut plain) =
                (vec![9, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3, b'D', b'O', b' ', b'1'], Vec::new());
            let mut compression = Compression::new(algorithm);
            assert!(compression.take(&mut raw, &mut plain, LARGEST).unwrap());
            assert_eq!(
                (plain.as_slice(), raw.as_slice()),
                (b"\x05\0\0\0\x03DO 1".as_slice(), b"".as_slice())
            );
            // The answer has the number after that of the question.
            let mut sent = Vec::new();
            assert_eq!(compression.put(b"\x07\0\0\x01\0\0\0\x02\0\0\0", &mut sent).unwrap(), 11);
            assert_eq!(sent, b"\x0b\0\0\x01\0\0\0\x07\0\0\x01\0\0\0\x02\0\0\0");
        }
    }

    #[test]
    fn ok_there_and_back() {
        for algorithm in both() {
            for length in [49, 50, 1000, CHUNK, CHUNK + 1, CHUNK * 3 + 7] {
                let sent: Vec<u8> = (0..=250).cycle().take(length).collect();
                let (mut raw, mut at) = (Vec::new(), 0);
                let mut sender = Compression::new(algorithm);
                while at < sent.len() {
                    at += sender.put(&sent[at..], &mut raw).unwrap();
                }
                assert!(length < 1000 || raw.len() < length / 2, "{algorithm:?} {length}");
                let (mut plain, mut receiver) = (Vec::new(), Compression::new(algorithm));
                while receiver.take(&mut raw, &mut plain, LARGEST).unwrap() {}
                assert_eq!(plain, sent, "{algorithm:?} {length}");
                assert_eq!((raw.len(), receiver.sequence), (0, sender.sequence));
            }
        }
    }

    #[test]
    fn ok_what_is_not_there_is_waited_for() {
        let mut packet = Vec::new();
        Compression::new(Algorithm::Zlib).put(&[b'x'; 500], &mut packet).unwrap();
        for end in 0..packet.len() {
            let (mut raw, mut plain) = (packet[..end].to_vec(), Vec::new());
            let taken = Compression::new(Algorithm::Zlib).take(&mut raw, &mut plain, LARGEST).unwrap();
            assert_eq!((taken, plain.len(), raw.len()), (false, 0, end));
        }
    }

    #[test]
    fn err_lies_about_lengths() {
        let zlib = || Compression::new(Algorithm::Zlib);
        for (unpacked, want_too_large) in [(499_usize, false), (501, false), (LARGEST + 1, true)] {
            let (mut raw, mut plain) = (Vec::new(), Vec::new());
            zlib().put(&[b'x'; 500], &mut raw).unwrap();
            raw[4..7].copy_from_slice(&u32::try_from(unpacked).unwrap().to_le_bytes()[..3]);
            let failure = zlib().take(&mut raw, &mut plain, LARGEST).unwrap_err();
            assert_eq!(matches!(failure, UnpackError::TooLarge), want_too_large, "{failure:?}");
            assert!(plain.len() <= 502);
        }
        // A length that was announced and not sent takes no memory.
        let (mut raw, mut plain) = (vec![0xff, 0xff, 0x0f, 0, 0xff, 0xff, 0x0f], Vec::new());
        assert!(!zlib().take(&mut raw, &mut plain, LARGEST).unwrap());
        assert_eq!(plain.capacity(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20 * ProptestConfig::default().cases, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), zstd in any::<bool>()) {
            let algorithm = if zstd { Algorithm::Zstd(3) } else { Algorithm::Zlib };
            let mut raw = vec![u8::try_from(bytes.len()).unwrap(), 0, 0, 0, 100, 0, 0];
            raw.extend_from_slice(&bytes);
            let mut plain = Vec::new();
            let _ = Compression::new(algorithm).take(&mut raw, &mut plain, LARGEST);
            prop_assert!(plain.len() <= 101);
        }
    }
}
