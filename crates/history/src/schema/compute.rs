//! Values of generated columns, and of defaults that are expressions: computed where every server
//! gives the same.
//!
//! That is sums, differences and products of exact numbers, CONCAT, COALESCE and IFNULL of columns
//! and literals; of all else the value is not known. The log of MariaDB 11.8 leaves generated
//! columns out of the rows of UPDATE and DELETE, and an ALTER TABLE that adds one logs no row at
//! all.

#![expect(clippy::wildcard_enum_match_arm, reason = "forms and types that are not named are not computed")]

mod kind;

use super::convert::{self, By, STRICT};
use super::table::Full;
use crate::number::is_zero;
use dbtrail_expression::{
    Budget, Coercibility, Collated, Decimal, Error, EvaluationSettings, ExprType, Limits, Node, Scope, Type,
    Typed, Value, compile, known_collation,
};
use dbtrail_types::column::{Column, ColumnType, IntSize};
use dbtrail_types::result_set::Cell;
use kind::{Of, kind};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

/// The collation of literals. Nothing that is computed here depends on it.
const LITERALS: &str = "utf8mb4_general_ci";
/// A value is computed for each row that is shown.
const MILLISECONDS: u64 = 20;
const BYTES: u64 = 1 << 20;

/// An expression that can be computed, and the type of what comes out.
#[derive(Clone, Debug)]
pub(super) struct Computation {
    node: Node,
    ty: ColumnType,
    /// Positions of the columns that it uses.
    uses: Vec<usize>,
}

/// The computation of the generated column at a position; `None`: it has none that is known.
pub(super) fn of(full: &Full, at: usize) -> Option<Computation> {
    let text = full.columns.get(at)?.generated.as_deref()?;
    let text = text.strip_suffix(" VIRTUAL").or_else(|| text.strip_suffix(" STORED")).unwrap_or(text);
    read(text, full)
}

/// The value of a default that is an expression without columns, in its column; `None`: not known.
pub(super) fn constant(text: &str, column: &Column) -> Option<Cell> {
    read(text, &Full::default())?.value(|_| None, column)
}

fn read(text: &str, full: &Full) -> Option<Computation> {
    let parsed = Parser::new(&MySqlDialect {}).try_with_sql(text).ok()?;
    let mut parsed = parsed;
    let expression = parsed.parse_expr().ok()?;
    if parsed.peek_token().token != sqlparser::tokenizer::Token::EOF {
        return None;
    }
    let names = Names(full);
    let kind = kind(&expression, &names)?;
    let node = compile(&expression, &names).ok()?.node;
    let uses = names_in(&node, full.columns.len());
    let ty = match kind {
        Of::Integer { .. } => {
            ColumnType::Int { size: IntSize::Big, unsigned: false, zerofill: false, display_width: None }
        }
        Of::Decimal => ColumnType::Decimal { precision: 65, scale: 30, unsigned: false, zerofill: false },
        Of::Text => ColumnType::VarChar { chars: u32::MAX },
        Of::Null => ColumnType::VarChar { chars: 0 },
    };
    Some(Computation { node, ty, uses })
}

/// Positions of the columns that a node names: by its own words, since it is made for computing.
fn names_in(node: &Node, count: usize) -> Vec<usize> {
    let text = format!("{node:?}");
    (0..count).filter(|at| text.contains(&format!("Column({at})"))).collect()
}

/// The columns of a table as names in an expression.
struct Names<'a>(&'a Full);

