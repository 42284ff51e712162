//! A column that becomes AUTO_INCREMENT.

use super::recorded_steps::{KINDS, recorded};

/// Zeros in a column that becomes AUTO_INCREMENT: where it is one of the key, and there are such
/// rows, the table begins again.
#[test]
fn rows_get_numbers_that_are_not_logged() {
    for kind in KINDS {
        let recorded = recorded(kind, "numbered").expect("it is recorded for all servers");
        let (right, refused) = recorded.answers();
        let of = |table: &str| refused.iter().filter(|(name, _)| name == table).collect::<Vec<_>>();
        assert!(right > 100, "{kind}: {right} right, {refused:#?}");
        for table in ["kept", "w"] {
            assert!(of(table).is_empty(), "{kind}: {refused:#?}");
        }
        for table in ["y", "z"] {
            assert!(!of(table).is_empty(), "{kind}, {table}: {refused:#?}");
            assert!(of(table).iter().all(|(_, why)| why.contains("AUTO_INCREMENT")), "{kind}: {refused:#?}");
        }
    }
}
