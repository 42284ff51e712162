//! The parameters of COM_STMT_EXECUTE
//! ([COM_STMT_EXECUTE](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html),
//! ["Binary Protocol
//! Value"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html)).

use crate::failure::Failure;
use crate::session::Parameter;
use dbtrail_mysql_wire::constants::field_type as ty;
use dbtrail_mysql_wire::reader::PayloadReader;
use std::collections::BTreeMap;

/// How mysqld names the command in its errors.
pub(super) const EXECUTE: &str = "mysqld_stmt_execute";

/// A type as it was bound: its number, and whether it is unsigned.
pub(super) type Bound = (u8, bool);

/// What a statement brings to the reading of its parameters.
pub(super) struct ParameterContext<'a> {
    /// How many there are.
    pub(super) count: usize,
    /// The types of an earlier execution; none, if there was none.
    pub(super) types: &'a [Bound],
    /// What came by COM_STMT_SEND_LONG_DATA: such a parameter has no value in the packet.
    pub(super) long: &'a BTreeMap<u16, Vec<u8>>,
}

/// Reads NULL bitmap, types and values. Gives the types too: later executions may leave them out.
/// `text` decodes what a client sent as text; what is none are bytes.
pub(super) fn read(
    payload: &[u8],
    known: &ParameterContext<'_>,
    text: impl Fn(&[u8]) -> Option<String>,
) -> Result<(Vec<Bound>, Vec<Parameter>), Failure> {
    if known.count == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut bytes = PayloadReader(payload);
    let nulls = bytes.take(known.count.div_ceil(8))?;
    let types = match bytes.u8()? {
        0 if known.types.len() == known.count => known.types.to_vec(),
        // Never bound, or something that is no flag.
        0 => return Err(Failure::WrongArguments(EXECUTE)),
        _ => {
            let pairs = bytes.take(2 * known.count)?;
            pairs.chunks_exact(2).map(|pair| (pair[0], pair[1] & 0x80 != 0)).collect()
        }
    };
    let mut values = Vec::with_capacity(known.count);
    for (position, bound) in types.iter().enumerate() {
        let long = u16::try_from(position).ok().and_then(|position| known.long.get(&position));
        values.push(match long {
            Some(sent) => in_pieces(*bound, sent, &text)?,
            None if nulls[position / 8] & 1 << (position % 8) != 0 => Parameter::Null,
            None => value(*bound, &mut bytes, &text)?,
        });
    }
    Ok((types, values))
}

/// Types of text and bytes (["Column
/// Definition"](https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html),
/// enum_field_types).
#[derive(Clone, Copy)]
enum StringKind {
    Text,
    Bytes,
}

fn kind(bound: u8) -> Option<StringKind> {
    match bound {
        ty::VARCHAR | ty::JSON | ty::ENUM | ty::SET | ty::VAR_STRING | ty::STRING => Some(StringKind::Text),
        ty::TINY_BLOB | ty::MEDIUM_BLOB | ty::LONG_BLOB | ty::BLOB | ty::GEOMETRY => Some(StringKind::Bytes),
        _ => None,
    }
}

fn in_pieces(
    (bound, _): Bound,
    sent: &[u8],
    text: impl Fn(&[u8]) -> Option<String>,
) -> Result<Parameter, Failure> {
    kind(bound).map(|kind| string(kind, sent, text)).ok_or(Failure::WrongArguments(EXECUTE))
}

/// Drivers send text as a BLOB too, mostly a long one, and bytes as text: what they are is seen by
/// what it is compared with.
fn string(kind: StringKind, sent: &[u8], text: impl Fn(&[u8]) -> Option<String>) -> Parameter {
    let decoded = match kind {
        StringKind::Text => text(sent),
        StringKind::Bytes => None,
    };
    decoded.map_or_else(|| Parameter::Bytes(sent.to_vec()), Parameter::Text)
}

fn value(
    (bound, unsigned): Bound,
    bytes: &mut PayloadReader<'_>,
    text: impl Fn(&[u8]) -> Option<String>,
) -> Result<Parameter, Failure> {
    let signs = |width: u32, value: u64| {
        let value = i128::from(value);
        // The highest bit is the sign.
        let negative = !unsigned && value >> (width - 1) & 1 == 1;
        Parameter::Int(if negative { value - (1_i128 << width) } else { value })
    };
    Ok(match bound {
        ty::TINY => signs(8, u64::from(bytes.u8()?)),
        ty::SHORT | ty::YEAR => signs(16, u64::from(bytes.u16()?)),
        ty::LONG | ty::INT24 => signs(32, u64::from(bytes.u32()?)),
        ty::LONGLONG => signs(64, bytes.uint(8)?),
        ty::FLOAT => Parameter::Double(f64::from(f32::from_bits(bytes.u32()?))),
        ty::DOUBLE => Parameter::Double(f64::from_bits(bytes.uint(8)?)),
        ty::NULL => Parameter::Null,
        ty::DECIMAL | ty::NEWDECIMAL => {
            Parameter::Decimal(String::from_utf8_lossy(bytes.lenenc_bytes()?).into_owned())
        }
        ty::TIMESTAMP | ty::DATE | ty::DATETIME => date_and_time(bound, bytes)?,
        ty::TIME => time(bytes)?,
        other => match kind(other) {
            Some(kind) => string(kind, bytes.lenenc_bytes()?, text),
            None => return Err(Failure::WrongArguments(EXECUTE)),
        },
    })
}

