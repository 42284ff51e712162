//! Optimizer hints: `SELECT /*+ ... */` (manual: ["Optimizer
//! Hints"](https://dev.mysql.com/doc/refman/9.7/en/optimizer-hints.html)), of which two are ours.
//!
//! A hint is right after SELECT, with nothing but white space between. The same text elsewhere is a
//! comment, in a string it is a string.

use super::cursor::{Cursor, shortened, unsupported};
use super::hint_comment::{HintComment, ours};
use super::timestamp::timestamp;
use super::{ParseSettings, Refused, StatementPosition, TimeClause};
use sqlparser::tokenizer::Token;

/// What the hints of a statement ask of this server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hints {
    /// `SET_VAR(dbtrail_allow_wide_diff=...)`
    pub(super) allow_wide_diff: Option<bool>,
    /// `SET_VAR(dbtrail_allow_table_scan=...)`
    pub(super) allow_table_scan: Option<bool>,
    /// `DBTRAIL_AT='...'`, `DBTRAIL_GTID='...'`; and where.
    pub(super) at: Option<(TimeClause, StatementPosition)>,
}

/// Reads the hints of a time-travel query.
pub(super) fn hints(comment: &HintComment) -> Result<Hints, Refused> {
    if let Some(at) = comment.stray {
        return Err(unsupported(format!(
            "the hint at line {}, column {}, which is not the first thing after SELECT, so that MySQL takes it for a comment: \
             write SELECT /*+ ... */ ...",
            at.line, at.column
        )));
    }
    let Some((text, at)) = &comment.hint else { return Ok(Hints::default()) };
    // So that errors tell the position in the statement.
    let mut padded = "\n".repeat(usize::try_from(at.line - 1).unwrap_or_default());
    padded.push_str(&" ".repeat(usize::try_from(at.column - 1).unwrap_or_default()));
    padded.push_str(text);
    let mut c = Cursor::new(&padded, ParseSettings::default())?;
    let mut hints = Hints::default();
    while !c.is_at_end() {
        one(&mut c, &mut hints)?;
    }
    Ok(hints)
}

/// One hint. Those that only advise the optimizer cannot be seen in an answer, and what mysqld does
/// not know it ignores with a warning.
fn one(c: &mut Cursor<'_>, hints: &mut Hints) -> Result<(), Refused> {
    let position = c.position();
    if c.words(&["SET_VAR"]) {
        return set_var(c, hints, position);
    }
    if c.words(&["MAX_EXECUTION_TIME"]) {
        return Err(unsupported(format!(
            "the hint MAX_EXECUTION_TIME at {position}: no timeout of this server ends a statement; ProxySQL's \
             mysql-default_query_timeout and KILL QUERY do"
        )));
    }
    let gtid = c.clone().words(&["DBTRAIL_GTID"]);
    if c.one_of(&["DBTRAIL_AT", "DBTRAIL_GTID"]).is_some() {
        let form = if gtid { "DBTRAIL_GTID='uuid:n'" } else { "DBTRAIL_AT='2026-04-27 09:00:00'" };
        if !c.token(&Token::Eq) {
            return Err(c.unexpected(&format!("= (the hint is SELECT /*+ {form} */ ...)")));
        }
        let time = if gtid {
            TimeClause::Gtid(c.text().ok_or_else(|| c.unexpected("a GTID in quotes"))?)
        } else {
            TimeClause::At(timestamp(c)?)
        };
        if hints.at.replace((time, position)).is_some() {
            return Err(unsupported(format!("a second instant in the hint, at {position}")));
        }
        return Ok(());
    }
    match c.next() {
        Some(Token::Word(w)) if ours(&w.value) => Err(unsupported(format!(
            "the hint {} at {position}: there are DBTRAIL_AT='2026-04-27 09:00:00', DBTRAIL_GTID='...' and \
             SET_VAR(dbtrail_allow_table_scan=ON), SET_VAR(dbtrail_allow_wide_diff=ON)",
            shortened(&w.value, 40)
        ))),
        _ => {
            let mut depth = 0_usize;
            while depth > 0 || c.peek() == Some(&Token::LParen) {
                match c.next() {
                    Some(Token::LParen) => depth += 1,
                    Some(Token::RParen) => depth -= 1,
                    Some(_) => {}
                    None => break,
                }
            }
            Ok(())
        }
    }
}

