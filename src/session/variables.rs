//! System variables: what kinds there are, and how the value of a SET is read. The variables
//! themselves are in one [`table`].

mod table;

use crate::failure::Failure;
use dbtrail_expression::Value;
pub(super) use table::VARIABLES;

/// Which values a variable has: the server's, each session's own, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Global,
    Session,
    Both,
}

/// The type of a variable: what SELECT declares it as, and which values it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VariableType {
    /// ON and OFF in SHOW, 1 and 0 in SELECT.
    Switch,
    /// From least to most.
    Integer(u64, u64),
    /// Six decimals.
    Real,
    /// One of these, by name or by number.
    Choice(&'static [&'static str]),
    Text,
}

/// What SET may do with a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetRule {
    /// Nothing: 1238.
    ReadOnly,
    /// SET GLOBAL could, which is nobody's right here: 1229.
    GlobalOnly,
    /// The session has a value that it cannot set: 1621.
    ReadOnlyInSession,
    /// Any value of its type; ignoring it cannot be seen in what this server answers.
    Ignored,
    /// Only the value that it has: another one would change answers, and this server does not carry
    /// it out.
    OnlyItsOwnValue,
    /// It means something here: `settings` carries it out.
    CarriedOut,
}

/// A system variable.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) scope: Scope,
    pub(super) kind: VariableType,
    /// In braces: filled in when asked.
    pub(super) default: &'static str,
    pub(super) rule: SetRule,
}

impl Variable {
    /// The name under which a session keeps the value: two of them are the old names of others.
    pub(super) fn key(&self) -> &'static str {
        match self.name {
            "tx_isolation" => "transaction_isolation",
            "tx_read_only" => "transaction_read_only",
            name => name,
        }
    }
}

/// A variable by its name, in lower case.
pub(super) fn find(name: &str) -> Option<&'static Variable> {
    VARIABLES.binary_search_by(|v| v.name.cmp(name)).ok().map(|i| &VARIABLES[i])
}

/// The value that a SET means, in the form that SHOW VARIABLES shows; with it the value that was
/// cut to the bounds of the variable.
pub(super) fn checked(variable: &Variable, value: &Value) -> Result<(String, Option<String>), Failure> {
    let shown = || value.text().map_or_else(|| "NULL".to_owned(), |t| t.as_ref().to_owned());
    let wrong = || Failure::WrongValue(variable.name.to_owned(), shown());
    let wrong_type = || Failure::WrongType(variable.name.to_owned());
    let plain = |text: &str| Ok((text.to_owned(), None));
    match (variable.kind, value) {
        (VariableType::Switch, Value::Int(0)) => plain("OFF"),
        (VariableType::Switch, Value::Int(1)) => plain("ON"),
        (VariableType::Switch, Value::Text(word)) => match word.to_uppercase().as_str() {
            "ON" => plain("ON"),
            "OFF" => plain("OFF"),
            _ => Err(wrong()),
        },
        (VariableType::Integer(least, most), Value::Int(number)) => {
            let number = *number;
            let fitting = number.clamp(i128::from(least), i128::from(most));
            Ok((fitting.to_string(), (fitting != number).then(|| number.to_string())))
        }
        (
            VariableType::Switch | VariableType::Choice(_) | VariableType::Integer(..),
            Value::Decimal(_) | Value::Double(_),
        )
        | (VariableType::Integer(..) | VariableType::Real, Value::Text(_) | Value::Null) => Err(wrong_type()),
        (VariableType::Real, Value::Int(_) | Value::Decimal(_) | Value::Double(_)) => {
            let number: f64 = shown().parse().map_err(|_| wrong())?;
            Ok((format!("{:.6}", number.max(0.0)), None))
        }
        (VariableType::Choice(names), Value::Int(number)) => {
            let name = usize::try_from(*number).ok().and_then(|i| names.get(i)).ok_or_else(wrong)?;
            plain(name)
        }
        (VariableType::Choice(names), Value::Text(word)) => {
            plain(names.iter().find(|n| n.eq_ignore_ascii_case(word)).ok_or_else(wrong)?)
        }
        (VariableType::Text, Value::Text(_) | Value::Int(_) | Value::Decimal(_) | Value::Double(_)) => {
            match shown() {
                text if text.len() <= 1024 => Ok((text, None)),
                _ => Err(wrong()),
            }
        }
        (VariableType::Switch, Value::Int(_))
        | (VariableType::Switch | VariableType::Choice(_) | VariableType::Text, Value::Null) => Err(wrong()),
    }
}

