//! Text that nobody would write, into the reader of statements and on through the plan and the
//! session: never a panic, always an end.

mod texts;

use super::support::{rounds, session_settings};
use dbtrail_shim::agent_client::{self, AgentClient, Caller};
use dbtrail_shim::failure::Failure;
use dbtrail_shim::plan::charsets::Charsets;
use dbtrail_shim::plan::{self, Context, guard};
use dbtrail_shim::session::{
    self, Connections, Credential, Identity, LoginSlot, Process, Role, Session, Tenant,
};
use dbtrail_shim::statement::{InformationSchema, ParseSettings, Statement, parse};
use dbtrail_types::charset;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::names::{RequestId, ServerId};
use dbtrail_types::secret::Secret;
use dbtrail_types::timestamp::Timestamp;
use dbtrail_types::zone::Zone;
use std::sync::Arc;
use std::time::Duration;
use texts::{Numbers, text};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn definition(columns: &str) -> Arc<TableDefinition> {
    Arc::new(serde_json::from_str(&format!("{{{columns}}}")).expect("a definition"))
}

/// A table with one key column, and one with two.
fn tables() -> [Arc<TableDefinition>; 2] {
    let two = r#""columns":[{"name":"a","type":"bigint unsigned","nullable":false,"key":"primary"},
        {"name":"b","type":"varchar(9)","collation":"utf8mb4_bin","nullable":false,"key":"primary"}],"primary_key":["a","b"]"#;
    [definition(super::support::COLUMNS), definition(two)]
}

#[derive(Debug)]
struct Alone;

impl Connections for Alone {
    fn kill(&self, id: u64, _: bool, _: &str) -> Result<(), Failure> {
        Err(Failure::NoSuchThread(id))
    }

    fn enter(&self, _: u32, _: &str, _: LoginSlot) -> Result<(), Failure> {
        Ok(())
    }

    fn figures(&self, _: &str) -> (u64, u64) {
        (1, 1)
    }

    fn processes(&self, _: &str) -> Vec<Process> {
        Vec::new()
    }
}

/// A session whose agent is never asked.
fn session() -> Session {
    let settings = agent_client::AgentSettings {
        base_url: "http://127.0.0.1:1".to_owned(),
        ca_pem: None,
        identity_pem: None,
    };
    let tenant = Tenant {
        mysql_user: "a".to_owned(),
        credential: Credential::Password(Secret::new("secret".to_owned())),
        server_id: ServerId("s".to_owned()),
        agent: AgentClient::new(&settings).expect("a client").into(),
        caller: Caller { tenant: "a".to_owned(), token: None },
        default_schema: Some("tt".to_owned()),
        allowed_schemas: None,
        time_zone: Zone::utc(),
    };
    let identity = Identity {
        role: Role::Tenant(Arc::new(tenant)),
        user: "a".to_owned(),
        host: "127.0.0.1".to_owned(),
        connection_id: 1,
        link: session::Link::default(),
    };
    Session::new(identity, Arc::new(session_settings()), Arc::new(Alone), 255)
}

/// How far texts came.
#[derive(Debug, Default)]
struct Reached {
    travel: usize,
    resolved: usize,
    admitted: usize,
    session: usize,
    metadata: usize,
}

