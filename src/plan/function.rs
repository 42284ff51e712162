//! Functions of literals that people write keys with: computed once, as both servers compute them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions are many; the ones that are not named are not computed"
)]

use sqlparser::ast::{CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Value};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What a function came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Computed {
    /// A whole number.
    Number(String),
    /// A string of bytes.
    Bytes(Vec<u8>),
    /// A date, or a date and a time of the day.
    DateTime(String),
}

/// The arguments of a call without anything else; `None`: it is no such call.
pub(super) fn call(expression: &Expr) -> Option<(String, Vec<&Expr>)> {
    let Expr::Function(function) = expression else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    let plain = function.filter.is_none()
        && function.over.is_none()
        && function.null_treatment.is_none()
        && function.within_group.is_empty()
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty();
    let arguments = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression),
        _ => None,
    });
    let arguments: Vec<&Expr> = arguments.collect::<Option<_>>().filter(|_| plain)?;
    Some((function.name.to_string().to_uppercase(), arguments))
}

/// The value of a function of literals; `None`: it is none of these, or its value is not known.
pub(super) fn computed(expression: &Expr) -> Option<Computed> {
    if let Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None, .. } = expression {
        return cast(text(expr)?, data_type);
    }
    let (name, arguments) = call(expression)?;
    match (name.as_str(), arguments.as_slice()) {
        ("UNHEX", [digits]) => hex::decode(text(digits)?).ok().map(Computed::Bytes),
        ("UUID_TO_BIN", [uuid]) => uuid_bytes(text(uuid)?).map(|bytes| Computed::Bytes(bytes.to_vec())),
        ("UUID_TO_BIN", [uuid, swap]) => {
            let bytes = uuid_bytes(text(uuid)?)?;
            match number(swap)? {
                "0" => Some(Computed::Bytes(bytes.to_vec())),
                "1" => Some(Computed::Bytes(swapped(bytes))),
                _ => None,
            }
        }
        ("INET6_ATON", [address]) => {
            let address = text(address)?;
            let four = address.parse::<Ipv4Addr>().ok().map(|a| a.octets().to_vec());
            four.or_else(|| address.parse::<Ipv6Addr>().ok().map(|a| a.octets().to_vec()))
                .map(Computed::Bytes)
        }
        ("INET_ATON", [address]) => {
            let address = text(address)?.parse::<Ipv4Addr>().ok()?;
            Some(Computed::Number(u32::from(address).to_string()))
        }
        _ => None,
    }
}

fn text(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Nested(inside) => text(inside),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn number(expression: &Expr) -> Option<&str> {
    let Expr::Value(value) = expression else { return None };
    let Value::Number(number, _) = &value.value else { return None };
    Some(number)
}

/// CAST of text to a whole number or to a time, where the text is nothing else.
fn cast(text: &str, to: &DataType) -> Option<Computed> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_integer = (1..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    match to {
        DataType::Signed | DataType::SignedInteger if is_integer => Some(Computed::Number(text.to_owned())),
        DataType::Unsigned | DataType::UnsignedInteger if is_integer && !text.starts_with('-') => {
            Some(Computed::Number(text.to_owned()))
        }
        DataType::Date if super::timestamp::date_of(text).is_some() => {
            Some(Computed::DateTime(format!("{text} 00:00:00")))
        }
        _ => None,
    }
}

/// The bytes of a UUID with its hyphens, in braces, or of 32 digits.
fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let inside = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
    let form = inside.unwrap_or(text);
    let dashes = [8, 13, 18, 23];
    let digits = match form.len() {
        36 if dashes.iter().all(|at| form.as_bytes().get(*at) == Some(&b'-')) => {
            let parts: Vec<char> =
                form.chars().enumerate().filter(|(i, _)| !dashes.contains(i)).map(|(_, c)| c).collect();
            parts.into_iter().collect()
        }
        32 if inside.is_none() => form.to_owned(),
        _ => return None,
    };
    hex::decode(digits).ok()?.try_into().ok()
}

/// With the parts of the time exchanged, as `UUID_TO_BIN(..., 1)` does.
fn swapped(uuid: [u8; 16]) -> Vec<u8> {
    let order = [6, 7, 4, 5, 0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15];
    order.into_iter().filter_map(|at: usize| uuid.get(at).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlparser::dialect::MySqlDialect;
    use sqlparser::parser::Parser;

    fn of(sql: &str) -> Option<Computed> {
        let mut parser = Parser::new(&MySqlDialect {}).try_with_sql(sql).unwrap();
        computed(&parser.parse_expr().unwrap())
    }

    /// Each by SELECT HEX(...) on MySQL 9.7.
    #[test]
    fn functions_of_literals_are_what_mysql_says() {
        for (sql, hex) in [
            ("UNHEX('00ff')", "00ff"),
            ("unhex('')", ""),
            ("UUID_TO_BIN('6ccd780c-baba-1026-9564-5b8c656024db')", "6ccd780cbaba102695645b8c656024db"),
            ("UUID_TO_BIN('{6CCD780C-baba-1026-9564-5b8c656024db}', 0)", "6ccd780cbaba102695645b8c656024db"),
            ("UUID_TO_BIN('6ccd780cbaba102695645b8c656024db', 1)", "1026baba6ccd780c95645b8c656024db"),
            ("INET6_ATON('192.0.2.1')", "c0000201"),
            ("INET6_ATON('2001:db8::1')", "20010db8000000000000000000000001"),
        ] {
            let Some(Computed::Bytes(bytes)) = of(sql) else { panic!("{sql}: {:?}", of(sql)) };
            assert_eq!(hex::encode(bytes), hex, "{sql}");
        }
        assert_eq!(of("INET_ATON('192.0.2.1')"), Some(Computed::Number("3221225985".to_owned())));
        assert_eq!(of("CAST('42' AS SIGNED)"), Some(Computed::Number("42".to_owned())));
        assert_eq!(of("CAST('-42' AS SIGNED)"), Some(Computed::Number("-42".to_owned())));
        assert_eq!(
            of("CAST('2026-01-02' AS DATE)"),
            Some(Computed::DateTime("2026-01-02 00:00:00".to_owned()))
        );
        for sql in [
            "UNHEX('0')",
            "UNHEX('xy')",
            "UUID_TO_BIN('6ccd780c')",
            "UUID_TO_BIN('6ccd780c-baba-1026-9564-5b8c656024db', 2)",
            "INET6_ATON('1.2.3')",
            "CAST('-1' AS UNSIGNED)",
            "CAST('4x' AS SIGNED)",
            "MD5('x')",
            "UNHEX(id)",
        ] {
            assert_eq!(of(sql), None, "{sql}");
        }
    }
}