/// All modes that MySQL 8.0 knows and this server takes, in mysqld's order. ANSI_QUOTES,
/// NO_BACKSLASH_ESCAPES and NO_UNSIGNED_SUBTRACTION are honoured; the others change nothing that
/// this server does.
const MODES: &[&str] = &[
    "REAL_AS_FLOAT",
    "PIPES_AS_CONCAT",
    "ANSI_QUOTES",
    "IGNORE_SPACE",
    "ONLY_FULL_GROUP_BY",
    "NO_UNSIGNED_SUBTRACTION",
    "NO_DIR_IN_CREATE",
    "ANSI",
    "NO_AUTO_VALUE_ON_ZERO",
    "NO_BACKSLASH_ESCAPES",
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ALLOW_INVALID_DATES",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "TRADITIONAL",
    "NO_AUTO_CREATE_USER",
    "NO_ENGINE_SUBSTITUTION",
    // Those of MariaDB that change nothing that this server does.
    "IGNORE_BAD_TABLE_OPTIONS",
    "SIMULTANEOUS_ASSIGNMENT",
    "TIME_ROUND_FRACTIONAL",
];

/// The modes in mysqld's order; the error is the one that cannot be honoured.
pub(super) fn modes(text: &str) -> Result<String, String> {
    let mut wanted: Vec<String> = Vec::new();
    for written in text.split(',').map(str::trim).filter(|m| !m.is_empty()) {
        let mode = written.to_uppercase();
        let with: &[&str] = match mode.as_str() {
            "TRADITIONAL" => &[
                "STRICT_TRANS_TABLES",
                "STRICT_ALL_TABLES",
                "NO_ZERO_IN_DATE",
                "NO_ZERO_DATE",
                "ERROR_FOR_DIVISION_BY_ZERO",
                "NO_ENGINE_SUBSTITUTION",
            ],
            "ANSI" => {
                &["REAL_AS_FLOAT", "PIPES_AS_CONCAT", "ANSI_QUOTES", "IGNORE_SPACE", "ONLY_FULL_GROUP_BY"]
            }
            known if MODES.contains(&known) => &[],
            _ => return Err(written.to_owned()),
        };
        wanted.extend(with.iter().map(|m| (*m).to_owned()));
        wanted.push(mode);
    }
    let ordered: Vec<&str> = MODES.iter().copied().filter(|m| wanted.iter().any(|w| w == m)).collect();
    Ok(ordered.join(","))
}

