//! The families of column types: which types hold values of one sort.
//!
//! Whoever decides by the sort of a value matches [`Family`] without a wildcard, or asks one of the
//! questions below, so that a type that is added is decided for here and nowhere else.

use super::ColumnType;

/// Types whose values are of one sort, whatever their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// TINYINT to BIGINT.
    Integer,
    /// DECIMAL.
    Decimal,
    /// FLOAT and DOUBLE.
    FloatingPoint,
    /// BIT.
    Bit,
    /// YEAR.
    Year,
    /// DATE.
    Date,
    /// TIME.
    Time,
    /// DATETIME.
    DateTime,
    /// TIMESTAMP, which is shown in the session's time zone.
    Timestamp,
    /// CHAR, VARCHAR and the TEXT types.
    Text,
    /// BINARY, VARBINARY and the BLOB types.
    Bytes,
    /// ENUM.
    Enum,
    /// SET.
    Set,
    /// MySQL's JSON.
    Json,
    /// GEOMETRY and its kinds.
    Geometry,
    /// VECTOR.
    Vector,
    /// MariaDB's UUID, INET4 and INET6, which are shown as text.
    Address,
}

impl ColumnType {
    /// The sort of value that this type holds.
    #[must_use]
    pub const fn family(&self) -> Family {
        match self {
            Self::Int { .. } => Family::Integer,
            Self::Decimal { .. } => Family::Decimal,
            Self::Float { .. } | Self::Double { .. } => Family::FloatingPoint,
            Self::Bit { .. } => Family::Bit,
            Self::Year => Family::Year,
            Self::Date => Family::Date,
            Self::Time { .. } => Family::Time,
            Self::DateTime { .. } => Family::DateTime,
            Self::Timestamp { .. } => Family::Timestamp,
            Self::Char { .. } | Self::VarChar { .. } | Self::Text { .. } => Family::Text,
            Self::Binary { .. } | Self::VarBinary { .. } | Self::Blob { .. } => Family::Bytes,
            Self::Enum { .. } => Family::Enum,
            Self::Set { .. } => Family::Set,
            Self::Json => Family::Json,
            Self::Geometry { .. } => Family::Geometry,
            Self::Vector { .. } => Family::Vector,
            Self::Uuid | Self::Inet4 | Self::Inet6 => Family::Address,
        }
    }

    /// TINYINT to BIGINT.
    #[must_use]
    pub const fn is_integer(&self) -> bool {
        matches!(self.family(), Family::Integer)
    }

    /// Whole numbers and DECIMAL: every value is the very number that its text says.
    #[must_use]
    pub const fn is_exact_number(&self) -> bool {
        matches!(self.family(), Family::Integer | Family::Decimal)
    }

    /// FLOAT and DOUBLE.
    #[must_use]
    pub const fn is_floating_point(&self) -> bool {
        matches!(self.family(), Family::FloatingPoint)
    }

    /// Whole numbers, DECIMAL, FLOAT and DOUBLE.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        self.is_exact_number() || self.is_floating_point()
    }

    /// DATE, TIME, DATETIME and TIMESTAMP.
    #[must_use]
    pub const fn is_temporal(&self) -> bool {
        matches!(self.family(), Family::Date | Family::Time | Family::DateTime | Family::Timestamp)
    }

    /// DATE, DATETIME and TIMESTAMP.
    #[must_use]
    pub const fn has_date(&self) -> bool {
        matches!(self.family(), Family::Date | Family::DateTime | Family::Timestamp)
    }

    /// CHAR, VARCHAR and the TEXT types.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(self.family(), Family::Text)
    }

    /// BINARY, VARBINARY and the BLOB types.
    #[must_use]
    pub const fn is_bytes(&self) -> bool {
        matches!(self.family(), Family::Bytes)
    }

    /// The TEXT and BLOB types, which have no length of their own.
    #[must_use]
    pub const fn is_lob(&self) -> bool {
        matches!(self, Self::Text { .. } | Self::Blob { .. })
    }

    /// Text, ENUM and SET: what it holds is in a character set.
    #[must_use]
    pub const fn has_charset(&self) -> bool {
        matches!(self.family(), Family::Text | Family::Enum | Family::Set)
    }

    /// The labels of ENUM and SET, in their order; of other types none.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        if let Self::Enum { labels } | Self::Set { labels } = self { labels } else { &[] }
    }

    /// The decimals of a second, of types that have a time of the day.
    #[must_use]
    pub const fn fractional_digits(&self) -> Option<u8> {
        if let Self::Time { fsp } | Self::DateTime { fsp } | Self::Timestamp { fsp } = self {
            Some(*fsp)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One type of each name that MySQL and MariaDB have, and what is asked of it.
    #[test]
    fn every_type_has_its_family() {
        type Question = fn(&ColumnType) -> bool;
        let questions: [(char, Question); 10] = [
            ('i', ColumnType::is_integer),
            ('e', ColumnType::is_exact_number),
            ('f', ColumnType::is_floating_point),
            ('n', ColumnType::is_number),
            ('t', ColumnType::is_temporal),
            ('d', ColumnType::has_date),
            ('c', ColumnType::is_text),
            ('b', ColumnType::is_bytes),
            ('l', ColumnType::is_lob),
            ('s', ColumnType::has_charset),
        ];
        for (ty, family, answers) in [
            ("tinyint", Family::Integer, "ien"),
            ("bigint unsigned", Family::Integer, "ien"),
            ("decimal(5,2)", Family::Decimal, "en"),
            ("float", Family::FloatingPoint, "fn"),
            ("double", Family::FloatingPoint, "fn"),
            ("bit(3)", Family::Bit, ""),
            ("year", Family::Year, ""),
            ("date", Family::Date, "td"),
            ("time(3)", Family::Time, "t"),
            ("datetime", Family::DateTime, "td"),
            ("timestamp(6)", Family::Timestamp, "td"),
            ("char(3)", Family::Text, "cs"),
            ("varchar(3)", Family::Text, "cs"),
            ("text", Family::Text, "cls"),
            ("binary(3)", Family::Bytes, "b"),
            ("varbinary(3)", Family::Bytes, "b"),
            ("longblob", Family::Bytes, "bl"),
            ("enum('a')", Family::Enum, "s"),
            ("set('a')", Family::Set, "s"),
            ("json", Family::Json, ""),
            ("point", Family::Geometry, ""),
            ("vector(3)", Family::Vector, ""),
            ("uuid", Family::Address, ""),
            ("inet4", Family::Address, ""),
            ("inet6", Family::Address, ""),
        ] {
            let ty: ColumnType = ty.parse().unwrap();
            let yes: String = questions.iter().filter(|(_, is)| is(&ty)).map(|(letter, _)| *letter).collect();
            assert_eq!((ty.family(), yes.as_str()), (family, answers), "{ty}");
        }
    }

    #[test]
    fn decimals_of_a_second_are_of_times_of_the_day() {
        for (ty, decimals) in
            [("time(3)", Some(3)), ("datetime", Some(0)), ("timestamp(6)", Some(6)), ("date", None)]
        {
            assert_eq!(ty.parse::<ColumnType>().unwrap().fractional_digits(), decimals, "{ty}");
        }
    }
}
