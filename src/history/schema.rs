//! The history of table definitions: which columns and key a table had from which instant on.
//!
//! Fed with the DDL statements of the log and with what its table maps say. Where neither tells, a table is unreadable,
//! with the reason; nothing is guessed. Also carries a row over from the definition it was written under to the
//! definition at the instant asked for.
