//! Rows taken back: the statements that make the rows of a table what they were before a window, or
//! one transaction.
//!
//! Made of what the agent says of each key ([`NetChange`]): its row before the window, at its end,
//! and now. Pure: asks nobody, and runs nothing.
//!
//! # Order
//! Rows that came go first, then rows that stayed are changed, and rows that went come back last:
//! so no value of a unique index is in the way of another (the module `order` says how). Over
//! several tables, children give way before their parents do and come back after them.
//!
//! # Guards
//! Every statement names all that the row was at the end of the window: it changes nothing where
//! somebody has changed the row since. What the history already knows to have been changed since
//! gets no statement, nor does a row in whose way others are by now (the module `obstacles`).

mod cell;
pub mod changed;
pub mod dump;
mod links;
pub mod literal;
pub mod obstacles;
mod order;
mod orphans;
pub mod script;
mod session;
pub mod statement;
pub mod steps;
#[cfg(test)]
mod tests;

use changed::{Changed, shown_key};
use dbtrail_types::agent_api::{NetChange, NetHeader, Octets, RowCell, RowLine};
use dbtrail_types::column::ColumnType;
use literal::Text;
use obstacles::{Left, Scope};
use statement::{Links, Removal, Table};

/// What one table needs, in the order of its phases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Rows that came in the window go, and those that make place for others.
    pub deletes: Vec<String>,
    /// Rows that stayed.
    pub updates: Vec<String>,
    /// Rows that went come back.
    pub inserts: Vec<String>,
    /// Rows that no statement takes back, and why.
    pub conflicts: Vec<String>,
    /// How many rows the statements take back: fewer than statements, where one goes and comes
    /// back.
    pub rows: u64,
}

impl Undone {
    /// How many statements there are.
    #[must_use]
    pub fn statements(&self) -> usize {
        self.deletes.len() + self.updates.len() + self.inserts.len()
    }
}

/// Bytes of changed rows that the command takes at most: all of them are held and put in order.
pub const MOST: usize = 256 << 20;

