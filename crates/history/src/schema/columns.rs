//! The grammar of column definitions, keys and table options (manual: [CREATE TABLE
//! Statement](https://dev.mysql.com/doc/refman/9.7/en/create-table.html)).

#![expect(clippy::wildcard_enum_match_arm, reason = "the types that are not named do not take the attribute")]

mod attributes;
mod bits;
mod default_value;
mod indexes;
mod number_literal;
mod types;

use super::converted::convertible;
use super::foreign::inline_counts;
use super::implicit_default::{ImplicitDefault, longest_character};
use super::table::{BackfilledValue, Full, FullColumn, Index};
use super::token::{Tokens, Unread, show};
pub(super) use attributes::word_or_text;
use attributes::{Attributes, attribute};
use dbtrail_types::column::{Column, ColumnType, IntSize, LobSize};
pub(super) use default_value::zero;
use default_value::{ColumnDefault, default, filled};
pub(super) use indexes::{index, parts};
use types::{binary, shown_type, sized, type_of};

/// Reads `name type attributes...`; a key among the attributes goes to the table.
pub(super) fn column(
    tokens: &mut Tokens,
    table: &mut Full,
    silent: ImplicitDefault,
) -> Result<FullColumn, Unread> {
    let name = tokens.name()?;
    if tokens.words(&["SERIAL"]) {
        table.indexes.push(Index::alone(&name));
        let ty = ColumnType::Int { size: IntSize::Big, unsigned: true, zerofill: false, display_width: None };
        let mut full = bare(name, ty);
        if silent.server.mariadb {
            full.column.shown_type = shown_type(&full.column.ty, tokens.clone());
        }
        full.column.nullable = false;
        full.column.auto_increment = true;
        let mut state = Attributes { null_said: true, ..Attributes::default() };
        while !tokens.is_at_end() && attribute(tokens, &mut full, &mut state, table)? {}
        finish(&mut full, state, table, silent)?;
        return Ok(full);
    }
    let mut state = Attributes { inline_keys: inline_counts(silent.server), ..Attributes::default() };
    let written = tokens.clone();
    let ty = type_of(tokens, &mut state, silent)?;
    let mut full = bare(name, ty);
    if silent.server.mariadb {
        full.column.shown_type = shown_type(&full.column.ty, written);
    }
    while !tokens.is_at_end() && attribute(tokens, &mut full, &mut state, table)? {}
    if let Some(length) = state.lob_length {
        table.lengths.push((full.column.name.clone(), length));
    }
    finish(&mut full, state, table, silent)?;
    Ok(full)
}

/// ALTER COLUMN ... SET DEFAULT x, DROP DEFAULT.
pub(super) fn set_default(
    mut tokens: Tokens,
    full: &mut FullColumn,
    silent: ImplicitDefault,
) -> Result<(), Unread> {
    let said = if tokens.words(&["DROP", "DEFAULT"]) {
        None
    } else if tokens.words(&["SET", "DEFAULT"]) {
        Some(default(&mut tokens)?)
    } else {
        return Err(Unread::NotUnderstood(show(tokens.peek())));
    };
    let column = &mut full.column;
    column.default_now = matches!(said, Some(ColumnDefault::Now(_)));
    column.has_default = match &said {
        Some(ColumnDefault::Null) => column.nullable,
        Some(_) => true,
        None => false,
    };
    full.filled = match &said {
        Some(_) => filled(column, said.as_ref(), silent),
        None => BackfilledValue::Unknown(format!("column {} was added without a default", column.name)),
    };
    Ok(())
}

fn bare(name: String, ty: ColumnType) -> FullColumn {
    FullColumn {
        column: Column::new(name, ty, None, true),
        visible: true,
        collation_known: true,
        nullability_known: true,
        filled: BackfilledValue::With(None),
        generated: None,
    }
}

