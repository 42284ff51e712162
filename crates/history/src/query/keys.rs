//! The keys of a request, as bytes of the store.

use super::{MAX_KEYS, Refusal};
use crate::key::{self, KeyError};
use crate::store::{EncodedKey, prefix_end};
use dbtrail_types::agent_api::{KeyBound, KeyChoice, KeyRange, KeyScan, Keys, Octets, code};
use dbtrail_types::column::{Column, TableDefinition, same_name};
use dbtrail_types::names::TableName;
use std::collections::BTreeMap;

/// What is wanted, in key order.
#[derive(Debug)]
pub(super) enum Wanted {
    /// These keys, as they were asked for.
    Keys(Vec<(EncodedKey, Vec<Octets>)>),
    /// All keys in `[from, to]`.
    Range(Range),
    /// All keys of a range.
    Scan(Span),
}

/// A range of keys, `[lower, upper)`.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) lower: Vec<u8>,
    /// `None`: to the end.
    pub(super) upper: Option<Vec<u8>>,
}

impl Span {
    /// Whether a key is of it.
    pub(super) fn holds(&self, key: &[u8]) -> bool {
        self.lower.as_slice() <= key && self.upper.as_deref().is_none_or(|upper| key < upper)
    }
}

/// A range of keys.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) from: EncodedKey,
    pub(super) to: EncodedKey,
    /// How many keys it can hold, where that is a number (integers).
    pub(super) width: Option<u128>,
    /// The most keys that may be answered.
    pub(super) limit: usize,
}

impl Wanted {
    /// Whether a key is among them.
    pub(super) fn holds(&self, key: &[u8]) -> bool {
        match self {
            Self::Keys(keys) => keys.binary_search_by(|(known, _)| (**known).cmp(key)).is_ok(),
            Self::Range(range) => (&*range.from..=&*range.to).contains(&key),
            Self::Scan(span) => span.holds(key),
        }
    }

    /// Whether a key that begins with these bytes may be among them.
    pub(super) fn meets(&self, prefix: &[u8]) -> bool {
        let end = || prefix_end(prefix);
        match self {
            Self::Keys(keys) => keys.iter().any(|(key, _)| key.starts_with(prefix)),
            Self::Range(range) => &*range.to >= prefix && *range.from < *end(),
            Self::Scan(span) => {
                span.upper.as_deref().is_none_or(|upper| upper > prefix) && *span.lower < *end()
            }
        }
    }

    /// Reads the keys under a definition; `mariadb`: of which kind of server.
    pub(super) fn read(
        keys: &Keys,
        definition: &TableDefinition,
        table: &TableName,
        mariadb: bool,
    ) -> Result<Self, Refusal> {
        let columns = key_columns(keys, definition, table)?;
        let bounded = match &keys.choice {
            KeyChoice::Values(_) => None,
            KeyChoice::Range(_) => columns.last(),
            KeyChoice::Scan(scan) if scan.lower.is_none() && scan.upper.is_none() => None,
            KeyChoice::Scan(scan) => columns.get(scan.prefix.len()),
        };
        // MariaDB's collations of this name have the weights of its uca1400 ones, and keys lie here
        // by those of MySQL: equal is equal by both, and characters that are newer than Unicode 9
        // stand elsewhere.
        let otherwise =
            |column: &&&Column| mariadb && column.collation.as_deref() == Some("utf8mb4_0900_ai_ci");
        if let Some(column) = bounded.filter(otherwise) {
            return Err(Refusal::new(
                422,
                code::UNSUPPORTED_KEY,
                format!(
                    "how MariaDB orders key column `{}` (utf8mb4_0900_ai_ci) is not known: ranges of it are not supported, name the keys, or ask for the whole table",
                    column.name
                ),
            ));
        }
        match &keys.choice {
            KeyChoice::Values(values) => read_values(values, &columns),
            KeyChoice::Range(range) => read_range(range, &columns).map(Self::Range),
            KeyChoice::Scan(scan) => read_scan(scan, &columns).map(Self::Scan),
        }
    }
}

/// Why no row of a table with this definition can be asked for; `None`: it can.
pub(crate) fn no_key(definition: &TableDefinition) -> Option<&'static str> {
    if definition.primary_key.is_empty() {
        return Some(
            "it has no primary key (nor a UNIQUE key over NOT NULL columns), so its rows cannot be found: ALTER TABLE ... ADD PRIMARY KEY (...) changes that from there on",
        );
    }
    if definition.key_columns().len() != definition.primary_key.len() {
        return Some("a column of its primary key is not among its columns, so its rows cannot be found");
    }
    None
}

/// Why no row of a table with this definition can be asked for, by what it holds: also where it has
/// a key by which this program does not find rows.
pub(crate) fn unfindable(definition: &TableDefinition) -> Option<String> {
    if let Some(why) = no_key(definition) {
        return Some(why.to_owned());
    }
    // What compares a text at all compares this one; of other types it is no value, or one.
    let refused = |column: &Column| {
        let error = key::encode(column, b"a", &mut Vec::new()).err()?;
        error.is_valid_value().then(|| format!("its rows cannot be found: {error}"))
    };
    definition.key_columns().into_iter().find_map(refused)
}

