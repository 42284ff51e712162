//! What one part of a predicate says of the key: values, rows of values, or a range.

use super::super::between;
use super::super::key_value::{Condition, KeyValue};
use super::super::literal::position_of;
use super::refusals::unclear;
use super::{Predicate, parameter};
use crate::failure::Failure;
use dbtrail_types::agent_api::Octets;
use dbtrail_types::column::ColumnType;
use sqlparser::ast::{BinaryOperator, Expr, InTarget};

/// How one part of the predicate binds key columns.
pub(in crate::plan) enum Bound {
    /// Tuples of values for these columns.
    Values(Vec<usize>, Vec<Vec<Octets>>),
    Range(usize, Octets, Octets),
}

impl Predicate<'_> {
    /// What a part binds; `Err`: the other column that it speaks of.
    pub(in crate::plan) fn bound(&self, part: &Expr) -> Result<Result<Bound, String>, Failure> {
        match part {
            Expr::Nested(inside) => self.bound(inside),
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                if let Expr::Tuple(columns) = left.as_ref() {
                    return self.tuples(columns, std::slice::from_ref(right.as_ref()));
                }
                let (column, value) = match (self.column(left)?, self.column(right)?) {
                    (Some(column), None) => (column, right),
                    (None, Some(column)) => (column, left),
                    _ => return Err(self.rule(&unclear(part))),
                };
                self.values(column, std::slice::from_ref(value.as_ref()))
            }
            Expr::In { expr, target: InTarget::List(list), negated: false, global: false } => {
                match expr.as_ref() {
                    Expr::Tuple(columns) => self.tuples(columns, list),
                    single => {
                        let column = self.column(single)?.ok_or_else(|| self.rule(&unclear(part)))?;
                        self.values(column, list)
                    }
                }
            }
            Expr::Between { expr, negated: false, low, high } => {
                let position = match self.column(expr)?.ok_or_else(|| self.rule(&unclear(part)))? {
                    Ok(position) => position,
                    Err(other) => return Ok(Err(other)),
                };
                self.range(position, low, high).map(Ok)
            }
            other => {
                // Something else about another column is a stray condition; about the key it does
                // not bind.
                if let Expr::BinaryOp { left, op, right } = other
                    && *op != BinaryOperator::Or
                    && let Some(Err(name)) = self.column(left)?.or(self.column(right)?)
                {
                    return Ok(Err(name));
                }
                if let Expr::Like { expr, .. } | Expr::IsNull(expr) | Expr::IsNotNull(expr) = other
                    && let Some(Err(name)) = self.column(expr)?
                {
                    return Ok(Err(name));
                }
                Err(self.rule(&unclear(other)))
            }
        }
    }

    pub(super) fn values(
        &self,
        column: Result<usize, String>,
        list: &[Expr],
    ) -> Result<Result<Bound, String>, Failure> {
        let position = match column {
            Ok(position) => position,
            Err(other) => return Ok(Err(other)),
        };
        if list.len() as u64 > self.max_keys {
            return Err(self.too_many());
        }
        let column = self.key()[position];
        let condition = if list.len() == 1 { Condition::Equality } else { Condition::List };
        let values: Result<Vec<_>, Failure> = list.iter().map(|v| self.value(v, column, condition)).collect();
        let values = self.listed(values?, column, condition)?.into_iter().map(|v| vec![v]).collect();
        Ok(Ok(Bound::Values(vec![position], values)))
    }

    pub(super) fn tuples(&self, columns: &[Expr], list: &[Expr]) -> Result<Result<Bound, String>, Failure> {
        let mut positions = Vec::new();
        for column in columns {
            match self.column(column)?.ok_or_else(|| self.rule(&unclear(column)))? {
                Ok(position) => positions.push(position),
                Err(other) => return Ok(Err(other)),
            }
        }
        if list.len() as u64 > self.max_keys {
            return Err(self.too_many());
        }
        let key = self.key();
        let mut by_position: Vec<Vec<Option<KeyValue>>> = vec![Vec::new(); positions.len()];
        for tuple in list {
            let Expr::Tuple(cells) = tuple else { return Err(self.rule(&unclear(tuple))) };
            if cells.len() != positions.len() {
                return Err(self.rule(&format!(
                    "the list at {} has {} values for {} columns",
                    position_of(tuple),
                    cells.len(),
                    positions.len()
                )));
            }
            for ((cell, position), values) in cells.iter().zip(&positions).zip(&mut by_position) {
                values.push(self.value(cell, key[*position], Condition::List)?);
            }
        }
        let mut columns = Vec::new();
        for (values, position) in by_position.into_iter().zip(&positions) {
            columns.push(self.listed(values, key[*position], Condition::List)?.into_iter());
        }
        let tuples = list.iter().map(|_| columns.iter_mut().filter_map(Iterator::next).collect()).collect();
        Ok(Ok(Bound::Values(positions, tuples)))
    }

    pub(super) fn range(&self, position: usize, low: &Expr, high: &Expr) -> Result<Bound, Failure> {
        let column = self.key()[position];
        let ends =
            vec![self.value(low, column, Condition::Range)?, self.value(high, column, Condition::Range)?];
        let mut ends = self.listed(ends, column, Condition::Range)?.into_iter();
        let (from, to) =
            (ends.next().unwrap_or(Octets(Vec::new())), ends.next().unwrap_or(Octets(Vec::new())));
        between::check(column, &from, &to)?;
        let known = self.open.is_none() || (parameter(low).is_none() && parameter(high).is_none());
        if let ColumnType::Int { .. } = column.ty
            && known
        {
            let number = |b: &[u8]| std::str::from_utf8(b).ok().and_then(|t| t.parse::<i128>().ok());
            let count =
                number(&to.0).zip(number(&from.0)).map(|(to, from)| to - from + 1).unwrap_or_default();
            if count < 1 {
                return Err(Failure::Unsupported(format!(
                    "BETWEEN on {} at {} has its bounds reversed, which no row can meet: write the smaller one first",
                    column.name,
                    position_of(low)
                )));
            }
            if count > i128::from(self.max_keys) {
                return Err(self.too_many());
            }
        }
        Ok(Bound::Range(position, from, to))
    }
}

impl Bound {
    pub(in crate::plan) fn columns(&self) -> Vec<usize> {
        match self {
            Self::Values(positions, _) => positions.clone(),
            Self::Range(position, ..) => vec![*position],
        }
    }
}