fn set_var(c: &mut Cursor<'_>, hints: &mut Hints, position: StatementPosition) -> Result<(), Refused> {
    if !c.token(&Token::LParen) {
        return Err(c.unexpected("( after SET_VAR"));
    }
    let name = c.name("a variable")?;
    if !c.token(&Token::Eq) {
        return Err(c.unexpected("="));
    }
    let value = c.text().or_else(|| c.number()).map_or_else(|| c.name("ON or OFF"), Ok)?;
    if !c.token(&Token::RParen) {
        return Err(c.unexpected(")"));
    }
    let switch = match name.to_lowercase().as_str() {
        "dbtrail_allow_wide_diff" => &mut hints.allow_wide_diff,
        "dbtrail_allow_table_scan" => &mut hints.allow_table_scan,
        _ => {
            return Err(unsupported(format!(
                "the hint SET_VAR({}=...) at {position}: no variables but dbtrail_allow_table_scan and dbtrail_allow_wide_diff are set for \
                 one statement; use SET",
                shortened(&name, 40)
            )));
        }
    };
    *switch = Some(match value.to_uppercase().as_str() {
        "ON" | "1" | "TRUE" => true,
        "OFF" | "0" | "FALSE" => false,
        _ => {
            return Err(unsupported(format!(
                "the hint SET_VAR({}={}) at {position}: write ON or OFF",
                name.to_lowercase(),
                shortened(&value, 40)
            )));
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::TimestampExpr;

    fn read(text: &str) -> Result<Hints, Refused> {
        hints(&Cursor::new(text, ParseSettings::default()).unwrap().hint())
    }

    #[test]
    fn ok_only_right_after_select() {
        let wide = |text| read(text).unwrap().allow_wide_diff;
        for (text, on) in [
            ("SELECT /*+ SET_VAR(dbtrail_allow_wide_diff=ON) */ 1", Some(true)),
            ("select\n/*+set_var ( DBTRAIL_allow_wide_diff = 'on' ) NO_ICP(t, u) BKA(@`x`) */ 1", Some(true)),
            ("EXPLAIN SELECT/*+ MRR(t) SET_VAR(dbtrail_allow_wide_diff=0) */ 1", Some(false)),
            ("SELECT '/*+ SET_VAR(dbtrail_allow_wide_diff=ON) */'", None),
            ("-- SELECT /*+ SET_VAR(dbtrail_allow_wide_diff=ON) */\nSELECT 1", None),
            ("/* SELECT /*+ SET_VAR(dbtrail_allow_wide_diff=ON) */ SELECT 1", None),
            ("SELECT `/*+ SET_VAR(dbtrail_allow_wide_diff=ON) */`", None),
            ("SELECT /*+ */ 1", None),
            ("SELECT /*+ rubbish ) ( */ 1", None),
        ] {
            assert_eq!(wide(text), on, "{text}");
        }
        let hints = read("SELECT /*+ DBTRAIL_AT='2026-04-27' INDEX(t i) */ * FROM t").unwrap();
        let at = TimeClause::At(TimestampExpr::Literal("2026-04-27".to_owned()));
        assert_eq!(hints.at, Some((at, StatementPosition(Some((1, 12))))));
    }

    #[test]
    fn err_hints_of_ours_that_would_be_lost() {
        for text in [
            "SELECT /* x */ /*+ DBTRAIL_AT='2026-04-27' */ * FROM t",
            "/*+ DBTRAIL_AT='2026-04-27' */ SELECT * FROM t",
            "SELECT * FROM t /*+ DBTRAIL_AT='2026-04-27' */",
            "SELECT /*+ DBTRAIL_AT('2026-04-27') */ * FROM t",
            "SELECT /*+ DBTRAIL_AS='2026-04-27' */ * FROM t",
            "SELECT /*+ DBTRAIL_AT=2026 */ * FROM t",
            "SELECT /*+ DBTRAIL_AT='2026-04-27' DBTRAIL_GTID='a:1' */ * FROM t",
            "SELECT /*+ SET_VAR(dbtrail_allow_wide_diff=maybe) */ 1",
            "SELECT /*+ SET_VAR(sql_select_limit=1) */ 1",
            "SELECT /*+ MAX_EXECUTION_TIME(10) */ 1",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
