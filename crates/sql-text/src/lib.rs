//! The text of SQL, as MySQL and MariaDB read it, for both halves: the shim reads what clients
//! send, the agent what servers have logged.
//!
//! A crate of its own, since neither half knows the other, and `dbtrail-types` holds what they say
//! to each other, which is never SQL.
//!
//! * [`Scanner`] cuts a text into segments: quotes, comments, executable comments, everything
//!   else. Where a quote or a comment ends is decided here and nowhere else.
//! * [`unescaped`] says what a quoted text stands for.
//! * [`tokens`] makes tokens for DDL, [`pieces`] for statements of which only the names are wanted.
//! * [`Cursor`] walks over tokens, those of [`tokens`] or any other that are [`Lexical`]: the
//!   shim's are sqlparser's, because its expression grammar takes no other.

mod cursor;
mod error;
mod lexer;
mod quotes;
mod scanner;
mod token;

pub use cursor::{Cursor, Lexical};
pub use error::LexError;
pub use lexer::{pieces, tokens};
pub use quotes::{Quoting, unescaped};
pub use scanner::{ExecutableComments, Scanner, Segment};
pub use token::Token;