fn out_of_range(what: &str) -> Failure {
    Failure::MalformedPacket(format!("a {what} parameter is beyond what a {what} can be"))
}

/// Lengths of 0, 4, 7 and 11 bytes; what is left out is zero.
fn date_and_time(bound: u8, bytes: &mut PayloadReader<'_>) -> Result<Parameter, Failure> {
    let what = if bound == ty::DATE { "DATE" } else { "DATETIME" };
    let sent = bytes.lenenc_bytes()?;
    if !matches!(sent.len(), 0 | 4 | 7 | 11) {
        return Err(out_of_range(what));
    }
    let mut all = [0; 11];
    all[..sent.len()].copy_from_slice(sent);
    let [low, high, month, day, hour, minute, second, rest @ ..] = all;
    let (year, micros) = (u16::from_le_bytes([low, high]), u32::from_le_bytes(rest));
    let fits = year <= 9999
        && month <= 12
        && day <= 31
        && hour < 24
        && minute < 60
        && second < 60
        && micros < 1_000_000;
    if !fits {
        return Err(out_of_range(what));
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    // A DATE has no time: what a driver sends after it is not looked at.
    if bound == ty::DATE {
        return Ok(Parameter::Date(date));
    }
    Ok(Parameter::DateTime(format!("{date} {hour:02}:{minute:02}:{second:02}{}", fraction(micros))))
}

/// Lengths of 0, 8 and 12 bytes.
fn time(bytes: &mut PayloadReader<'_>) -> Result<Parameter, Failure> {
    let sent = bytes.lenenc_bytes()?;
    if !matches!(sent.len(), 0 | 8 | 12) {
        return Err(out_of_range("TIME"));
    }
    let mut all = [0; 12];
    all[..sent.len()].copy_from_slice(sent);
    let [negative, a, b, c, d, hour, minute, second, rest @ ..] = all;
    let (days, micros) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes(rest));
    let hours = u64::from(days) * 24 + u64::from(hour);
    if negative > 1 || hour > 23 || hours > 838 || minute > 59 || second > 59 || micros > 999_999 {
        return Err(out_of_range("TIME"));
    }
    let sign = if negative == 1 { "-" } else { "" };
    Ok(Parameter::Time(format!("{sign}{hours:02}:{minute:02}:{second:02}{}", fraction(micros))))
}

