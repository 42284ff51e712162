//! As what COUNT, MIN, MAX and SUM are declared, and of which types their values are certainly
//! MySQL's.

#![expect(clippy::wildcard_enum_match_arm, reason = "types that are not named are not added")]

use dbtrail_types::collation;
use dbtrail_types::column::{Column, ColumnType, Family, IntSize};
use dbtrail_types::zone::Zone;

/// Digits that SUM has more than its column.
const MORE_DIGITS: u8 = 22;
/// Digits that a DECIMAL has at most.
const MOST_DIGITS: u8 = 65;
/// Characters of text beyond which mysqld declares MIN and MAX as another type.
const LONGEST_TEXT: u32 = 16_383;

/// Whether values of a column that are the same, and no others, are equal; of text that is looked
/// at value by value.
pub(super) fn groups_exactly(column: &Column, zone: &Zone) -> bool {
    match column.ty.family() {
        Family::Integer
        | Family::Decimal
        | Family::Bit
        | Family::Year
        | Family::Date
        | Family::Time
        | Family::DateTime
        | Family::Bytes
        | Family::Enum
        | Family::Set
        | Family::Address => true,
        Family::Text => column.collation.is_some(),
        Family::Timestamp => zone.is_fixed(),
        Family::FloatingPoint | Family::Json | Family::Geometry | Family::Vector => false,
    }
}

/// What COUNT is declared as.
pub(super) fn count() -> ColumnType {
    ColumnType::Int { size: IntSize::Big, unsigned: false, zerofill: false, display_width: Some(21) }
}

/// What MIN and MAX of a column are declared as, where its order is known.
pub(super) fn extreme(column: &Column, zone: &Zone) -> Result<ColumnType, &'static str> {
    let unordered = "how MySQL orders its values is not known here";
    match &column.ty {
        ColumnType::Int { size, unsigned, .. } => {
            Ok(ColumnType::Int { size: *size, unsigned: *unsigned, zerofill: false, display_width: None })
        }
        &ColumnType::Decimal { precision, scale, unsigned, .. } => {
            Ok(ColumnType::Decimal { precision, scale, unsigned, zerofill: false })
        }
        ty @ (ColumnType::Float { zerofill: false, .. }
        | ColumnType::Double { zerofill: false, .. }
        | ColumnType::Year
        | ColumnType::Date
        | ColumnType::Time { .. }
        | ColumnType::DateTime { .. }
        | ColumnType::Binary { .. }
        | ColumnType::VarBinary { .. }) => Ok(ty.clone()),
        ty @ ColumnType::Timestamp { .. } if zone.is_fixed() => Ok(ty.clone()),
        ColumnType::Timestamp { .. } => {
            Err("where clocks change, local times are not in order: SET time_zone = '+00:00' first")
        }
        ty @ (ColumnType::Char { chars } | ColumnType::VarChar { chars }) if *chars <= LONGEST_TEXT => {
            let name = column.collation.as_deref().unwrap_or_default();
            collation::sort_key(name, "", &mut Vec::new()).map_err(|_| unordered)?;
            Ok(ty.clone())
        }
        _ => Err(unordered),
    }
}

/// What SUM of a column is declared as, where it is exact.
pub(super) fn sum(ty: &ColumnType) -> Option<ColumnType> {
    let (digits, scale) = match ty {
        ColumnType::Int { size, unsigned, .. } => (size.digits(*unsigned), 0),
        ColumnType::Decimal { precision, scale, .. } => (*precision, *scale),
        ColumnType::Year => (4, 0),
        _ => return None,
    };
    let precision = digits.saturating_add(MORE_DIGITS).min(MOST_DIGITS);
    Some(ColumnType::Decimal { precision, scale, unsigned: false, zerofill: false })
}
