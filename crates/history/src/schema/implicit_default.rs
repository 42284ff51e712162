//! What a statement leaves unsaid, and who decides it: the server's version and the session's
//! settings, as far as the log tells them.

use crate::log::collation_name;
use crate::log::{LoggedStatement, Raw, ServerVersion, charset_of};
use crate::value;
use dbtrail_sql_text::Quoting;
use dbtrail_types::timestamp::Timestamp;

/// Pairs of `character_set_collations`: a character set by its first collation, and the one it has.
#[derive(Clone, Copy, Debug)]
struct SetCollations {
    pairs: [(u16, u16); Self::MOST],
    /// There are no more.
    complete: bool,
}

impl SetCollations {
    /// MariaDB 11.8 has 40 character sets.
    const MOST: usize = 44;

    fn of(pairs: &[(u16, u16)]) -> Self {
        let mut all = [(0, 0); Self::MOST];
        for (position, pair) in all.iter_mut().zip(pairs) {
            *position = *pair;
        }
        Self { pairs: all, complete: pairs.len() <= Self::MOST }
    }

    /// The name of the collation that a character set was given.
    fn of_charset(self, charset: &str) -> Option<String> {
        let (_, own) = self.pairs.iter().find(|(first, _)| charset_of(*first).as_deref() == Some(charset))?;
        collation_name(*own)
    }
}

/// The settings under which a statement ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImplicitDefault {
    pub(super) server: ServerVersion,
    /// Default collation of utf8mb4 (MySQL 8).
    utf8mb4: Option<u16>,
    /// MariaDB's `character_set_collations` where it is not the server's own.
    set_collations: Option<SetCollations>,
    explicit_timestamps: Option<bool>,
    /// REAL_AS_FLOAT.
    pub(super) real_as_float: bool,
    no_backslash_escapes: bool,
    /// Literals of ASCII are bytes of ASCII: not so where character_set_connection is UCS-2 or
    /// UTF-16.
    pub(super) ascii_literals: bool,
    at: Timestamp,
    /// The session's time zone, in seconds east of UTC, where it was given as an offset.
    zone: Option<i64>,
}

/// The seconds of an offset like `+05:30`; `None`: a name, of which the log says no more.
fn offset(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n < 60).map(i64::from);
    Some(sign * (number(hours)? * 3600 + number(minutes)? * 60))
}

impl ImplicitDefault {
    pub(super) fn of(statement: &LoggedStatement) -> Self {
        Self {
            server: statement.server,
            utf8mb4: statement.default_utf8mb4,
            set_collations: statement.set_collations.as_deref().map(SetCollations::of),
            explicit_timestamps: statement.explicit_timestamps,
            real_as_float: statement.sql_mode.unwrap_or(0) & 1 != 0,
            no_backslash_escapes: !Quoting::of_sql_mode(statement.sql_mode.unwrap_or(0)).backslash_escapes,
            ascii_literals: statement
                .charsets
                .and_then(|(_, connection, _)| charset_of(connection))
                .is_none_or(|set| extends_ascii(Some(&set))),
            at: statement.at,
            zone: statement.time_zone.as_deref().and_then(offset),
        }
    }

    /// The expression of a generated column after an ALTER TABLE that leaves the column alone:
    /// MySQL keeps it as text with escapes, and reads and writes that text under the sql_mode of
    /// the session, so that NO_BACKSLASH_ESCAPES doubles each backslash (seen in MySQL 9.7; MariaDB
    /// does not do it).
    pub(super) fn generated_again(self, expression: &str) -> String {
        if self.server.mariadb || !self.no_backslash_escapes {
            expression.to_owned()
        } else {
            expression.replace('\\', "\\\\")
        }
    }

    /// The character set that a name means, and whether that is known: `utf8` is what MariaDB's
    /// old_mode says since 10.6, and old_mode is not in the log.
    pub(super) fn charset(self, name: &str) -> (String, bool) {
        match name {
            "utf8" => ("utf8mb3".to_owned(), !self.server.mariadb || self.server.mariadb_before((10, 6))),
            other => (other.to_owned(), true),
        }
    }

    /// A collation by the name that servers show, and whether that is known.
    pub(super) fn collation(self, name: &str, charset: Option<&str>) -> (String, bool) {
        if let Some(rest) = name.strip_prefix("utf8_") {
            let (charset, known) = self.charset("utf8");
            return (format!("{charset}_{rest}"), known);
        }
        // MariaDB's collations that fit several character sets are written without one.
        if name.starts_with("uca1400_") {
            return match charset {
                Some(charset) => (format!("{charset}_{name}"), true),
                None => (name.to_owned(), false),
            };
        }
        (name.to_owned(), true)
    }

    /// The collation of a character set that is without one, and whether that is known: since
    /// MariaDB 11.2 the session's `character_set_collations` decides, which 11.5 and newer log
    /// where it is not what they begin with.
    pub(super) fn default_collation(self, charset: &str) -> (String, bool) {
        let (charset, known) = self.charset(charset);
        let settled = !self.server.mariadb
            || self.server.mariadb_before((11, 2))
            || self.set_collations.is_some_and(|set| set.complete)
            || (self.set_collations.is_none() && self.server.number >= (11, 5));
        if let Some(own) = self.set_collations.and_then(|set| set.of_charset(&charset)) {
            return (own, known);
        }
        let begins_with_uca = self.server.mariadb
            && self.server.number >= (11, 5)
            && matches!(charset.as_str(), "utf8mb3" | "utf8mb4" | "ucs2" | "utf16" | "utf32");
        if self.set_collations.is_none() && begins_with_uca {
            return (format!("{charset}_uca1400_ai_ci"), known);
        }
        let (name, default_known) = match charset.as_str() {
            "utf8mb4" => match self.utf8mb4.and_then(collation_name) {
                Some(reported) => (reported, true),
                None if self.server.mariadb => ("utf8mb4_general_ci".to_owned(), settled),
                None if self.server.mysql_before((8, 0)) => ("utf8mb4_general_ci".to_owned(), true),
                None => ("utf8mb4_0900_ai_ci".to_owned(), false),
            },
            "latin1" => ("latin1_swedish_ci".to_owned(), settled),
            "binary" => ("binary".to_owned(), true),
            "utf8mb3" | "ascii" | "ucs2" | "utf16" | "utf32" => (format!("{charset}_general_ci"), settled),
            other => match general(other) {
                Some(name) => (format!("{other}_{name}"), settled),
                None => (format!("{other}_general_ci"), false),
            },
        };
        (name, default_known && known)
    }

