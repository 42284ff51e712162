//! Functions of a statement without a table. `None`: not computed here, for these arguments or at all.

use super::typed::{Typed, Value};
use crate::failure::Failure;
use crate::session::Session;
use dbtrail_types::column::ColumnType;
use dbtrail_types::instant::Instant;
use dbtrail_types::zone::Zone;
use jiff::civil::DateTime;

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

impl Session {
    pub(super) fn function(
        &self,
        name: &str,
        values: &[Typed],
        now: Instant,
    ) -> Option<Result<Typed, Failure>> {
        let told = self.told(name, values, now).or_else(|| clock(self, name, values, now));
        let computed = told.or_else(|| pure(name, values))?;
        // mysqld gives NULL and a warning; a NULL that stands for a long text is too easily taken for none.
        if computed.value.text().is_some_and(|t| t.len() > self.settings.max_packet) {
            let what = format!("a result of {name}() that is longer than max_allowed_packet");
            return Some(Err(Failure::Unsupported(what)));
        }
        Some(Ok(computed))
    }

    /// What the session knows.
    fn told(&self, name: &str, values: &[Typed], now: Instant) -> Option<Typed> {
        if !values.is_empty() {
            return None;
        }
        Some(match name {
            "VERSION" => Typed::literal(Value::Text(self.settings.server_version.clone())),
            "DATABASE" | "SCHEMA" => Typed::text(self.schema.clone(), 64),
            "USER" | "CURRENT_USER" | "SESSION_USER" | "SYSTEM_USER" => {
                Typed::text(Some(format!("{}@{}", self.identity.user, self.identity.host)), 288)
            }
            "CURRENT_ROLE" => Typed::text(Some("NONE".to_owned()), 16_383),
            "CONNECTION_ID" => Typed::int(i128::from(self.identity.connection_id), 21, true),
            // Nothing is ever inserted here.
            "LAST_INSERT_ID" => Typed::int(0, 21, true),
            "UNIX_TIMESTAMP" => Typed::int(i128::from(now.micros().div_euclid(1_000_000)), 21, false),
            _ => return None,
        })
    }
}

/// The clock, in the session's zone or in UTC.
fn clock(session: &Session, name: &str, values: &[Typed], now: Instant) -> Option<Typed> {
    let fsp = match values {
        [] => 0,
        [one] => match one.value {
            Value::Int(n) => u8::try_from(n).ok().filter(|n| *n <= 6)?,
            Value::Null | Value::Number(_) | Value::Double(_) | Value::Text(_) => return None,
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
            Typed::time(text, ColumnType::DateTime { fsp })
        }
        "CURDATE" | "CURRENT_DATE" | "UTC_DATE" if values.is_empty() => {
            Typed::time(local.strftime("%Y-%m-%d").to_string(), ColumnType::Date)
        }
        "CURTIME" | "CURRENT_TIME" | "UTC_TIME" => {
            Typed::time(format!("{}{fraction}", local.strftime("%H:%M:%S")), ColumnType::Time { fsp })
        }
        _ => return None,
    })
}

/// What the arguments alone decide.
fn pure(name: &str, values: &[Typed]) -> Option<Typed> {
    let null = values.iter().any(|v| v.value == Value::Null);
    Some(match (name, values) {
        ("CONCAT", [_, ..]) => joined("", values, null)?,
        ("CONCAT_WS", [separator, parts @ ..]) if !parts.is_empty() => match &separator.value {
            Value::Null => Typed::text(None, 0),
            Value::Text(text) => {
                let kept: Vec<Typed> = parts.iter().filter(|p| p.value != Value::Null).cloned().collect();
                joined(text, &kept, false)?
            }
            Value::Int(_) | Value::Number(_) | Value::Double(_) => return None,
        },
        ("LOWER" | "LCASE" | "UPPER" | "UCASE", [Typed { value: Value::Text(text), .. }])
            if text.is_ascii() =>
        {
            let upper = name.starts_with('U');
            let text = if upper { text.to_ascii_uppercase() } else { text.to_ascii_lowercase() };
            Typed::text(Some(text), values[0].chars())
        }
        ("LENGTH" | "OCTET_LENGTH", [Typed { value: Value::Text(text), .. }]) => {
            Typed { nullable: values[0].nullable, ..Typed::int(i128::try_from(text.len()).ok()?, 11, false) }
        }
        ("CHAR_LENGTH" | "CHARACTER_LENGTH", [Typed { value: Value::Text(text), .. }]) => {
            let count = i128::try_from(text.chars().count()).ok()?;
            Typed { nullable: values[0].nullable, ..Typed::int(count, 11, false) }
        }
        ("IF", [condition, yes, no]) => {
            let holds = super::operators::truth(&condition.value)? == Some(true);
            let nullable = yes.nullable || no.nullable;
            Typed { nullable, ..unified(if holds { yes } else { no }, &[yes, no])? }
        }
        ("IFNULL" | "COALESCE", [_, ..]) if name == "COALESCE" || values.len() == 2 => {
            let all: Vec<&Typed> = values.iter().collect();
            let first = values.iter().find(|v| v.value != Value::Null).or(values.last())?;
            Typed { nullable: values.iter().all(|v| v.nullable), ..unified(first, &all)? }
        }
        ("ISNULL", [value]) => Typed::truth(Some(value.value == Value::Null), false),
        ("TIMEDIFF", [a, b]) => difference(a, b)?,
        ("CONVERT_TZ", [at, from, to]) => converted(at, from, to)?,
        ("TIME_FORMAT", [time, format]) => formatted(time, format)?,
        _ => return None,
    })
}