/// One text all the way, as far as it goes without an agent.
async fn run(text: &str, reading: ParseSettings, session: &mut Session, reached: &mut Reached) {
    let statement = parse(text, reading);
    match statement {
        Statement::TimeTravel(draft) => {
            reached.travel += 1;
            let (server_id, zone) = (ServerId("s".to_owned()), Zone::parse("Europe/Berlin").expect("a zone"));
            let context = Context {
                user: "a",
                host: "127.0.0.1",
                server_id: &server_id,
                current_schema: Some("tt"),
                allowed_schemas: None,
                zone: &zone,
                charsets: Charsets::default(),
                max_diff_window: Duration::from_secs(3600),
                allow_wide_diff: true,
                allow_table_scan: true,
            };
            let Ok(resolved) = plan::resolve(*draft, &context, Timestamp::from_micros(1_790_000_000_000_000))
            else {
                return;
            };
            reached.resolved += 1;
            let resolved = Arc::new(resolved);
            for definition in tables() {
                let admitted = guard::admit(&resolved, &definition, guard::PlanSettings::of_keys(1000));
                reached.admitted += usize::from(admitted.is_ok());
            }
        }
        Statement::InformationSchema(InformationSchema::Select(_)) => {
            reached.metadata += 1;
            let _ = session.query(text.as_bytes(), &RequestId::next(1)).await;
        }
        // These ask the agent at once.
        Statement::Use(_) | Statement::InformationSchema(_) => {}
        _ => {
            reached.session += 1;
            let request = RequestId::next(1);
            let _ = session.query(text.as_bytes(), &request).await;
        }
    }
}

#[tokio::test]
async fn a_hundred_thousand_texts_and_no_panic() {
    let mut numbers = Numbers(0x5eed_7e57_0f1a_57ed);
    let mut session = session();
    let mut reached = Reached::default();
    for count in 0..rounds(100_000) {
        let bytes = text(&mut numbers);
        let charset = if count % 8 == 0 { "latin1" } else { "utf8mb4" };
        let text = charset::decode(charset, &bytes)
            .map_or_else(|_| String::from_utf8_lossy(&bytes).into_owned(), std::borrow::Cow::into_owned);
        let reading = ParseSettings {
            ansi_quotes: count % 5 == 0,
            no_backslash_escapes: count % 7 == 0,
            orm_forms: count % 3 == 0,
            version: 80_036,
            in_information_schema: count % 11 == 0,
        };
        let run = run(&text, reading, &mut session, &mut reached);
        let done = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(run)).await;
        assert!(done.is_ok(), "text {count} made it panic: {text:?}");
        if count % 100 == 0 {
            session.reset();
        }
    }
    // Texts that all fail at the first byte would show nothing.
    assert!(
        reached.travel > rounds(5000)
            && reached.resolved > rounds(3000)
            && reached.admitted > rounds(1000)
            && reached.session > rounds(20_000)
            && reached.metadata > rounds(1000),
        "{reached:?}"
    );
}

