//! Key predicates to keys.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "sqlparser's expressions and the types without a key order are many; the ones that are not named are refused"
)]

use super::change_columns::CHANGE_COLUMNS;
use super::function;
use super::key_value::{Condition, KeyValue, LiteralReader, one_kind};
use super::literal::position_of as place_of;
use crate::failure::Failure;
use crate::statement::VirtualSchema;
use dbtrail_types::agent_api::{KeyChoice, KeyRange, Keys, Octets};
use dbtrail_types::column::{Column, ColumnType, TableDefinition, same_name};
use sqlparser::ast::{BinaryOperator, Expr, InTarget, Value};
use std::cell::RefCell;
use std::collections::HashSet;

/// What reads a predicate.
#[derive(Clone, Copy)]
pub(super) struct Predicate<'a> {
    pub(super) definition: &'a TableDefinition,
    /// Names by which a column may be qualified: alias or table.
    pub(super) qualifiers: &'a [String],
    /// How literals are read.
    pub(super) reader: LiteralReader<'a>,
    pub(super) max_keys: u64,
    /// `_flashback.orders AS OF ...`, for the example in the message.
    pub(super) table: &'a str,
    /// For a statement that is prepared and not yet executed: takes down which parameter is
    /// compared with which column. The keys that come of such a predicate are none.
    pub(super) open: Option<&'a RefCell<Vec<(usize, Column)>>>,
}

/// How one part of the predicate binds key columns.
pub(super) enum Bound {
    /// Tuples of values for these columns.
    Values(Vec<usize>, Vec<Vec<Octets>>),
    Range(usize, Octets, Octets),
}

