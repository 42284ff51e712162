//! Functions of the clock and of times. `None`: not computed here, for these arguments or at all.

use crate::session::Session;
use dbtrail_expression::{Budget, ExprType, Type, Typed, Value};
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use jiff::civil::DateTime;
use std::sync::Arc;

/// Written without parentheses, too.
pub(super) const BARE: &[&str] = &[
    "CURRENT_USER",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
];

/// The longest TIME, in seconds.
const LONGEST_TIME: i64 = 838 * 3600 + 59 * 60 + 59;

pub(super) fn function(session: &Session, name: &str, arguments: &[Typed], now: Timestamp) -> Option<Typed> {
    match (name, arguments) {
        ("TIMEDIFF", [a, b]) => difference(a, b),
        ("CONVERT_TZ", [at, from, to]) => converted(at, from, to),
        ("TIME_FORMAT", [time, format]) => formatted(time, format),
        _ => clock(session, name, arguments, now),
    }
}

/// The value of an argument, which depends on no row.
fn value(typed: &Typed) -> Option<Value> {
    typed.node.is_constant().then(|| typed.node.value(&[], &[], &mut Budget::default()).ok()).flatten()
}

fn text(typed: &Typed) -> Option<Arc<str>> {
    if let Some(Value::Text(text)) = value(typed) { Some(text) } else { None }
}

/// A time as text of its own type.
fn time(text: String, kind: ExprType, nullable: bool) -> Typed {
    Typed::constant(Value::from(text), Type::new(kind, nullable))
}

/// The clock, in the session's zone or in UTC.
fn clock(session: &Session, name: &str, arguments: &[Typed], now: Timestamp) -> Option<Typed> {
    let fsp = match arguments {
        [] => 0,
        [one] => match value(one) {
            Some(Value::Int(n)) => u8::try_from(n).ok().filter(|n| *n <= 6)?,
            _ => return None,
        },
        _ => return None,
    };
    let utc = Zone::utc();
    let zone = if name.starts_with("UTC") { &utc } else { &session.zone };
    let local = zone.local(now)?;
    let micros = format!("{:06}", local.subsec_nanosecond() / 1000);
    let fraction = if fsp == 0 { String::new() } else { format!(".{}", &micros[..usize::from(fsp)]) };
    Some(match name {
        "NOW" | "CURRENT_TIMESTAMP" | "LOCALTIME" | "LOCALTIMESTAMP" | "SYSDATE" | "UTC_TIMESTAMP" => {
            let text = format!("{}{fraction}", local.strftime("%Y-%m-%d %H:%M:%S"));
            time(text, ExprType::DateTime { fsp }, false)
        }
        "CURDATE" | "CURRENT_DATE" | "UTC_DATE" if arguments.is_empty() => {
            time(local.strftime("%Y-%m-%d").to_string(), ExprType::Date, false)
        }
        "CURTIME" | "CURRENT_TIME" | "UTC_TIME" => {
            time(format!("{}{fraction}", local.strftime("%H:%M:%S")), ExprType::Time { fsp }, false)
        }
        _ => return None,
    })
}

/// TIMEDIFF of two DATETIMEs.
fn difference(a: &Typed, b: &Typed) -> Option<Typed> {
    let (ExprType::DateTime { fsp: x }, ExprType::DateTime { fsp: y }) = (a.ty.kind, b.ty.kind) else {
        return None;
    };
    let fsp = x.max(y);
    let at = |t: &Typed| -> Option<DateTime> { text(t)?.replace(' ', "T").parse().ok() };
    let micros = at(a)?.duration_since(at(b)?).as_micros();
    let seconds = i64::try_from(micros / 1_000_000).ok()?.abs();
    if seconds > LONGEST_TIME {
        return None;
    }
    let sign = if micros < 0 { "-" } else { "" };
    let fraction = format!("{:06}", micros.unsigned_abs() % 1_000_000);
    let fraction = if fsp == 0 { String::new() } else { format!(".{}", &fraction[..usize::from(fsp)]) };
    let text = format!("{sign}{:02}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(time(text, ExprType::Time { fsp }, true))
}

/// CONVERT_TZ: NULL where a zone is not known, as in mysqld. A local time that a change of clocks
/// makes two, and one that a TIMESTAMP cannot hold, are left to others.
fn converted(at: &Typed, from: &Typed, to: &Typed) -> Option<Typed> {
    let (at, from, to) = (text(at)?, text(from)?, text(to)?);
    let (seconds_part, fraction) = at.split_once('.').unwrap_or((&at, ""));
    let local = DateTime::strptime("%Y-%m-%d %H:%M:%S", seconds_part).ok()?;
    let plain = fraction.len() <= 6 && fraction.bytes().all(|b| b.is_ascii_digit());
    if !plain || !(1971..=2037).contains(&local.year()) {
        return None;
    }
    let kind = ExprType::DateTime { fsp: u8::try_from(fraction.len()).ok()? };
    let (Some(from), Some(to)) = (Zone::parse(&from), Zone::parse(&to)) else {
        return Some(Typed::constant(Value::Null, Type::new(kind, true)));
    };
    let local = to.local(from.to_timestamp(local).ok()?)?;
    let point = if fraction.is_empty() { "" } else { "." };
    Some(time(format!("{}{point}{fraction}", local.strftime("%Y-%m-%d %H:%M:%S")), kind, true))
}

/// TIME_FORMAT of a TIME with hours, minutes and seconds.
fn formatted(of: &Typed, format: &Typed) -> Option<Typed> {
    let (ExprType::Time { .. }, ExprType::Text { .. }) = (of.ty.kind, format.ty.kind) else { return None };
    let (shown, format_text) = (text(of)?, text(format)?);
    let (sign, rest) = shown.strip_prefix('-').map_or(("", &*shown), |rest| ("-", rest));
    let mut parts = rest.split(['.', ':']);
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (mut out, mut letters) = (sign.to_owned(), format_text.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '%' => out.push_str(match letters.next()? {
                'H' => hours,
                'i' => minutes,
                's' | 'S' => seconds,
                _ => return None,
            }),
            other => out.push(other),
        }
    }
    let chars = u32::try_from(out.chars().count()).ok()?;
    let ExprType::Text { collated, .. } = format.ty.kind else { return None };
    let kind = ExprType::Text { chars: chars.max(format_text.len().try_into().ok()?), collated };
    Some(Typed::constant(Value::from(out), Type::new(kind, true)))
}
