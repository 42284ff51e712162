//! Who carried an ALTER TABLE out, and in which sql_mode.

use serde::{Deserialize, Serialize};

/// sql_mode STRICT_TRANS_TABLES and STRICT_ALL_TABLES.
pub(in super::super) const STRICT: u64 = 0x60_0000;
/// sql_mode TIME_TRUNCATE_FRACTIONAL of MySQL, in whose place MariaDB has EMPTY_STRING_IS_NULL.
pub(super) const TRUNCATES: u64 = 1 << 32;
/// sql_mode TIME_ROUND_FRACTIONAL of MariaDB.
pub(super) const ROUNDS: u64 = 1 << 34;
/// sql_mode PAD_CHAR_TO_FULL_LENGTH.
const PADS: u64 = 1 << 31;
/// sql_mode NO_AUTO_VALUE_ON_ZERO.
const KEEPS_ZEROS: u64 = 1 << 19;

/// Who carried an ALTER TABLE out, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) enum By {
    /// It is not known: the record was made before this was kept.
    #[default]
    Unknown,
    /// Nobody: the definition became better known, and values stay.
    Nobody,
    /// This kind of server, in this sql_mode.
    Server {
        /// MariaDB, not MySQL.
        mariadb: bool,
        /// The bits of sql_mode; `None`: the log does not tell.
        mode: Option<u64>,
        /// AUTO_INCREMENT does not begin with 1, or does not go by ones.
        #[serde(default)]
        steps: bool,
    },
}

impl By {
    /// A value that does not fit makes the statement fail, so that none is in the log.
    pub(in super::super) fn is_strict(self) -> bool {
        matches!(self, Self::Server { mode: Some(mode), .. } if mode & STRICT != 0)
    }

    /// CHAR is read with the spaces that it is filled with.
    pub(in super::super) fn pads(self) -> bool {
        matches!(self, Self::Server { mode: Some(mode), .. } if mode & PADS != 0)
    }

    /// The first number that AUTO_INCREMENT gives may be another one than 1.
    pub(in super::super) fn steps(self) -> bool {
        !matches!(self, Self::Server { steps: false, .. })
    }

    /// A column that becomes AUTO_INCREMENT keeps its zeros; else each gets a number.
    pub(in super::super) fn keeps_zeros(self) -> bool {
        matches!(self, Self::Nobody)
            || matches!(self, Self::Server { mode: Some(mode), .. } if mode & KEEPS_ZEROS != 0)
    }

    /// A value that does not fit becomes the nearest one that does.
    pub(in super::super) fn is_lax(self) -> bool {
        matches!(self, Self::Server { mode: Some(mode), .. } if mode & STRICT == 0)
    }
}
