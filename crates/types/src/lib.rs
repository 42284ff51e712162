//! What shim and agent both speak of: the messages between them, and the values inside.
//!
//! Layer 0 of the project: nothing here knows MySQL packets, HTTP, YAML or a store.

pub mod agent_api;
pub mod byte_list;
pub mod change_counts;
pub mod charset;
pub mod collation;
pub mod column;
pub mod doubt;
pub mod float_text;
pub mod happened;
pub mod index_form;
pub mod json_text;
pub mod memory;
pub mod names;
pub mod result_charset;
pub mod result_set;
pub mod secret;
pub mod thread_name;
pub mod timestamp;
pub mod trace;
pub mod undo_script;
pub mod zone;
