//! The statements that read a table, and what the server's text of a cell becomes.
//!
//! A table is read in chunks along its primary key, if the next chunk can be asked for exactly: key
//! columns are compared with literals of their own kind. A number in quotes would be compared as a
//! DOUBLE, which has 53 bits; FLOAT and DOUBLE keys have values whose text is another number; ENUM,
//! SET and BIT order by numbers that the text does not tell; YEAR takes small numbers for
//! abbreviations. Tables with such keys, and those without, are read in one piece.

use super::session::{quoted, quoted_table};
use crate::capture::BaselineJob;
use dbtrail_types::column::{Column, ColumnType, Family, TableDefinition};
use dbtrail_types::float_text;
use dbtrail_types::result_set::{Cell, Row};
use std::fmt::Write as _;

/// How the values of a key column are written in a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Literal {
    /// Digits as they are: exact for integers and decimals of any size.
    Number,
    /// In quotes: the server takes a constant that is compared with a temporal (or address) column
    /// for one of its type.
    Quoted,
    /// Text, compared in the column's own collation.
    Text,
    /// Bytes.
    Binary,
}

fn literal(ty: &ColumnType) -> Option<Literal> {
    match ty.family() {
        Family::Text | Family::Bytes if ty.is_lob() => None,
        Family::Integer | Family::Decimal => Some(Literal::Number),
        Family::Date | Family::Time | Family::DateTime | Family::Timestamp | Family::Address => {
            Some(Literal::Quoted)
        }
        Family::Text => Some(Literal::Text),
        Family::Bytes => Some(Literal::Binary),
        Family::FloatingPoint
        | Family::Bit
        | Family::Year
        | Family::Enum
        | Family::Set
        | Family::Json
        | Family::Geometry
        | Family::Vector => None,
    }
}

impl Literal {
    /// The value in a statement; `None`: it is not what a column of this kind holds.
    fn of(self, cell: &[u8]) -> Option<String> {
        let text = || std::str::from_utf8(cell).ok();
        match self {
            Self::Number => {
                let text = text()?;
                let digits = text.strip_prefix('-').unwrap_or(text);
                let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                plain.then(|| text.to_owned())
            }
            Self::Quoted => {
                let plain = |c: char| c.is_ascii_alphanumeric() || " -:.".contains(c);
                text().filter(|t| t.chars().all(plain)).map(|t| format!("'{t}'"))
            }
            Self::Text => Some(format!("_utf8mb4 X'{}'", hex::encode(cell))),
            Self::Binary => Some(format!("X'{}'", hex::encode(cell))),
        }
    }
}

/// How a value of a key column is written in a statement so that the server compares it exactly as
/// the column does; `None`: that cannot be.
#[must_use]
pub fn key_literal(ty: &ColumnType, value: &[u8]) -> Option<String> {
    literal(ty)?.of(value)
}

/// The key along which a table is read in chunks; `None`: it must be read in one piece.
fn key(definition: &TableDefinition) -> Option<Vec<(&Column, Literal)>> {
    let columns = definition.key_columns();
    // A key column that SELECT * does not show is not among the cells.
    if columns.is_empty() || columns.len() != definition.primary_key.len() {
        return None;
    }
    columns.into_iter().map(|c| Some((c, literal(&c.ty)?))).collect()
}

/// Whether the table can be read in chunks.
pub(super) fn in_chunks(job: &BaselineJob) -> bool {
    key(&job.columns).is_some()
}

