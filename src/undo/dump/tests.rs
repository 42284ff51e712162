use super::*;

fn column(name: &str, ty: &str, collation: Option<&str>) -> Column {
    Column {
        auto_increment: name == "id",
        default_now: name == "at",
        invisible: name == "b",
        ..Column::new(name.to_owned(), ty.parse().unwrap(), collation.map(str::to_owned), name != "id")
    }
}

fn dumped(format: Format, without: &[String]) -> Result<String, Unwritable> {
    let definition = TableDefinition {
        columns: vec![
            column("id", "int unsigned", None),
            column("t", "varchar(9)", Some("latin1_swedish_ci")),
            column("b", "varbinary(3)", None),
            column("at", "timestamp(3)", None),
        ],
        primary_key: vec!["id".to_owned()],
    };
    let table = TableName { schema: "shop".to_owned(), table: "or`ders".to_owned() };
    let dump = Dump { name: &table, definition: &definition, without, format };
    let value = |bytes: &[u8]| RowCell::Value(Octets(bytes.to_vec()));
    let rows = [
        vec![value(b"1"), value("é,\"".as_bytes()), value(b"\xff\0"), value(b"2026-01-01 00:00:00.000")],
        vec![value(b"2"), RowCell::Null, RowCell::Unknown("cut".to_owned()), RowCell::Null],
    ];
    let mut out = dump.head("at noon");
    for row in &rows {
        out.push_str(&dump.row(row)?);
    }
    Ok(out + &dump.tail(2))
}

#[test]
fn ok_the_three_forms() {
    let refused = dumped(Format::Csv, &[]).unwrap_err().0;
    assert!(refused.contains("what column b held is not known (cut)"), "{refused}");
    let without = ["B".to_owned()];
    let sql = dumped(Format::Sql, &without).unwrap();
    assert!(
        sql.contains(
            "CREATE TABLE `or``ders` (\n  `id` int unsigned NOT NULL AUTO_INCREMENT,\n  `t` varchar(9) CHARACTER SET latin1 COLLATE latin1_swedish_ci NULL,\n  \
             `at` timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3),\n  PRIMARY KEY (`id`)\n);\n"
        ),
        "{sql}"
    );
    assert!(
        sql.contains("INSERT INTO `or``ders` (`id`, `t`, `at`) VALUES (1, _latin1 x'e92c22', '2026-01-01 00:00:00.000');\n"),
        "{sql}"
    );
    assert!(sql.ends_with("VALUES (2, NULL, NULL);\nCOMMIT;\n-- 2 rows.\n"), "{sql}");
    assert_eq!(
        dumped(Format::Csv, &without).unwrap(),
        "id,t,at\r\n1,\"é,\"\"\",2026-01-01 00:00:00.000\r\n2,\\N,\\N\r\n"
    );
    assert_eq!(
        dumped(Format::NdJson, &without).unwrap(),
        "{\"id\": 1, \"t\": \"é,\\\"\", \"at\": \"2026-01-01 00:00:00.000\"}\n{\"id\": 2, \"t\": null, \"at\": null}\n"
    );
}

#[test]
fn ok_no_json_document_reads_as_null_or_as_another() {
    let column = column("j", "json", None);
    let written = |cell: Option<&str>| json(cell.map(str::as_bytes), &column).unwrap();
    let documents = ["null", "\"null\"", "1", "\"1\"", "true", "[null]", "{\"a\": null}"];
    let mut all: Vec<String> = documents.iter().map(|d| written(Some(d))).collect();
    assert_eq!(all[..3], ["\"null\"", "\"\\\"null\\\"\"", "\"1\""]);
    assert_eq!(all[5..], ["[null]", "{\"a\": null}"]);
    all.push(written(None));
    let different: std::collections::HashSet<&String> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "{all:?}");
}

#[test]
fn ok_a_key_of_a_prefix_is_left_out() {
    let table = TableName { schema: String::new(), table: "t".to_owned() };
    let columns = vec![column("b", "blob", None), column("n", "int", None)];
    let definition = TableDefinition { columns, primary_key: vec!["n".to_owned(), "b".to_owned()] };
    let head = Dump { name: &table, definition: &definition, without: &[], format: Format::Sql }.head("");
    assert!(
        head.starts_with("-- Its PRIMARY KEY has prefixes") && !head.contains("PRIMARY KEY (`"),
        "{head}"
    );
}

#[test]
fn ok_a_numbered_column_has_an_index() {
    let table = TableName { schema: String::new(), table: "t".to_owned() };
    for (key, index) in [("id", None), ("t", Some("  PRIMARY KEY (`t`),\n  KEY (`id`)\n)"))] {
        let columns = vec![column("t", "varchar(9)", None), column("id", "int", None)];
        let definition = TableDefinition { columns, primary_key: vec![key.to_owned()] };
        let format = Format::Sql;
        let head = Dump { name: &table, definition: &definition, without: &[], format }.head("");
        assert!(index.map_or(!head.contains("  KEY ("), |index| head.contains(index)), "{head}");
    }
}
