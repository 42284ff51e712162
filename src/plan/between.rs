//! The ends of BETWEEN, where servers take them for one value.

use super::literal::refuse;
use crate::failure::Failure;
use dbtrail_types::agent_api::Octets;
use dbtrail_types::collation;
use dbtrail_types::column::Column;

/// Refuses ends that differ and that some collation of a connection takes for the same text: where
/// the column has an index, MariaDB (seen: 10.11, 11.8; `findings/mariadb-between-equal-ends.sh`)
/// then looks for the first one alone, whatever the collation of the column says; MySQL does not.
pub(super) fn check(column: &Column, low: &Octets, high: &Octets) -> Result<(), Failure> {
    if !column.ty.is_text() || low == high {
        return Ok(());
    }
    let (Ok(low), Ok(high)) = (std::str::from_utf8(&low.0), std::str::from_utf8(&high.0)) else {
        return Ok(());
    };
    if COLLATIONS.iter().any(|name| folded(name, low) == folded(name, high)) {
        return Err(refuse(
            column,
            "MariaDB takes BETWEEN of two texts for = where they are equal in the collation of its connection, and MySQL does not: write it with >= and <=",
        ));
    }
    Ok(())
}

/// Those that tell the fewest texts from each other.
const COLLATIONS: [&str; 2] = ["utf8mb4_0900_ai_ci", "utf8mb4_general_ci"];

/// What a text is to a collation that passes over spaces at its end and over control characters.
fn folded(name: &str, text: &str) -> Vec<u8> {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    let plain = plain.trim_end();
    let mut key = Vec::new();
    match collation::sort_key(name, plain, &mut key) {
        Ok(()) => key,
        // Of characters without a known weight.
        Err(_) => plain.to_lowercase().into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_that_some_collation_takes_for_one_are_refused() {
        let column = |ty: &str| -> Column {
            let text =
                format!(r#"{{"name": "c", "type": "{ty}", "nullable": false, "collation": "utf8mb4_bin"}}"#);
            serde_json::from_str(&text).unwrap()
        };
        for (low, high, is_clear) in [
            ("a", "a", true),
            ("a", "b", true),
            ("", "a", true),
            ("", " ", false),
            ("A", "Z", true),
            ("A", "a", false),
            ("a", "a ", false),
            ("a", "a\t", false),
            ("a", "a\0", false),
            ("resume", "résumé", false),
            ("日", "本", true),
        ] {
            let ends = (Octets(low.into()), Octets(high.into()));
            assert_eq!(check(&column("varchar(10)"), &ends.0, &ends.1).is_ok(), is_clear, "{low:?} {high:?}");
            assert!(check(&column("varbinary(10)"), &ends.0, &ends.1).is_ok());
        }
    }
}
