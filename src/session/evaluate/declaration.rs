//! What a value is declared as: in a result, in a user variable, as a parameter.

use super::{NULL_VARIABLE, bytes_of_null};
use dbtrail_expression::{Coercibility, Collated, ExprType, Type, Typed, Value};
use dbtrail_types::column::{Column, ColumnType, IntSize};

/// The type that a user variable has once a value was assigned to it.
pub(in crate::session) fn of_variable(value: Value, ty: &Type) -> Typed {
    let kind = match (&value, ty.kind) {
        (Value::Null, _) => return bytes_of_null(NULL_VARIABLE),
        (_, ExprType::Int { unsigned, .. }) => ExprType::Int { width: 21, unsigned },
        (_, ExprType::Decimal { .. }) => ExprType::Decimal { precision: 65, scale: 30 },
        (_, ExprType::Double { .. }) => ExprType::Double { width: 23, decimals: 31 },
        (_, ExprType::Text { collated, .. }) => text_variable(collated.name),
        (_, ExprType::Null | ExprType::Date | ExprType::Time { .. } | ExprType::DateTime { .. }) => {
            text_variable("utf8mb4_0900_ai_ci")
        }
    };
    Typed::constant(value, Type::new(kind, true))
}

fn text_variable(collation: &'static str) -> ExprType {
    let collated = Collated { name: collation, coercibility: Coercibility::Implicit };
    ExprType::Text { chars: dbtrail_expression::variable_chars(collation), collated }
}

/// The type of a text as it is, in a statement or as a parameter.
pub(in crate::session) fn type_of(value: &Value) -> Type {
    let kind = match value {
        Value::Null => ExprType::Null,
        Value::Int(n) => {
            let unsigned = *n > i128::from(i64::MAX);
            let digits = n.unsigned_abs().to_string().len() + usize::from(!unsigned);
            ExprType::Int { width: u32::try_from(digits).unwrap_or(20), unsigned }
        }
        Value::Decimal(n) => {
            let digits = n.unscaled.unsigned_abs().to_string().len().max(usize::from(n.scale));
            ExprType::Decimal { precision: u32::try_from(digits).unwrap_or(65), scale: n.scale }
        }
        Value::Double(_) => ExprType::Double { width: 22, decimals: 31 },
        Value::Text(text) => {
            let collated = Collated { name: "utf8mb4_0900_ai_ci", coercibility: Coercibility::Literal };
            ExprType::Text { chars: u32::try_from(text.chars().count()).unwrap_or(u32::MAX), collated }
        }
    };
    Type::new(kind, value.is_null())
}

/// The declaration of a result column of a type.
pub(in crate::session) fn column(name: &str, ty: &Type) -> Column {
    let narrow = |n: u32| u8::try_from(n).unwrap_or(u8::MAX);
    let mut collation = None;
    let column = match ty.kind {
        ExprType::Null => ColumnType::VarBinary { bytes: 0 },
        ExprType::Int { width, unsigned } => {
            let display_width = Some(narrow(width));
            ColumnType::Int { size: IntSize::Big, unsigned, zerofill: false, display_width }
        }
        ExprType::Decimal { precision, scale } => {
            ColumnType::Decimal { precision: narrow(precision), scale, unsigned: false, zerofill: false }
        }
        ExprType::Double { width, decimals } => {
            let digits = Some((narrow(width), decimals));
            ColumnType::Double { digits, unsigned: false, zerofill: false }
        }
        ExprType::Text { chars, collated } if collated.name == "binary" => {
            ColumnType::VarBinary { bytes: chars }
        }
        ExprType::Text { chars, collated } => {
            collation = Some(collated.name.to_owned());
            ColumnType::VarChar { chars }
        }
        ExprType::Date => ColumnType::Date,
        ExprType::Time { fsp } => ColumnType::Time { fsp },
        ExprType::DateTime { fsp } => ColumnType::DateTime { fsp },
    };
    Column::new(name.to_owned(), column, collation, ty.nullable)
}

/// The declaration of a result column with this value, when nothing more is known of it.
pub(in crate::session) fn column_of(name: &str, value: &Value) -> Column {
    column(name, &type_of(value))
}

/// A value as a parameter of EXECUTE.
pub(in crate::session) fn parameter(value: &Value) -> crate::statement::Parameter {
    use crate::statement::Parameter;
    match value {
        Value::Null => Parameter::Null,
        Value::Int(n) => Parameter::Int(*n),
        Value::Double(n) => Parameter::Double(n.0),
        Value::Decimal(n) => Parameter::Decimal(n.to_string()),
        Value::Text(text) => Parameter::Text(text.as_ref().to_owned()),
    }
}
