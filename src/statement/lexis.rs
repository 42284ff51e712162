//! Text to tokens, exactly as MySQL reads it under a sql_mode (manual: [String
//! Literals](https://dev.mysql.com/doc/refman/9.7/en/string-literals.html), [Schema Object
//! Names](https://dev.mysql.com/doc/refman/9.7/en/identifiers.html)).
//!
//! The tokenizer is sqlparser's. What is between quotes is taken from it as it was written and read
//! here, since its own reading differs where a key would be another one: `'\a'` is `a` in MySQL and
//! a bell there.

use super::Reading;
use sqlparser::dialect::{Dialect, MySqlDialect};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError};
use std::any::TypeId;

/// sqlparser's MySQL under a sql_mode.
#[derive(Debug)]
struct Lexis {
    mysql: MySqlDialect,
    reading: Reading,
}

impl Dialect for Lexis {
    fn dialect(&self) -> TypeId {
        self.mysql.dialect()
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        self.mysql.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        self.mysql.is_identifier_part(ch)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`' || (ch == '"' && self.reading.ansi_quotes)
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        !self.reading.no_backslash_escapes
    }

    fn supports_numeric_prefix(&self) -> bool {
        self.mysql.supports_numeric_prefix()
    }

    fn supports_literal_prefix_in_qualified_name(&self) -> bool {
        self.mysql.supports_literal_prefix_in_qualified_name()
    }

    fn supports_multiline_comment_hints(&self) -> bool {
        self.mysql.supports_multiline_comment_hints()
    }

    fn supports_national_string_literal(&self) -> bool {
        self.mysql.supports_national_string_literal()
    }

    fn requires_single_line_comment_whitespace(&self) -> bool {
        self.mysql.requires_single_line_comment_whitespace()
    }

    fn supports_hash_comment(&self) -> bool {
        self.mysql.supports_hash_comment()
    }
}

/// All tokens, white space and comments too; the text of strings and quoted names is what MySQL
/// takes it for.
pub(super) fn tokens(text: &str, reading: Reading) -> Result<Vec<TokenWithSpan>, TokenizerError> {
    let dialect = Lexis { mysql: MySqlDialect {}, reading };
    let mut tokens = Vec::new();
    Tokenizer::new(&dialect, text).with_unescape(false).tokenize_with_location_into_buf(&mut tokens)?;
    let escapes = !reading.no_backslash_escapes;
    for token in &mut tokens {
        if let Token::SingleQuotedString(text) | Token::NationalStringLiteral(text) = &mut token.token {
            *text = unescaped(text, '\'', escapes);
        } else if let Token::DoubleQuotedString(text) = &mut token.token {
            *text = unescaped(text, '"', escapes);
        } else if let Token::Word(word) = &mut token.token
            && let Some(quote) = word.quote_style
        {
            word.value = unescaped(&word.value, quote, false);
        }
    }
    Ok(tokens)
}

/// ``@`x` `` and `@'x'` are names of variables. White space must still be in: between the two it
/// makes them two tokens.
pub(super) fn join_variables(tokens: &mut Vec<TokenWithSpan>) {
    let is_at = |token: &Token| {
        *token == Token::AtSign
            || matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value == "@")
    };
    let mut after_a_name = false;
    tokens.dedup_by(|next, first| {
        if !is_at(&first.token) {
            // An account: 'app'@'%'.
            after_a_name = matches!(
                first.token,
                Token::Word(_) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_)
            );
            return false;
        }
        let name = if let Token::Word(w) = &next.token {
            w.quote_style.map_or("", |_| &w.value)
        } else if let Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) = &next.token {
            text
        } else {
            ""
        };
        if after_a_name || name.is_empty() {
            return false;
        }
        first.token = Token::make_word(&format!("@{name}"), None);
        first.span.end = next.span.end;
        true
    });
}

/// `'a' 'b'` is `'ab'`. White space and comments must be out already.
pub(super) fn join_strings(tokens: &mut Vec<TokenWithSpan>) {
    tokens.dedup_by(|next, first| {
        let (Token::SingleQuotedString(more) | Token::DoubleQuotedString(more)) = &next.token else {
            return false;
        };
        let (Token::SingleQuotedString(text)
        | Token::DoubleQuotedString(text)
        | Token::NationalStringLiteral(text)) = &mut first.token
        else {
            return false;
        };
        text.push_str(more);
        first.span.end = next.span.end;
        true
    });
}

/// Doubled quotes are one; with `escapes`, a backslash gives the next character a meaning or takes
/// it away.
fn unescaped(written: &str, quote: char, escapes: bool) -> String {
    let mut text = String::with_capacity(written.len());
    let mut letters = written.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if escapes => match letters.next() {
                Some('0') => text.push('\0'),
                Some('b') => text.push('\u{8}'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some('Z') => text.push('\u{1a}'),
                // These two keep their backslash, for LIKE.
                Some(wildcard @ ('%' | '_')) => text.extend(['\\', wildcard]),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            _ if letter == quote => {
                text.push(quote);
                letters.next();
            }
            _ => text.push(letter),
        }
    }
    text
}

/// Writes `BINARY operand` as `CAST(operand AS BINARY)`, before a text or a column: it binds more
/// tightly than any other operator, and sqlparser takes all that follows for its operand. What is
/// in the way is given as an error.
pub(super) fn binary_as_cast(tokens: &[TokenWithSpan]) -> Result<Vec<TokenWithSpan>, String> {
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
            found.push(token.clone());
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
        found.extend_from_slice(&tokens[at + 1..end]);
        found.extend([
            put(Token::make_keyword("AS")),
            put(Token::make_keyword("BINARY")),
            put(Token::RParen),
        ]);
        at = end;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, reading: Reading) -> Vec<Token> {
        let mut tokens = tokens(text, reading).unwrap();
        tokens.retain(|t| !matches!(t.token, Token::Whitespace(_)));
        join_strings(&mut tokens);
        tokens.into_iter().map(|t| t.token).collect()
    }

    fn string(text: &str) -> Token {
        Token::SingleQuotedString(text.to_owned())
    }

    #[test]
    fn ok_strings_as_mysql_reads_them() {
        // Seen with SELECT HEX(...) on MySQL 9.7 and MariaDB 10.11.
        for (written, text) in [
            (r"'\a\f\v\e'", "afve"),
            (r"'\0\b\n\r\t\Z'", "\0\u{8}\n\r\t\u{1a}"),
            (r"'\%\_'", r"\%\_"),
            (r#"'\'\"\\'"#, r#"'"\"#),
            ("'it''s'", "it's"),
            (r#"'""'"#, r#""""#),
            ("'a' 'b'\n'c'", "abc"),
            (r#"'a' "b""c''""#, "ab\"c''"),
            ("'a' /* between */ 'b'", "ab"),
        ] {
            assert_eq!(read(written, Reading::default()), [string(text)], "{written}");
        }
        assert_eq!(read("N'a' 'b'", Reading::default()), [Token::NationalStringLiteral("ab".to_owned())]);
    }

    #[test]
    fn ok_sql_modes() {
        let plain = Reading { no_backslash_escapes: true, ..Reading::default() };
        assert_eq!(read(r"'a\' 'b''\n'", plain), [string(r"a\b'\n")]);
        let ansi = Reading { ansi_quotes: true, ..Reading::default() };
        assert_eq!(read(r#""a\""#, ansi), [Token::make_word(r"a\", Some('"'))]);
        assert_eq!(
            read(r#""a""b" `c``d`"#, ansi),
            [Token::make_word("a\"b", Some('"')), Token::make_word("c`d", Some('`'))]
        );
    }
}
