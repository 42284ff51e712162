//! How deep the tree of an expression can be.

#![expect(clippy::wildcard_enum_match_arm, reason = "what opens and closes no group is counted")]

use super::{Cursor, syntax};
use crate::statement::Refused;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

/// Operators that can follow each other in one expression. A chain of them is a tree as deep as it
/// is long, and the stack of a thread holds no more than some thousands of levels.
const LONGEST_CHAIN: usize = 300;

impl Cursor<'_> {
    /// Refuses an expression whose tree could be deeper than a stack: an upper bound of its depth
    /// is the number of tokens between two commas, and that of the deepest group among them. CASE
    /// ... END is a group, its WHEN, THEN and ELSE separate as commas do: drivers ask with one of a
    /// hundred branches.
    pub(super) fn chain(&self) -> Result<(), Refused> {
        // For each open group: tokens since the last comma, and the depth of the groups that were
        // closed inside of it.
        let mut open = vec![(0_usize, 0_usize)];
        let close = |open: &mut Vec<(usize, usize)>| {
            let (count, deepest) = open.pop().unwrap_or_default();
            if open.is_empty() {
                open.push((0, 0));
            }
            if let Some(outer) = open.last_mut() {
                *outer = (outer.0 + 1, outer.1.max(count + deepest));
            }
        };
        for position in self.index()..self.end() {
            match &self.all()[position].token {
                Token::LParen | Token::LBracket | Token::LBrace => open.push((0, 0)),
                Token::RParen | Token::RBracket | Token::RBrace => close(&mut open),
                Token::Word(w) if w.quote_style.is_none() && w.keyword == Keyword::CASE => open.push((1, 0)),
                Token::Word(w) if w.quote_style.is_none() && w.keyword == Keyword::END => close(&mut open),
                // The other items keep their depth, though their tokens are no part of the next
                // one.
                token if *token == Token::Comma || self.parts_a_case(position) => {
                    if let Some(group) = open.last_mut() {
                        *group = (0, group.1);
                    }
                }
                _ => {
                    if let Some(group) = open.last_mut() {
                        group.0 += 1;
                    }
                }
            }
            if open.last().is_some_and(|(count, deepest)| count + deepest > LONGEST_CHAIN) {
                return Err(self.too_long(position));
            }
        }
        // Whatever was not closed was no group.
        while open.len() > 1 {
            close(&mut open);
            if open.last().is_some_and(|(count, deepest)| count + deepest > LONGEST_CHAIN) {
                return Err(self.too_long(self.index()));
            }
        }
        Ok(())
    }

    /// Whether this token is WHEN, THEN or ELSE, and cannot be a column of that name: an operand is
    /// right before it.
    fn parts_a_case(&self, position: usize) -> bool {
        let Token::Word(w) = &self.all()[position].token else { return false };
        let before = position.checked_sub(1).filter(|p| *p >= self.index()).map(|p| &self.all()[p].token);
        let operand = match before {
            Some(Token::Word(w)) => {
                w.quote_style.is_some()
                    || matches!(
                        w.keyword,
                        Keyword::NoKeyword
                            | Keyword::CASE
                            | Keyword::END
                            | Keyword::NULL
                            | Keyword::TRUE
                            | Keyword::FALSE
                    )
            }
            Some(
                Token::Number(..)
                | Token::SingleQuotedString(_)
                | Token::DoubleQuotedString(_)
                | Token::RParen,
            ) => true,
            _ => false,
        };
        let separates = matches!(w.keyword, Keyword::WHEN | Keyword::THEN | Keyword::ELSE);
        separates && w.quote_style.is_none() && operand
    }

    fn too_long(&self, position: usize) -> Refused {
        let mut here = self.clone();
        here.go(position);
        syntax(format!(
            "an expression of more than {LONGEST_CHAIN} parts in a row, at {}; lists in parentheses may be longer",
            here.here()
        ))
    }
}
