//! # The architecture of dbtrail-shim
//!
//! A TCP server that speaks the MySQL protocol, stays behind ProxySQL (or alone), and answers
//! queries about the past: `SELECT * FROM _flashback.orders AS OF '2026-04-27 09:00:00' WHERE id =
//! 42`. It holds no data. An *agent*, reached over HTTPS, holds the history of the rows; the
//! project ships one that reads binary logs.
//!
//! ## The law
//! Never a plausible wrong answer. A row that is wrong, stale, half of a transaction, cut short, of
//! another tenant or read at another instant than the one asked for is worse than any refusal.
//! Where the program is not sure, it refuses and says why.
//!
//! ## The way of a query
//! ```text
//! socket -> server -> wire -> session -> statement -> plan + guard -> agent_client -> session::stream -> wire -> socket
//!                                                                         |
//!                                                              HTTPS, agent_api (the contract)
//!                                                                         |
//!                          history::serve <- query <- store <- ingest <- schema <- log <- binary log files
//!                                                     |         ^
//!                                engine (memory, disk, bucket)  recorder <- source <- a running MySQL or MariaDB
//! ```
//! One way, little back and forth, in seven crates: this one is the shim, [`dbtrail_history`]
//! (`crates/history`) is the agent, and both speak of the values and messages in [`dbtrail_types`]
//! (`crates/types`) and send and read MySQL packets with [`dbtrail_mysql_wire`]
//! (`crates/mysql-wire`), and judge certificates with [`dbtrail_tls`] (`crates/tls`);
//! [`dbtrail_expression`] (`crates/expression`) computes; [`dbtrail_sql_text`] (`crates/sql-text`)
//! reads SQL for both, which do not know each other. So the compiler holds what would otherwise be
//! a rule: the agent knows nothing of the shim. The agent itself is one crate, and not three for
//! log, history and capture: what an event means, how it is stored and where capturing goes on
//! change together, and `tests/it/circles.rs` holds its files to one direction. Inner modules know
//! neither MySQL packets nor HTTP nor YAML:
//!
//! | crate or module | purpose |
//! | --- | --- |
//! | [`cli`], `main` | process shell: arguments, one small file a subcommand, exit codes |
//! | [`dbtrail_expression`] | expressions of SQL as MySQL evaluates them, or refused: values, types, collations, LIKE; a budget of steps and bytes |
//! | [`dbtrail_types`] | text that cannot be printed; names; points in time; time zones; column types; floating-point numbers as text; neutral rows; character sets; orders of text; the messages of the agent contract, shared by its client and its server |
//! | [`dbtrail_sql_text`] | quotes, comments and executable comments of SQL, tokens of DDL, and the one cursor over tokens |
//! | [`telemetry`] | the log, the metrics, the audit log, spans to a collector |
//! | [`statement`] | text to a closed `Statement`: tokens, time clause, select, session statements. Pure |
//! | [`plan`], [`plan::guard`] | the rules: draft + definition + tenant + now to an `Admitted` request, or a refusal. Pure |
//! | [`undo`] | rows taken back: SQL literals and guards exact for every type, and an order in which they run. Pure |
//! | [`agent_client`] | HTTPS, or an agent in the same process; several agents that stand in for each other; sends nothing but what the plan has checked |
//! | [`failure`] | the closed union of what can go wrong, and whose fault it is |
//! | [`session`] | identity, database, variables, warnings; runs one statement through the stages |
//! | [`dbtrail_tls`] | whom the certificate of an agent or of a captured server must come from |
//! | [`dbtrail_mysql_wire`] | the MySQL protocol for both halves: packets, compression, login, result sets, on the constants of `mysql_common` |
//! | [`wire`] | the connection of a client: login, commands, answers; `wire::error` is the one table from failures to error numbers |
//! | [`server`] | listening, the threads of connections, permits, the registry of live connections (KILL), drain with a deadline |
//! | [`config`] | the YAML files (shim.yaml, agent.yaml) to the settings types that the other modules own; all mistakes at once |
//! | [`dbtrail_history`] | the agent: binary logs to answers. [`dbtrail_history::HistoryHandle`] is what is served now: each request keeps to one history while the next is made |
//!
//! `tests/it/architecture.rs` holds the imports to this map.
//!
//! ## What the types enforce
//! * `agent_client::AgentClient::rows` takes a `plan::guard::Admitted`, and only `guard::admit`
//!   makes one: a statement that was not checked against the primary key cannot be sent.
//! * The guard needs the table's definition *at the instant asked for*. The client caches
//!   definitions, so the session compares the definition in the header of each answer with the one
//!   the guard used: an answer to other columns or another key is thrown away unread, and the
//!   statement is planned again with a fresh definition. A stale cache costs a round trip, never a
//!   wrong row.
//! * A row stream gives `Rows` or `End` or an error, and there is no "nothing": a body cut before
//!   its trailer is an error by type.
//! * A failure is a value and never ends a connection; only transport errors do. `wire` sends
//!   answers in one place, and that place takes the whole `Result`.
//! * A `session::Session` needs an `Identity`, and only the authentication in `wire` makes one.
//!   COM_CHANGE_USER drops the session and makes another, so nothing of the former user can be left
//!   in it.
//! * TLS is one enum (off, offered, required). Secrets have no `Display`, no `Serialize` and a
//!   starred `Debug`.
//! * `now` is read once a statement and handed down: relative instants cannot drift within one
//!   statement.
//! * Cancelling is dropping: the future of a statement owns its agent request, and the stream in an
//!   answer owns the rest of it. A client that goes away, a KILL, and a shutdown past its grace
//!   period drop them, which closes the request at the agent.
//!
//! ## Decisions, and why
//! They are in `docs/design.md`, with a glossary.

pub mod agent_client;
pub mod cli;
pub mod config;
pub mod failure;
pub mod plan;
pub mod server;
pub mod session;
pub mod statement;
pub mod telemetry;
pub mod undo;
pub mod wire;
