//! Conditions on ENUM columns: a server compares labels with a string as text, so that a condition
//! is a choice of labels.

use super::key_value::{Condition, characters};
use super::keys::Predicate;
use super::literal::{Literal, literal, refuse, shortened};
use crate::failure::Failure;
use dbtrail_expression::{Budget, Letters, Limits, like};
use dbtrail_types::agent_api::{Filter, Octets, Relation};
use dbtrail_types::collation;
use dbtrail_types::column::{Column, ColumnType};
use sqlparser::ast::Expr;
use std::cmp::Ordering;

/// The labels of a column, and the text of a value that was none of them when it was stored.
fn texts(column: &Column) -> Option<Vec<&str>> {
    let ColumnType::Enum { labels } = &column.ty else { return None };
    Some(labels.iter().map(String::as_str).chain([""]).collect())
}

fn among(column: &Column, labels: Vec<&str>) -> Filter {
    let values = labels.into_iter().map(|label| Octets(label.as_bytes().to_vec())).collect();
    Filter::In { column: column.name.clone(), values }
}

impl Predicate<'_> {
    /// A comparison with a literal; `None`: the column is no ENUM, or the literal no string.
    pub(super) fn labels(
        &self,
        column: &Column,
        is: Relation,
        written: &Expr,
    ) -> Result<Option<Filter>, Failure> {
        let Some(texts) = texts(column) else { return Ok(None) };
        let Ok(Literal::Text(text, charset)) = literal(written, column, self.reader.charsets) else {
            return Ok(None);
        };
        let text = characters(text, charset, column, Condition::Equality)?;
        let among = among(column, chosen(column, texts, is, &text)?);
        // NULL is not one of them, for certain.
        let same = is == Relation::Same;
        let there = || Filter::Not(Box::new(Filter::IsNull(column.name.clone())));
        Ok(Some(if same { Filter::And(vec![there(), among]) } else { among }))
    }
}

/// The labels that are so to a text. A server takes the text for the first label that is equal to
/// it: another one that is, too, it does not find.
fn chosen<'a>(
    column: &Column,
    texts: Vec<&'a str>,
    is: Relation,
    text: &str,
) -> Result<Vec<&'a str>, Failure> {
    let (mut chosen, mut equal) = (Vec::new(), Vec::new());
    for label in texts {
        let order = order(column, label, text)?;
        if order == Ordering::Equal && !equal.contains(&label) {
            equal.push(label);
        }
        if is.holds(order) {
            chosen.push(label);
        }
    }
    match equal.as_slice() {
        [one, other, ..] if is.is_of_equality() => Err(refuse(
            column,
            &format!("its labels '{}' and '{}' are equal in its collation", shortened(one), shortened(other)),
        )),
        _ => Ok(chosen),
    }
}

/// LIKE; `None`: the column is no ENUM.
pub(super) fn labels_like(
    column: &Column,
    pattern: &str,
    escape: Option<char>,
) -> Result<Option<Filter>, Failure> {
    let Some(texts) = texts(column) else { return Ok(None) };
    let unclear = || refuse(column, "which letters are alike in its collation is not known for LIKE");
    let letters = column.collation.as_deref().and_then(Letters::of).ok_or_else(unclear)?;
    let mut chosen = Vec::new();
    for label in texts {
        let mut budget = Budget::new(Limits::default());
        if like(label, pattern, letters, escape, &mut budget).map_err(|_| unclear())? {
            chosen.push(label);
        }
    }
    Ok(Some(among(column, chosen)))
}

/// How a label is to a text in the collation of the column.
fn order(column: &Column, label: &str, text: &str) -> Result<Ordering, Failure> {
    if label == text {
        return Ok(Ordering::Equal);
    }
    let name = column.collation.as_deref().unwrap_or_default();
    let weights = |text: &str| {
        let mut weights = Vec::new();
        collation::sort_key(name, text, &mut weights)
            .map(|()| weights)
            .map_err(|why| refuse(column, &format!("how its labels compare is not known ({why})")))
    };
    Ok(weights(label)?.cmp(&weights(text)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(collation: &str, is: Relation, text: &str) -> Result<Vec<String>, String> {
        let ty = "enum('a','B','ä')".parse().unwrap();
        let column = Column::new("k".to_owned(), ty, Some(collation.to_owned()), false);
        let chosen = chosen(&column, texts(&column).unwrap(), is, text);
        chosen.map(|all| all.into_iter().map(str::to_owned).collect()).map_err(|e| format!("{e:?}"))
    }

    /// MySQL 9.7 and MariaDB 11.8 find rows with 'a' alone for `k = 'ä'`.
    #[test]
    fn a_text_that_is_equal_to_two_labels_is_refused() {
        for is in [Relation::Equal, Relation::Same, Relation::Different] {
            for text in ["a", "ä", "Ä"] {
                let refused = of("utf8mb4_0900_ai_ci", is, text).unwrap_err();
                assert!(refused.contains("'a' and 'ä' are equal"), "{refused}");
            }
        }
        let found = |labels: &[&str]| Ok(labels.iter().map(ToString::to_string).collect());
        assert_eq!(of("utf8mb4_0900_ai_ci", Relation::Equal, "b"), found(&["B"]));
        assert_eq!(of("utf8mb4_bin", Relation::Equal, "ä"), found(&["ä"]));
        assert_eq!(of("utf8mb4_0900_ai_ci", Relation::Greater, "a"), found(&["B"]));
    }
}
