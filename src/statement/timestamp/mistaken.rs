//! What people write where an instant belongs, and what to write instead.

use crate::statement::Refused;
use crate::statement::cursor::{Cursor, shortened, syntax};
use sqlparser::tokenizer::{Token, Word};

/// What is where an instant was expected.
pub(super) fn not_a_timestamp(c: &Cursor<'_>) -> Refused {
    let what = match c.peek() {
        None => "the instant is missing".to_owned(),
        Some(Token::Eq) => "no = belongs before the instant".to_owned(),
        Some(Token::Number(n, _)) => number(c, n),
        Some(Token::Minus) => match c.ahead(1) {
            Some(Token::Number(..) | Token::Word(_)) => {
                "a span back from now is written '-10s' or '10 seconds ago', in quotes".to_owned()
            }
            _ => "this is no instant".to_owned(),
        },
        Some(Token::Word(w)) => word(c, w),
        Some(_) => "this is no instant".to_owned(),
    };
    syntax(format!(
        "{what}, at {}; instants are '2026-04-27 09:00:00', '5 minutes ago', NOW() - INTERVAL 1 HOUR",
        c.here()
    ))
}

/// A number: a date without quotes, mostly.
fn number(c: &Cursor<'_>, number: &str) -> String {
    if let Some(Token::Word(unit)) = c.ahead(1)
        && matches!(c.ahead(2), Some(Token::Word(ago)) if ago.value.eq_ignore_ascii_case("ago"))
    {
        return format!("the quotes are missing: write '{number} {} ago'", shortened(&unit.value, 20));
    }
    let end = c.find(&["WHERE", "ORDER", "LIMIT", "AND", "AS", "GROUP", "FOR"]);
    let written = c.part(c.index(), end).source();
    let date = |t: &str| {
        t.len() > 10
            && t.len() <= 40
            && t.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | ' ' | '.' | '+' | 'T' | 'Z'))
    };
    if written.len() > number.len() && (date(&written) || written.len() == 10) {
        return format!("the quotes are missing: write '{written}'");
    }
    if written == number && number.len() >= 9 {
        return format!("seconds since 1970 are written FROM_UNIXTIME({})", shortened(number, 30));
    }
    "a number is no instant".to_owned()
}

fn word(c: &Cursor<'_>, word: &Word) -> String {
    const TYPOGRAPHIC: [char; 9] = ['‘', '’', '‚', '“', '”', '„', '´', '«', '»'];
    let value = shortened(&word.value, 40);
    if value.starts_with(TYPOGRAPHIC) {
        return "a word processor made these quotes, which SQL does not know; type ' before and after"
            .to_owned();
    }
    match word.quote_style {
        Some('"') => {
            return "under sql_mode ANSI_QUOTES \" quotes names, and an instant takes '".to_owned();
        }
        Some(_) => return "backticks quote names, and an instant takes '".to_owned(),
        None => {}
    }
    let call = c.ahead(1) == Some(&Token::LParen);
    match value.to_uppercase().as_str() {
        "SCN" => "Oracle's SCN does not exist here; a transaction is named AT GTID '...'".to_owned(),
        "GTID" => "a transaction is named AT GTID '...', without AS OF".to_owned(),
        "SYSTEM" => "SYSTEM TIME is CockroachDB's; leave it out".to_owned(),
        "OF" => "OF is there twice".to_owned(),
        "TO_TIMESTAMP" | "TO_DATE" | "STR_TO_DATE" | "CAST" | "CONVERT" | "PARSE_TIMESTAMP" | "DATETIME"
        | "UNIX_TIMESTAMP"
            if call =>
        {
            format!("{value}() is not read here: write the instant itself, in quotes")
        }
        "GETDATE" | "GETUTCDATE" | "SYSDATETIME" | "SYSTIMESTAMP" | "CURRENT_TIME" | "CURTIME" | "TODAY" => {
            format!("{value} is not read here: write NOW()")
        }
        "DATEADD" | "TIMESTAMP_SUB" | "TIMESTAMP_ADD" | "TIMESTAMPADD" | "DATETIME_SUB" | "DATETIMEADD" => {
            format!("{value}() is not read here: write NOW() - INTERVAL 1 HOUR")
        }
        "INTERVAL" => "an interval alone is no instant: write NOW() - INTERVAL 1 HOUR".to_owned(),
        "YESTERDAY" => "write CURDATE() - INTERVAL 1 DAY, or '1 day ago'".to_owned(),
        _ if value.starts_with('@') => {
            "a variable cannot be the instant: write its value, in quotes".to_owned()
        }
        _ if call => format!("the function {value} is not read here"),
        _ => format!("{value} is no instant (text takes quotes)"),
    }
}