fn columns(definition: &TableDefinition) -> String {
    let shown = definition.columns.iter().map(|column| {
        let name = quoted(&column.name);
        // The text of a FLOAT has six digits; that of a DOUBLE has all.
        if is_bare_float(&column.ty) { format!("{name} * 1e0") } else { name }
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn is_bare_float(ty: &ColumnType) -> bool {
    matches!(ty, ColumnType::Float { digits: None, zerofill: false, .. })
}

/// The next rows from `job.last_key` on, at most `limit`; `None`: the table cannot be read in
/// chunks, or not from there. The row of that key comes again: where a server has two rows with one
/// key, so does the other one.
pub(super) fn chunk(job: &BaselineJob, limit: u32) -> Option<String> {
    let key = key(&job.columns)?;
    let order = key.iter().map(|(c, _)| quoted(&c.name)).collect::<Vec<_>>().join(", ");
    let mut sql = format!("SELECT {} FROM {}", columns(&job.columns), quoted_table(&job.name));
    // The name of another index is not known; the order names all of its columns.
    if job.primary {
        sql.push_str(" FORCE INDEX (PRIMARY)");
    }
    if let Some(last_key) = &job.last_key {
        let values: Option<Vec<(String, String)>> = key
            .iter()
            .enumerate()
            .map(|(i, (column, literal))| {
                let cell = last_key.get(i)?.as_ref()?;
                Some((quoted(&column.name), literal.of(cell)?))
            })
            .collect();
        let values = values?;
        // The first comparison alone gives the range of the index to every version of the
        // optimizer.
        let (first, value) = values.first()?;
        // Writing to a String cannot fail.
        let _ = write!(sql, " WHERE {first} >= {value} AND ({})", from(&values));
    }
    let _ = write!(sql, " ORDER BY {order} LIMIT {limit}");
    Some(sql)
}

/// `(a, b) >= (x, y)` spelled out: `a > x OR (a = x AND (b >= y))`.
fn from(values: &[(String, String)]) -> String {
    match values {
        [] => "FALSE".to_owned(),
        [(column, value)] => format!("{column} >= {value}"),
        [(column, value), rest @ ..] => {
            format!("{column} > {value} OR ({column} = {value} AND ({}))", from(rest))
        }
    }
}

/// All rows.
pub(super) fn all_rows(job: &BaselineJob) -> String {
    format!("SELECT {} FROM {}", columns(&job.columns), quoted_table(&job.name))
}

/// The cells as [`crate::value::cell`] makes them of a row image; `None`: one is not what its
/// column holds.
pub(super) fn decoded(job: &BaselineJob, row: Row) -> Option<Row> {
    if row.len() != job.columns.columns.len() {
        return None;
    }
    job.columns.columns.iter().zip(row).map(|(column, cell)| decoded_cell(column, cell)).collect()
}

fn decoded_cell(column: &Column, cell: Cell) -> Option<Cell> {
    let Some(bytes) = cell.as_ref().filter(|_| is_bare_float(&column.ty)) else { return Some(cell) };
    // Every FLOAT is a DOUBLE, so that narrowing it gives the same number back.
    #[expect(clippy::cast_possible_truncation, reason = "the DOUBLE is that of a FLOAT")]
    let value = std::str::from_utf8(bytes).ok()?.parse::<f64>().ok()? as f32;
    Some(Some(float_text::exact_float_text(value).into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::DefinitionId;
    use crate::store::GenerationId;

    use dbtrail_types::names::TableName;
    use std::sync::Arc;

    fn job(columns: &[(&str, &str)], key: &[&str], last_key: Option<&[&str]>) -> BaselineJob {
        let column = |(name, ty): &(&str, &str)| Column {
            has_default: false,
            ..Column::new((*name).to_owned(), ty.parse().unwrap(), None, false)
        };
        BaselineJob {
            primary: true,
            held: false,
            name: TableName { schema: "s".into(), table: "a`b".into() },
            generation: GenerationId(1),
            definition: DefinitionId(1),
            columns: Arc::new(TableDefinition {
                columns: columns.iter().map(column).collect(),
                primary_key: key.iter().map(|k| (*k).to_owned()).collect(),
            }),
            last_key: last_key.map(|cells| cells.iter().map(|c| Some(c.as_bytes().to_vec())).collect()),
        }
    }

    #[test]
    fn ok_chunks() {
        let columns =
            [("id", "bigint unsigned"), ("f", "float"), ("name", "varchar(20)"), ("at", "datetime(6)")];
        let from = "SELECT `id`, `f` * 1e0, `name`, `at` FROM `s`.`a``b`";
        for (key, last_key, want) in [
            (&["id"][..], None, " FORCE INDEX (PRIMARY) ORDER BY `id` LIMIT 7"),
            (
                &["id"],
                Some(&["18446744073709551615"][..]),
                " FORCE INDEX (PRIMARY) WHERE `id` >= 18446744073709551615 AND (`id` >= 18446744073709551615) ORDER BY `id` LIMIT 7",
            ),
            (
                &["name", "at"],
                Some(&["O'é", "2026-01-01 00:00:00.000001"]),
                " FORCE INDEX (PRIMARY) WHERE `name` >= _utf8mb4 X'4f27c3a9' AND (`name` > _utf8mb4 X'4f27c3a9' OR (`name` = _utf8mb4 X'4f27c3a9' \
                 AND (`at` >= '2026-01-01 00:00:00.000001'))) ORDER BY `name`, `at` LIMIT 7",
            ),
        ] {
            assert_eq!(chunk(&job(&columns, key, last_key), 7), Some(format!("{from}{want}")));
        }
        assert_eq!(all_rows(&job(&columns, &[], None)), from);
    }

    #[test]
    fn keys_whose_order_is_not_in_their_text_are_not_read_in_chunks() {
        let columns =
            [("i", "int"), ("f", "float"), ("e", "enum('a')"), ("b", "bit(3)"), ("y", "year"), ("t", "text")];
        for key in [&["f"][..], &["i", "e"], &["b"], &["y"], &["t"], &[], &["hidden"], &["i", "hidden"]] {
            assert!(!in_chunks(&job(&columns, key, None)), "{key:?}");
        }
        assert!(in_chunks(&job(&columns, &["i"], None)));
    }

    #[test]
    fn err_a_key_that_is_no_number_never_becomes_a_statement() {
        let columns = [("i", "int"), ("d", "date")];
        for bad in ["1 OR 1=1", "", "-", "1e3", "NULL"] {
            assert_eq!(chunk(&job(&columns, &["i"], Some(&[bad])), 7), None, "{bad}");
        }
        assert_eq!(chunk(&job(&columns, &["d"], Some(&["2026-01-01' OR '1"])), 7), None);
    }

    #[test]
    fn ok_a_float_has_all_digits() {
        let job = job(&[("f", "float"), ("d", "double")], &[], None);
        let cell = |text: &str| Some(text.as_bytes().to_vec());
        for (sent, want) in [
            ("0.10000000149011612", "0.1"),
            ("1234567.75", "1234567.8"),
            ("3.4028234663852886e38", "3.4028235e38"),
            ("-0", "-0"),
            ("1.401298464324817e-45", "1e-45"),
        ] {
            assert_eq!(decoded(&job, vec![cell(sent), cell(sent)]), Some(vec![cell(want), cell(sent)]));
        }
        assert_eq!(decoded(&job, vec![None, None]), Some(vec![None, None]));
        assert_eq!(decoded(&job, vec![cell("x"), None]), None);
        assert_eq!(decoded(&job, vec![None]), None);
    }
}
