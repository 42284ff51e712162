//! docs/errors.md against the code.

use super::root;
use dbtrail_shim::failure::Failure;
use dbtrail_shim::wire::error::{ErrorSettings, Unreachable, of};
use dbtrail_types::names::TableName;
use std::collections::BTreeSet;
use std::fs;

/// One of each failure.
fn failures() -> Vec<Failure> {
    let s = || "x".to_owned();
    vec![
        Failure::AgentUnreachable(s()),
        Failure::AgentFailed { status: 500, body: s() },
        Failure::AgentRejected { status: 422, body: s(), word: s() },
        Failure::AgentNonsense(s()),
        Failure::Internal(s()),
        Failure::KeyRule(s()),
        Failure::JoinWithReal { virtual_table: s(), real_table: s() },
        Failure::WindowTooWide(s()),
        Failure::TooManyRows(s()),
        Failure::UnknownCell(s()),
        Failure::UnknownTenant(s()),
        Failure::AccessDenied { user: s(), host: s(), using_password: true },
        Failure::InsecureTransport,
        Failure::SchemaDenied { user: s(), host: s(), schema: s() },
        Failure::UnknownSchema(s()),
        Failure::UnknownTable(TableName { schema: s(), table: s() }),
        Failure::UnknownInformationTable(s()),
        Failure::NoDatabase,
        Failure::UnknownColumn(s(), "field list"),
        Failure::AmbiguousColumn(s(), "field list"),
        Failure::UnknownVariable(s()),
        Failure::WrongValue(s(), s()),
        Failure::WrongType(s()),
        Failure::SessionVariable(s()),
        Failure::NoSessionValue(s()),
        Failure::InTransaction,
        Failure::ReadOnlyInSession(s()),
        Failure::OutOfRange("BIGINT", s()),
        Failure::ReadOnlyVariable(s(), "read only"),
        Failure::GlobalVariable(s()),
        Failure::PrivilegeRequired(s()),
        Failure::UnknownCharset(s()),
        Failure::UnknownCollation(s()),
        Failure::CollationMismatch(s(), s()),
        Failure::UnknownTimeZone(s()),
        Failure::BadTimestamp("Incorrect DATETIME value: 'x'".to_owned()),
        Failure::Unsupported(s()),
        Failure::OutOfBudget(s()),
        Failure::OutOfMemory(s()),
        Failure::NotForThisServer(s()),
        Failure::Unaudited(s()),
        Failure::Syntax(s()),
        Failure::ReversedWindow(s()),
        Failure::EmptyQuery,
        Failure::Interrupted,
        Failure::TooLong,
        Failure::Inactive,
        Failure::Stalled,
        Failure::ShuttingDown,
        Failure::Full { user: s(), limit: 1 },
        Failure::NoSuchThread(1),
        Failure::UnknownSavepoint(s()),
        Failure::NotOwner(1),
        Failure::UnknownCommand,
        Failure::PacketTooLarge,
        Failure::NoMemory,
        Failure::MalformedPacket(s()),
        Failure::UnknownPrepared(s(), "EXECUTE"),
        Failure::WrongArguments("EXECUTE"),
        Failure::NotPreparable,
        Failure::TooManyParameters,
        Failure::TooManyPrepared(1),
        Failure::NoCursor(1),
        Failure::LongDataTooLong,
    ]
}

/// The variants, as their source names them.
fn variants() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("src/failure.rs")).expect("src/failure.rs");
    let body =
        text.split("pub enum Failure {\n").nth(1).and_then(|t| t.split("\n}").next()).expect("an enum");
    body.lines()
        .filter_map(|l| l.strip_prefix("    "))
        .filter(|l| l.starts_with(char::is_uppercase))
        .map(|l| l.chars().take_while(|c| c.is_alphanumeric()).collect())
        .collect()
}

/// Number, SQLSTATE and beginning of each row of docs/errors.md; a row of several has them after `;
/// `.
fn documented() -> BTreeSet<(u16, String, String)> {
    let text = fs::read_to_string(root().join("docs/errors.md")).expect("docs/errors.md");
    let mut rows = BTreeSet::new();
    let tables = text.split("## Words").next().expect("the beginning");
    for line in
        tables.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| what") && !l.starts_with("| -"))
    {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, codes, states, beginnings] = cells[..] else { panic!("four cells: {line}") };
        let list = |cell: &str| cell.split("; ").map(|c| c.trim_matches('`').to_owned()).collect::<Vec<_>>();
        let codes = list(codes);
        let (states, beginnings) = if codes.len() == 1 {
            (vec![states.to_owned()], vec![beginnings.trim_matches('`').to_owned()])
        } else {
            (list(states), list(beginnings))
        };
        for (n, code) in codes.iter().enumerate() {
            // One for all where there is only one.
            let of = |list: &[String]| list.get(n).or_else(|| list.last()).expect("not empty").clone();
            rows.insert((code.parse().expect("a number"), of(&states), of(&beginnings)));
        }
    }
    rows
}

#[test]
fn the_table_of_errors_is_that_of_the_code() {
    let settings = ErrorSettings { plain_1064: false, unreachable: Unreachable::Auto };
    let rows = documented();
    let mut used = BTreeSet::new();
    let mut names = BTreeSet::new();
    for failure in failures() {
        let name: String = format!("{failure:?}").chars().take_while(|c| c.is_alphanumeric()).collect();
        names.insert(name);
        let error = of(&failure, settings, false, None);
        let fits: Vec<_> = rows
            .iter()
            .filter(|(code, state, begins)| {
                *code == error.code && state == error.state && error.message.starts_with(begins.as_str())
            })
            .collect();
        assert!(!fits.is_empty(), "docs/errors.md has no row for {error:?}");
        used.extend(fits);
    }
    assert_eq!(names, variants(), "this test has one of each failure");
    let unused: Vec<_> = rows.iter().filter(|row| !used.contains(row)).collect();
    assert!(unused.is_empty(), "no failure is {unused:?}");
}

/// Words in the first cell of each row of the table of words.
fn documented_words() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("docs/errors.md")).expect("docs/errors.md");
    let table = text.split("## Words").nth(1).expect("a table of words");
    let cells = table.lines().filter_map(|l| l.strip_prefix("| `")).filter_map(|l| l.split(" | ").next());
    cells.flat_map(|c| c.split(", ").map(|w| w.trim_matches('`').to_owned()).collect::<Vec<_>>()).collect()
}

#[test]
fn the_words_of_errors_are_those_of_the_code() {
    let rejected =
        |status, word: &str| Failure::AgentRejected { status, body: String::new(), word: word.to_owned() };
    let mut failures = failures();
    failures.retain(|f| !matches!(f, Failure::AgentRejected { .. }));
    failures.extend([rejected(401, ""), rejected(429, ""), rejected(422, "")]);
    let words = failures.iter().filter_map(dbtrail_shim::wire::cause::word).map(str::to_owned);
    let source = fs::read_to_string(root().join("crates/types/src/agent_api.rs")).expect("its source");
    let module = source.split("pub mod code {").nth(1).and_then(|t| t.split("\n}").next()).expect("codes");
    let agents = module.lines().filter_map(|l| l.split('"').nth(1)).map(str::to_owned);
    let known: BTreeSet<String> = words.chain(agents).collect();
    assert!(known.len() > 30, "{known:?}");
    assert_eq!(documented_words(), known);
}