#[tokio::test]
async fn texts_without_measure_come_to_an_end() {
    let many = 60_000;
    let mut session = session();
    let mut reached = Reached::default();
    // What grows from statement to statement is bounded too.
    let request = RequestId::next(1);
    let grown = async {
        session.query(b"SET @x = 'xxxxxxxxxxxxxxxx'", &request).await.expect("a short text");
        for _ in 0..64 {
            session.query(b"SET @x = CONCAT(@x, @x)", &request).await?;
        }
        Ok::<(), Failure>(())
    };
    assert_eq!(
        grown.await,
        Err(Failure::Unsupported(
            "user variables that together are longer than max_allowed_packet".to_owned()
        ))
    );
    let travel = "SELECT * FROM _flashback.t AS OF '2020-01-01' WHERE ";
    for (what, text) in [
        ("a sum", format!("SELECT 1{}", "+1".repeat(many))),
        ("minus signs", format!("SELECT {}1", "- ".repeat(many))),
        ("NOT", format!("SELECT {}1", "NOT ".repeat(many))),
        ("parentheses", format!("SELECT {}1{}", "(".repeat(many), ")".repeat(many))),
        ("brackets", format!("SELECT {}1{}", "[".repeat(many), "]".repeat(many))),
        ("braces", format!("SELECT {}1{}", "{x ".repeat(many), "}".repeat(many))),
        ("CASE", format!("SELECT {}1", "CASE WHEN ".repeat(many))),
        ("INTERVAL", format!("SELECT {}1", "INTERVAL ".repeat(many))),
        ("casts", format!("SELECT 1{}", "::int".repeat(many / 2))),
        ("COLLATE", format!("SELECT 'a'{}", " COLLATE x".repeat(many / 2))),
        ("columns", format!("SELECT 1{}", ",1".repeat(many))),
        ("assignments", format!("SET @a=1{}", ",@a=1".repeat(many / 2))),
        ("AND", format!("{travel}id=1{}", " AND id=1".repeat(many / 2))),
        ("OR", format!("{travel}id=1{}", " OR id=1".repeat(many / 2))),
        ("IN", format!("{travel}id IN (1{})", ",1".repeat(many))),
        ("NOT in a predicate", format!("{travel}{}id=1", "NOT ".repeat(many))),
        (
            "instants",
            format!(
                "SELECT * FROM _flashback.t AS OF NOW(){} WHERE id=1",
                " - INTERVAL 1 DAY".repeat(many / 3)
            ),
        ),
        ("names", format!("SELECT * FROM _flashback.t{} AS OF NOW() WHERE id=1", ".t".repeat(many))),
        ("virtual tables", format!("SELECT * FROM _flashback.t{}", ",_flashback.t".repeat(many / 5))),
        (
            "names of virtual tables",
            format!(
                "SELECT * FROM {}_flashback.t",
                (0..many).map(|n| format!("_flashback.t{n},")).collect::<Vec<_>>().concat()
            ),
        ),
        ("stars", format!("SELECT *{} FROM _flashback.t AS OF NOW() WHERE id=1", ",*".repeat(many))),
        ("order", format!("{travel}id=1 ORDER BY id{}", ",id".repeat(many))),
        ("a string", format!("SELECT '{}'", "ä".repeat(many * 10))),
        ("comments", "/**/".repeat(many)),
        ("lines", format!("SELECT 1{}", "\n,1".repeat(many))),
        ("UNION", format!("SELECT 1{}", " UNION SELECT 1".repeat(many / 3))),
    ] {
        let begun = std::time::Instant::now();
        run(&text, ParseSettings::default(), &mut session, &mut reached).await;
        let taken = begun.elapsed();
        if std::env::var_os("SHOW").is_some() {
            eprintln!("{what}: {taken:?}");
        }
        // It takes milliseconds; a form whose time grows with the square of its length takes
        // minutes.
        assert!(taken < Duration::from_secs(20), "{what}: {taken:?}");
    }
}

/// Commands of all numbers with payloads of all kinds, one after the other without a look at the
/// answers.
#[tokio::test]
async fn random_commands_do_not_hurt_the_others() {
    let (_agent, shim) = super::support::pair().await;
    let mut witness = shim.raw("a").await;
    let mut numbers = Numbers(0x0dd_ba11);
    for _ in 0..200 {
        let mut client = shim.raw("a").await;
        let mut bytes = Vec::new();
        for _ in 0..20 {
            let payload = text(&mut numbers);
            let command = match numbers.below(3) {
                0 => 3,
                _ => u8::try_from(numbers.below(0x24)).expect("a small number"),
            };
            let length = u32::try_from(payload.len() + 1).expect("a short payload").to_le_bytes();
            // Now and then a number that is not due.
            let sequence = u8::from(numbers.below(50) == 0);
            bytes.extend_from_slice(&[length[0], length[1], length[2], sequence, command]);
            bytes.extend_from_slice(&payload);
        }
        bytes.extend_from_slice(&[1, 0, 0, 0, 1]);
        // The shim may have hung up before all of it was sent.
        let _ = client.stream.write_all(&bytes).await;
        let mut answers = Vec::new();
        let end = client.stream.read_to_end(&mut answers);
        let _ = super::support::soon("the end of a connection", end).await;
        let bug = b"a bug was met";
        assert!(!answers.windows(bug.len()).any(|w| w == bug), "{}", String::from_utf8_lossy(&bytes));
        assert_eq!(witness.cell("SELECT 1").await.as_deref(), Some("1"));
    }
    assert_eq!(witness.rows(super::support::FLASHBACK).await.len(), 3);
    assert!(!shim.task.is_finished());
}