fn key_columns<'a>(
    keys: &Keys,
    definition: &'a TableDefinition,
    table: &TableName,
) -> Result<Vec<&'a Column>, Refusal> {
    let columns = definition.key_columns();
    let refuse = |message| Err(Refusal::new(422, code::UNSUPPORTED_KEY, message));
    if let Some(why) = no_key(definition) {
        let message = format!("table {table} at that instant: {why}");
        return Err(Refusal::new(422, code::NOT_CAPTURED, message));
    }
    let same = columns.len() == keys.columns.len()
        && columns.iter().zip(&keys.columns).all(|(c, asked)| same_name(&c.name, asked));
    if !same {
        return refuse(format!(
            "the primary key of {table} at that instant is ({}), and the request names ({})",
            definition.primary_key.join(", "),
            keys.columns.join(", ")
        ));
    }
    Ok(columns)
}

fn refused(error: &KeyError) -> Refusal {
    if error.is_valid_value() {
        return Refusal::new(422, code::UNSUPPORTED_KEY, error.to_string());
    }
    Refusal::malformed(error.to_string())
}

/// Bytes of a key at most: no server has an index over more (3072, in another form here), and the
/// store takes none of 64 KiB.
const LONGEST: usize = 48 * 1024;

fn encode(columns: &[&Column], values: &[Octets]) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    for (column, value) in columns.iter().zip(values) {
        encode_one(column, value, &mut out)?;
    }
    Ok(out)
}

fn encode_one(column: &Column, value: &Octets, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let long = |bytes: usize| {
        let why = format!(
            "the value for key column `{}` makes a key of {bytes} bytes, and no key has more than {LONGEST}: no row can have it",
            column.name
        );
        Err(Refusal::new(422, code::UNSUPPORTED_KEY, why))
    };
    // Looked at before as well: to put a value of megabytes into the form of a key takes time.
    if value.0.len() > LONGEST {
        return long(value.0.len());
    }
    key::encode(column, &value.0, out).map_err(|e| refused(&e))?;
    if out.len() > LONGEST { long(out.len()) } else { Ok(()) }
}

fn read_values(values: &[Vec<Octets>], columns: &[&Column]) -> Result<Wanted, Refusal> {
    if values.len() > MAX_KEYS {
        return Err(too_many(values.len(), MAX_KEYS));
    }
    let mut keys = BTreeMap::new();
    for value in values {
        if value.len() != columns.len() {
            return Err(Refusal::malformed(format!(
                "a key has {} values, and the primary key has {} columns",
                value.len(),
                columns.len()
            )));
        }
        keys.entry(encode(columns, value)?.into_boxed_slice()).or_insert_with(|| value.clone());
    }
    Ok(Wanted::Keys(keys.into_iter().collect()))
}

fn read_range(range: &KeyRange, columns: &[&Column]) -> Result<Range, Refusal> {
    let Some((last, prefix)) = columns.split_last() else {
        return Err(Refusal::internal("a key without columns".to_owned()));
    };
    if range.prefix.len() != prefix.len() {
        return Err(Refusal::malformed(format!(
            "the range has {} values before its own column, and the primary key has {}",
            range.prefix.len(),
            prefix.len()
        )));
    }
    if !key::is_ordered(&last.ty) {
        return Err(unordered(last));
    }
    let start = encode(prefix, &range.prefix)?;
    let end = |value: &Octets| {
        let mut last_bytes = Vec::new();
        encode_one(last, value, &mut last_bytes).map(|()| last_bytes)
    };
    let (from, to) = (end(&range.from)?, end(&range.to)?);
    let width = last.ty.is_integer().then(|| key::integers_between(&from, &to)).flatten();
    let asked = range.max_keys.and_then(|n| usize::try_from(n).ok()).unwrap_or(MAX_KEYS);
    Ok(Range {
        from: [start.as_slice(), &from].concat().into(),
        to: [start.as_slice(), &to].concat().into(),
        width,
        limit: asked.min(MAX_KEYS),
    })
}

fn read_scan(scan: &KeyScan, columns: &[&Column]) -> Result<Span, Refusal> {
    if scan.prefix.len() > columns.len() {
        return Err(Refusal::malformed(format!(
            "the range has {} values before its own column, and the primary key has {} columns",
            scan.prefix.len(),
            columns.len()
        )));
    }
    let start = encode(columns, &scan.prefix)?;
    let next = columns.get(scan.prefix.len());
    let end = |bound: &KeyBound| {
        let column = next.ok_or_else(|| {
            Refusal::malformed("the range has ends, and no key column is left for them".to_owned())
        })?;
        if !key::is_ordered(&column.ty) {
            return Err(unordered(column));
        }
        let mut bytes = start.clone();
        key::encode(column, &bound.value.0, &mut bytes).map_err(|e| refused(&e)).map(|()| bytes)
    };
    let lower = match &scan.lower {
        None => start.clone(),
        Some(bound) if bound.inclusive => end(bound)?,
        Some(bound) => prefix_end(&end(bound)?),
    };
    let upper = match &scan.upper {
        None if start.is_empty() => None,
        None => Some(prefix_end(&start)),
        Some(bound) if bound.inclusive => Some(prefix_end(&end(bound)?)),
        Some(bound) => Some(end(bound)?),
    };
    Ok(Span { lower, upper })
}

fn unordered(column: &Column) -> Refusal {
    Refusal::new(
        422,
        code::UNSUPPORTED_KEY,
        format!(
            "key column `{}` is {}: ranges of it are not supported, name the keys",
            column.name, column.ty
        ),
    )
}

pub(super) fn too_many(found: usize, limit: usize) -> Refusal {
    Refusal::new(
        422,
        code::TOO_MANY_KEYS,
        format!("{found} keys are asked for (or more), and the limit is {limit}: ask for fewer at a time"),
    )
}

#[cfg(test)]
mod tests;