fn joined(separator: &str, parts: &[Typed], null: bool) -> Option<Typed> {
    // How a time or a decimal is written depends on its type.
    if !parts.iter().all(|p| p.is_plain() && !matches!(p.value, Value::Number(_) | Value::Double(_))) {
        return None;
    }
    let chars = parts.iter().map(Typed::chars).fold(0, u32::saturating_add);
    let texts: Option<Vec<String>> = parts.iter().map(|p| p.value.text()).collect();
    Some(Typed::text(texts.filter(|_| !null).map(|t| t.join(separator)), chars))
}

/// A value that could have been another: mysqld declares what holds them all.
fn unified(value: &Typed, all: &[&Typed]) -> Option<Typed> {
    let some: Vec<&&Typed> = all.iter().filter(|t| t.value != Value::Null || t.is_text()).collect();
    if some.iter().any(|t| !t.is_plain() || matches!(t.value, Value::Number(_) | Value::Double(_))) {
        return None;
    }
    let numbers = !some.is_empty() && some.iter().all(|t| !t.is_text());
    let widest = some.iter().map(|t| t.chars()).max().unwrap_or(0);
    if numbers {
        let unsigned = some.iter().all(|t| t.is_unsigned());
        // A BIGINT and a BIGINT UNSIGNED make a DECIMAL.
        if !unsigned && some.iter().any(|t| t.is_unsigned()) {
            return None;
        }
        let ty = super::typed::integer(u8::try_from(widest).ok()?, unsigned);
        return Some(Typed { ty, ..value.clone() });
    }
    Some(Typed { nullable: value.nullable, ..Typed::text(value.value.text(), widest) })
}

/// TIMEDIFF of two DATETIMEs.
fn difference(a: &Typed, b: &Typed) -> Option<Typed> {
    let (ColumnType::DateTime { fsp: x }, ColumnType::DateTime { fsp: y }) = (&a.ty, &b.ty) else {
        return None;
    };
    let fsp = *x.max(y);
    let at = |t: &Typed| -> Option<DateTime> { t.value.text()?.replace(' ', "T").parse().ok() };
    let micros = at(a)?.duration_since(at(b)?).as_micros();
    let seconds = i64::try_from(micros / 1_000_000).ok()?.abs();
    if seconds > LONGEST_TIME {
        return None;
    }
    let sign = if micros < 0 { "-" } else { "" };
    let fraction = format!("{:06}", micros.unsigned_abs() % 1_000_000);
    let fraction = if fsp == 0 { String::new() } else { format!(".{}", &fraction[..usize::from(fsp)]) };
    let text = format!("{sign}{:02}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(Typed { nullable: true, ..Typed::time(text, ColumnType::Time { fsp }) })
}

/// CONVERT_TZ: NULL where a zone is not known, as in mysqld. A local time that a change of clocks makes two, and one that a TIMESTAMP
/// cannot hold, are left to others.
fn converted(at: &Typed, from: &Typed, to: &Typed) -> Option<Typed> {
    let (Value::Text(at), Value::Text(from), Value::Text(to)) = (&at.value, &from.value, &to.value) else {
        return None;
    };
    let (whole, fraction) = at.split_once('.').unwrap_or((at, ""));
    let local = DateTime::strptime("%Y-%m-%d %H:%M:%S", whole).ok()?;
    let plain = fraction.len() <= 6 && fraction.bytes().all(|b| b.is_ascii_digit());
    if !plain || !(1971..=2037).contains(&local.year()) {
        return None;
    }
    let ty = ColumnType::DateTime { fsp: u8::try_from(fraction.len()).ok()? };
    let (Some(from), Some(to)) = (Zone::parse(from), Zone::parse(to)) else {
        return Some(Typed { value: Value::Null, nullable: true, ty });
    };
    let local = to.local(from.to_instant(local).ok()?)?;
    let point = if fraction.is_empty() { "" } else { "." };
    let text = format!("{}{point}{fraction}", local.strftime("%Y-%m-%d %H:%M:%S"));
    Some(Typed { nullable: true, ..Typed::time(text, ty) })
}

/// TIME_FORMAT of a TIME with hours, minutes and seconds.
fn formatted(time: &Typed, format: &Typed) -> Option<Typed> {
    let (ColumnType::Time { .. }, Value::Text(format)) = (&time.ty, &format.value) else { return None };
    let text = time.value.text()?;
    let (sign, rest) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let mut parts = rest.split(['.', ':']);
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (mut out, mut letters) = (sign.to_owned(), format.chars());
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
    Some(Typed::text(Some(out), chars.max(format.len().try_into().ok()?)))
}
