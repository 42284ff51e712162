//! Conversions: COLLATE, CAST, CONVERT ... USING, introducers.

use super::{Compiler, LONGEST_BYTES};
use crate::cast::Cast;
use crate::collation::{Coercibility, Collated, charset_of, known_collation};
use crate::error::{Error, refused};
use crate::literal;
use crate::node::Node;
use crate::typed::Typed;
use crate::types::{ExprType, Type};
use crate::value::Value;
use sqlparser::ast::{CharacterLength, DataType, Expr, Value as Literal};

/// `CAST(text AS BINARY)`, `BINARY text`: the bytes of a text are those of UTF-8 here.
fn bytes(value: &Typed) -> Option<Typed> {
    let ExprType::Text { chars, collated } = &value.ty.kind else { return None };
    let charset = charset_of(collated.name);
    let ascii = matches!(&value.node, Node::Constant(Value::Text(text)) if text.is_ascii());
    let most = match charset {
        "utf8mb4" => 4,
        "utf8mb3" => 3,
        "latin1" | "ascii" if ascii => 1,
        _ => return None,
    };
    // Longer ones are of another type.
    let bytes = chars.checked_mul(most).filter(|bytes| *bytes <= LONGEST_BYTES)?;
    let collated = Collated { name: "binary", coercibility: Coercibility::Implicit };
    let ty = Type::new(ExprType::Text { chars: bytes, collated }, true);
    Some(Typed { node: Node::Cast(Cast::Text, Box::new(value.node.clone())), ty })
}

impl Compiler<'_> {
    /// `_utf8mb4'...'`.
    pub(super) fn introduced(&self, prefix: &str, value: &Expr) -> Option<Typed> {
        let name = match prefix.to_lowercase().as_str() {
            "_utf8mb4" => "utf8mb4_0900_ai_ci",
            "_utf8" | "_utf8mb3" | "n" => "utf8mb3_general_ci",
            "_latin1" => "latin1_swedish_ci",
            _ => return None,
        };
        let Expr::Value(value) = value else { return None };
        let (Literal::SingleQuotedString(text) | Literal::DoubleQuotedString(text)) = &value.value else {
            return None;
        };
        // The bytes of another character set than the connection's are other characters.
        if !text.is_ascii() && name != "utf8mb4_0900_ai_ci" {
            return None;
        }
        literal::of_text(text, Collated { name, coercibility: Coercibility::Literal }, &self.settings)
    }

    pub(super) fn collate(&self, value: &Typed, name: &str, expression: &Expr) -> Result<Typed, Error> {
        let name = known_collation(name).ok_or_else(|| Error::UnknownCollation(name.to_lowercase()))?;
        let (own, chars) = match &value.ty.kind {
            ExprType::Text { collated, chars } => (collated.name, *chars),
            ExprType::Int { .. } | ExprType::Decimal { .. } | ExprType::Double { .. } => {
                (self.settings.collation, value.ty.kind.chars())
            }
            ExprType::Null => ("binary", 0),
            ExprType::Date | ExprType::Time { .. } | ExprType::DateTime { .. } => {
                return Err(refused(expression));
            }
        };
        if charset_of(own) != charset_of(name) {
            return Err(Error::CollationMismatch(name.to_owned(), charset_of(own).to_owned()));
        }
        let collated = Collated { name, coercibility: Coercibility::Explicit };
        let node = Node::Cast(Cast::Text, Box::new(value.node.clone()));
        Ok(Typed { node, ty: self.text(ExprType::Text { chars, collated }, value.ty.nullable) })
    }

    /// The type of a text that was converted.
    pub(super) fn text(&self, kind: ExprType, nullable: bool) -> Type {
        Type::new(kind, nullable || self.settings.strict)
    }

    /// CAST where nothing is cut, rounded or guessed.
    pub(super) fn cast(&self, value: &Typed, to: &DataType) -> Option<Typed> {
        let nullable = value.ty.nullable;
        let of = |cast, kind, nullable| {
            Some(Typed {
                node: Node::Cast(cast, Box::new(value.node.clone())),
                ty: Type::new(kind, nullable),
            })
        };
        if *to == DataType::Binary(None) {
            return bytes(value);
        }
        let collated = Collated { name: self.settings.collation, coercibility: Coercibility::Implicit };
        if let ExprType::Text { collated: own, .. } = &value.ty.kind
            && own.name != "binary"
            && !(charset_of(own.name).starts_with("utf8") && charset_of(collated.name) == "utf8mb4")
            && charset_of(own.name) != charset_of(collated.name)
        {
            return None;
        }
        match to {
            DataType::Char(None) => {
                // The text of bytes is as long as there are bytes.
                let bytes =
                    matches!(&value.ty.kind, ExprType::Text { collated, .. } if collated.name == "binary");
                let chars = value.ty.kind.chars();
                (!bytes)
                    .then(|| {
                        of(Cast::Text, ExprType::Text { chars, collated }, nullable || self.settings.strict)
                    })
                    .flatten()
            }
            DataType::Char(Some(CharacterLength::IntegerLength { length, unit: None })) => {
                let chars = u32::try_from(*length).ok().filter(|_| !value.ty.kind.is_special())?;
                of(Cast::Chars(chars), ExprType::Text { chars, collated }, nullable || self.settings.strict)
            }
            _ if value.ty.kind.is_special() => None,
            DataType::Signed | DataType::SignedInteger => {
                of(Cast::Signed, ExprType::Int { width: 21, unsigned: false }, nullable)
            }
            DataType::Unsigned | DataType::UnsignedInteger => {
                of(Cast::Unsigned, ExprType::Int { width: 21, unsigned: true }, nullable)
            }
            _ => None,
        }
    }

    /// CONVERT(... USING charset).
    pub(super) fn using(&self, value: Typed, charset: &str) -> Option<Typed> {
        let name = match charset {
            "utf8mb4" => "utf8mb4_0900_ai_ci",
            _ => return None,
        };
        if value.ty.kind.is_special() || value.ty.kind == ExprType::Null || value.ty.kind.chars() > 16_383 {
            return None;
        }
        if matches!(&value.ty.kind, ExprType::Text { collated, .. } if collated.name == "binary") {
            return None;
        }
        let collated = Collated { name, coercibility: Coercibility::Implicit };
        let kind = ExprType::Text { chars: value.ty.kind.chars(), collated };
        let ty = self.text(kind, value.ty.nullable);
        Some(Typed { node: Node::Cast(Cast::Text, Box::new(value.node)), ty })
    }
}
