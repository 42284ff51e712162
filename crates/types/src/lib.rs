//! What shim and agent both speak of: the messages between them, and the values inside.
//!
//! Layer 0 of the project: nothing here knows MySQL packets, HTTP, YAML or a store.

pub mod agent_api;
pub mod charset;
pub mod collation;
pub mod column;
pub mod happened;
pub mod ident;
pub mod instant;
pub mod json_text;
pub mod real;
pub mod reply;
pub mod result_charset;
pub mod secret;
pub mod zone;
