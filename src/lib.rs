//! Time travel for every MySQL client.

pub mod agent_api;
pub mod agent_client;
pub mod charset;
pub mod cli;
pub mod collation;
pub mod column;
pub mod config;
pub mod failure;
pub mod history;
pub mod ident;
pub mod instant;
pub mod plan;
pub mod reply;
pub mod secret;
pub mod server;
pub mod session;
pub mod statement;
pub mod telemetry;
pub mod wire;
pub mod zone;
