//! In what a table as the server declares it differs from what follows from the log.

use super::declaration_error::DeclarationError;
use super::foreign::ForeignKeyDifference;
use super::reconcile_table_map::same_collation;
use super::table::{Full, FullColumn};
use dbtrail_types::column::{ColumnType, LobSize, same_name};

/// What is not the same, as half a sentence of the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// There is no definition to compare with.
    #[error("the log does not say its definition")]
    NotInLog,
    /// The declaration is not understood.
    #[error("its declaration cannot be read ({0})")]
    Declaration(DeclarationError),
    /// The names of the columns, in lower case and in their order.
    #[error("its columns are ({}), and by the log they are ({})", .declared.join(", "), .known.join(", "))]
    Columns {
        /// On the server.
        declared: Vec<String>,
        /// By the log.
        known: Vec<String>,
    },
    /// One column.
    #[error("column {column}: {what}")]
    Column {
        /// The name of the column on the server.
        column: String,
        /// What of it.
        what: ColumnDifference,
    },
    /// The columns of the primary key, in its order.
    #[error("its primary key is ({}), and by the log it is ({})", .declared.join(", "), .known.join(", "))]
    PrimaryKey {
        /// On the server.
        declared: Vec<String>,
        /// By the log.
        known: Vec<String>,
    },
    /// A foreign key that changes rows.
    #[error(transparent)]
    ForeignKey(ForeignKeyDifference),
    /// The log has it.
    #[error("the server has no such table")]
    NotOnServer,
    /// The log has its DROP TABLE.
    #[error("the server has such a table, and by the log it is gone")]
    DroppedInLog,
}

/// What is not the same of a column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnDifference {
    /// Types that are written or shown in different forms.
    #[error("it is {declared}, and by the log it is {known}")]
    Type {
        /// On the server.
        declared: ColumnType,
        /// By the log.
        known: ColumnType,
    },
    /// Whether it takes NULL.
    #[error("NULL or NOT NULL is not as the log has it")]
    Nullable,
    /// Whether `SELECT *` shows it.
    #[error("it is invisible, or was, and the log has it the other way")]
    Visible,
    /// Names of MySQL or MariaDB.
    #[error("its collation is {declared}, and by the log it is {known}")]
    Collation {
        /// On the server.
        declared: String,
        /// By the log.
        known: String,
    },
}

/// The first difference that counts.
pub(super) fn difference(known: &Full, declared: &Full) -> Option<Difference> {
    let names =
        |full: &Full| -> Vec<String> { full.columns.iter().map(|c| c.column.name.to_lowercase()).collect() };
    if names(known) != names(declared) {
        return Some(Difference::Columns { declared: names(declared), known: names(known) });
    }
    for (ours, theirs) in known.columns.iter().zip(&declared.columns) {
        if let Some(what) = column_difference(ours, theirs) {
            return Some(Difference::Column { column: theirs.column.name.clone(), what });
        }
    }
    let (ours, theirs) = (known.key(), declared.key());
    let same_key = ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(a, b)| same_name(a, b));
    (!same_key).then_some(Difference::PrimaryKey { declared: theirs, known: ours })
}

fn column_difference(ours: &FullColumn, theirs: &FullColumn) -> Option<ColumnDifference> {
    let (a, b) = (&ours.column, &theirs.column);
    if !same_type(&a.ty, &b.ty) {
        return Some(ColumnDifference::Type { declared: b.ty.clone(), known: a.ty.clone() });
    }
    if ours.nullability_known && a.nullable != b.nullable {
        return Some(ColumnDifference::Nullable);
    }
    if ours.visible != theirs.visible {
        return Some(ColumnDifference::Visible);
    }
    let collations_known = ours.is_text() && ours.collation_known && theirs.collation_known;
    match (&a.collation, &b.collation) {
        (Some(known), Some(declared)) if collations_known && !same_collation(known, declared) => {
            Some(ColumnDifference::Collation { declared: declared.clone(), known: known.clone() })
        }
        _ => None,
    }
}

/// Whether two types are written alike in rows and shown alike. Servers differ in which display
/// widths they tell.
fn same_type(a: &ColumnType, b: &ColumnType) -> bool {
    use ColumnType::{Int, Json, Text};
    match (a, b) {
        (
            Int { size, unsigned, zerofill, display_width },
            Int { size: s, unsigned: u, zerofill: z, display_width: w },
        ) => {
            let widths = !*zerofill || display_width.is_none() || w.is_none() || display_width == w;
            size == s && unsigned == u && zerofill == z && widths
        }
        // MariaDB's JSON is another name of LONGTEXT.
        (Json, Text { size: LobSize::Long }) | (Text { size: LobSize::Long }, Json) => true,
        _ => a == b,
    }
}
