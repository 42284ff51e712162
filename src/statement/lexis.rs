//! Text to tokens, exactly as MySQL reads it under a sql_mode (manual: [String
//! Literals](https://dev.mysql.com/doc/refman/9.7/en/string-literals.html), [Schema Object
//! Names](https://dev.mysql.com/doc/refman/9.7/en/identifiers.html)).
//!
//! The tokenizer is sqlparser's. What is between quotes is taken from it as it was written and read
//! here, since its own reading differs where a key would be another one: `'\a'` is `a` in MySQL and
//! a bell there.

use super::ParseSettings;
use dbtrail_sql_text::unescaped;
use sqlparser::dialect::{Dialect, MySqlDialect};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError};
use std::any::TypeId;

/// sqlparser's MySQL under a sql_mode.
#[derive(Debug)]
struct Lexis {
    mysql: MySqlDialect,
    reading: ParseSettings,
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
pub(super) fn tokens(text: &str, reading: ParseSettings) -> Result<Vec<TokenWithSpan>, TokenizerError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, reading: ParseSettings) -> Vec<Token> {
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
            assert_eq!(read(written, ParseSettings::default()), [string(text)], "{written}");
        }
        assert_eq!(
            read("N'a' 'b'", ParseSettings::default()),
            [Token::NationalStringLiteral("ab".to_owned())]
        );
    }

    /// The agent reads DDL with tokens of this project, statements are read with sqlparser's:
    /// words, names, texts and numbers are the same.
    #[test]
    #[expect(clippy::wildcard_enum_match_arm, reason = "symbols are not compared")]
    fn the_two_kinds_of_tokens_say_the_same() {
        use dbtrail_sql_text::{ExecutableComments, Quoting, Token as Own, tokens as own_tokens};
        let ours = |text: &str| -> Vec<String> {
            let comments = ExecutableComments::MySql(80_036);
            let tokens = own_tokens(text, Quoting::default(), comments).unwrap();
            tokens.iter().filter(|t| !matches!(t, Own::Symbol(_))).map(ToString::to_string).collect()
        };
        let theirs = |text: &str| -> Vec<String> {
            let said = |token| match token {
                Token::Word(w) if w.quote_style.is_some() => Some(Own::Quoted(w.value)),
                Token::Word(w) => Some(Own::Word(w.value)),
                Token::SingleQuotedString(text)
                | Token::DoubleQuotedString(text)
                | Token::NationalStringLiteral(text) => Some(Own::Text(text)),
                Token::Number(number, _) => Some(Own::Number(number)),
                Token::HexStringLiteral(digits) => hex::decode(digits).ok().map(Own::Hex),
                _ => None,
            };
            read(text, ParseSettings::default()).into_iter().filter_map(said).map(|t| t.to_string()).collect()
        };
        for text in [
            "SELECT * FROM `a``b`.t AS OF '2020-01-01' WHERE id IN (1, 2.5, .5, 1e5, 1E-5) AND größe = $x",
            r#"SELECT 'a\'b' "c""d" 'e', N'f', x'4142', 0x41, X'00' # '
               , 7 -- `
               /* " */ , a.b.c, 1a, s.tbl"#,
            "UPDATE t SET a=b-1,c=--1,d=a<=>b WHERE`x`>=1;",
        ] {
            assert_eq!(ours(text), theirs(text), "{text}");
        }
    }

    #[test]
    fn ok_sql_modes() {
        let plain = ParseSettings { no_backslash_escapes: true, ..ParseSettings::default() };
        assert_eq!(read(r"'a\' 'b''\n'", plain), [string(r"a\b'\n")]);
        let ansi = ParseSettings { ansi_quotes: true, ..ParseSettings::default() };
        assert_eq!(read(r#""a\""#, ansi), [Token::make_word(r"a\", Some('"'))]);
        assert_eq!(
            read(r#""a""b" `c``d`"#, ansi),
            [Token::make_word("a\"b", Some('"')), Token::make_word("c`d", Some('`'))]
        );
    }
}
