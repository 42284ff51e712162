//! One integration binary: a file a concern. Nothing here needs another program; what does is in `tests/real`.
#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]
#![expect(clippy::wildcard_enum_match_arm, reason = "whatever was not expected fails, new variants too")]

mod agent_api;
mod agent_faults;
mod agent_http2;
mod agent_program;
mod agent_silence;
mod architecture;
mod broken_logs;
mod by_whom;
mod chatter;
mod clients;
mod collations;
mod columns;
mod conversions;
mod cut_answers;
mod ddl;
mod discovery;
mod docs;
mod doctor;
mod end_to_end;
mod explain;
mod expressions;
mod headings;
mod keys;
mod limits;
mod log;
mod logins;
mod metadata;
mod misuse;
mod orm;
mod prepared;
mod process;
mod program;
mod proxysql;
mod proxysql_config;
mod random_input;
mod recorder;
mod reload;
mod scan;
mod session;
mod silent_changes;
mod support;
mod tenants;
mod transcripts;
mod truth_agent;
