//! Wrong statements that people type, and how each is answered: `tests/data/diagnostics.txt`.
//!
//! A statement is there as it is typed, its answer below it after four spaces.
//! `DBTRAIL_REGENERATE=diagnostics cargo test --test it diagnostics` writes the answers again, for
//! somebody to read each of them; a CI machine (`CI` is set) never does.

use crate::support::{Agent, Plan, Reply, certificates};
use dbtrail_shim::failure::Failure;
use dbtrail_shim::plan::charsets::Charsets;
use dbtrail_shim::plan::{self, Context, guard};
use dbtrail_shim::statement::{ParseSettings, Statement, parse};
use dbtrail_shim::wire::error::{self, Unreachable};
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::ServerId;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a message may take, so that the request id still fits after it.
const LONGEST: usize = 512 - 40;

/// Tables of the file: `orders`, `order_lines`, `sessions`, `log` (which has no key); all others
/// are as `orders`.
fn definition(table: &str) -> TableDefinition {
    let text = match table {
        "order_lines" => {
            r#"{"columns":[{"name":"order_id","type":"int","nullable":false,"key":"primary"},{"name":"line_no","type":"smallint unsigned","nullable":false,"key":"primary"},{"name":"sku","type":"varchar(20)","collation":"utf8mb4_0900_ai_ci","nullable":true}],"primary_key":["order_id","line_no"]}"#
        }
        "sessions" => {
            r#"{"columns":[{"name":"token","type":"binary(4)","nullable":false,"key":"primary"},{"name":"data","type":"varchar(200)","collation":"utf8mb4_0900_ai_ci","nullable":true}],"primary_key":["token"]}"#
        }
        "countries" => {
            r#"{"columns":[{"name":"code","type":"varchar(2)","collation":"utf8mb4_bin","nullable":false,"key":"primary"},{"name":"name","type":"varchar(200)","collation":"utf8mb4_0900_ai_ci","nullable":true}],"primary_key":["code"]}"#
        }
        "log" => r#"{"columns":[{"name":"line","type":"int","nullable":false}],"primary_key":[]}"#,
        _ => ORDERS,
    };
    serde_json::from_str(text).expect("a definition")
}

const ORDERS: &str = r#"{"columns":[{"name":"id","type":"int","nullable":false,"key":"primary"},{"name":"customer","type":"varchar(20)","collation":"utf8mb4_0900_ai_ci","nullable":true},{"name":"status","type":"varchar(20)","collation":"utf8mb4_0900_ai_ci","nullable":true},{"name":"total","type":"decimal(10,2)","nullable":true}],"primary_key":["id"]}"#;

/// What the shim says of a statement, without a request id; the clock is at noon of 2026-04-27,
/// UTC.
fn answer(text: &str) -> Result<(), Failure> {
    let draft = match parse(text, ParseSettings::default()) {
        Statement::TimeTravel(draft) | Statement::Explain(draft) => *draft,
        Statement::Refused(refused) => return Err(plan::refusal(refused)),
        _ => return Ok(()),
    };
    let zone = Zone::parse("Europe/Berlin").expect("a zone");
    let context = Context {
        user: "app",
        host: "10.0.0.9",
        server_id: &ServerId("s".to_owned()),
        current_schema: Some("shop"),
        allowed_schemas: None,
        zone: &zone,
        charsets: Charsets::default(),
        max_diff_window: Duration::from_secs(86_400),
        allow_wide_diff: false,
        allow_table_scan: false,
    };
    let now: Timestamp = "2026-04-27T12:00:00Z".parse().expect("an instant");
    let resolved = plan::resolve(draft, &context, now)?;
    let definition = Arc::new(definition(&resolved.table.table));
    guard::admit(&Arc::new(resolved), &definition, guard::PlanSettings::of_keys(1000)).map(|_| ())
}

fn answer_to(text: &str) -> String {
    let Err(failure) = answer(text) else { return "it works".to_owned() };
    let settings = error::ErrorSettings { plain_1064: false, unreachable: Unreachable::Auto };
    let e = error::of(&failure, settings, false, None);
    format!("{} ({}) {}", e.code, e.state, e.message)
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/diagnostics.txt")
}

