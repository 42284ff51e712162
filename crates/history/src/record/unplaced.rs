//! Rows whose key has no known position among the others: a text with a character that this
//! program cannot compare.
//!
//! How the key of such a row begins is known, and every key that is equal to it begins so too. What
//! begins otherwise is answered.

use super::TableGeneration;
use serde::{Deserialize, Serialize};

/// Of how many such keys the beginnings are kept, each for all that begin with it; with more, no
/// key of the table is answered.
const MOST: usize = 64;

/// How some keys without a known position begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnplacedKeys {
    prefix: Vec<u8>,
    /// Why their position is not known, of one of them.
    pub reason: String,
}

impl UnplacedKeys {
    /// How they begin.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }
}

impl TableGeneration {
    /// A row is written whose key has no known position: `prefix` is how it begins.
    pub(crate) fn unplace(&mut self, prefix: &[u8], reason: &str) {
        if self.unfindable.is_some() || self.unplaced.iter().any(|known| prefix.starts_with(&known.prefix)) {
            return;
        }
        self.unplaced.retain(|known| !known.prefix.starts_with(prefix));
        self.unplaced.push(UnplacedKeys { prefix: prefix.to_vec(), reason: reason.to_owned() });
        if prefix.is_empty() || self.unplaced.len() > MOST {
            self.unplaced.clear();
            self.unfindable = Some(reason.to_owned());
        }
    }

    /// Why some rows of it cannot be found by key, or all.
    #[must_use]
    pub fn not_found_by_key(&self) -> Option<&str> {
        let some = || self.unplaced.first().map(|keys| keys.reason.as_str());
        self.unfindable.as_deref().or_else(some)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DefinitionId, TableGeneration};
    use super::{MOST, UnplacedKeys};
    use crate::store::ChangeSequence;

    #[test]
    fn beginnings_are_kept_once_and_not_without_bound() {
        let mut generation = TableGeneration::new(DefinitionId(1), ChangeSequence(1), true);
        for prefix in ["abc", "abd", "abc", "abcd", "x"] {
            generation.unplace(prefix.as_bytes(), prefix);
        }
        generation.unplace(b"ab", "ab");
        let kept: Vec<_> = generation.unplaced.iter().map(UnplacedKeys::prefix).collect();
        assert_eq!((kept, &generation.unfindable), (vec![&b"x"[..], b"ab"], &None));
        assert_eq!(generation.not_found_by_key(), Some("x"));

        for n in 0..MOST {
            generation.unplace(format!("y{n:03}").as_bytes(), "many");
        }
        assert_eq!((generation.unplaced.len(), generation.unfindable.as_deref()), (0, Some("many")));

        let mut generation = TableGeneration::new(DefinitionId(1), ChangeSequence(1), true);
        generation.unplace(b"a", "a");
        generation.unplace(b"", "any");
        assert_eq!((generation.unplaced.len(), generation.not_found_by_key()), (0, Some("any")));
    }
}
