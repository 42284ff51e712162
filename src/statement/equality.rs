//! `name = literal [AND name = literal]...`: how most statements name a key.
//!
//! An expression of this shape is read here, and every other one by sqlparser, which tries each
//! name as the type of a literal (`DATE '...'`) before it takes it for a column, and makes an error
//! message each time that it is none: that took as long as the reading of all tokens. What comes
//! out is the same.

#![expect(clippy::wildcard_enum_match_arm, reason = "what is not named here is left to sqlparser")]

use super::cursor::Located;
use sqlparser::ast::{BinaryOperator, Expr, Ident, Value};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

/// Words that begin nothing else in an expression: those that sqlparser does not know, and of those
/// that it knows some that columns of keys often have as their name.
const COLUMNS: [Keyword; 6] =
    [Keyword::NoKeyword, Keyword::ID, Keyword::LINE, Keyword::NAME, Keyword::TYPE, Keyword::VERSION];

/// The expression that these tokens are as a whole; `None`: they have another shape.
pub(super) fn equalities(tokens: &[Located]) -> Option<Expr> {
    // Three tokens each, and an AND between two of them.
    if tokens.len() % 4 != 3 {
        return None;
    }
    let mut all = None;
    for part in tokens.chunks(4) {
        let (equality, and) = part.split_at_checked(3)?;
        if !and.iter().all(|t| is_and(&t.token)) {
            return None;
        }
        let one = compared(equality)?;
        all = Some(match all {
            None => one,
            Some(before) => binary(before, BinaryOperator::And, one),
        });
    }
    all
}

fn is_and(token: &Token) -> bool {
    matches!(token, Token::Word(w) if w.keyword == Keyword::AND)
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn compared(tokens: &[Located]) -> Option<Expr> {
    let [name, Located { token: Token::Eq, .. }, literal] = tokens else { return None };
    let column = match &name.token {
        Token::Word(w) if COLUMNS.contains(&w.keyword) => {
            Ident { value: w.value.clone(), quote_style: w.quote_style, span: name.span }
        }
        _ => return None,
    };
    let value = match &literal.token {
        Token::Number(digits, long) => Value::Number(digits.clone(), *long),
        Token::SingleQuotedString(text) => Value::SingleQuotedString(text.clone()),
        _ => return None,
    };
    Some(binary(Expr::Identifier(column), BinaryOperator::Eq, Expr::Value(value.with_span(literal.span))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::cursor::located;
    use crate::statement::{ParseSettings, lexis};
    use proptest::prelude::*;
    use sqlparser::dialect::MySqlDialect;
    use sqlparser::parser::Parser;
    use sqlparser::tokenizer::TokenWithSpan;

    fn tokens(text: &str) -> Vec<TokenWithSpan> {
        let mut tokens = lexis::tokens(text, ParseSettings::default()).unwrap();
        tokens.retain(|t| !matches!(t.token, Token::Whitespace(_) | Token::EOF));
        tokens
    }

    fn read(text: &str, tokens: &[TokenWithSpan]) -> Option<Expr> {
        equalities(&located(text, tokens.to_vec()))
    }

    /// What sqlparser takes it for, with the position of everything.
    fn parsed(tokens: Vec<TokenWithSpan>) -> Option<String> {
        let dialect = MySqlDialect {};
        let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
        let expression = parser.parse_expr().ok()?;
        (parser.peek_token().token == Token::EOF).then(|| format!("{expression:?}"))
    }

    #[test]
    fn keys_are_read_as_sqlparser_reads_them() {
        for text in [
            "id = 42",
            "`id`=1.5",
            "o = '2026-04-27 09:00:00'",
            "`order` = 7 and line = 'a''b'",
            "a = 1 AND b = '' aNd `and` = 3",
            "_utf8mb4 = 1",
            "@a = 1",
            "größe = 007",
            "ID = 1 AND Line = 2 AND name = 'x' AND type = 'y' AND version = 3",
        ] {
            let tokens = tokens(text);
            let here = read(text, &tokens).map(|e| format!("{e:?}"));
            assert!(here.is_some(), "{text}");
            assert_eq!(here, parsed(tokens), "{text}");
        }
    }

    #[test]
    fn other_shapes_are_left_to_sqlparser() {
        for text in [
            "",
            "id",
            "id =",
            "id = x",
            "id = -1",
            "id < 1",
            "1 = id",
            "t.id = 1",
            "id = 1 OR id = 2",
            "id = 1 AND",
            "id = 1 `AND` id = 2",
            "date = '2026-04-27'",
            "id = NULL",
            "(id = 1)",
            "id = 1 AND id",
            "id = \"x\"",
            "id = N'x'",
            "id = 0x1f",
        ] {
            assert!(read(text, &tokens(text)).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_here_is_read_alike_there(
            parts in prop::collection::vec(prop::sample::select(vec![
                "id", "line", "name", "type", "version", "`a b`", "AND", "`AND`", "=", "1", "'x'", "NULL", "date", "-", "(", ")", "OR", "NOT", "interval", "_utf8", "BINARY",
            ]), 0..12),
            key in prop::collection::vec(("[a-z_]{1,9}", "[0-9]{1,4}|'[a-z]{0,4}'"), 1..5),
        ) {
            let key: Vec<String> = key.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            for text in [parts.join(" "), key.join(" AND ")] {
                let tokens = tokens(&text);
                if let Some(here) = read(&text, &tokens) {
                    prop_assert_eq!(Some(format!("{here:?}")), parsed(tokens), "{}", text);
                }
            }
        }
    }
}