impl Scope for Names<'_> {
    fn settings(&self) -> EvaluationSettings {
        EvaluationSettings {
            collation: LITERALS,
            no_backslash_escapes: false,
            no_unsigned_subtraction: false,
            strict: true,
            pipes_as_concat: false,
        }
    }

    fn column(&self, qualifier: Option<&str>, name: &str) -> Result<Typed, Error> {
        let unknown = || Error::UnknownColumn(name.to_owned());
        let at = self.0.position(name).filter(|_| qualifier.is_none()).ok_or_else(unknown)?;
        let column = self.0.columns.get(at).map(|c| &c.column).ok_or_else(unknown)?;
        let kind = match &column.ty {
            ColumnType::Int { size, unsigned, .. } => {
                let digits = u32::from(size.digits(*unsigned));
                ExprType::Int { width: digits + u32::from(!unsigned), unsigned: *unsigned }
            }
            ColumnType::Decimal { precision, scale, .. } => {
                ExprType::Decimal { precision: u32::from(*precision), scale: *scale }
            }
            ColumnType::Char { chars } | ColumnType::VarChar { chars } => {
                text(column, *chars).ok_or_else(unknown)?
            }
            ColumnType::Text { .. } => text(column, 65_535).ok_or_else(unknown)?,
            _ => return Err(unknown()),
        };
        Ok(Typed { node: Node::Column(at), ty: Type::new(kind, column.nullable) })
    }

    fn user_variable(&self, _name: &str) -> Result<Typed, Error> {
        Ok(Typed::null())
    }

    fn system_variable(&self, _scope: &str, name: &str) -> Result<Typed, Error> {
        Err(Error::UnknownColumn(name.to_owned()))
    }

    fn function(&self, _name: &str, _arguments: &[Typed]) -> Option<Result<Typed, Error>> {
        None
    }
}

fn text(column: &Column, chars: u32) -> Option<ExprType> {
    let name = known_collation(column.collation.as_deref()?)?;
    Some(ExprType::Text { chars, collated: Collated { name, coercibility: Coercibility::Implicit } })
}

impl Computation {
    /// The value in a column, of a row whose cells are known by their place (`None`: not known);
    /// `None`: not known.
    pub(super) fn value<'a>(
        &self,
        cell: impl Fn(usize) -> Option<(&'a Column, Option<&'a [u8]>)>,
        column: &Column,
    ) -> Option<Cell> {
        let last = self.uses.last().map_or(0, |at| at + 1);
        let mut row = vec![Value::Null; last];
        for at in &self.uses {
            let (column, bytes) = cell(*at)?;
            *row.get_mut(*at)? = bytes.map_or(Some(Value::Null), |bytes| given(column, bytes))?;
        }
        let mut budget = Budget::new(Limits::new(MILLISECONDS, MILLISECONDS, BYTES));
        let value = self.node.value(&row, &[], &mut budget).ok()?;
        let Some(text) = value.text() else { return column.nullable.then_some(None) };
        // A sum that is zero has lost its decimals in MariaDB: as text it is `0`, and not `0.00`.
        let number = matches!(
            column.ty,
            ColumnType::Int { .. }
                | ColumnType::Decimal { .. }
                | ColumnType::Float { .. }
                | ColumnType::Double { .. }
        );
        if matches!(self.ty, ColumnType::Decimal { .. }) && is_zero(text.as_bytes()) && !number {
            return None;
        }
        let made = Column {
            ty: self.ty.clone(),
            collation: matches!(self.ty, ColumnType::VarChar { .. }).then(|| LITERALS.to_owned()),
            ..column.clone()
        };
        let kept = convert::convert(
            text.as_bytes(),
            &made,
            column,
            By::Server { mariadb: true, mode: Some(STRICT), steps: false },
        )?;
        // A number that is cut makes a strict session fail, and another one warns.
        let exact = !matches!(column.ty, ColumnType::Int { .. }) || !text.contains('.');
        exact.then_some(Some(kept))
    }
}