    /// The second in which the statement began, as a TIMESTAMP.
    pub(super) fn now(self) -> Option<String> {
        let seconds = u32::try_from(self.at.micros() / 1_000_000).ok()?;
        value::temporal_text(&Raw::Timestamp(seconds, 0), 0)
    }

    /// The same as a DATETIME, which is of the session's time zone.
    pub(super) fn local_now(self) -> Option<String> {
        let seconds = u32::try_from(self.at.micros() / 1_000_000 + self.zone?).ok()?;
        value::temporal_text(&Raw::Timestamp(seconds, 0), 0)
    }

    /// A time of the session's time zone as a TIMESTAMP keeps it; `None`: the log does not tell.
    pub(super) fn in_utc(self, text: &str) -> Option<String> {
        let zone = jiff::SignedDuration::from_secs(self.zone?);
        let (seconds_part, decimals) = text.split_once('.').unwrap_or((text, ""));
        let local: jiff::civil::DateTime = seconds_part.replacen(' ', "T", 1).parse().ok()?;
        let utc = local.checked_sub(zone).ok()?;
        // What no TIMESTAMP holds is an error of the statement.
        if !(1970..2038).contains(&utc.year()) {
            return None;
        }
        let shown = utc.strftime("%Y-%m-%d %H:%M:%S").to_string();
        Some(if decimals.is_empty() { shown } else { format!("{shown}.{decimals}") })
    }

    /// Whether a TIMESTAMP without NULL and NOT NULL takes NULL; `None`: the log does not tell.
    pub(super) fn bare_timestamp_is_nullable(self) -> Option<bool> {
        self.explicit_timestamps
    }
}

/// Whether a byte below 0x80 is the same character as in ASCII.
pub(super) fn extends_ascii(set: Option<&str>) -> bool {
    !matches!(set, None | Some("ucs2" | "utf16" | "utf16le" | "utf32" | "swe7"))
}

/// How the default collation of the other character sets ends, in MySQL 9.7 and MariaDB 11.8 alike;
/// `None`: a set that is not known here.
fn general(charset: &str) -> Option<&'static str> {
    Some(match charset {
        "big5" | "gb18030" | "gb2312" | "gbk" => "chinese_ci",
        "cp932" | "eucjpms" | "sjis" | "ujis" => "japanese_ci",
        "dec8" | "swe7" => "swedish_ci",
        "euckr" => "korean_ci",
        "hp8" => "english_ci",
        "latin5" => "turkish_ci",
        "tis620" => "thai_ci",
        "armscii8" | "cp1250" | "cp1251" | "cp1256" | "cp1257" | "cp850" | "cp852" | "cp866" | "geostd8"
        | "greek" | "hebrew" | "keybcs2" | "koi8r" | "koi8u" | "latin2" | "latin7" | "macce" | "macroman"
        | "utf16le" => "general_ci",
        _ => return None,
    })
}

/// Bytes of the longest character of a character set; `None`: not known here.
pub(super) fn longest_character(charset: &str) -> Option<u32> {
    match charset {
        "utf8mb4" | "utf16" | "utf32" | "utf16le" | "gb18030" => Some(4),
        "utf8mb3" | "utf8" | "ujis" | "eucjpms" => Some(3),
        "ucs2" | "big5" | "cp932" | "euckr" | "gb2312" | "gbk" | "sjis" => Some(2),
        "latin1" | "ascii" | "binary" => Some(1),
        // All that are left have one byte a character.
        other => general(other).map(|_| 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(zone: Option<&str>) -> ImplicitDefault {
        let at = Timestamp::from_micros(1_577_836_800_500_000);
        let plain = LoggedStatement::plain("", ServerVersion::default(), at);
        ImplicitDefault::of(&LoggedStatement { time_zone: zone.map(str::to_owned), ..plain })
    }

    /// As MySQL 9.7 and MariaDB 11.8 fill an added column; of zones with a name the log has no more
    /// than that.
    #[test]
    fn times_are_of_the_session_s_time_zone() {
        let east = under(Some("+05:30"));
        assert_eq!(east.in_utc("2020-01-01 05:30:00").as_deref(), Some("2020-01-01 00:00:00"));
        assert_eq!(east.local_now().as_deref(), Some("2020-01-01 05:30:00"));
        assert_eq!(
            under(Some("-03:00")).in_utc("2019-12-31 22:00:00.500").as_deref(),
            Some("2020-01-01 01:00:00.500")
        );
        assert_eq!(east.in_utc("1970-01-01 00:00:00"), None);
        for zone in [None, Some("SYSTEM"), Some("Europe/Berlin")] {
            assert_eq!((under(zone).in_utc("2020-01-01 05:30:00"), under(zone).local_now()), (None, None));
        }
    }
}