/// Settles what the attributes decide together.
fn finish(
    full: &mut FullColumn,
    state: Attributes,
    table: &Full,
    silent: ImplicitDefault,
) -> Result<(), Unread> {
    if silent.server.mariadb && full.column.ty == ColumnType::Json {
        // MariaDB's JSON is another name of LONGTEXT with a binary collation.
        full.column.ty = ColumnType::Text { size: LobSize::Long };
        full.column.collation = Some("utf8mb4_bin".to_owned());
    } else if full.is_text() {
        let charset = state.charset.map(|c| silent.charset(&c));
        let (collation, known) = match (state.collation, &charset) {
            (Some(collation), Some((set, known))) => {
                let (collation, found) = silent.collation(&collation, Some(set));
                (Some(collation), found && *known)
            }
            (Some(collation), None) => {
                let charset = table.collation.as_deref().and_then(|c| c.split('_').next());
                let (collation, found) = silent.collation(&collation, charset);
                (Some(collation), found)
            }
            (None, Some((set, known))) if state.binary => (Some(format!("{set}_bin")), *known),
            (None, Some((set, known))) => {
                let (collation, found) = silent.default_collation(set);
                (Some(collation), found && *known)
            }
            (None, None) if state.binary => {
                let charset = table.collation.as_deref().and_then(|c| c.split('_').next());
                (charset.map(|c| format!("{c}_bin")), table.collation_known)
            }
            (None, None) => (table.collation.clone(), table.collation_known && table.collation.is_some()),
        };
        full.column.collation = collation;
        full.collation_known = known;
    }
    if full.column.collation.as_deref() == Some("binary") {
        binary(full)?;
    }
    storable(full)?;
    if let Some(length) = state.lob_length {
        sized(full, length)?;
    }
    let column = &mut full.column;
    if matches!(column.ty, ColumnType::Timestamp { .. }) && !state.null_said {
        match silent.bare_timestamp_is_nullable() {
            Some(true) => {}
            Some(false) => column.nullable = false,
            // The table map tells.
            None => full.nullability_known = false,
        }
    }
    if column.auto_increment {
        // Whatever was written: AUTO_INCREMENT takes no NULL.
        column.nullable = false;
    }
    column.default_now = matches!(state.default, Some(ColumnDefault::Now(_)));
    column.has_default = match &state.default {
        Some(ColumnDefault::Null) => column.nullable,
        Some(_) => true,
        None => column.nullable || column.auto_increment,
    };
    if full.generated.is_none() {
        // A bare TIMESTAMP without a default of its own may get one.
        let bare = is_timestamp(&column.ty) && !state.null_said && state.default.is_none();
        full.filled = if !bare || (full.nullability_known && column.nullable) {
            filled(column, state.default.as_ref(), silent)
        } else {
            BackfilledValue::Unknown(format!(
                "what rows that stood before have in column {} depends on explicit_defaults_for_timestamp",
                column.name
            ))
        };
    }
    Ok(())
}

fn is_timestamp(ty: &ColumnType) -> bool {
    matches!(ty, ColumnType::Timestamp { .. })
}

/// Refuses what the server makes something else of: a label that the character set does not have
/// becomes another one, and a VARCHAR that is longer than a row becomes a TEXT where the mode lets
/// it.
fn storable(full: &FullColumn) -> Result<(), Unread> {
    let column = &full.column;
    let Some(set) = column.charset().filter(|_| full.collation_known) else { return Ok(()) };
    match &column.ty {
        ColumnType::Enum { labels } | ColumnType::Set { labels } => {
            match labels.iter().find(|l| !convertible(l, set)) {
                Some(label) => Err(Unread::Label {
                    label: label.clone(),
                    column: column.name.clone(),
                    charset: set.to_owned(),
                }),
                None => Ok(()),
            }
        }
        ColumnType::VarChar { chars } => {
            let bytes = longest_character(set).map_or(0, |width| width.saturating_mul(*chars));
            if bytes > 65_535 { Err(Unread::LongerThanRow(column.name.clone())) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}