/// Blocks of the file: comments and blank lines as they are, or a statement and its answer.
enum Block {
    Comment(String),
    Case { statement: String, answer: String },
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut statement: Vec<String> = Vec::new();
    for line in std::fs::read_to_string(file()).expect("tests/data/diagnostics.txt").lines() {
        if let Some(answer) = line.strip_prefix("    ").filter(|_| !statement.is_empty()) {
            let statement = std::mem::take(&mut statement).join("\n");
            blocks.push(Block::Case { statement, answer: answer.to_owned() });
        } else if statement.is_empty() && (line.is_empty() || line.starts_with("## ")) {
            blocks.push(Block::Comment(line.to_owned()));
        } else {
            statement.push(line.to_owned());
        }
    }
    assert!(statement.is_empty(), "a statement without an answer: {statement:?}");
    blocks
}

fn cases() -> Vec<(String, String)> {
    let case = |block| match block {
        Block::Case { statement, answer } => Some((statement, answer)),
        Block::Comment(_) => None,
    };
    blocks().into_iter().filter_map(case).collect()
}

#[test]
fn wrong_statements_teaches() {
    let mut written = String::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for block in blocks() {
        match block {
            Block::Comment(line) => writeln!(written, "{line}").expect("a string"),
            Block::Case { statement, answer } => {
                let now = answer_to(&statement);
                writeln!(written, "{statement}\n    {now}").expect("a string");
                if now != answer {
                    wrong.push(format!("{statement}\n  file: {answer}\n  now:  {now}"));
                }
                count += 1;
            }
        }
    }
    if std::env::var_os("CI").is_none() && std::env::var("DBTRAIL_REGENERATE").as_deref() == Ok("diagnostics")
    {
        std::fs::write(file(), written).expect("tests/data/diagnostics.txt");
        return;
    }
    assert!(wrong.is_empty(), "{} answers differ from the file:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 120, "only {count} statements");
}

/// Each names what works: an example of a statement or clause, or what to do.
#[test]
fn wrong_statements_is_reported_where_and_what_works() {
    for (statement, answer) in cases() {
        let position = [
            "line ",
            "the end of the statement",
            "'where clause'",
            "'field list'",
            "no WHERE",
            "in WHERE",
            "ORDER BY",
        ];
        // What is wrong with the statement as a whole.
        let of_statement = ["window spans", "no primary key", "two virtual tables", "answers time-travel"];
        assert!(
            position.iter().chain(&of_statement).any(|p| answer.contains(p)),
            "{statement}: it does not say where: {answer}"
        );
        assert!(answer.len() <= LONGEST, "{statement}: {} bytes: {answer}", answer.len());
        // mysqld's own words for a column that is not there, and nothing else, may be short.
        let short = answer.starts_with("1054 ");
        assert!(short || answer.len() > 60, "{statement}: it says too little: {answer}");
    }
}

/// The same on the wire: an error each time, no request for rows, and the session goes on.
#[tokio::test]
async fn wrong_statements_reaches_no_agent() {
    let made = certificates("localhost", false);
    let agent = Agent::start(&made).await;
    let definition = ORDERS.trim_start_matches('{');
    agent.set_metadata(Reply::json(
        200,
        &format!(r#"{{"success":true,"server_id":"server-a","schema":"tt","table":"orders",{definition}"#),
    ));
    let shim = Plan::before(&agent, &made).start().await;
    let mut client = shim.raw("a").await;
    for (statement, answer) in cases() {
        // Other tables have no definition here, and the clock runs, in another zone.
        let other = ["order_lines", "sessions", "countries", ".log"].iter().any(|t| statement.contains(t));
        if other || answer.contains("in the future") || answer.contains("Europe/Berlin") {
            continue;
        }
        let error = client.err_packet(&statement).await;
        let code: u16 = answer.split(' ').next().and_then(|c| c.parse().ok()).expect("a number");
        assert_eq!(error.code, code, "{statement}: {}", error.message);
    }
    assert_eq!(agent.figures().0, 0, "a refused statement asked for rows");
}
