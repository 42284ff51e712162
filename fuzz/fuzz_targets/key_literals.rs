//! Any condition on a key of any type, through the plan to the bytes of the agent's keys: no panic,
//! and an integer that is written as one means that very number.
//!
//! An input is a byte that chooses the type, and the condition after `WHERE`; one without a name in
//! it is compared with the key.
#![no_main]

use dbtrail_history::key;
use dbtrail_shim::plan::charsets::{Charset, Charsets};
use dbtrail_shim::plan::{self, Context, guard};
use dbtrail_shim::statement::{ParseSettings, Statement, parse};
use dbtrail_types::agent_api::{KeyChoice, Keys};
use dbtrail_types::column::{Column, ColumnKey, TableDefinition};
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use std::time::Duration;

const TYPES: [(&str, Option<&str>); 33] = [
    ("tinyint", None),
    ("smallint unsigned", None),
    ("mediumint", None),
    ("int", None),
    ("int(5) unsigned zerofill", None),
    ("bigint", None),
    ("bigint unsigned", None),
    ("decimal(10,2)", None),
    ("decimal(65,30) unsigned", None),
    ("bit(1)", None),
    ("bit(64)", None),
    ("year", None),
    ("date", None),
    ("time(3)", None),
    ("datetime(6)", None),
    ("timestamp", None),
    ("binary(4)", None),
    ("varbinary(16)", None),
    ("blob", None),
    ("char(3)", Some("utf8mb4_0900_ai_ci")),
    ("varchar(20)", Some("utf8mb4_bin")),
    ("varchar(20)", Some("latin1_swedish_ci")),
    ("varchar(20)", Some("utf8mb4_uca1400_ai_ci")),
    ("text", Some("utf8mb3_general_ci")),
    ("varchar(9)", Some("ascii_bin")),
    ("enum('a','b','C d','')", Some("utf8mb4_0900_ai_ci")),
    ("set('x','y','z')", Some("utf8mb4_0900_ai_ci")),
    ("uuid", None),
    ("inet4", None),
    ("inet6", None),
    ("float", None),
    ("double", None),
    ("json", None),
];

fn keys(definition: &Arc<TableDefinition>, condition: &str) -> Option<Keys> {
    let text = format!("SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE {condition}");
    let Statement::TimeTravel(draft) = parse(&text, ParseSettings::default()) else { return None };
    let zone = Zone::parse("Europe/Berlin").expect("a zone");
    let context = Context {
        user: "app",
        host: "10.0.0.9",
        server_id: &ServerId("s".to_owned()),
        current_schema: Some("s"),
        allowed_schemas: None,
        zone: &zone,
        charsets: Charsets { client: Charset::named("utf8mb4"), connection: Charset::named("utf8mb4") },
        max_diff_window: Duration::from_secs(1),
        allow_wide_diff: false,
        allow_table_scan: false,
    };
    let resolved = plan::resolve(*draft, &context, Timestamp::from_micros(1_800_000_000_000_000)).ok()?;
    let settings = guard::PlanSettings::of_keys(1000);
    Some(guard::admit(&Arc::new(resolved), definition, settings).ok()?.keys().clone())
}

fuzz_target!(|input: (u8, &str)| {
    let (chosen, text) = input;
    let (ty, collation) = TYPES[usize::from(chosen) % TYPES.len()];
    let column = Column {
        key: ColumnKey::Primary,
        has_default: false,
        ..Column::new("k".to_owned(), ty.parse().expect("a type"), collation.map(str::to_owned), false)
    };
    let definition =
        Arc::new(TableDefinition { columns: vec![column.clone()], primary_key: vec!["k".to_owned()] });
    let condition = if text.contains('k') { text.to_owned() } else { format!("k = {text}") };
    let Some(keys) = keys(&definition, &condition) else { return };
    let encoded = |value: &[u8]| {
        let mut bytes = Vec::new();
        key::encode(&column, value, &mut bytes).ok().map(|()| bytes)
    };
    let KeyChoice::Values(values) = &keys.choice else { return };
    let values: Vec<_> = values.iter().map(|value| encoded(&value[0].0)).collect();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if ty.contains("int") && (1..30).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        let number: i128 = text.parse().expect("a number");
        let own = encoded(number.to_string().as_bytes());
        // A number outside of the type is nobody's key: no value, or none that can be written.
        assert!(values.iter().all(|value| *value == own), "{text} of {ty}: {keys:?}");
    }
});
