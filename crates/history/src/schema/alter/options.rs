//! Options of a table in ALTER TABLE and CREATE TABLE.

use crate::schema::columns::word_or_text;
use crate::schema::implicit_default::ImplicitDefault;
use crate::schema::table::Full;
use crate::schema::token::{Tokens, Unread, show};

/// Options of a table that leave its rows as they are.
pub(super) fn option(
    tokens: &mut Tokens,
    declared: &mut Full,
    silent: ImplicitDefault,
) -> Result<(), Unread> {
    if tokens
        .one_of(&[
            "ALGORITHM",
            "LOCK",
            "COMMENT",
            "AUTO_INCREMENT",
            "ROW_FORMAT",
            "KEY_BLOCK_SIZE",
            "CHECKSUM",
            "STATS_PERSISTENT",
            "STATS_AUTO_RECALC",
            "STATS_SAMPLE_PAGES",
            "AVG_ROW_LENGTH",
            "MAX_ROWS",
            "MIN_ROWS",
            "PACK_KEYS",
            "DELAY_KEY_WRITE",
            "COMPRESSION",
            "ENCRYPTION",
            "CONNECTION",
            "TABLESPACE",
            "AUTOEXTEND_SIZE",
            "ENGINE_ATTRIBUTE",
            "SECONDARY_ENGINE_ATTRIBUTE",
            "ENCRYPTED",
            "ENCRYPTION_KEY_ID",
            "PAGE_COMPRESSED",
            "PAGE_COMPRESSION_LEVEL",
            "PAGE_CHECKSUM",
            "TABLE_CHECKSUM",
            "TRANSACTIONAL",
            "WAIT",
        ])
        .is_some()
    {
        tokens.symbol('=');
        tokens.next();
    } else if tokens.words(&["ENGINE"]) {
        declared.engine = Some(word_or_text(tokens)?);
    } else if tokens.words(&["FORCE"])
        || tokens.words(&["NOWAIT"])
        || tokens.words(&["ENABLE", "KEYS"])
        || tokens.words(&["DISABLE", "KEYS"])
    {
    } else if tokens.words(&["ORDER", "BY"]) {
        while tokens.next().is_some() {}
    } else if charset_option(tokens, declared, silent)? {
    } else {
        return Err(Unread::NotUnderstood(show(tokens.peek())));
    }
    Ok(())
}

/// `[DEFAULT] CHARACTER SET [=] x`, `[DEFAULT] COLLATE [=] y` of a table or a schema; false:
/// neither comes next.
pub(in crate::schema) fn charset_option(
    tokens: &mut Tokens,
    full: &mut Full,
    silent: ImplicitDefault,
) -> Result<bool, Unread> {
    tokens.words(&["DEFAULT"]);
    if tokens.words(&["CHARACTER", "SET"]) || tokens.words(&["CHARSET"]) {
        let charset = word_or_text(tokens)?;
        if charset == "default" {
            return Err(Unread::NotFollowed("CHARACTER SET DEFAULT".to_owned()));
        }
        let (collation, known) = silent.default_collation(&charset);
        full.collation = Some(collation);
        full.collation_known = known;
        return Ok(true);
    }
    if tokens.words(&["COLLATE"]) {
        let charset = full.collation.as_deref().and_then(|c| c.split('_').next());
        let (collation, known) = silent.collation(&word_or_text(tokens)?, charset);
        full.collation = Some(collation);
        full.collation_known = known;
        return Ok(true);
    }
    Ok(false)
}
