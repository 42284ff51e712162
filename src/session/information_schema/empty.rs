//! The columns of a SELECT that can have no row, from the newest definition of its table.

use super::Answer;
use super::shown_schema::ShownSchema;
use super::source::MetadataReader;
use crate::failure::Failure;
use crate::session::computed;
use crate::session::evaluate::{self, EvaluationContext as Here};
use crate::statement::{Empty, Item, MOST_COLUMNS};
use dbtrail_types::column::{Column, same_name};
use dbtrail_types::result_set::ResultColumn;
use sqlparser::ast::Expr;

/// The answer: columns, and no row.
///
/// # Errors
/// 1046, 1044, 1049, 1146 as for SHOW COLUMNS; 1054; agent failures.
pub(super) async fn answered(
    here: Here<'_>,
    reader: &mut MetadataReader<'_>,
    asked: &Empty,
) -> Result<Answer, Failure> {
    let shown_schema =
        reader.resolve_schema(asked.table.schema.as_deref(), asked.table.server_name.as_deref()).await?;
    let shown = reader.describe(&shown_schema, &asked.table.table).await?;
    let mut columns = Vec::new();
    for item in &asked.items {
        match item {
            Item::All(qualifier) => {
                if let Some(name) = qualifier.as_deref().filter(|q| !is_table(asked, q)) {
                    return Err(Failure::UnknownColumn(format!("{name}.*"), "field list"));
                }
                let visible = shown.columns.iter().filter(|c| !c.invisible);
                columns.extend(visible.map(|c| column(asked, &shown_schema, c, &c.name)));
            }
            Item::Value { name, aliased, value } => {
                let Some((qualifier, wanted)) = named(value) else {
                    let (_, ty) = here.session.declared(value, here.now)?;
                    columns.push(computed(name, evaluate::column(name, &ty)));
                    continue;
                };
                let known = qualifier.is_none_or(|q| is_table(asked, q));
                let found = shown.columns.iter().find(|c| known && same_name(&c.name, wanted));
                let found = found.ok_or_else(|| {
                    let full = qualifier.map_or_else(|| wanted.to_owned(), |q| format!("{q}.{wanted}"));
                    Failure::UnknownColumn(full, "field list")
                })?;
                // As mysqld: the name is shown as it was written.
                let name = if *aliased { name } else { wanted };
                columns.push(column(asked, &shown_schema, found, name));
            }
        }
        if columns.len() > MOST_COLUMNS {
            return Err(Failure::Unsupported(format!("more than {MOST_COLUMNS} columns")));
        }
    }
    Ok(Answer::Table(columns, Vec::new()))
}

/// Whether a qualifier names the table.
fn is_table(asked: &Empty, qualifier: &str) -> bool {
    let name = asked.alias.as_deref().unwrap_or(&asked.table.table);
    name == qualifier
}

/// Qualifier and name, where an item is a column and no variable.
fn named(value: &Expr) -> Option<(Option<&str>, &str)> {
    if let Expr::Identifier(name) = value {
        let bare = evaluate::is_bare_function(&name.value) && name.quote_style.is_none();
        return (!name.value.starts_with('@') && !bare).then_some((None, name.value.as_str()));
    }
    let Expr::CompoundIdentifier(parts) = value else { return None };
    let [.., qualifier, name] = parts.as_slice() else { return None };
    (!parts[0].value.starts_with('@')).then_some((Some(qualifier.value.as_str()), name.value.as_str()))
}

fn column(asked: &Empty, shown_schema: &ShownSchema, column: &Column, name: &str) -> ResultColumn {
    ResultColumn {
        name: name.to_owned(),
        org_name: column.name.clone(),
        table: asked.alias.clone().unwrap_or_else(|| asked.table.table.clone()),
        org_table: asked.table.table.clone(),
        schema: shown_schema.shown.clone(),
        column: column.clone(),
    }
}
