//! UUID, INET4 and INET6 of MariaDB as text.

use super::error::ValueFault;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// All bytes of a UUID, INET6 or INET4, whose zeros at the end the log cuts off.
pub(super) fn zero_filled(bytes: &[u8], width: usize) -> Vec<u8> {
    let mut all = bytes.to_vec();
    if all.len() < width {
        all.resize(width, 0);
    }
    all
}

/// A UUID of MariaDB, whose bytes the log has in the order of the text (seen in 10.11, all
/// versions). Tables have them in another order, in which the variant's bits would not be where
/// they are asked for here.
pub(super) fn uuid_text(bytes: [u8; 16]) -> Result<String, ValueFault> {
    if bytes[8] & 0x80 == 0 && bytes != [0; 16] {
        return Err(ValueFault::UuidVariant);
    }
    let hex = |range: std::ops::Range<usize>| hex::encode(&bytes[range]);
    Ok([hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16)].join("-"))
}

/// An INET6 of MariaDB: the first longest run of zero words becomes `::`; addresses that hold an
/// IPv4 address end as one.
pub(super) fn inet6_text(address: [u8; 16]) -> String {
    let words: Vec<u16> = address.chunks(2).map(|p| u16::from_be_bytes([p[0], p[1]])).collect();
    let run = |from: usize| words[from..].iter().take_while(|w| **w == 0).count();
    let mut gap = (0, 0);
    for from in 0..8 {
        if run(from) > gap.1 {
            gap = (from, run(from));
        }
    }
    let v4 = gap.0 == 0 && (gap.1 == 6 || (gap.1 == 5 && words[5] == 0xffff));
    let mut text = String::new();
    let mut at = 0;
    while at < 8 {
        if gap.1 > 0 && at == gap.0 {
            text.push_str("::");
            at += gap.1;
            continue;
        }
        if !text.is_empty() && !text.ends_with(':') {
            text.push(':');
        }
        if at == 6 && v4 {
            let [.., a, b, c, d] = address;
            text.push_str(&Ipv4Addr::new(a, b, c, d).to_string());
            break;
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{:x}", words[at]);
        at += 1;
    }
    text
}
