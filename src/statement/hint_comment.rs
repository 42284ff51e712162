//! The comments `/*+ ... */` of a statement, among its tokens.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Whitespace};

/// The comments `/*+ ... */` of a statement.
#[derive(Debug, Default)]
pub(super) struct HintComment {
    /// The one right after the first SELECT, and where its text begins.
    pub(super) hint: Option<(String, Location)>,
    /// Another one that names a hint of ours.
    pub(super) stray: Option<Location>,
}

/// Whether a hint of ours is named.
pub(super) fn ours(text: &str) -> bool {
    text.to_lowercase().contains("dbtrail")
}

impl HintComment {
    /// From all tokens of a statement, comments too.
    pub(super) fn among(tokens: &[TokenWithSpan]) -> Self {
        let select = tokens.iter().position(
            |t| matches!(&t.token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case("SELECT")),
        );
        let following = select.and_then(|at| {
            let rest = tokens.iter().enumerate().skip(at + 1);
            rest.clone().find(|(_, t)| {
                !matches!(
                    t.token,
                    Token::Whitespace(Whitespace::Space | Whitespace::Tab | Whitespace::Newline)
                )
            })
        });
        let mut comment = Self::default();
        for (at, token) in tokens.iter().enumerate() {
            let Token::Whitespace(Whitespace::MultiLineComment(text)) = &token.token else { continue };
            let Some(text) = text.strip_prefix('+') else { continue };
            if following.is_some_and(|(position, _)| position == at) {
                let Location { line, column } = token.span.start;
                comment.hint = Some((text.to_owned(), Location { line, column: column + 3 }));
            } else if ours(text) {
                comment.stray.get_or_insert(token.span.start);
            }
        }
        comment
    }

    /// A hint of ours is named, in the right place or not.
    pub(super) fn is_ours(&self) -> bool {
        self.stray.is_some() || self.hint.as_ref().is_some_and(|(text, _)| ours(text))
    }
}
