//! The grammar of column definitions, keys and table options (manual: "CREATE TABLE Statement").

#![expect(clippy::wildcard_enum_match_arm, reason = "the types that are not named do not take the attribute")]

use super::compute;
use super::convert::convertible;
use super::foreign::{inline_counts, references};
use super::implicit_default::{ImplicitDefault, longest_character};
use super::key_parts::key_parts;
use super::lexer::Token;
use super::number::range;
use super::table::{BackfilledValue, Full, FullColumn, Index};
use super::temporal::Temporal;
use super::token::{Tokens, Unread, show};
use dbtrail_types::column::{Column, ColumnKey, ColumnType, Indexes, IntSize, LobSize};
use dbtrail_types::float_text::{double_text, exact_float_text};

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
        return Err(format!("{} is not understood", show(tokens.peek())));
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
        column: Column {
            name,
            ty,
            collation: None,
            nullable: true,
            key: ColumnKey::None,
            indexes: Indexes::default(),
            auto_increment: false,
            on_update_now: false,
            has_default: true,
            default_now: false,
            invisible: false,
            shown_type: None,
        },
        visible: true,
        collation_certain: true,
        null_certain: true,
        filled: BackfilledValue::With(None),
        generated: None,
    }
}

/// How MariaDB shows a type, where MySQL leaves the display width out. `written`: the words of the
/// type, and what stands behind them.
fn shown_type(ty: &ColumnType, mut written: Tokens) -> Option<String> {
    let ColumnType::Int { size, unsigned, zerofill: false, display_width: None } = ty else {
        return (*ty == ColumnType::Year).then(|| "year(4)".to_owned());
    };
    let usual = match size {
        IntSize::Tiny => 4 - u32::from(*unsigned),
        IntSize::Small => 6 - u32::from(*unsigned),
        IntSize::Medium => 9 - u32::from(*unsigned),
        IntSize::Int => 11 - u32::from(*unsigned),
        IntSize::Big => 20,
    };
    written.next();
    let said = if written.is_at('(') { written.group().ok()?.number() } else { None };
    let width = said.and_then(|width| width.parse().ok()).filter(|width: &u32| *width > 0).unwrap_or(usual);
    let full = ty.to_string();
    let (name, rest) = full.split_at(full.find(' ').unwrap_or(full.len()));
    Some(format!("{name}({width}){rest}"))
}

/// The words of a type, up to the first that is none of its own.
fn type_of(
    tokens: &mut Tokens,
    state: &mut Attributes,
    silent: ImplicitDefault,
) -> Result<ColumnType, Unread> {
    let mut text = tokens.name()?.to_lowercase();
    if text == "real" && silent.real_as_float {
        "float".clone_into(&mut text);
    }
    if matches!(text.as_str(), "nchar" | "nvarchar" | "national") {
        state.charset = Some("utf8mb3".to_owned());
    }
    match text.as_str() {
        "double" if tokens.words(&["PRECISION"]) => text.push_str(" precision"),
        "character" | "char" if tokens.words(&["VARYING"]) => text.push_str(" varying"),
        "national" => {
            text.push(' ');
            text.push_str(&tokens.name()?.to_lowercase());
        }
        "long" => {
            if let Some(word) = tokens.one_of(&["VARCHAR", "VARBINARY"]) {
                text.push(' ');
                text.push_str(&word.to_lowercase());
            }
        }
        _ => {}
    }
    if matches!(text.as_str(), "text" | "blob") && tokens.is_at('(') {
        let mut group = tokens.group()?;
        let length = group.number().and_then(|n| n.parse().ok());
        state.lob_length = Some(length.filter(|_| group.is_at_end()).ok_or("the length of a TEXT or BLOB")?);
    } else if tokens.is_at('(') {
        text.push_str(&arguments(tokens.group()?)?);
    }
    while let Some(word) = tokens.one_of(&["UNSIGNED", "SIGNED", "ZEROFILL"]) {
        text.push(' ');
        text.push_str(&word.to_lowercase());
    }
    let ty: ColumnType = text.parse().map_err(|e: dbtrail_types::column::NotAType| e.to_string())?;
    Ok(ty)
}