/// `optimizer_switch` with some of its flags changed; `None`: there is no such flag, or no such
/// setting of one.
pub(super) fn switched(now: &str, default: &str, changes: &str) -> Option<String> {
    if changes.eq_ignore_ascii_case("default") {
        return Some(default.to_owned());
    }
    let pairs = |text: &str| -> Option<Vec<(String, String)>> {
        let pair =
            |p: &str| p.split_once('=').map(|(n, v)| (n.trim().to_lowercase(), v.trim().to_lowercase()));
        text.split(',').filter(|p| !p.trim().is_empty()).map(pair).collect()
    };
    let (mut flags, defaults) = (pairs(now)?, pairs(default)?);
    for (name, setting) in pairs(changes)? {
        let at = flags.iter().position(|(n, _)| *n == name)?;
        flags[at].1 = match setting.as_str() {
            "on" | "off" => setting,
            "default" => defaults.get(at)?.1.clone(),
            _ => return None,
        };
    }
    let flags: Vec<String> = flags.into_iter().map(|(n, v)| format!("{n}={v}")).collect();
    Some(flags.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_the_table_is_in_order_and_its_defaults_are_values() {
        assert!(VARIABLES.windows(2).all(|w| w[0].name < w[1].name));
        for variable in VARIABLES.iter().filter(|v| !v.default.starts_with('{')) {
            let value = match variable.kind {
                VariableType::Integer(..) => Value::Int(variable.default.parse().unwrap()),
                VariableType::Real => Value::Decimal(variable.default.parse().unwrap()),
                VariableType::Switch | VariableType::Choice(_) | VariableType::Text => {
                    Value::from(variable.default)
                }
            };
            let want = Ok((variable.default.to_owned(), None));
            assert_eq!(checked(variable, &value), want, "{}", variable.name);
        }
        assert!(VARIABLES.len() > 140);
    }

    /// Seen on MySQL 9.7.
    #[test]
    fn ok_values_as_mysqld_reads_them() {
        let text = |s: &str| Value::from(s);
        let fine = |s: &str| Ok((s.to_owned(), None));
        let wrong = |n: &str, v: &str| Err(Failure::WrongValue(n.to_owned(), v.to_owned()));
        for (name, value, want) in [
            ("foreign_key_checks", Value::Int(0), fine("OFF")),
            ("foreign_key_checks", text("on"), fine("ON")),
            ("foreign_key_checks", Value::Int(2), wrong("foreign_key_checks", "2")),
            ("autocommit", text("x"), wrong("autocommit", "x")),
            ("autocommit", Value::Null, wrong("autocommit", "NULL")),
            (
                "autocommit",
                Value::Decimal("1.0".parse().unwrap()),
                Err(Failure::WrongType("autocommit".to_owned())),
            ),
            ("wait_timeout", text("30"), Err(Failure::WrongType("wait_timeout".to_owned()))),
            (
                "wait_timeout",
                Value::Decimal("1.5".parse().unwrap()),
                Err(Failure::WrongType("wait_timeout".to_owned())),
            ),
            ("wait_timeout", Value::Int(-1), Ok(("1".to_owned(), Some("-1".to_owned())))),
            (
                "wait_timeout",
                Value::Int(99_999_999_999),
                Ok(("31536000".to_owned(), Some("99999999999".to_owned()))),
            ),
            ("transaction_isolation", text("read-committed"), fine("READ-COMMITTED")),
            ("transaction_isolation", Value::Int(3), fine("SERIALIZABLE")),
            ("transaction_isolation", text("x"), wrong("transaction_isolation", "x")),
            ("session_track_transaction_info", Value::Int(1), fine("STATE")),
            ("long_query_time", Value::Decimal("0.5".parse().unwrap()), fine("0.500000")),
        ] {
            assert_eq!(checked(find(name).unwrap(), &value), want, "{name} = {value:?}");
        }
    }

    #[test]
    fn ok_modes_in_their_order() {
        let ansi = "REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ONLY_FULL_GROUP_BY,ANSI";
        let traditional = "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,TRADITIONAL,\
                           NO_ENGINE_SUBSTITUTION";
        for (text, want) in [
            ("", Ok("")),
            ("ansi", Ok(ansi)),
            (" traditional ,", Ok(traditional)),
            ("time_round_fractional,STRICT_ALL_TABLES", Ok("STRICT_ALL_TABLES,TIME_ROUND_FRACTIONAL")),
            ("NO_ENGINE_SUBSTITUTION,STRICT_TRANS_TABLES", Ok("STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION")),
            ("STRICT_TRANS_TABLES,nonsense", Err("nonsense")),
            ("PAD_CHAR_TO_FULL_LENGTH", Err("PAD_CHAR_TO_FULL_LENGTH")),
        ] {
            assert_eq!(modes(text), want.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn ok_flags_of_the_optimizer() {
        let (now, default) = ("a=on,b=off", "a=on,b=on");
        for (changes, want) in [
            ("a=off", Some("a=off,b=off")),
            ("B = default", Some("a=on,b=on")),
            ("default", Some("a=on,b=on")),
            ("c=on", None),
            ("a=maybe", None),
            ("a", None),
        ] {
            assert_eq!(switched(now, default, changes).as_deref(), want, "{changes}");
        }
    }
}
