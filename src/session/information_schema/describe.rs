//! What information_schema says of a schema, a table, a column; and CREATE TABLE.

mod column;

use super::comments::comment;
use super::lists::ENGINE;
use super::shown_schema::{SchemaKind, ShownSchema};
use super::tables::Content;
use crate::plan::change_columns;
use crate::statement::VirtualSchema;
use column::{Row, column, text};
use dbtrail_expression::Value;
use dbtrail_types::column::Column;
use dbtrail_types::column::ColumnType;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::happened::HistoryTable;

/// A table as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableDescription {
    pub(super) columns: Vec<Column>,
    /// Names of its primary key's columns.
    pub(super) key: Vec<String>,
}

impl TableDescription {
    /// A table of `_history`.
    pub(super) fn of_history(table: HistoryTable) -> Self {
        Self { columns: table.definition().columns, key: Vec::new() }
    }

    /// The table after a schema. One of `_diff` has a row for each change: its key columns are
    /// unique no more.
    pub(super) fn of(shown_schema: &ShownSchema, definition: &TableDefinition) -> Self {
        match shown_schema.kind {
            SchemaKind::Virtual(VirtualSchema::Diff, _) => {
                Self { columns: change_columns::diff_columns(definition), key: Vec::new() }
            }
            SchemaKind::Virtual(VirtualSchema::Undo, _) => {
                Self { columns: change_columns::undo_columns(), key: Vec::new() }
            }
            SchemaKind::Virtual(VirtualSchema::Flashback | VirtualSchema::Snapshot, _)
            | SchemaKind::Real
            | SchemaKind::History
            | SchemaKind::Information => {
                Self { columns: definition.columns.clone(), key: definition.primary_key.clone() }
            }
        }
    }
}

/// A row of SCHEMATA. The character set of a real schema is not known by an agent.
pub(super) fn schema(shown_schema: &ShownSchema) -> Row {
    let (charset, collation) = match shown_schema.kind {
        SchemaKind::Real => (Value::Null, Value::Null),
        SchemaKind::Virtual(..) | SchemaKind::History => {
            (Value::from("utf8mb4"), Value::from("utf8mb4_0900_ai_ci"))
        }
        SchemaKind::Information => (Value::from("utf8mb3"), Value::from("utf8mb3_general_ci")),
    };
    vec![Value::from("def"), text(&shown_schema.shown), charset, collation, Value::Null, Value::from("NO")]
}

/// A row of TABLES. Sizes, counts and times are not known here.
pub(super) fn table(shown_schema: &ShownSchema, name: &str) -> Row {
    let (kind, engine) = match shown_schema.kind {
        SchemaKind::Information => ("SYSTEM VIEW", Value::Null),
        SchemaKind::Real | SchemaKind::Virtual(..) | SchemaKind::History => {
            ("BASE TABLE", Value::from(ENGINE))
        }
    };
    let mut row = vec![
        Value::from("def"),
        text(&shown_schema.shown),
        text(name),
        Value::from(kind),
        engine,
        Value::Int(10),
    ];
    row.resize(19, Value::Null);
    row.extend([Value::from(""), Value::from(comment(shown_schema, name))]);
    row
}

/// Rows of a table's columns, or of its primary key.
pub(super) fn rows(
    content: Content,
    shown_schema: &ShownSchema,
    name: &str,
    shown: &TableDescription,
) -> Vec<Row> {
    let key = || shown.key.iter().enumerate().map(|(at, column)| (Value::Int(at as i128 + 1), text(column)));
    let (def, schema, table) = (|| Value::from("def"), || text(&shown_schema.shown), || text(name));
    let primary = || Value::from("PRIMARY");
    match content {
        Content::Columns => {
            let columns = shown.columns.iter().enumerate();
            columns.map(|(at, column)| self::column(shown_schema, name, at as i128 + 1, column)).collect()
        }
        Content::Statistics => {
            let row = |(at, column)| {
                vec![
                    def(),
                    schema(),
                    table(),
                    Value::Int(0),
                    schema(),
                    primary(),
                    at,
                    column,
                    Value::from("A"),
                    Value::Null,
                    Value::Null,
                    Value::Null,
                    Value::from(""),
                    Value::from("BTREE"),
                    Value::from(""),
                    Value::from(""),
                    Value::from("YES"),
                    Value::Null,
                ]
            };
            key().map(row).collect()
        }
        Content::KeyColumnUsage => {
            let row = |(at, column)| {
                let mut row = vec![def(), schema(), primary(), def(), schema(), table(), column, at];
                row.resize(12, Value::Null);
                row
            };
            key().map(row).collect()
        }
        Content::TableConstraints if !shown.key.is_empty() => {
            vec![vec![
                def(),
                schema(),
                primary(),
                schema(),
                table(),
                Value::from("PRIMARY KEY"),
                Value::from("YES"),
            ]]
        }
        Content::TableConstraints
        | Content::CharacterSets
        | Content::Collations
        | Content::Applicability
        | Content::Engines
        | Content::Keywords
        | Content::Schemata
        | Content::Tables
        | Content::Nothing => Vec::new(),
    }
}