fn arguments(mut group: Tokens) -> Result<String, Unread> {
    let mut parts = Vec::new();
    loop {
        if let Some(label) = group.text() {
            parts.push(format!("'{}'", label.replace('\'', "''")));
        } else if let Some(number) = group.number() {
            parts.push(number);
        } else {
            return Err(format!("a number or a label was expected, and {} came", show(group.peek())));
        }
        if !group.symbol(',') {
            return if group.is_at_end() {
                Ok(format!("({})", parts.join(",")))
            } else {
                Err("a type".to_owned())
            };
        }
    }
}

#[derive(Default)]
struct Attributes {
    charset: Option<String>,
    collation: Option<String>,
    binary: bool,
    default: Option<ColumnDefault>,
    /// NULL or NOT NULL was written.
    null_said: bool,
    /// The n of TEXT(n) and BLOB(n).
    lob_length: Option<u64>,
    /// REFERENCES makes a foreign key here.
    inline_keys: bool,
}

enum ColumnDefault {
    Null,
    Text(String),
    Number(String),
    Bytes(Vec<u8>),
    Bits(u64),
    /// CURRENT_TIMESTAMP and its other names, with so many decimals.
    Now(u8),
    Expression(String),
    Other(String),
}

fn bits_of(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 2).ok().filter(|_| text.len() <= 64)
}

/// One attribute; false: none comes next.
fn attribute(
    tokens: &mut Tokens,
    full: &mut FullColumn,
    state: &mut Attributes,
    table: &mut Full,
) -> Result<bool, Unread> {
    let own = full.column.name.clone();
    if tokens.words(&["NOT", "NULL"]) {
        full.column.nullable = false;
        state.null_said = true;
    } else if tokens.words(&["NULL"]) {
        full.column.nullable = true;
        state.null_said = true;
    } else if tokens.words(&["CHARACTER", "SET"]) || tokens.words(&["CHARSET"]) {
        state.charset = Some(word_or_text(tokens)?);
    } else if tokens.words(&["COLLATE"]) {
        state.collation = Some(word_or_text(tokens)?);
    } else if tokens.words(&["BINARY"]) {
        state.binary = true;
    } else if tokens.words(&["ASCII"]) {
        state.charset = Some("latin1".to_owned());
    } else if tokens.words(&["UNICODE"]) {
        state.charset = Some("ucs2".to_owned());
    } else if tokens.words(&["BYTE"]) {
        state.charset = Some("binary".to_owned());
    } else if tokens.words(&["DEFAULT"]) {
        state.default = Some(default(tokens)?);
    } else if tokens.words(&["ON", "UPDATE"]) {
        tokens.next();
        if tokens.is_at('(') {
            tokens.group()?;
        }
        full.column.on_update_now = true;
    } else if tokens.words(&["AUTO_INCREMENT"]) {
        full.column.auto_increment = true;
    } else if tokens.words(&["PRIMARY", "KEY"]) || tokens.words(&["PRIMARY"]) || tokens.words(&["KEY"]) {
        table.primary_key = vec![own];
    } else if tokens.words(&["UNIQUE"]) {
        tokens.words(&["KEY"]);
        table.indexes.push(Index::alone(&own));
    } else if tokens.words(&["COMMENT"]) {
        tokens.symbol('=');
        tokens.text().ok_or("a comment")?;
    } else if tokens.words(&["COMPRESSED"]) {
        // MariaDB, with or without the method. The log's table map says how values are written.
        if tokens.symbol('=') {
            tokens.name()?;
        }
    } else if tokens.words(&["INVISIBLE"]) {
        full.visible = false;
    } else if tokens.words(&["VISIBLE"]) {
        full.visible = true;
    } else if tokens.words(&["CONSTRAINT"]) {
        if !tokens.words(&["CHECK"]) {
            tokens.name()?;
            tokens.words(&["CHECK"]);
        }
        tokens.group()?;
    } else if tokens.words(&["CHECK"]) {
        tokens.group()?;
    } else if tokens.words(&["NOT", "ENFORCED"]) || tokens.words(&["ENFORCED"]) {
    } else if tokens.words(&["GENERATED", "ALWAYS", "AS"]) || tokens.words(&["AS"]) {
        full.generated = Some(tokens.group()?.words_of());
        full.filled =
            BackfilledValue::Unknown("a generated column's values are not computed here".to_owned());
    } else if let Some(how) = tokens.one_of(&["VIRTUAL", "STORED", "PERSISTENT"]) {
        if let Some(generated) = &mut full.generated {
            generated.push_str(if how == "VIRTUAL" { " VIRTUAL" } else { " STORED" });
        }
    } else if tokens.one_of(&["COLUMN_FORMAT", "STORAGE", "SRID"]).is_some() {
        tokens.next();
    } else if tokens.words(&["REFERENCES"]) {
        let key = references(tokens, vec![own])?;
        if state.inline_keys {
            table.foreign_keys.push(key);
        }
    } else {
        return Ok(false);
    }
    Ok(true)
}