fn fraction(micros: u32) -> String {
    if micros == 0 { String::new() } else { format!(".{micros:06}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf8(sent: &[u8]) -> Option<String> {
        String::from_utf8(sent.to_vec()).ok()
    }

    /// One parameter, bound again.
    fn one(ty: u8, unsigned: bool, sent: &[u8]) -> Result<Parameter, Failure> {
        let mut payload = vec![0, 1, ty, if unsigned { 0x80 } else { 0 }];
        payload.extend_from_slice(sent);
        let known = ParameterContext { count: 1, types: &[], long: &BTreeMap::new() };
        read(&payload, &known, utf8).map(|(_, values)| values[0].clone())
    }

    #[test]
    fn ok_values_of_every_type() {
        let text = |t: &str| t.to_owned();
        let cases: Vec<(u8, bool, &[u8], Parameter)> = vec![
            (1, false, &[0xff], Parameter::Int(-1)),
            (1, true, &[0xff], Parameter::Int(255)),
            (2, false, &[0, 0x80], Parameter::Int(-32_768)),
            (13, true, &[0xea, 7], Parameter::Int(2026)),
            (3, false, &[0xff, 0xff, 0xff, 0x7f], Parameter::Int(2_147_483_647)),
            (9, false, &[0xff, 0xff, 0xff, 0xff], Parameter::Int(-1)),
            (8, false, &[0, 0, 0, 0, 0, 0, 0, 0x80], Parameter::Int(-9_223_372_036_854_775_808)),
            (8, true, &[0xff; 8], Parameter::Int(18_446_744_073_709_551_615)),
            (4, false, &[0, 0, 0xc0, 0x3f], Parameter::Double(1.5)),
            (5, false, &[0x9a, 0x99, 0x99, 0x99, 0x99, 0x99, 0xb9, 0xbf], Parameter::Double(-0.1)),
            (6, false, &[], Parameter::Null),
            (246, false, b"\x041.50", Parameter::Decimal(text("1.50"))),
            (253, false, b"\x02\xc3\xbc", Parameter::Text(text("\u{fc}"))),
            (254, false, b"\x01\xff", Parameter::Bytes(vec![0xff])),
            (252, false, b"\x01a", Parameter::Bytes(vec![b'a'])),
            (10, false, &[4, 0xea, 7, 4, 27], Parameter::Date(text("2026-04-27"))),
            (10, false, &[7, 0xea, 7, 4, 27, 1, 2, 3], Parameter::Date(text("2026-04-27"))),
            (10, false, &[0], Parameter::Date(text("0000-00-00"))),
            (12, false, &[4, 0xea, 7, 4, 27], Parameter::DateTime(text("2026-04-27 00:00:00"))),
            (7, false, &[7, 0xea, 7, 4, 27, 9, 8, 7], Parameter::DateTime(text("2026-04-27 09:08:07"))),
            (
                12,
                false,
                &[11, 0xea, 7, 4, 27, 9, 8, 7, 1, 0, 0, 0],
                Parameter::DateTime(text("2026-04-27 09:08:07.000001")),
            ),
            (11, false, &[0], Parameter::Time(text("00:00:00"))),
            (11, false, &[8, 1, 1, 0, 0, 0, 2, 3, 4], Parameter::Time(text("-26:03:04"))),
            (11, false, &[12, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], Parameter::Time(text("00:00:00.000001"))),
        ];
        for (ty, unsigned, sent, wanted) in cases {
            assert_eq!(one(ty, unsigned, sent), Ok(wanted), "type {ty} {sent:?}");
        }
    }

    #[test]
    fn ok_types_are_remembered_and_nulls_have_no_value() {
        // Nine parameters: the NULL bitmap has two bytes. The second and the last are NULL.
        let types: Vec<Bound> = vec![(1, false); 9];
        let known = ParameterContext { count: 9, types: &types, long: &BTreeMap::new() };
        let payload = [0b0000_0010, 0b0000_0001, 0, 1, 3, 4, 5, 6, 7, 8];
        let (again, values) = read(&payload, &known, utf8).unwrap();
        assert_eq!(again, types);
        let mut wanted: Vec<Parameter> = (1..=9).map(Parameter::Int).collect();
        (wanted[1], wanted[8]) = (Parameter::Null, Parameter::Null);
        assert_eq!(values, wanted);
        let never = ParameterContext { count: 9, types: &[], long: &BTreeMap::new() };
        assert_eq!(read(&payload, &never, utf8), Err(Failure::WrongArguments(EXECUTE)));
    }

    #[test]
    fn ok_what_came_in_pieces_has_no_value_in_the_packet() {
        let long = BTreeMap::from([(0, b"abc".to_vec()), (2, vec![0xff])]);
        let known = ParameterContext { count: 3, types: &[], long: &long };
        // As in mysqld a NULL bit does not undo it.
        let payload = [0b0000_0001, 1, 253, 0, 1, 0, 252, 0, 7];
        let (_, values) = read(&payload, &known, utf8).unwrap();
        let wanted = [Parameter::Text("abc".to_owned()), Parameter::Int(7), Parameter::Bytes(vec![0xff])];
        assert_eq!(values, wanted);
        let number = [0, 1, 8, 0, 1, 0, 252, 0, 7];
        assert_eq!(read(&number, &known, utf8), Err(Failure::WrongArguments(EXECUTE)));
    }

    #[test]
    fn err_packets_that_end_too_early_and_values_out_of_range() {
        let known = ParameterContext { count: 2, types: &[], long: &BTreeMap::new() };
        let packet: &[u8] = &[0, 1, 8, 0, 253, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, b'a', b'b'];
        assert!(read(packet, &known, utf8).is_ok());
        for length in 0..packet.len() {
            let cut = read(&packet[..length], &known, utf8);
            assert!(matches!(cut, Err(Failure::MalformedPacket(_))), "{length}: {cut:?}");
        }
        for (ty, sent) in [
            (10, &[4, 0xea, 7, 13, 1][..]),
            (12, &[7, 0xea, 7, 4, 27, 24, 0, 0]),
            (12, &[5, 0xea, 7, 4, 27, 1]),
            (12, &[11, 0xea, 7, 4, 27, 1, 0, 0, 0x40, 0x42, 0x0f, 0]),
            (11, &[8, 0, 35, 0, 0, 0, 0, 0, 0]),
            (11, &[8, 2, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            assert!(matches!(one(ty, false, sent), Err(Failure::MalformedPacket(_))), "type {ty} {sent:?}");
        }
        for ty in [14, 16, 99, 243, 244] {
            assert_eq!(one(ty, false, &[0]), Err(Failure::WrongArguments(EXECUTE)), "type {ty}");
        }
    }
}