impl Predicate<'_> {
    pub(super) fn key(&self) -> Vec<&Column> {
        self.definition.key_columns()
    }

    pub(super) fn is_diff(&self) -> bool {
        self.table.starts_with(VirtualSchema::Diff.name())
    }

    /// The refusal by the PK rule: what is wrong, then the key and an example.
    fn rule(&self, why: &str) -> Failure {
        let key = self.key();
        if key.is_empty() {
            return Failure::KeyRule(format!(
                "table {} has no primary key at that instant, so its rows cannot be asked for one by one; add one (ALTER TABLE ... ADD \
                 PRIMARY KEY), and they can be asked for from then on",
                self.table
            ));
        }
        let names: Vec<&str> = key.iter().map(|c| c.name.as_str()).collect();
        Failure::KeyRule(format!(
            "{why}; the key of {} is ({}): bind all of it with =, IN or BETWEEN, for example: {}",
            self.table,
            names.join(", "),
            self.example()
        ))
    }

    /// A predicate that binds the key.
    fn example(&self) -> String {
        let key = self.key();
        let conditions: Vec<String> = key
            .iter()
            .map(|c| match c.ty {
                ColumnType::Int { .. } | ColumnType::Decimal { .. } | ColumnType::Year => {
                    format!("{} = 42", c.name)
                }
                ColumnType::Binary { .. } | ColumnType::VarBinary { .. } => format!("{} = x'00ff'", c.name),
                _ => format!("{} = 'value'", c.name),
            })
            .collect();
        format!("WHERE {}", conditions.join(" AND "))
    }

    /// A literal as the text of a key column; a refusal has an example.
    pub(super) fn value(
        &self,
        literal: &Expr,
        column: &Column,
        condition: Condition,
    ) -> Result<Option<KeyValue>, Failure> {
        if let (Some(open), Some(number)) = (self.open, parameter(literal)) {
            open.borrow_mut().push((number, column.clone()));
            return Ok(None);
        }
        if let (Some(open), Some((_, arguments))) = (self.open, function::call(literal))
            && let Some(number) = arguments.first().and_then(|first| parameter(first))
        {
            let text = ColumnType::VarChar { chars: 255 };
            let collation = Some("utf8mb4_bin".to_owned());
            open.borrow_mut().push((number, Column { ty: text, collation, ..column.clone() }));
            return Ok(None);
        }
        let value = self.reader.value(literal, column, condition);
        value.map(Some).map_err(|failure| self.with_example(failure))
    }

    /// The values of one column in a list, which are compared together.
    fn listed(
        &self,
        values: Vec<Option<KeyValue>>,
        column: &Column,
        condition: Condition,
    ) -> Result<Vec<Octets>, Failure> {
        let known: Vec<&KeyValue> = values.iter().flatten().collect();
        one_kind(&known, column, condition).map_err(|failure| self.with_example(failure))?;
        // A parameter that has no value yet stands for no key.
        Ok(values.into_iter().map(|v| Octets(v.map(|v| v.bytes).unwrap_or_default())).collect())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other failures have an example of their own, or need none"
    )]
    fn with_example(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Unsupported(what) => {
                Failure::Unsupported(format!("{what}; for example: {}", self.example()))
            }
            other => other,
        }
    }

    /// The keys that a predicate names.
    pub(super) fn keys(&self, filter: Option<&Expr>) -> Result<Keys, Failure> {
        let columns: Vec<String> = self.key().iter().map(|c| c.name.clone()).collect();
        let filter = filter.ok_or_else(|| self.rule("there is no WHERE"))?;
        if columns.is_empty() {
            return Err(self.rule("there is none"));
        }
        let mut parts = Vec::new();
        conjuncts(filter, &mut parts);
        let mut bounds = Vec::new();
        let mut stray = None;
        for part in parts {
            match self.bound(part)? {
                Ok(bound) => bounds.push(bound),
                Err(other) => stray = Some((other, place_of(part))),
            }
        }
        let bound: Vec<usize> = bounds.iter().flat_map(Bound::columns).collect();
        let distinct: HashSet<usize> = bound.iter().copied().collect();
        if distinct.len() != columns.len() {
            let missing = columns.iter().enumerate().find(|(i, _)| !distinct.contains(i));
            let missing = missing.map(|(_, name)| name.as_str()).unwrap_or_default();
            return Err(self.rule(&match stray {
                Some((column, position)) if distinct.is_empty() => {
                    format!("{column} at {position} is not of the key")
                }
                _ => format!("{missing} of the key is not bound in WHERE"),
            }));
        }
        if bound.len() != distinct.len() {
            let twice = (0..columns.len()).find(|i| bound.iter().filter(|b| *b == i).count() > 1);
            let twice = twice.and_then(|i| columns.get(i)).map(String::as_str).unwrap_or_default();
            let what = format!(
                "{twice} of the key is bound twice in WHERE: bind it once, with IN for several values"
            );
            return Err(self.with_example(Failure::Unsupported(what)));
        }
        if let Some((column, position)) = stray {
            return Err(Failure::Unsupported(format!(
                "a condition on {column} at {position} besides the key: ask by key alone and look at {column} in the answer"
            )));
        }
        self.choice(bounds, columns)
    }

    pub(super) fn choice(&self, bounds: Vec<Bound>, columns: Vec<String>) -> Result<Keys, Failure> {
        let width = columns.len();
        let mut tuples: Vec<Vec<Option<Octets>>> = vec![vec![None; width]];
        let mut range = None;
        for bound in bounds {
            match bound {
                Bound::Range(column, from, to) => range = Some((column, from, to)),
                Bound::Values(positions, values) => {
                    if (tuples.len() as u64).saturating_mul(values.len() as u64) > self.max_keys {
                        return Err(self.too_many());
                    }
                    let mut wider = Vec::new();
                    for tuple in &tuples {
                        for value in &values {
                            let mut next = tuple.clone();
                            for (position, v) in positions.iter().zip(value) {
                                next[*position] = Some(v.clone());
                            }
                            wider.push(next);
                        }
                    }
                    tuples = wider;
                }
            }
        }
        if let Some((column, from, to)) = range {
            let prefix: Option<Vec<Octets>> = match tuples.as_slice() {
                [one] if column == width - 1 => one[..column].iter().cloned().collect(),
                _ => None,
            };
            let prefix = prefix.ok_or_else(|| {
                let last = self.key().last().map(|c| c.name.clone()).unwrap_or_default();
                self.with_example(Failure::Unsupported(format!(
                    "BETWEEN in WHERE works on the last column of the key, {last}, with = on all before it"
                )))
            })?;
            let range = KeyRange { prefix, from, to, max_keys: Some(self.max_keys) };
            return Ok(Keys { columns, choice: KeyChoice::Range(range) });
        }
        let mut seen = HashSet::new();
        let values: Option<Vec<Vec<Octets>>> = tuples.into_iter().map(|t| t.into_iter().collect()).collect();
        let mut values = values.ok_or_else(|| self.rule("a part of the key is not bound"))?;
        if values.len() > 1 {
            values.retain(|v| seen.insert(v.clone()));
        }
        Ok(Keys { columns, choice: KeyChoice::Values(values) })
    }

    fn too_many(&self) -> Failure {
        Failure::Unsupported(format!(
            "more than {} keys in WHERE (limits.max_keys): ask in several statements",
            self.max_keys
        ))
    }

    /// The position of a key column; `Err`: another column's name.
    pub(super) fn column(&self, expression: &Expr) -> Result<Option<Result<usize, String>>, Failure> {
        let name = match expression {
            Expr::Nested(inside) => return self.column(inside),
            Expr::Identifier(name) => name.value.clone(),
            Expr::CompoundIdentifier(parts) => {
                let Some((last, before)) = parts.split_last() else { return Ok(None) };
                let path: Vec<&str> = before.iter().map(|p| p.value.as_str()).collect();
                let path = path.join(".");
                if !self.qualifiers.iter().any(|q| same_name(q, &path)) {
                    return Err(Failure::UnknownColumn(format!("{path}.{}", last.value), "where clause"));
                }
                last.value.clone()
            }
            _ => return Ok(None),
        };
        if name.starts_with('@') {
            return Ok(None);
        }
        let Some(at) = self.definition.position(&name) else {
            // A column that _diff shows and the table has not.
            let shown = CHANGE_COLUMNS.iter().find(|c| self.is_diff() && same_name(c, &name));
            let unknown = Failure::UnknownColumn(name.clone(), "where clause");
            return shown.map(|column| Some(Err((*column).to_owned()))).ok_or(unknown);
        };
        let own = &self.definition.columns[at].name;
        Ok(Some(self.key().iter().position(|c| c.name == *own).ok_or_else(|| own.clone())))
    }

    /// What a part binds; `Err`: the other column that it speaks of.
    pub(super) fn bound(&self, part: &Expr) -> Result<Result<Bound, String>, Failure> {
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

    fn values(&self, column: Result<usize, String>, list: &[Expr]) -> Result<Result<Bound, String>, Failure> {
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

    fn tuples(&self, columns: &[Expr], list: &[Expr]) -> Result<Result<Bound, String>, Failure> {
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
                    place_of(tuple),
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

    fn range(&self, position: usize, low: &Expr, high: &Expr) -> Result<Bound, Failure> {
        let column = self.key()[position];
        let ends =
            vec![self.value(low, column, Condition::Range)?, self.value(high, column, Condition::Range)?];
        let mut ends = self.listed(ends, column, Condition::Range)?.into_iter();
        let (from, to) =
            (ends.next().unwrap_or(Octets(Vec::new())), ends.next().unwrap_or(Octets(Vec::new())));
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
                    place_of(low)
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
    pub(super) fn columns(&self) -> Vec<usize> {
        match self {
            Self::Values(positions, _) => positions.clone(),
            Self::Range(position, ..) => vec![*position],
        }
    }
}

/// Why a condition does not bind a key.
fn unclear(condition: &Expr) -> String {
    let at = place_of(condition);
    match condition {
        Expr::Nested(inside) => unclear(inside),
        Expr::BinaryOp { op: BinaryOperator::Or, .. } => {
            format!("OR at {at} does not bind a key; several keys are written with IN")
        }
        Expr::BinaryOp {
            op: op @ (BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq),
            ..
        } => format!("{op} at {at} leaves one end open; a range is written BETWEEN a AND b"),
        Expr::BinaryOp { op: BinaryOperator::Eq, .. } => {
            format!("= at {at} does not compare a column of the key with a literal")
        }
        Expr::BinaryOp { op, .. } => format!("{op} at {at} does not bind a key"),
        Expr::Like { .. } => format!("LIKE at {at} does not bind a key"),
        Expr::IsNull(_) | Expr::IsNotNull(_) => format!("IS [NOT] NULL at {at} does not say which key"),
        Expr::UnaryOp { .. } | Expr::Between { negated: true, .. } | Expr::In { negated: true, .. } => {
            format!("NOT at {at} leaves open which keys are meant")
        }
        Expr::Function(f) => format!("{}() at {at} does not bind a key", f.name),
        _ => format!("the condition at {at} does not bind a key"),
    }
}

/// The number of a parameter that has no value yet.
fn parameter(expression: &Expr) -> Option<usize> {
    match expression {
        Expr::Nested(inside) => parameter(inside),
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => name.strip_prefix('?')?.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// The parts of a conjunction, parentheses taken off.
pub(super) fn conjuncts<'a>(filter: &'a Expr, parts: &mut Vec<&'a Expr>) {
    match filter {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left, parts);
            conjuncts(right, parts);
        }
        Expr::Nested(inside) => conjuncts(inside, parts),
        other => parts.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::charsets::Charsets;

    use dbtrail_types::zone::Zone;
    use proptest::prelude::*;
    use sqlparser::dialect::MySqlDialect;
    use sqlparser::parser::Parser;

    fn column(name: &str, ty: &str, collation: Option<&str>) -> Column {
        Column {
            has_default: false,
            ..Column::new(name.to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), false)
        }
    }

    /// Key columns named k0, k1...: integers; and `other`, which is in no key.
    fn table(keys: usize) -> TableDefinition {
        let mut columns: Vec<Column> =
            (0..keys).map(|i| column(&format!("k{i}"), "bigint unsigned", None)).collect();
        let primary_key = columns.iter().map(|c| c.name.clone()).collect();
        columns.push(column("other", "int", None));
        TableDefinition { columns, primary_key }
    }

    fn ask(definition: &TableDefinition, filter: &str) -> Result<Keys, Failure> {
        let expression = Parser::new(&MySqlDialect {}).try_with_sql(filter).unwrap().parse_expr().unwrap();
        let predicate = Predicate {
            definition,
            qualifiers: &["t".to_owned()],
            reader: LiteralReader { zone: &Zone::parse("+02:00").unwrap(), charsets: Charsets::default() },
            max_keys: 1000,
            table: "_flashback.t",
            open: None,
        };
        predicate.keys(Some(&expression))
    }

    fn shown(keys: Keys) -> String {
        match keys.choice {
            KeyChoice::Values(values) => {
                let cells = |v: Vec<Octets>| {
                    let texts = v
                        .into_iter()
                        .map(|o| String::from_utf8(o.0).unwrap_or_else(|e| hex::encode(e.as_bytes())));
                    texts.collect::<Vec<_>>().join("/")
                };
                values.into_iter().map(cells).collect::<Vec<_>>().join(" ")
            }
            KeyChoice::Range(r) => format!("{:?} {:?}..{:?}", r.prefix.len(), r.from, r.to),
            KeyChoice::Scan(scan) => format!("{scan:?}"),
        }
    }

    /// What to write instead, and what is at fault.
    #[test]
    fn err_a_uuid_that_is_none_is_reported_what_to_write() {
        let definition =
            TableDefinition { columns: vec![column("k", "uuid", None)], primary_key: vec!["k".to_owned()] };
        for wrong in [
            "'6ccd780c'",
            "'6ccd780c-baba-1026-9564-5b8c656024dg'",
            "42",
            "x'6ccd780cbaba102695645b8c656024db'",
        ] {
            let reported = format!("{:?}", ask(&definition, &format!("k = {wrong}")).unwrap_err());
            assert!(
                reported.contains(
                    "write a UUID as MariaDB shows it, in quotes: '6ccd780c-baba-1026-9564-5b8c656024db'"
                ),
                "{reported}"
            );
        }
        let right = ask(&definition, "k = '6CCD780C-baba-1026-9564-5b8c656024db'").unwrap();
        assert_eq!(shown(right), "6ccd780c-baba-1026-9564-5b8c656024db");
    }

    #[test]
    fn ok_forms_that_bind_the_key() {
        for (keys, filter, wanted) in [
            (1, "k0 = 42", "42"),
            (1, "42 = K0", "42"),
            (1, "(t.k0) = '042'", "42"),
            (1, "k0 IN (3, '1', 3.0)", "3 1"),
            (1, "k0 = 18446744073709551615", "18446744073709551615"),
            (2, "k0 = 1 AND k1 = 2", "1/2"),
            (2, "(k1, k0) = (2, 1)", "1/2"),
            (2, "(k0, k1) IN ((1, 2), (3, 4))", "1/2 3/4"),
            (2, "k0 = 1 AND k1 IN (2, 3)", "1/2 1/3"),
        ] {
            assert_eq!(shown(ask(&table(keys), filter).unwrap()), wanted, "{filter}");
        }
    }

    /// One key column of a type, compared with a literal.
    fn typed(ty: &str, literal: &str) -> Result<String, Failure> {
        let mut definition = table(0);
        definition.columns.insert(0, column("k", ty, None));
        definition.primary_key = vec!["k".to_owned()];
        ask(&definition, &format!("k = {literal}")).map(shown)
    }

    #[test]
    fn ok_doubles_and_typed_times_that_one_key_alone_equals() {
        for (ty, literal, key) in [
            ("bigint", "4.2e1", "42"),
            ("bigint", "-42e0", "-42"),
            ("bigint", "-0e0", "0"),
            ("bigint", "9.007199254740991e15", "9007199254740991"),
            ("decimal(10,2)", "1.5e0", "1.50"),
            ("year", "2.026e3", "2026"),
            ("date", "DATE '2026-04-27'", "2026-04-27"),
            ("date", "TIMESTAMP '2026-04-27 00:00:00'", "2026-04-27"),
            ("datetime", "DATE '2026-04-27'", "2026-04-27 00:00:00"),
            ("datetime(3)", "TIMESTAMP '2026-04-27 09:08:07.25'", "2026-04-27 09:08:07.250"),
            // The session's zone is +02:00.
            ("timestamp", "TIMESTAMP '2026-04-27 09:08:07'", "2026-04-27 07:08:07"),
        ] {
            assert_eq!(typed(ty, literal).as_deref(), Ok(key), "{ty} {literal}");
        }
    }

    #[test]
    fn err_doubles_and_typed_times_that_others_equal_too_or_none() {
        for (ty, literal) in [
            ("bigint", "1.5e0"),
            ("bigint", "9.007199254740992e15"),
            ("bigint", "1e400"),
            ("decimal(10,2)", "3.0000000000000004e-1"),
            ("decimal(20,2)", "1.5e0"),
            ("varchar(9)", "1e0"),
            ("varchar(9)", "DATE '2026-04-27'"),
            ("bigint", "DATE '2026-04-27'"),
            ("double", "1e0"),
            ("date", "TIMESTAMP '2026-04-27 09:08:07'"),
            ("datetime", "TIMESTAMP '2026-04-27 09:08:07.5'"),
            ("datetime", "TIMESTAMP '0000-00-00 00:00:00'"),
            ("datetime", "TIME '09:08:07'"),
            ("time", "TIME '09:08:07'"),
        ] {
            assert!(matches!(typed(ty, literal), Err(Failure::Unsupported(_))), "{ty} {literal}");
        }
    }

    #[test]
    fn err_everything_else() {
        for (keys, filter) in [
            (1, "other = 1"),
            (1, "k0 = 1 OR k0 = 2"),
            (1, "k0 > 1"),
            (1, "k0 LIKE '1%'"),
            (1, "ABS(k0) = 1"),
            (1, "k0 = k0"),
            (1, "NOT k0 = 1"),
            (1, "k0 NOT IN (1)"),
            (1, "k0 = 1 AND other = 2"),
            (1, "k0 = 1 AND k0 = 2"),
            (1, "k0 = 42.5"),
            (1, "k0 = -1"),
            (1, "k0 = NULL"),
            (1, "k0 = 18446744073709551616"),
            (1, "nothing = 1"),
            (1, "x.k0 = 1"),
            (1, "k0 BETWEEN 5 AND 1"),
            (1, "k0 BETWEEN 1 AND 5000"),
            (2, "k0 = 1"),
            (2, "k0 BETWEEN 1 AND 2 AND k1 = 1"),
        ] {
            assert!(ask(&table(keys), filter).is_err(), "{filter}");
        }
    }

    #[test]
    fn ok_values_of_each_type() {
        for (ty, collation, literal, wanted) in [
            ("varchar(20)", Some("utf8mb4_bin"), "'a''b'", "a'b"),
            ("binary(2)", None, "x'00ff'", "00ff"),
            ("decimal(5,2)", None, "1.5", "1.50"),
            ("timestamp(3)", None, "'2026-04-27 09:00:00.5'", "2026-04-27 07:00:00.500"),
            ("datetime", None, "'2026-04-27 09:00:00'", "2026-04-27 09:00:00"),
            ("date", None, "'2026-04-27'", "2026-04-27"),
            ("enum('a','b')", Some("utf8mb4_bin"), "'b'", "b"),
            ("varchar(20)", Some("utf8mb4_bin"), "N'ab'", "ab"),
            ("varchar(20)", Some("utf8mb4_bin"), "_utf8mb4'ü'", "ü"),
            ("varchar(20)", Some("utf8mb4_bin"), "_latin1'u'", "u"),
            // Its bytes, as a client of UTF-8 sends them.
            ("varchar(20)", Some("utf8mb4_bin"), "_latin1'ä'", "Ã¤"),
            ("varchar(20)", Some("utf8mb4_bin"), "_latin1 x'e4'", "ä"),
            ("year", None, "'0070'", "1970"),
            ("year", None, "'0'", "2000"),
            ("year", None, "0", "0000"),
            ("time", None, "'-09:08:07.0'", "-09:08:07"),
            ("datetime(3)", None, "'2026-04-27'", "2026-04-27 00:00:00.000"),
            ("varbinary(4)", None, "_binary'ab'", "ab"),
            ("varbinary(4)", None, "'ab'", "ab"),
            ("datetime", None, "TIMESTAMP '2026-04-27 09:00:00'", "2026-04-27 09:00:00"),
            ("date", None, "DATE '2026-04-27'", "2026-04-27"),
            ("int", None, "+042", "42"),
            ("int", None, "-0", "0"),
            ("int", None, "TRUE", "1"),
        ] {
            let definition = TableDefinition {
                columns: vec![column("k", ty, collation)],
                primary_key: vec!["k".to_owned()],
            };
            assert_eq!(shown(ask(&definition, &format!("k = {literal}")).unwrap()), wanted, "{ty}");
        }
        for (ty, literal) in [
            ("varchar(20)", "42"),
            ("binary(2)", "x'00'"),
            ("datetime", "'2026-04-27 09:00:00.5'"),
            ("double", "1.5"),
            ("date", "20260427"),
            ("varchar(20)", "_koi8r'ü'"),
            ("varchar(20)", "_binary'a'"),
            ("varchar(20)", "x'61'"),
            ("varchar(20)", "'a' COLLATE utf8mb4_general_ci"),
            ("varchar(20)", "_utf8'\u{1f600}'"),
            // A number in MySQL, text in MariaDB.
            ("int", "x'2a'"),
            ("int", "b'1'"),
            ("int", "' 42'"),
            ("int", "CAST('42' AS TIME)"),
            ("int", "DATE '2026-04-27'"),
        ] {
            let definition = TableDefinition {
                columns: vec![column("k", ty, Some("utf8mb4_bin"))],
                primary_key: vec!["k".to_owned()],
            };
            assert!(ask(&definition, &format!("k = {literal}")).is_err(), "{ty}");
        }
    }

    /// One part of a conjunction: its text, and the key columns that it binds (`None`: it may not
    /// be there at all).
    fn part(keys: usize) -> impl Strategy<Value = (String, Option<Vec<usize>>)> {
        let column = 0..keys;
        prop_oneof![
            4 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("k{c} = {v}"), Some(vec![c]))),
            2 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("({v} = k{c})"), Some(vec![c]))),
            2 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("k{c} IN ({v}, {})", v + 1), Some(vec![c]))),
            2 => Just(((0..keys).map(|i| format!("k{i}")).collect::<Vec<_>>(), (0..keys).collect::<Vec<_>>())).prop_map(|(n, c)| {
                let values: Vec<String> = c.iter().map(usize::to_string).collect();
                if n.len() == 1 { (format!("{} = 0", n[0]), Some(c)) } else { (format!("({}) = ({})", n.join(", "), values.join(", ")), Some(c)) }
            }),
            1 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("k{c} < {v}"), None)),
            1 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("k{c} + 0 = {v}"), None)),
            1 => (column.clone(), 0..99_u32).prop_map(|(c, v)| (format!("(k{c} = {v} OR k{c} = 7)"), None)),
            1 => column.prop_map(|c| (format!("k{c} LIKE '1'"), None)),
            1 => (0..99_u32).prop_map(|v| (format!("other = {v}"), None)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Accepted exactly when each part may be there and each key column is bound by one of
        /// them.
        #[test]
        fn accepted_exactly_when_the_whole_key_is_bound(
            (keys, parts) in (1..=3_usize).prop_flat_map(|k| (Just(k), prop::collection::vec(part(k), 1..4)))
        ) {
            let text: Vec<&str> = parts.iter().map(|(t, _)| t.as_str()).collect();
            let mut bound = vec![0; keys];
            for column in parts.iter().filter_map(|(_, b)| b.as_ref()).flatten() {
                bound[*column] += 1;
            }
            let wanted = parts.iter().all(|(_, b)| b.is_some()) && bound.iter().all(|n| *n == 1);
            let filter = text.join(" AND ");
            prop_assert_eq!(ask(&table(keys), &filter).is_ok(), wanted, "{}", filter);
        }
    }
}
