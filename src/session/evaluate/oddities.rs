//! UUID() and CRC32(), which tools ask for to see whether a server is alive and what it can do.

use crate::session::Session;
use dbtrail_expression::{Budget, Coercibility, Collated, ExprType, Type, Typed, Value};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Ticks of 100 ns from the beginning of the Gregorian calendar, where a UUID counts from, to 1970.
const TO_1970: u64 = 0x01B2_1DD2_1381_4000;

/// `None`: not computed here, for these arguments or at all.
pub(super) fn function(session: &Session, name: &str, arguments: &[Typed]) -> Option<Typed> {
    match (name, arguments) {
        ("UUID", []) => {
            let collated = Collated { name: "utf8mb3_general_ci", coercibility: Coercibility::System };
            let ty = Type::new(ExprType::Text { chars: 36, collated }, true);
            Some(Typed::constant(Value::from(uuid()?), ty))
        }
        ("CRC32", [of]) => crc32(session, of),
        _ => None,
    }
}

/// A UUID by time (RFC 9562, version 1). The node is random, and no two of this process are alike.
fn uuid() -> Option<String> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let mut node = [0_u8; 8];
    aws_lc_rs::rand::fill(&mut node).ok()?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let now = u64::try_from(since.as_nanos() / 100).ok()?.checked_add(TO_1970)?;
    let last =
        LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(now.max(last + 1))).ok()?;
    let ticks = now.max(last + 1);
    let (low, middle, high) = (ticks & 0xffff_ffff, (ticks >> 32) & 0xffff, (ticks >> 48) & 0x0fff);
    // The variant, and a node that is no network card's.
    let clock = u16::from_be_bytes([node[0], node[1]]) & 0x3fff | 0x8000;
    let card = u64::from_be_bytes([0, 0, node[2] | 1, node[3], node[4], node[5], node[6], node[7]]);
    Some(format!("{low:08x}-{middle:04x}-1{high:03x}-{clock:04x}-{card:012x}"))
}

/// CRC-32 as in zlib, of a text in the character set of the connection.
fn crc32(session: &Session, of: &Typed) -> Option<Typed> {
    if !of.node.is_constant() {
        return None;
    }
    let value = of.node.value(&[], &[], &mut Budget::default()).ok()?;
    let number = match value.text() {
        None => Value::Null,
        Some(text) => {
            let unicode = session.setting("character_set_connection").starts_with("utf8");
            if !text.is_ascii() && !unicode {
                return None;
            }
            let step = |crc: u32, byte: &u8| {
                (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                    (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
                })
            };
            Value::Int((!text.as_bytes().iter().fold(u32::MAX, step)).into())
        }
    };
    let nullable = of.ty.nullable;
    Some(Typed::constant(number, Type::new(ExprType::Int { width: 10, unsigned: true }, nullable)))
}
