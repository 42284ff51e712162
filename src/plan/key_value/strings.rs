//! Text, labels, bytes and addresses as values of a key.

use super::super::charsets::Charset;
use super::super::literal::{refuse, shortened};
use super::{Condition, hint};
use crate::failure::Failure;
use dbtrail_types::collation;
use dbtrail_types::column::{Column, ColumnType};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A string that is compared as text of the column's collation, and that the column can hold.
pub(in crate::plan) fn characters(
    text: String,
    charset: Charset,
    column: &Column,
    condition: Condition,
) -> Result<String, Failure> {
    if charset == Charset::Binary {
        return Err(refuse(
            column,
            "under character_set_connection=binary a string is compared by its bytes, and not by the column's collation: SET NAMES utf8mb4 first",
        ));
    }
    let own = column.charset().map_or(Charset::Other, Charset::named);
    // MariaDB passes over such a string in a list of rows.
    if condition == Condition::List && own != Charset::Utf8mb4 && !text.is_ascii() {
        return Err(refuse(
            column,
            "text outside of ASCII in a list, for a column that is not utf8mb4, is not found by every server: ask with one = each",
        ));
    }
    if own == Charset::Other || own.holds(&text) {
        return Ok(text);
    }
    let name = column.charset().unwrap_or_default();
    Err(refuse(
        column,
        &format!(
            "'{}' has a character that its character set, {name}, lacks: no row has this key",
            shortened(&text)
        ),
    ))
}

/// A label, if no other one of the column can be meant.
pub(super) fn label(
    text: &str,
    labels: &[String],
    column: &Column,
    condition: Condition,
) -> Result<Vec<u8>, Failure> {
    if condition == Condition::Range {
        return Err(refuse(
            column,
            "BETWEEN compares labels as text in MySQL, while they are stored in their own order: name them with IN",
        ));
    }
    let shown = shortened(text);
    if !labels.iter().any(|l| *l == text) {
        return Err(refuse(column, &format!("'{shown}' is none of its labels, as they are written")));
    }
    let weight = |label: &str| {
        let mut key = Vec::new();
        let collation = column.collation.as_deref().unwrap_or_default();
        collation::sort_key(collation, label, &mut key).ok().map(|()| key)
    };
    let own = weight(text);
    let differs = |other: &String| match (&own, weight(other)) {
        (Some(own), Some(other)) => *own != other,
        _ => false,
    };
    match labels.iter().filter(|l| *l != text).find(|l| !differs(l)) {
        None => Ok(text.as_bytes().to_vec()),
        Some(other) => Err(refuse(
            column,
            &format!(
                "its labels '{shown}' and '{}' are equal in collation {}, or may be",
                shortened(other),
                column.collation.as_deref().unwrap_or("(unknown)")
            ),
        )),
    }
}

pub(super) fn octets(bytes: Vec<u8>, column: &Column) -> Result<Vec<u8>, Failure> {
    match column.ty {
        ColumnType::Binary { bytes: width }
            if bytes.len() != usize::try_from(width).unwrap_or(usize::MAX) =>
        {
            let why = format!("the value has {} bytes; the column compares all {width}", bytes.len());
            Err(refuse(column, &why))
        }
        _ => Ok(bytes),
    }
}

/// UUID, INET4 and INET6, as MariaDB shows them.
pub(super) fn address(text: &str, column: &Column) -> Result<Vec<u8>, Failure> {
    let read = match column.ty {
        ColumnType::Uuid => {
            let dash = |i| matches!(i, 8 | 13 | 18 | 23);
            let good = text.len() == 36
                && text
                    .bytes()
                    .enumerate()
                    .all(|(i, b)| if dash(i) { b == b'-' } else { b.is_ascii_hexdigit() });
            good.then(|| text.to_ascii_lowercase())
        }
        ColumnType::Inet4 => text.parse::<Ipv4Addr>().ok().map(|a| a.to_string()),
        _ => text.parse::<Ipv6Addr>().ok().map(|a| a.to_string()),
    };
    read.map(String::into_bytes).ok_or_else(|| refuse(column, hint(&column.ty)))
}
