//! # The architecture of dbtrail-shim
//!
//! A TCP server that speaks the MySQL protocol, stands behind ProxySQL (or alone), and answers queries about the past:
//! `SELECT * FROM _flashback.orders AS OF '2026-04-27 09:00:00' WHERE id = 42`. It holds no data. An *agent*, reached over
//! HTTPS, holds the history of the rows; the project ships one that reads binary logs.
//!
//! ## The law
//! Never a plausible wrong answer. A row that is wrong, stale, half of a transaction, cut short, of another tenant or read at
//! another instant than the one asked for is worse than any refusal. Where the program is not sure, it refuses and says why.
//!
//! ## The way of a query
//! ```text
//! socket -> server -> wire -> session -> statement -> plan + guard -> agent_client -> session::stream -> wire -> socket
//!                                                                         |
//!                                                              HTTPS, agent_api (the contract)
//!                                                                         |
//!                          history::serve <- query <- store <- ingest <- schema <- log <- binary log files
//!                                                     |         ^
//!                                        engine (memory, disk)  recorder <- source <- a running MySQL or MariaDB
//! ```
//! One way, little back and forth, in three crates: this one is the shim, [`dbtrail_history`] (`crates/history`) is the agent, and both
//! speak of the values and messages in [`dbtrail_types`] (`crates/types`). So the compiler holds what would otherwise be a rule: the
//! agent knows nothing of the shim. Inner modules know neither MySQL packets nor HTTP nor YAML:
//!
//! | crate or module | purpose |
//! | --- | --- |
//! | [`cli`], `main` | process shell: arguments, one small file a subcommand, exit codes |
//! | [`dbtrail_types`] | text that cannot be printed; names; points in time; time zones; column types; floating-point numbers as text; neutral rows; character sets; orders of text; the messages of the agent contract, shared by its client and its server |
//! | [`telemetry`] | the log |
//! | [`statement`] | text to a closed `Statement`: tokens, time clause, select, session statements. Pure |
//! | [`plan`], [`plan::guard`] | the rules: draft + definition + tenant + now to an `Admitted` request, or a refusal. Pure |
//! | [`agent_client`] | HTTPS, or an agent in the same process; sends nothing but what the plan has checked |
//! | [`failure`] | the closed union of what can go wrong, and whose fault it is |
//! | [`session`] | identity, database, variables, warnings; runs one statement through the stages |
//! | [`wire`] | the MySQL protocol: a core without I/O, and the connection around it; `wire::error` is the one table from failures to error numbers |
//! | [`server`] | listening, the threads of connections, permits, the registry of live connections (KILL), drain with a deadline |
//! | [`config`] | the YAML files (shim.yaml, agent.yaml) to the settings types that the other modules own; all mistakes at once |
//! | [`dbtrail_history`] | the agent: binary logs to answers. [`dbtrail_history::Published`] is what is served now: each request keeps to one history while the next is made |
//!
//! `tests/it/architecture.rs` holds the imports to this map.
//!
//! ## What the types enforce
//! * `agent_client::AgentClient::rows` takes a `plan::guard::Admitted`, and only `guard::admit` makes one: a statement that
//!   was not checked against the primary key cannot be sent.
//! * The guard needs the table's definition *at the instant asked for*. The client caches definitions, so the session compares the
//!   definition in the header of each answer with the one the guard used: an answer to other columns or another key is thrown
//!   away unread, and the statement is planned again with a fresh definition. A stale cache costs a round trip, never a wrong row.
//! * A row stream gives `Rows` or `End` or an error, and there is no "nothing": a body cut before its trailer is an error by type.
//! * A failure is a value and never ends a connection; only transport errors do. `wire` sends answers in one place, and that
//!   place takes the whole `Result`.
//! * A `session::Session` needs an `Identity`, and only the authentication in `wire` makes one. COM_CHANGE_USER drops the session and
//!   makes another, so nothing of the former user can be left in it.
//! * TLS is one enum (off, offered, required). Secrets have no `Display`, no `Serialize` and a starred `Debug`.
//! * `now` is read once a statement and handed down: relative instants cannot drift within one statement.
//! * Cancelling is dropping: the future of a statement owns its agent request, and the stream in an answer owns the rest of it. A client
//!   that goes away, a KILL, and a shutdown past its grace period drop them, which closes the request at the agent.
//!
//! ## Decisions, and why
//! * **The protocol is ours, on `mysql_common`.** The one published server crate (opensrv-mysql 0.7.0) can be crashed before login, has a closed
//!   list of error numbers with fixed SQLSTATEs (no 2002, no 1064 with HY000), answers OK to every command it does not know
//!   (COM_CHANGE_USER among them) and has no place for a column's character set, length or decimals.
//! * **Diff images travel as arrays of cells, with their definition**, and become JSON in the shim: only the shim knows the session's time zone.
//! * **Where a statement of several ends, and what an executable comment holds, is found by a scanner of quotes and comments** (`statement::split`), once over
//!   the text, before sqlparser sees it: tokenizing the rest of a packet for each of its statements would take quadratic time. A property test holds the two to
//!   the same semicolons.
//! * **The system variables are one table** (`session::variables`). A variable may be set freely only where no answer could show that it was ignored.
//! * **Compression is a pair of pure functions over bytes**, used where packets are read and written: what arrives ahead is unpacked only when its turn comes,
//!   since the numbers of an answer go on from those of the command.
//! * **Key values and cells are text or hex, never JSON numbers**, so that no JSON library on the way can round them.
//! * **A table whose definition is not certain is refused.** Table maps say much (with `binlog_row_metadata=FULL`), DDL says the rest; where neither
//!   says, or the two disagree, the answer is a refusal with the reason, from that point of the log on.
//! * **Text keys compare in orders recorded from real servers.** A character whose place is not certain is refused, not approximated.
//! * **Events are read by this project, on `mysql_common`'s constants, GTID events and collations.** Its row decoder can panic on hostile
//!   metadata, takes YEAR 0 for 1900, and does not know MariaDB's own events.
//! * **The log of a running server comes in on a client of this project** (`dbtrail_history::source::client`), on `mysql_common`'s packets: `mysql_async`'s log
//!   stream decodes events to follow them, loses those that do not parse and panics on one cut short; here bytes are handed over as they stand in the log.
//! * **ProxySQL's rules ask the digest of a statement and its text**: the digest has no literals and no comments, and with digests off a rule
//!   on the digest alone would take all traffic (`cli::proxysql_config::patterns`).
//! * **A prepared statement is its text.** At each execution the text is read again with a literal token for every `?` and goes the one way of all
//!   statements; PREPARE holds an outline of it against a definition, from which nothing can be sent. Handles belong to the connection and drop with its session.
//! * **A FLOAT travels with all its digits.** mysqld's own text has six, from which no bits can be told; the shim cuts it to them where it shows text.
//! * **Every answer of the agent has a window of its own, and the connection none that counts**: over HTTP/2 all clients share one connection, and
//!   one that does not read its rows must not hold up the others.
//! * **Rows at an instant are asked for over an HTTP/2 connection of the shim's own** (`agent_client::multiplex`), with one write a request; nothing depends on it: without it,
//!   and with an agent of HTTP/1.1, the request goes over reqwest, which also asks everything else.
//! * **`up` asks its agent without a connection** (`agent_client::inside`): the same requests and answers, tokens and limits, but no TLS, no frames and no second process to wake, which were
//!   half of the time of a look-up. `demo` goes over HTTPS, as two machines do.
//! * **Connections of `up` run on threads of their own** (`server::loops`), several to a core and each with a poller: a statement that is answered inside of the process computes, and reads
//!   the disk, in the thread of its connection. The workers of one runtime share one poller, and nobody asked it while all of them computed: with 8 clients on two cores, a tenth of
//!   the time nothing ran.
//! * **COM_CHANGE_USER goes on with the scramble of the greeting**, as mysqld does: libmariadb answers to that one whatever it is asked.
//! * **A history is a snapshot.** The writing half makes one [`dbtrail_history::History`] of each batch, upon a snapshot of the store, and swaps it in; an answer keeps the one it began
//!   with. Retention publishes the new horizon first and removes versions then, so nothing vanishes under an answer.
//! * **Rows and the replication position are one batch** of the store, in one thread (`dbtrail_history::recorder`). A process that is killed goes on behind its last batch; a transaction that comes
//!   again is known by its place, or by its GTID.
//! * **What is learnt beside the log waits for the log** (`dbtrail_history::capture`): a definition, rows of a table and the server's clock hold from the end of the log at the time they were read. The
//!   baseline needs no long transaction and no lock: a row that was read counts only for a key of which no change is recorded, and any change recorded tells the row before it.
//! * **The store is ordered tables of bytes** (`dbtrail_history::engine`): apply a batch, the pairs of a range from its end or its beginning, snapshot. Versions lie by incarnation, key and place, entries in pages of 64.
//! * **Of an update only the cells that changed are kept** (`dbtrail_history::store`), with a whole row at most 15 versions back: rows of many columns take a fraction of the room, and a look-up reads pairs that lie
//!   beside each other. What retention keeps of a key it makes whole first.
//! * **Rows of the log are read where they stand** (`dbtrail_history::log::RowsEvent`): an event's bytes are kept until its transaction commits, and each cell goes straight into the packed row.
//! * **New keys are known by stretches without keys** (`dbtrail_history::ingest`), learnt by one look-up each: to look every new key up took longer than all else.
//! * **A part of the log that was not read is a gap with a name**, and every table behind it another incarnation: nothing is carried across.
//! * **One crypto library (aws-lc-rs)** under TLS, certificate making, the RSA exchange of caching_sha2_password and the random scrambles.

pub mod agent_client;
pub mod cli;
pub mod config;
pub mod failure;
pub mod plan;
pub mod server;
pub mod session;
pub mod statement;
pub mod telemetry;
pub mod wire;
