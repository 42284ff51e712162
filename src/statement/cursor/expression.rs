//! An expression out of tokens, by sqlparser's grammar.

use super::{Cursor, shortened, syntax};
use crate::statement::{Refused, binary, equality};
use sqlparser::ast::Expr;
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

impl Cursor<'_> {
    /// The rest as one expression, whole.
    pub(in crate::statement) fn expression(&self) -> Result<Expr, Refused> {
        if self.is_at_end() {
            return Err(self.unexpected("an expression"));
        }
        self.chain()?;
        if let Some(key) = equality::equalities(self.rest()) {
            return Ok(key);
        }
        self.foreign_operator()?;
        let dialect = MySqlDialect {};
        let tokens = binary::binary_as_cast(self.rest()).map_err(|near| Refused::Unsupported {
            message: format!("BINARY before '{near}': before a text or a column it is carried out"),
        })?;
        let mut parser = Parser::new(&dialect).with_recursion_limit(200).with_tokens_with_locations(tokens);
        let expression = parser.parse_expr().map_err(|e| match e {
            ParserError::TokenizerError(what) | ParserError::ParserError(what) => self.not_parsed(&what),
            ParserError::RecursionLimitExceeded => syntax("the expression is nested too deeply".to_owned()),
        })?;
        let left = parser.peek_token();
        if left.token != Token::EOF {
            return Err(syntax(format!(
                "line {}, column {}, near '{}' is not understood",
                left.span.start.line,
                left.span.start.column,
                shortened(&left.token.to_string(), 40)
            )));
        }
        Ok(expression)
    }

    /// sqlparser's sentence, with the position as other messages give it.
    fn not_parsed(&self, what: &str) -> Refused {
        let plain = what.strip_prefix("Expected: ").and_then(|w| w.split_once(", found: "));
        let Some((wanted, found)) = plain else { return syntax(shortened(what, 200)) };
        let position = found.rsplit_once(" at Line: ").and_then(|(_, p)| p.split_once(", Column: "));
        if let Some((line, column)) = position {
            let near = shortened(found.rsplit_once(" at Line: ").map_or(found, |(f, _)| f), 40);
            return syntax(format!("{wanted} was expected at line {line}, column {column}, near '{near}'"));
        }
        let mut end = self.clone();
        end.go(self.end());
        end.unexpected(wanted)
    }

    /// `==` is no operator of MySQL's, though sqlparser reads it.
    fn foreign_operator(&self) -> Result<(), Refused> {
        let mut c = self.clone();
        while let Some(token) = c.peek() {
            if *token == Token::DoubleEq {
                return Err(syntax(format!("SQL compares with =, and not with ==, at {}", c.here())));
            }
            c.skip(1);
        }
        Ok(())
    }
}