pub(super) fn word_or_text(tokens: &mut Tokens) -> Result<String, Unread> {
    tokens.symbol('=');
    if let Some(text) = tokens.text() {
        return Ok(text.to_lowercase());
    }
    Ok(tokens.name()?.to_lowercase())
}

fn default(tokens: &mut Tokens) -> Result<ColumnDefault, Unread> {
    if let Some(text) = tokens.text() {
        return Ok(ColumnDefault::Text(text));
    }
    let negative = tokens.symbol('-');
    if !negative {
        tokens.symbol('+');
    }
    if let Some(number) = tokens.number() {
        return Ok(ColumnDefault::Number(if negative { format!("-{number}") } else { number }));
    }
    if tokens.is_at('(') {
        return Ok(ColumnDefault::Expression(tokens.group()?.words_of()));
    }
    Ok(match tokens.next() {
        Some(Token::Hex(bytes)) => ColumnDefault::Bytes(bytes),
        Some(Token::Bits(bits)) => bits_of(&bits).map(ColumnDefault::Bits).ok_or("a bit default")?,
        Some(Token::Word(w)) => match w.to_uppercase().as_str() {
            "NULL" => ColumnDefault::Null,
            "TRUE" => ColumnDefault::Number("1".to_owned()),
            "FALSE" => ColumnDefault::Number("0".to_owned()),
            // A character set before a text: what is ASCII is the same in all of them.
            set if set.starts_with('_') => match tokens.text() {
                Some(text) if text.is_ascii() => ColumnDefault::Text(text),
                _ => ColumnDefault::Other(format!("a literal in {set}")),
            },
            other => {
                let what = other.to_owned();
                let mut decimals = None;
                if tokens.is_at('(') {
                    decimals = tokens.group()?.number();
                }
                let now = ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"].contains(&other);
                match decimals.map_or(Ok(0), |d| d.parse()) {
                    Ok(decimals) if now => ColumnDefault::Now(decimals),
                    _ => ColumnDefault::Other(what),
                }
            }
        },
        other => return Err(format!("a default value was expected, and {} came", show(other.as_ref()))),
    })
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
        let (collation, certain) = match (state.collation, &charset) {
            (Some(collation), Some((set, known))) => {
                let (collation, certain) = silent.collation(&collation, Some(set));
                (Some(collation), certain && *known)
            }
            (Some(collation), None) => {
                let charset = table.collation.as_deref().and_then(|c| c.split('_').next());
                let (collation, certain) = silent.collation(&collation, charset);
                (Some(collation), certain)
            }
            (None, Some((set, known))) if state.binary => (Some(format!("{set}_bin")), *known),
            (None, Some((set, known))) => {
                let (collation, certain) = silent.default_collation(set);
                (Some(collation), certain && *known)
            }
            (None, None) if state.binary => {
                let charset = table.collation.as_deref().and_then(|c| c.split('_').next());
                (charset.map(|c| format!("{c}_bin")), table.collation_certain)
            }
            (None, None) => (table.collation.clone(), table.collation_certain && table.collation.is_some()),
        };
        full.column.collation = collation;
        full.collation_certain = certain;
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
            None => full.null_certain = false,
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
        full.filled = if !bare || (full.null_certain && column.nullable) {
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
    let Some(set) = column.charset().filter(|_| full.collation_certain) else { return Ok(()) };
    match &column.ty {
        ColumnType::Enum { labels } | ColumnType::Set { labels } => {
            match labels.iter().find(|l| !convertible(l, set)) {
                Some(label) => {
                    Err(format!("label '{label}' of column {} in character set {set}", column.name))
                }
                None => Ok(()),
            }
        }
        ColumnType::VarChar { chars } => {
            let bytes = longest_character(set).map_or(0, |width| width.saturating_mul(*chars));
            if bytes > 65_535 { Err(format!("column {} is longer than a row", column.name)) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// Text types with the character set `binary` are the binary types.
fn binary(full: &mut FullColumn) -> Result<(), Unread> {
    full.column.ty = match full.column.ty {
        ColumnType::Char { chars } => ColumnType::Binary { bytes: chars },
        ColumnType::VarChar { chars } => ColumnType::VarBinary { bytes: chars },
        ColumnType::Text { size } => ColumnType::Blob { size },
        _ => return Err("ENUM and SET in character set binary are not followed".to_owned()),
    };
    full.column.collation = None;
    Ok(())
}

/// TEXT(n) and BLOB(n): the smallest type with room for n characters or bytes.
fn sized(full: &mut FullColumn, length: u64) -> Result<(), Unread> {
    let room = match &full.column.ty {
        ColumnType::Text { .. } => {
            let width = full.column.charset().filter(|_| full.collation_certain).and_then(longest_character);
            length.saturating_mul(u64::from(width.ok_or("TEXT(n) in a character set that is not certain")?))
        }
        _ => length,
    };
    let size = lob_size(room);
    match &mut full.column.ty {
        ColumnType::Text { size: s } | ColumnType::Blob { size: s } => *s = size,
        _ => return Err("a length where none can be".to_owned()),
    }
    Ok(())
}

/// The smallest of the four with room for so many bytes.
pub(super) fn lob_size(bytes: u64) -> LobSize {
    match bytes {
        0..=0xff => LobSize::Tiny,
        0x100..=0xffff => LobSize::Normal,
        0x1_0000..=0xff_ffff => LobSize::Medium,
        _ => LobSize::Long,
    }
}

/// What rows that stood before get when this column is added to them.
fn filled(column: &Column, default: Option<&ColumnDefault>, silent: ImplicitDefault) -> BackfilledValue {
    let unknown =
        |what: &str| BackfilledValue::Unknown(format!("the default of column {} is {what}", column.name));
    let text = match default {
        Some(ColumnDefault::Null) => return BackfilledValue::With(None),
        None if column.nullable => return BackfilledValue::With(None),
        None if column.auto_increment => return unknown("AUTO_INCREMENT"),
        // Without explicit_defaults_for_timestamp it has a default of its own.
        None if is_timestamp(&column.ty) && silent.bare_timestamp_is_nullable() != Some(true) => {
            return unknown("not certain: explicit_defaults_for_timestamp is not in the log");
        }
        None => return implicit(column),
        Some(ColumnDefault::Other(what)) => return unknown(what),
        Some(ColumnDefault::Expression(text)) => {
            return match compute::constant(text, column) {
                Some(cell) => BackfilledValue::With(cell),
                None => unknown("an expression"),
            };
        }
        Some(ColumnDefault::Bytes(bytes)) => match &column.ty {
            ColumnType::VarBinary { .. } => return BackfilledValue::With(Some(bytes.clone())),
            _ => return unknown("a hexadecimal literal"),
        },
        Some(ColumnDefault::Bits(bits)) => match &column.ty {
            ColumnType::Bit { bits: width } => return BackfilledValue::With(Some(bit_cell(*bits, *width))),
            _ => return unknown("a bit literal"),
        },
        // The statement's own second, which the log tells; a DATETIME would be in the session's
        // time zone, and fractions are not always logged.
        Some(ColumnDefault::Now(0)) if column.ty == (ColumnType::Timestamp { fsp: 0 }) => {
            return match silent.now() {
                Some(text) => BackfilledValue::With(Some(text.into_bytes())),
                None => unknown("the time of the statement"),
            };
        }
        Some(ColumnDefault::Now(_)) => {
            return unknown("the time of the statement in the session's time zone");
        }
        Some(ColumnDefault::Text(text)) => {
            // The bits of the text, and not its number.
            if let ColumnType::Bit { bits } = column.ty {
                return bits_of_text(text, bits)
                    .map_or_else(|| unknown("a text"), |cell| BackfilledValue::With(Some(cell)));
            }
            text
        }
        Some(ColumnDefault::Number(text)) => text,
    };
    match literal(column, text) {
        Some(cell) => BackfilledValue::With(Some(cell)),
        None => unknown(&format!("{text}, whose form in type {} is not certain", column.ty)),
    }
}

/// The bits that a text of ASCII stands for; `None`: they have no room.
fn bits_of_text(text: &str, width: u8) -> Option<Vec<u8>> {
    let bits = text.bytes().try_fold(0_u64, |bits, byte| Some(bits.checked_mul(256)? | u64::from(byte)))?;
    (text.is_ascii() && (width >= 64 || bits >> width == 0)).then(|| bit_cell(bits, width))
}

fn bit_cell(bits: u64, width: u8) -> Vec<u8> {
    let length = usize::from(width).div_ceil(8);
    bits.to_be_bytes()[8 - length.min(8)..].to_vec()
}

fn holds(column: &Column, text: &str) -> bool {
    column.charset().map_or(text.is_ascii(), |set| convertible(text, set))
}

/// A literal as the cell of a column; `None`: not certain.
fn literal(column: &Column, text: &str) -> Option<Vec<u8>> {
    let whole = || text.parse::<i128>().ok();
    let shown = match &column.ty {
        ColumnType::Int { size, unsigned, zerofill, display_width } => {
            let (low, high) = range(*size, *unsigned);
            let value = whole().filter(|v| (low..=high).contains(v))?;
            let width = display_width.filter(|_| *zerofill).map_or(0, usize::from);
            format!("{value:0width$}")
        }
        ColumnType::Decimal { scale, zerofill: false, .. } => decimal(text, usize::from(*scale))?,
        ColumnType::Float { digits: None, zerofill: false, .. } => exact_float_text(text.parse().ok()?),
        ColumnType::Double { digits: None, zerofill: false, .. } => double_text(text.parse().ok()?),
        ColumnType::Bit { bits } => {
            let value = u64::try_from(whole()?).ok().filter(|v| *bits >= 64 || v >> *bits == 0)?;
            return Some(bit_cell(value, *bits));
        }
        ColumnType::VarChar { chars } | ColumnType::Char { chars } => {
            let fits = text.chars().count() <= usize::try_from(*chars).ok()?;
            if !fits || text.ends_with(' ') || !holds(column, text) {
                return None;
            }
            text.to_owned()
        }
        // MariaDB alone lets these have a default.
        ColumnType::Text { .. } if text.len() < 64 && !text.ends_with(' ') && holds(column, text) => {
            text.to_owned()
        }
        ColumnType::Blob { .. } if text.len() < 64 && text.is_ascii() => text.to_owned(),
        ColumnType::VarBinary { bytes } | ColumnType::Binary { bytes } => {
            let room = usize::try_from(*bytes).ok()?;
            let mut cell = text.as_bytes().to_vec();
            if !text.is_ascii() || cell.len() > room {
                return None;
            }
            if matches!(column.ty, ColumnType::Binary { .. }) {
                cell.resize(room, 0);
            }
            return Some(cell);
        }
        ColumnType::Enum { labels } => labels.iter().find(|l| *l == text)?.clone(),
        ColumnType::Set { labels } if text.is_empty() || labels.iter().any(|l| l == text) => text.to_owned(),
        ColumnType::Year => match whole()? {
            year @ 1901..=2155 if text.len() == 4 => year.to_string(),
            short @ 1..=69 if text.len() <= 2 => (2000 + short).to_string(),
            short @ 70..=99 if text.len() == 2 => (1900 + short).to_string(),
            _ => return None,
        },
        // Seconds, as numbers of up to two digits are.
        ColumnType::Time { fsp } if text.len() <= 2 => {
            let seconds = whole().filter(|s| (0..60).contains(s))?;
            return Temporal::read(&format!("00:00:{seconds:02}"))?.converted(
                None,
                &ColumnType::Time { fsp: *fsp },
                true,
            );
        }
        ty @ (ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Time { .. }) => {
            // Whether decimals that do not fit are rounded or cut is another question.
            let value = Temporal::read(text)?;
            let rounded = value.converted(None, ty, true)?;
            return (value.converted(None, ty, false).as_ref() == Some(&rounded)).then_some(rounded);
        }
        _ => return None,
    };
    Some(shown.into_bytes())
}

/// A decimal number with exactly `scale` decimals; `None` when it has more, or is none.
fn decimal(text: &str, scale: usize) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |d| ("-", d));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || fraction.len() > scale || digits.is_empty() {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let zero = whole == "0" && fraction.bytes().all(|b| b == b'0');
    let sign = if zero { "" } else { sign };
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction:0<scale$}") })
}

/// What a NULL becomes in a column that takes none any more, where the mode lets it; `None`: not
/// certain.
pub(super) fn zero(column: &Column) -> Option<Vec<u8>> {
    match &column.ty {
        // The time of the statement.
        ColumnType::Timestamp { .. } | ColumnType::Json => None,
        // The value of no label.
        ColumnType::Enum { .. } => Some(Vec::new()),
        _ => match implicit(column) {
            BackfilledValue::With(cell) => cell,
            BackfilledValue::Unknown(_) => None,
        },
    }
}

/// The implicit default of a NOT NULL column (manual: "Data Type Default Values").
fn implicit(column: &Column) -> BackfilledValue {
    let zero_fraction =
        |fsp: u8| if fsp == 0 { String::new() } else { format!(".{}", "0".repeat(usize::from(fsp))) };
    let text = match &column.ty {
        ColumnType::Decimal { scale, zerofill: false, .. } => {
            decimal("0", usize::from(*scale)).unwrap_or_default()
        }
        ColumnType::Int { zerofill, display_width, .. } => {
            let width = display_width.filter(|_| *zerofill).map_or(0, usize::from);
            format!("{:0width$}", 0)
        }
        ColumnType::Float { digits: None, zerofill: false, .. }
        | ColumnType::Double { digits: None, zerofill: false, .. } => "0".to_owned(),
        ColumnType::Char { .. }
        | ColumnType::VarChar { .. }
        | ColumnType::VarBinary { .. }
        | ColumnType::Text { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Set { .. } => String::new(),
        ColumnType::Enum { labels } => labels.first().cloned().unwrap_or_default(),
        ColumnType::Year => "0000".to_owned(),
        ColumnType::Date => "0000-00-00".to_owned(),
        ColumnType::DateTime { fsp } | ColumnType::Timestamp { fsp } => {
            format!("0000-00-00 00:00:00{}", zero_fraction(*fsp))
        }
        ColumnType::Time { fsp } => format!("00:00:00{}", zero_fraction(*fsp)),
        ColumnType::Bit { bits } => return BackfilledValue::With(Some(bit_cell(0, *bits))),
        ColumnType::Binary { bytes } => "\0".repeat(usize::try_from(*bytes).unwrap_or(0)),
        _ => {
            return BackfilledValue::Unknown(format!(
                "the implicit default of column {} is not certain",
                column.name
            ));
        }
    };
    BackfilledValue::With(Some(text.into_bytes()))
}

/// An index, a key or a constraint of a table; false: none comes next.
pub(super) fn index(tokens: &mut Tokens, table: &mut Full) -> Result<bool, Unread> {
    let constraint = tokens.words(&["CONSTRAINT"]);
    let named = constraint && !is_key_word(tokens);
    let constraint_name = if named { Some(tokens.name()?) } else { None };
    if tokens.words(&["PRIMARY", "KEY"]) {
        index_type(tokens);
        (table.primary_key, _) = key_parts(tokens)?;
    } else if tokens.words(&["FOREIGN", "KEY"]) {
        tokens.words(&["IF", "NOT", "EXISTS"]);
        let index_name = if tokens.is_at('(') { None } else { Some(tokens.name()?) };
        let (columns, _) = key_parts(tokens)?;
        tokens.words(&["REFERENCES"]);
        let mut key = references(tokens, columns.clone())?;
        key.names.extend([constraint_name.clone(), index_name].into_iter().flatten());
        table.foreign_keys.push(key);
        table.indexes.push(Index {
            name: constraint_name,
            unique: false,
            columns,
            whole: true,
            implied: true,
        });
    } else if tokens.words(&["CHECK"]) {
        tokens.group()?;
    } else if let Some(word) = tokens.one_of(&["UNIQUE", "FULLTEXT", "SPATIAL", "INDEX", "KEY"]) {
        tokens.one_of(&["INDEX", "KEY"]);
        tokens.words(&["IF", "NOT", "EXISTS"]);
        let name = if tokens.is_at('(') || index_type(tokens) { None } else { Some(tokens.name()?) };
        index_type(tokens);
        let (columns, whole) = key_parts(tokens)?;
        table.indexes.push(Index {
            name: name.or(constraint_name),
            unique: word == "UNIQUE",
            columns,
            whole,
            implied: false,
        });
    } else {
        return Ok(false);
    }
    // Options of an index change no rows.
    while !tokens.is_at_end() && tokens.next().is_some() {}
    Ok(true)
}

fn is_key_word(tokens: &Tokens) -> bool {
    let mut ahead = tokens.clone();
    ahead.one_of(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]).is_some()
}

fn index_type(tokens: &mut Tokens) -> bool {
    tokens.words(&["USING"]) && tokens.next().is_some()
}
