//! An item of a select list and its name.

use super::cursor::Cursor;
use super::refused::Refused;
use sqlparser::ast::Expr;
use sqlparser::tokenizer::Token;

/// An expression and its name: the alias, or the text as it was written.
pub(super) fn item(part: &Cursor<'_>) -> Result<(String, Expr), Refused> {
    let alias_at = part.find(&["AS"]);
    let mut alias = part.clone();
    alias.go(alias_at);
    if alias.words(&["AS"]) {
        let name = alias.text().map_or_else(|| alias.name("an alias"), Ok)?;
        if !alias.is_at_end() {
            return Err(alias.unexpected("the end of the alias"));
        }
        return Ok((name, part.part(part.index(), alias_at).expression()?));
    }
    match part.expression() {
        Ok(expression) => Ok((written(part), expression)),
        // `SELECT @@version v`: an alias without AS.
        Err(refused) => {
            let end = part.index() + part.length();
            let mut last = part.clone();
            last.go(end.saturating_sub(1));
            match last.next() {
                Some(
                    Token::Word(sqlparser::tokenizer::Word { value: name, .. })
                    | Token::SingleQuotedString(name)
                    | Token::DoubleQuotedString(name),
                ) if part.length() > 1 => {
                    let expression = part.part(part.index(), end - 1).expression().map_err(|_| refused)?;
                    Ok((name, expression))
                }
                _ => Err(refused),
            }
        }
    }
}

pub(super) fn written(part: &Cursor<'_>) -> String {
    // A parameter is called `?`, whatever its value is.
    if part.source() == "?" {
        return part.source();
    }
    match (part.peek(), part.ahead(1)) {
        (
            Some(
                Token::SingleQuotedString(text)
                | Token::DoubleQuotedString(text)
                | Token::NationalStringLiteral(text),
            ),
            None,
        ) => text.clone(),
        _ => part.source(),
    }
}
