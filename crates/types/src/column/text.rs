//! A column type from its text, and back (manual: [Data
//! Types](https://dev.mysql.com/doc/refman/9.7/en/data-types.html)).

mod reading;

use super::{ColumnType, IntSize, LobSize};
use std::fmt;

/// Text that names no column type this program knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a column type of MySQL or MariaDB that this version knows")]
pub struct NotAType(pub String);

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int { size, unsigned, zerofill, display_width } => {
                f.write_str(int_name(*size))?;
                match display_width {
                    Some(width) if *zerofill || (*size == IntSize::Tiny && *width == 1) => {
                        write!(f, "({width})")?;
                    }
                    _ => {}
                }
                attributes(f, *unsigned, *zerofill)
            }
            Self::Decimal { precision, scale, unsigned, zerofill } => {
                write!(f, "decimal({precision},{scale})")?;
                attributes(f, *unsigned, *zerofill)
            }
            Self::Float { digits, unsigned, zerofill } => real(f, "float", *digits, *unsigned, *zerofill),
            Self::Double { digits, unsigned, zerofill } => real(f, "double", *digits, *unsigned, *zerofill),
            Self::Bit { bits } => write!(f, "bit({bits})"),
            Self::Year => f.write_str("year"),
            Self::Date => f.write_str("date"),
            Self::Time { fsp } => with_fsp(f, "time", *fsp),
            Self::DateTime { fsp } => with_fsp(f, "datetime", *fsp),
            Self::Timestamp { fsp } => with_fsp(f, "timestamp", *fsp),
            Self::Char { chars } => write!(f, "char({chars})"),
            Self::VarChar { chars } => write!(f, "varchar({chars})"),
            Self::Binary { bytes } => write!(f, "binary({bytes})"),
            Self::VarBinary { bytes } => write!(f, "varbinary({bytes})"),
            Self::Text { size } => write!(f, "{}text", lob_prefix(*size)),
            Self::Blob { size } => write!(f, "{}blob", lob_prefix(*size)),
            Self::Enum { labels } => labelled(f, "enum", labels),
            Self::Set { labels } => labelled(f, "set", labels),
            Self::Json => f.write_str("json"),
            Self::Geometry { kind } => f.write_str(kind),
            Self::Vector { dimensions } => write!(f, "vector({dimensions})"),
            Self::Uuid => f.write_str("uuid"),
            Self::Inet4 => f.write_str("inet4"),
            Self::Inet6 => f.write_str("inet6"),
        }
    }
}

const fn int_name(size: IntSize) -> &'static str {
    match size {
        IntSize::Tiny => "tinyint",
        IntSize::Small => "smallint",
        IntSize::Medium => "mediumint",
        IntSize::Int => "int",
        IntSize::Big => "bigint",
    }
}

const fn lob_prefix(size: LobSize) -> &'static str {
    match size {
        LobSize::Tiny => "tiny",
        LobSize::Normal => "",
        LobSize::Medium => "medium",
        LobSize::Long => "long",
    }
}

fn attributes(f: &mut fmt::Formatter<'_>, unsigned: bool, zerofill: bool) -> fmt::Result {
    f.write_str(if unsigned { " unsigned" } else { "" })?;
    f.write_str(if zerofill { " zerofill" } else { "" })
}

fn real(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    digits: Option<(u8, u8)>,
    unsigned: bool,
    zerofill: bool,
) -> fmt::Result {
    f.write_str(name)?;
    if let Some((precision, scale)) = digits {
        write!(f, "({precision},{scale})")?;
    }
    attributes(f, unsigned, zerofill)
}

fn with_fsp(f: &mut fmt::Formatter<'_>, name: &str, fsp: u8) -> fmt::Result {
    if fsp == 0 { f.write_str(name) } else { write!(f, "{name}({fsp})") }
}

fn labelled(f: &mut fmt::Formatter<'_>, name: &str, labels: &[String]) -> fmt::Result {
    let quoted: Vec<String> = labels.iter().map(|l| format!("'{}'", l.replace('\'', "''"))).collect();
    write!(f, "{name}({})", quoted.join(","))
}

#[cfg(test)]
mod tests;
