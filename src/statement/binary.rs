//! The operator BINARY (manual: ["Cast Functions and
//! Operators"](https://dev.mysql.com/doc/refman/9.7/en/cast-functions.html)).

use super::cursor::Located;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Writes `BINARY operand` as `CAST(operand AS BINARY)`, before a text or a column: it binds more
/// tightly than any other operator, and sqlparser takes all that follows for its operand. What is
/// in the way is given as an error.
pub(super) fn binary_as_cast(tokens: &[Located]) -> Result<Vec<TokenWithSpan>, String> {
    let is = |at: Option<usize>, words: &[&str]| {
        let word = at.and_then(|at| tokens.get(at)).map(|t| &t.token);
        matches!(word, Some(Token::Word(w)) if w.quote_style.is_none() && words.iter().any(|x| w.value.eq_ignore_ascii_case(x)))
    };
    let mut found = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let following = tokens.get(at + 1).map(|t| &t.token);
        // Elsewhere it is a type, a collation or a character set.
        let named = is(at.checked_sub(1), &["AS", "COLLATE", "USING", "SET", "CHARSET"]);
        let operator = is(Some(at), &["BINARY"])
            && !named
            && !matches!(
                following,
                None | Some(Token::RParen | Token::Comma | Token::SemiColon | Token::Period | Token::Eq)
            );
        if !operator {
            found.push(with_span(token));
            at += 1;
            continue;
        }
        let mut end = at + 2;
        if let Some(Token::Word(w)) = following {
            if w.quote_style.is_none() && w.keyword != Keyword::NoKeyword && !w.value.starts_with('@') {
                return Err(w.value.clone());
            }
            while let (Some(Token::Period), Some(Token::Word(_))) =
                (tokens.get(end).map(|t| &t.token), tokens.get(end + 1).map(|t| &t.token))
            {
                end += 2;
            }
        } else if !matches!(following, Some(Token::SingleQuotedString(_) | Token::DoubleQuotedString(_))) {
            return Err(following.map(ToString::to_string).unwrap_or_default());
        }
        let next = tokens.get(end).map(|t| &t.token);
        if matches!(next, Some(Token::LParen | Token::Period)) || is(Some(end), &["COLLATE"]) {
            return Err(next.map(ToString::to_string).unwrap_or_default());
        }
        let put = |token| TokenWithSpan { token, span: tokens[at].span };
        found.extend([put(Token::make_keyword("CAST")), put(Token::LParen)]);
        found.extend(tokens[at + 1..end].iter().map(with_span));
        found.extend([
            put(Token::make_keyword("AS")),
            put(Token::make_keyword("BINARY")),
            put(Token::RParen),
        ]);
        at = end;
    }
    Ok(found)
}

fn with_span(token: &Located) -> TokenWithSpan {
    TokenWithSpan { token: token.token.clone(), span: token.span }
}