/// CREATE TABLE of what is known: columns, their types and the primary key. What is not (defaults,
/// further indexes, generated columns) is left out, and the comment says so.
pub(super) fn create_table(shown_schema: &ShownSchema, table: &str, shown: &TableDescription) -> String {
    let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
    let mut lines = Vec::new();
    for column in &shown.columns {
        let mut line = format!("  {} {}", quoted(&column.name), column.ty);
        if let (Some(charset), Some(collation)) = (column.charset(), &column.collation) {
            line.extend([" CHARACTER SET ", charset, " COLLATE ", collation]);
        }
        if !column.nullable {
            line.push_str(" NOT NULL");
        } else if let ColumnType::Timestamp { .. } = column.ty {
            line.push_str(" NULL");
        }
        if column.auto_increment {
            line.push_str(" AUTO_INCREMENT");
        }
        if column.on_update_now {
            line.push_str(" ON UPDATE CURRENT_TIMESTAMP");
            if let ColumnType::Timestamp { fsp: fsp @ 1.. } | ColumnType::DateTime { fsp: fsp @ 1.. } =
                column.ty
            {
                line.extend(["(", fsp.to_string().as_str(), ")"]);
            }
        }
        if column.invisible {
            line.push_str(" /*!80023 INVISIBLE */");
        }
        lines.push(line);
    }
    if !shown.key.is_empty() {
        let key: Vec<String> = shown.key.iter().map(|k| quoted(k)).collect();
        lines.push(format!("  PRIMARY KEY ({})", key.join(",")));
    }
    let comment = format!(
        "{}. Not known here: defaults, further indexes, generated columns, comments",
        comment(shown_schema, table)
    );
    format!(
        "CREATE TABLE {} (\n{}\n) ENGINE={ENGINE} COMMENT='{}'",
        quoted(table),
        lines.join(",\n"),
        comment.replace('\\', "\\\\").replace('\'', "''")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> ShownSchema {
        ShownSchema { shown: "shop".to_owned(), kind: SchemaKind::Real }
    }

    fn of(ty: &str, collation: Option<&str>) -> Column {
        Column::new("c".to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), true)
    }

    /// DATA_TYPE, the two lengths, precision, scale, fraction, character set: each row is what
    /// MySQL 9.7 said of such a column.
    #[test]
    fn ok_columns_as_mysqld_describes_them() {
        let utf8mb4 = Some("utf8mb4_0900_ai_ci");
        for (ty, collation, want) in [
            ("tinyint(1)", None, "tinyint NULL NULL 3 0 NULL NULL"),
            ("tinyint unsigned", None, "tinyint NULL NULL 3 0 NULL NULL"),
            ("smallint", None, "smallint NULL NULL 5 0 NULL NULL"),
            ("mediumint unsigned", None, "mediumint NULL NULL 7 0 NULL NULL"),
            ("int(5) unsigned zerofill", None, "int NULL NULL 10 0 NULL NULL"),
            ("bigint", None, "bigint NULL NULL 19 0 NULL NULL"),
            ("bigint unsigned", None, "bigint NULL NULL 20 0 NULL NULL"),
            ("decimal(10,2)", None, "decimal NULL NULL 10 2 NULL NULL"),
            ("float", None, "float NULL NULL 12 NULL NULL NULL"),
            ("double", None, "double NULL NULL 22 NULL NULL NULL"),
            ("float(7,3)", None, "float NULL NULL 7 3 NULL NULL"),
            ("double(8,2)", None, "double NULL NULL 8 2 NULL NULL"),
            ("bit(5)", None, "bit NULL NULL 5 NULL NULL NULL"),
            ("year", None, "year NULL NULL NULL NULL NULL NULL"),
            ("date", None, "date NULL NULL NULL NULL NULL NULL"),
            ("time(3)", None, "time NULL NULL NULL NULL 3 NULL"),
            ("datetime", None, "datetime NULL NULL NULL NULL 0 NULL"),
            ("timestamp(2)", None, "timestamp NULL NULL NULL NULL 2 NULL"),
            ("char(10)", utf8mb4, "char 10 40 NULL NULL NULL utf8mb4"),
            ("varchar(20)", Some("latin1_swedish_ci"), "varchar 20 20 NULL NULL NULL latin1"),
            ("char(3)", Some("utf8mb3_general_ci"), "char 3 9 NULL NULL NULL utf8mb3"),
            ("varchar(3)", Some("ascii_general_ci"), "varchar 3 3 NULL NULL NULL ascii"),
            ("binary(4)", None, "binary 4 4 NULL NULL NULL NULL"),
            ("varbinary(7)", None, "varbinary 7 7 NULL NULL NULL NULL"),
            ("tinytext", utf8mb4, "tinytext 255 255 NULL NULL NULL utf8mb4"),
            ("longtext", Some("latin1_swedish_ci"), "longtext 4294967295 4294967295 NULL NULL NULL latin1"),
            ("mediumblob", None, "mediumblob 16777215 16777215 NULL NULL NULL NULL"),
            ("enum('a','bcd')", utf8mb4, "enum 3 12 NULL NULL NULL utf8mb4"),
            ("set('a','bcd','ef')", utf8mb4, "set 8 32 NULL NULL NULL utf8mb4"),
            ("enum('x','yy')", Some("utf8mb3_general_ci"), "enum 2 6 NULL NULL NULL utf8mb3"),
            ("json", None, "json NULL NULL NULL NULL NULL NULL"),
            ("point", None, "point NULL NULL NULL NULL NULL NULL"),
            ("vector(3)", None, "vector 12 12 NULL NULL NULL NULL"),
        ] {
            let row = column(&schema(), "t", 1, &of(ty, collation));
            let cells: Vec<String> = row[7..14]
                .iter()
                .map(|c| c.text().map_or("NULL".to_owned(), |t| t.as_ref().to_owned()))
                .collect();
            assert_eq!(cells.join(" "), want, "{ty}");
            assert_eq!((row.len(), row[15].text().as_deref()), (22, Some(ty)));
        }
    }

    #[test]
    fn ok_create_table() {
        let mut id = of("bigint unsigned", None);
        (id.name, id.nullable, id.auto_increment) = ("i`d".to_owned(), false, true);
        let mut at = of("timestamp(3)", None);
        (at.name, at.on_update_now, at.invisible) = ("at".to_owned(), true, true);
        let shown = TableDescription {
            columns: vec![id, of("varchar(20)", Some("utf8mb4_bin")), at, of("json", None)],
            key: vec!["i`d".to_owned(), "c".to_owned()],
        };
        let flashback = ShownSchema {
            shown: "_flashback".to_owned(),
            kind: SchemaKind::Virtual(VirtualSchema::Flashback, Some("sh'op".to_owned())),
        };
        assert_eq!(
            create_table(&flashback, "t", &shown),
            "CREATE TABLE `t` (\n  `i``d` bigint unsigned NOT NULL AUTO_INCREMENT,\n  `c` varchar(20) CHARACTER SET utf8mb4 \
             COLLATE utf8mb4_bin,\n  `at` timestamp(3) NULL ON UPDATE CURRENT_TIMESTAMP(3) /*!80023 INVISIBLE */,\n  `c` json,\n  PRIMARY KEY (`i``d`,`c`)\n\
             ) ENGINE=DBTRAIL COMMENT='dbtrail: rows of sh''op.t AS OF an instant, by primary key. Not known here: defaults, further \
             indexes, generated columns, comments'"
        );
    }
}
