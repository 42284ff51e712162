//! Values as an index compares them, as far as that is known.

use crate::collation::sort_key;
use crate::column::{Column, Family};

/// Bytes that are equal where an index of this column takes two values for equal.
///
/// Of text whose collation is not known, case and spaces at the end count as nothing: close to what
/// most collations do, and no more than that. Whoever decides by it may find two values equal or
/// different that the server does not, and has to be right either way.
#[must_use]
pub fn index_form(column: &Column, value: &[u8]) -> Vec<u8> {
    match column.ty.family() {
        Family::Integer | Family::Decimal => number(value).to_vec(),
        Family::Text | Family::Enum | Family::Set => {
            let text = String::from_utf8_lossy(value);
            let mut out = Vec::new();
            let collation = column.collation.as_deref().unwrap_or("binary");
            if sort_key(collation, &text, &mut out).is_err() {
                out.clear();
                // No text of a known order begins like this.
                out.extend(*b"\xff?");
                out.extend(text.trim_end().to_lowercase().bytes());
            }
            out
        }
        Family::FloatingPoint
        | Family::Bit
        | Family::Bytes
        | Family::Address
        | Family::Year
        | Family::Date
        | Family::Time
        | Family::DateTime
        | Family::Timestamp
        | Family::Json
        | Family::Geometry
        | Family::Vector => value.to_vec(),
    }
}

/// Digits without what ZEROFILL puts before them.
fn number(text: &[u8]) -> &[u8] {
    let zeros = text.iter().take_while(|b| **b == b'0').count();
    match text.get(zeros) {
        Some(b'0'..=b'9') => text.get(zeros..).unwrap_or(text),
        _ => text.get(zeros.saturating_sub(1)..).unwrap_or(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(ty: &str, collation: Option<&str>, value: &str) -> Vec<u8> {
        let column = json!({"name": "c", "type": ty, "nullable": true, "collation": collation});
        index_form(&serde_json::from_value(column).unwrap(), value.as_bytes())
    }

    #[test]
    fn ok_values_are_equal_where_an_index_has_them_equal() {
        for (ty, collation, a, b, equal) in [
            ("int(5) unsigned zerofill", None, "00042", "42", true),
            ("int", None, "0", "000", true),
            ("int", None, "-4", "4", false),
            ("decimal(5,2)", None, "0.50", "00.50", true),
            ("varchar(9)", Some("utf8mb4_general_ci"), "Zoë ", "ZOE", true),
            ("varchar(9)", Some("utf8mb4_0900_ai_ci"), "a ", "a", false),
            ("varchar(9)", Some("utf8mb4_bin"), "a", "A", false),
            ("varchar(9)", Some("utf8mb4_tr_0900_ai_ci"), "a", "A", true),
            ("varbinary(9)", None, "a", "a ", false),
        ] {
            assert_eq!(form(ty, collation, a) == form(ty, collation, b), equal, "{ty} {a} {b}");
        }
    }
}
