//! The time clause of a statement, as it was written.

use dbtrail_types::timestamp::Timestamp;

/// The instants that a statement asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum TimeClause {
    /// AS OF
    At(TimestampExpr),
    /// AT GTID
    Gtid(String),
    /// BETWEEN
    Between(TimestampExpr, TimestampExpr),
}

impl TimeClause {
    /// Whether a part of it is a parameter that has no value yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self {
            Self::At(at) => at.is_open(),
            Self::Gtid(_) => false,
            Self::Between(since, until) => since.is_open() || until.is_open(),
        }
    }
}

impl TimestampExpr {
    fn is_open(&self) -> bool {
        match self {
            Self::Parameter(_) => true,
            Self::Minus { base, .. } => base.is_open(),
            Self::Literal(_)
            | Self::End(_)
            | Self::RecordEndAt(_)
            | Self::Now { .. }
            | Self::Today
            | Self::UtcTimestamp { .. }
            | Self::Unix(_) => false,
        }
    }
}

/// An instant as written. Made a point in time by the plan, once, when the statement is executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimestampExpr {
    /// A quoted literal in any of the accepted forms, `'now'` and `'5 minutes ago'` among them.
    Literal(String),
    /// LATEST or EARLIEST: an end of what can be answered. The plan takes `'now'` and a NOW() alone
    /// for the former.
    End(RecordEnd),
    /// What an end was found to be.
    RecordEndAt(Timestamp),
    /// `NOW([n])`, CURRENT_TIMESTAMP, LOCALTIME: the local time of the session's zone, cut to `fsp`
    /// decimals.
    Now {
        /// Decimals of a second, 0 to 6.
        fsp: u8,
    },
    /// `CURDATE()`, CURRENT_DATE: the midnight with which the day began in the session's zone.
    Today,
    /// `UTC_TIMESTAMP([n])`: read, as mysqld would, as a local time of the session. See the plan
    /// for what is accepted.
    UtcTimestamp {
        /// Decimals of a second, 0 to 6.
        fsp: u8,
    },
    /// FROM_UNIXTIME(n): seconds since 1970, as decimal text.
    Unix(String),
    /// `base - INTERVAL n unit` (and `+`, where the amount is negative here).
    Minus {
        /// From where.
        base: Box<TimestampExpr>,
        /// How many units back; as text so that '1.5' SECOND is exact.
        amount: String,
        /// The unit.
        unit: IntervalUnit,
    },
    /// `?`, the nth of the statement, counted from 0.
    Parameter(usize),
}

/// An end of the record, as far as it can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEnd {
    /// The oldest instant.
    Earliest,
    /// The newest instant.
    Latest,
}

impl RecordEnd {
    /// The word, or the literal in any case, that means one.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let is = |name: &str| word.trim().eq_ignore_ascii_case(name);
        if is("LATEST") || is("NOW") { Some(Self::Latest) } else { is("EARLIEST").then_some(Self::Earliest) }
    }
}

impl TimestampExpr {
    /// The end of the record that this means, if it is one: `'now'` and NOW() by themselves are the
    /// newest instant that can be answered, since what a server has committed reaches an agent a
    /// little later.
    #[must_use]
    pub fn end(&self) -> Option<RecordEnd> {
        match self {
            Self::End(end) => Some(*end),
            Self::Literal(text) => RecordEnd::named(text),
            Self::Now { .. } | Self::UtcTimestamp { .. } => Some(RecordEnd::Latest),
            Self::RecordEndAt(_) | Self::Today | Self::Unix(_) | Self::Minus { .. } | Self::Parameter(_) => {
                None
            }
        }
    }
}

impl TimeClause {
    /// Its instants, to be looked at or to be put in.
    pub fn instants(&mut self) -> impl Iterator<Item = &mut TimestampExpr> {
        let (first, second) = match self {
            Self::At(at) => (Some(at), None),
            Self::Gtid(_) => (None, None),
            Self::Between(since, until) => (Some(since), Some(until)),
        };
        first.into_iter().chain(second)
    }
}

/// Units of INTERVAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "MySQL's own unit names")]
pub enum IntervalUnit {
    Microsecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}