/// A cell as a value.
fn given(column: &Column, bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    match column.ty {
        ColumnType::Int { .. } => text.parse().ok().map(Value::Int),
        ColumnType::Decimal { scale, .. } => {
            let unscaled = text.replacen('.', "", 1).parse().ok()?;
            Some(Value::Decimal(Decimal { unscaled, scale }))
        }
        _ => Some(Value::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::super::Effect;
    use super::super::UnknownCell;
    use crate::image::Image;
    use crate::log::{LoggedStatement, ServerVersion};
    use dbtrail_types::result_set::Cell;
    use dbtrail_types::timestamp::Timestamp;

    const SERVER: ServerVersion = ServerVersion { mariadb: true, number: (11, 8), patch: 9 };

    /// The generated column of a row that holds none.
    fn computed(column: &str, a: Option<&str>, b: Option<&str>) -> Result<Cell, UnknownCell> {
        let mut catalog = Catalog::default();
        let sql = format!(
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(20), u INT UNSIGNED, d DECIMAL(6,2), g {column}) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
        );
        let plain = LoggedStatement::plain(&sql, SERVER, Timestamp::from_micros(0));
        let effects =
            catalog.apply(&LoggedStatement { schema: Some("s".to_owned()), sql_mode: Some(0), ..plain });
        let [Effect::Created(_, id)] = effects.as_slice() else { panic!("{effects:?}") };
        let cell = |text: Option<&str>| Ok(text.map(|t| t.as_bytes().to_vec()));
        let row = [cell(Some("7")), cell(a), cell(b), cell(Some("3")), cell(Some("-1.50")), Err("left out")];
        catalog.unpack(*id, &Image::pack_known(&row)).pop().unwrap()
    }

    /// The values are those of MySQL 9.7 and MariaDB 11.8.
    #[test]
    fn what_all_servers_compute_alike_is_computed() {
        let text = |t: &str| Ok(Some(t.as_bytes().to_vec()));
        for (column, a, b, want) in [
            ("INT AS (a + 1) VIRTUAL", Some("4"), None, text("5")),
            ("INT AS (a + 1) STORED", None, None, Ok(None)),
            ("BIGINT AS (`id` * a - 2) PERSISTENT", Some("-4"), None, text("-30")),
            ("DECIMAL(10,4) AS (d * 2) VIRTUAL", None, None, text("-3.0000")),
            ("DECIMAL(10,2) AS (d + a) STORED", Some("2"), None, text("0.50")),
            ("VARCHAR(40) AS (CONCAT(b, '-', a)) VIRTUAL", Some("2"), Some("grün"), text("grün-2")),
            ("VARCHAR(40) AS (CONCAT(b, 'it''s')) VIRTUAL", None, None, Ok(None)),
            ("VARCHAR(40) AS (COALESCE(b, 'none')) VIRTUAL", None, None, text("none")),
            ("INT UNSIGNED AS (u + 1) VIRTUAL", None, None, text("4")),
        ] {
            assert_eq!(computed(column, a, b), want, "{column}");
        }
    }

    /// `d` is -1.50: MariaDB 11.8 keeps the text `0`, where other values have two decimals.
    #[test]
    fn a_sum_that_is_zero_is_not_made_a_text() {
        let text = |t: &str| Ok(Some(t.as_bytes().to_vec()));
        assert_eq!(computed("VARCHAR(20) AS (d + a) STORED", Some("2"), None), text("0.50"));
        assert_eq!(computed("DECIMAL(6,2) AS (d + 1.50) STORED", None, None), text("0.00"));
        assert!(computed("VARCHAR(20) AS (d + 1.50) STORED", None, None).is_err());
    }

    #[test]
    fn what_is_not_certain_is_not_computed() {
        for column in [
            "INT AS (a / 2) VIRTUAL",
            "INT AS (u - a) VIRTUAL",
            "TINYINT AS (a * 100) VIRTUAL",
            "INT AS (d * 2) VIRTUAL",
            "VARCHAR(40) AS (UPPER(b)) VIRTUAL",
            "VARCHAR(2) AS (CONCAT(b, b)) VIRTUAL",
            "INT AS (IF(a > 1, 1, 2)) VIRTUAL",
            "INT AS (RAND()) VIRTUAL",
            "DOUBLE AS (a * 1.5e0) VIRTUAL",
        ] {
            assert!(computed(column, Some("4"), Some("ab")).is_err(), "{column}");
        }
    }
}
