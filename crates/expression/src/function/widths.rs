//! How wide the results of functions of text are.

use super::known;
use crate::call::Function;
use crate::collation::{Coercibility, Collated, charset_of};
use crate::like::Letters;
use crate::typed::Typed;
use crate::types::ExprType;
use crate::value::Value;

/// Characters up to which mysqld declares VARCHAR.
pub(super) const LONGEST_VARCHAR: u32 = 16_383;

/// Whether a text of so many characters is a VARCHAR.
pub(super) fn is_short(chars: u32) -> bool {
    chars <= LONGEST_VARCHAR
}

/// Whether it is as long as a LONGTEXT of `information_schema`, which what is made of it stays.
pub(super) fn is_long(chars: u32) -> bool {
    chars == u32::MAX
}

/// The declared characters of LEFT and RIGHT.
pub(super) fn cut(chars: u32, length: &Typed) -> Option<u32> {
    match (&length.ty.kind, known(length)) {
        (ExprType::Int { .. }, Some(Value::Int(n))) => {
            Some(chars.min(u32::try_from(n.max(0)).unwrap_or(u32::MAX)))
        }
        (_, Some(Value::Null)) | (ExprType::Int { .. }, None) => Some(chars),
        _ => None,
    }
}

/// The declared characters of SUBSTRING.
pub(super) fn substring(chars: u32, from: &Typed, length: Option<&Typed>) -> Option<u32> {
    let mut most = i128::from(chars);
    if let Some(Value::Int(from)) = known(from) {
        most = match from {
            0 => 0,
            ..0 if -from > most => 0,
            ..0 => -from,
            _ => (most - (from - 1)).max(0),
        };
    }
    if let Some(Value::Int(length)) = length.and_then(known) {
        most = most.min(length.max(0));
    }
    let integer = |t: &Typed| matches!(t.ty.kind, ExprType::Int { .. }) || known(t) == Some(Value::Null);
    (integer(from) && length.is_none_or(integer)).then(|| u32::try_from(most).unwrap_or(u32::MAX))
}

/// The collation of a text that a function made: that of numbers holds as a literal's does.
pub(super) fn weakest(collated: Collated) -> Collated {
    Collated { coercibility: collated.coercibility.min(Coercibility::Literal), ..collated }
}

/// UPPER and LOWER where the collation's letters are known; of columns of `information_schema` also
/// outside of ASCII.
pub(super) fn cased(upper: bool, collated: Collated) -> Option<Function> {
    let of_names = charset_of(collated.name) == "utf8mb3" && collated.coercibility == Coercibility::Implicit;
    match (Letters::of(collated.name), upper) {
        (None, _) => None,
        (Some(_), true) if of_names => Some(Function::UpperWide),
        (Some(_), false) if of_names => Some(Function::LowerWide),
        (Some(_), true) => Some(Function::Upper),
        (Some(_), false) => Some(Function::Lower),
    }
}