/// What takes the rows of some tables back, all of them together. `later`: rows of these tables and
/// of those beside them (see [`obstacles::wanted`]) from the beginning of the window up to now.
#[must_use]
pub fn undo(tables: &[Changed<'_>], later: &[Changed<'_>], text: Text) -> Vec<Undone> {
    let mut left = Left::new();
    let mut made = Vec::new();
    for (number, one) in tables.iter().enumerate() {
        let table = one.statements(text, Links::Each);
        let statement = |(i, change): (usize, &NetChange)| match Made::of(&table, change) {
            Ok(made) => made,
            Err(why) => {
                left.insert((number, i), why);
                Made::Nothing
            }
        };
        made.push(one.changes.iter().enumerate().map(statement).collect::<Vec<Made>>());
    }
    obstacles::find(tables, later, Scope::Ends, &mut left);
    let each = tables.iter().zip(made).enumerate();
    let taken_back = |(number, (one, made)): (usize, (&Changed<'_>, Vec<Made>))| {
        ordered(one, made, &one.statements(text, Links::Each), &|i| left.get(&(number, i)))
    };
    each.map(taken_back).collect()
}

/// The statement of one change.
enum Made {
    /// There is none, or need be none.
    Nothing,
    Delete(String),
    Update(String),
    Insert(String),
}

impl Made {
    fn of(table: &Table<'_>, change: &NetChange) -> Result<Self, String> {
        if change.since {
            return Err(changed_since(table.header, change));
        }
        let made = match (&change.before, &change.end) {
            (None, None) => Ok(Self::Nothing),
            (None, Some(end)) => table.delete(end, Removal::Final { taken_back: &[] }).map(Self::Delete),
            (Some(before), None) => table.insert(before).map(Self::Insert),
            // Without one, nothing but generated columns differ, which follow.
            (Some(before), Some(end)) => {
                table.update(end, before).map(|sql| sql.map_or(Self::Nothing, Self::Update))
            }
        };
        made.map_err(|why| why.0)
    }
}

/// The statements of a table in their order. `left`: why a change is not taken back.
fn ordered<'l>(
    one: &Changed<'_>,
    made: Vec<Made>,
    table: &Table<'_>,
    left: &dyn Fn(usize) -> Option<&'l String>,
) -> Undone {
    let Changed { name, header, changes } = *one;
    let mut undone = Undone::default();
    let (mut updates, mut inserts) = (Vec::new(), Vec::new());
    let taken = changes.iter().enumerate().filter(|(i, _)| left(*i).is_none()).map(|(_, c)| c);
    let referring = order::Referring::of(name, header, &taken);
    for ((i, change), made) in changes.iter().enumerate().zip(made) {
        if let Some(why) = left(i) {
            undone.conflicts.push(format!("{name} {}: {why}", shown_key(header, &change.key)));
            continue;
        }
        match (made, &change.before, &change.end) {
            (Made::Delete(sql), _, Some(end)) => {
                let taken_back = referring.to(end);
                // It was written before, and can be written.
                let spared = table.delete(end, Removal::Final { taken_back: &taken_back });
                undone.deletes.push(if taken_back.is_empty() { sql } else { spared.unwrap_or(sql) });
            }
            (Made::Insert(sql), Some(before), _) => inserts.push((before, sql)),
            (Made::Update(sql), Some(before), Some(end)) => updates.push(order::Move { end, before, sql }),
            _ => continue,
        }
        undone.rows += 1;
    }
    for step in order::moves(header, updates) {
        match step {
            order::Step::Update(sql) => undone.updates.push(sql),
            order::Step::Replace { end, before, sql } => {
                match table.delete(end, Removal::Moved).and_then(|gone| Ok((gone, table.insert(before)?))) {
                    Ok((gone, back)) => {
                        undone.deletes.push(gone);
                        inserts.push((before, back));
                    }
                    // As it is: at worst the server says that a value is there twice.
                    Err(_) => undone.updates.push(sql),
                }
            }
        }
    }
    undone.inserts = order::parents_first(name, header, inserts);
    undone
}

/// Values in a conflict's sentence are cut at this many characters.
const SHOWN: usize = 60;
/// Columns that a conflict names at most.
const NAMED: usize = 8;

/// What is different now, as far as the record knows.
fn changed_since(header: &NetHeader, change: &NetChange) -> String {
    let now = match (&change.end, &change.now) {
        (_, now) if *now == change.before => return "it is already what it was before".to_owned(),
        (Some(_), None) => return "somebody deleted the row since".to_owned(),
        (None, Some(_)) => return "somebody inserted a row with this key since".to_owned(),
        (None, None) => return "somebody changed the row since".to_owned(),
        (Some(end), Some(now)) => differences(header, end, now),
    };
    format!("somebody changed the row since: {now}")
}

fn differences(header: &NetHeader, end: &RowLine, now: &RowLine) -> String {
    let columns = header.definition.columns.iter().zip(end.iter().zip(now));
    let differing = columns.filter(|(_, (was, is))| was != is);
    let mut parts: Vec<String> = differing
        .map(|(column, (was, is))| {
            let shown = |cell: &RowCell| match cell {
                RowCell::Null => "NULL".to_owned(),
                RowCell::Unknown(_) => "not known".to_owned(),
                RowCell::Value(Octets(bytes)) => {
                    let binary = matches!(column.ty, ColumnType::Bit { .. });
                    let text = literal::value(Some(bytes), column, Text::Ascii);
                    let text = text.map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), |v| v.sql);
                    if text.len() > SHOWN && !binary {
                        format!("{}...", text.chars().take(SHOWN).collect::<String>())
                    } else {
                        text
                    }
                }
            };
            format!("{} was {} and is {}", column.name, shown(was), shown(is))
        })
        .collect();
    if parts.len() > NAMED {
        let more = parts.len() - NAMED;
        parts.truncate(NAMED);
        parts.push(format!("and {more} columns more"));
    }
    parts.join(", ")
}
