//! System variables: name, default, and what a SET does. One table.

use super::Settings;

/// What SET may do with a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Read only.
    Fixed,
    /// ON or OFF; ignoring it cannot be seen in what this server answers.
    Switch,
    /// Any text or number; ignoring it cannot be seen.
    Free,
    /// It means something here: `state` carries it out.
    Own,
}

/// The table. Values in braces are filled in from the settings.
pub(super) const VARIABLES: &[(&str, &str, Rule)] = &[
    ("auto_increment_increment", "1", Rule::Free),
    ("auto_increment_offset", "1", Rule::Free),
    ("autocommit", "ON", Rule::Own),
    ("big_tables", "OFF", Rule::Switch),
    ("character_set_client", "utf8mb4", Rule::Own),
    ("character_set_connection", "utf8mb4", Rule::Own),
    ("character_set_database", "utf8mb4", Rule::Fixed),
    ("character_set_results", "utf8mb4", Rule::Own),
    ("character_set_server", "utf8mb4", Rule::Fixed),
    ("character_set_system", "utf8mb3", Rule::Fixed),
    ("collation_connection", "utf8mb4_0900_ai_ci", Rule::Own),
    ("collation_database", "utf8mb4_0900_ai_ci", Rule::Fixed),
    ("collation_server", "utf8mb4_0900_ai_ci", Rule::Fixed),
    ("error_count", "0", Rule::Fixed),
    ("foreign_key_checks", "ON", Rule::Switch),
    ("group_concat_max_len", "1024", Rule::Free),
    ("have_ssl", "DISABLED", Rule::Fixed),
    ("init_connect", "", Rule::Fixed),
    ("innodb_lock_wait_timeout", "50", Rule::Free),
    ("innodb_read_only", "ON", Rule::Fixed),
    ("interactive_timeout", "28800", Rule::Free),
    ("join_buffer_size", "262144", Rule::Free),
    ("license", "MIT OR Apache-2.0", Rule::Fixed),
    ("lock_wait_timeout", "31536000", Rule::Free),
    ("long_query_time", "10.000000", Rule::Free),
    ("lower_case_table_names", "0", Rule::Fixed),
    ("max_allowed_packet", "{max_packet}", Rule::Fixed),
    ("max_connections", "{max_connections}", Rule::Fixed),
    ("max_execution_time", "0", Rule::Fixed),
    ("net_buffer_length", "16384", Rule::Fixed),
    ("net_read_timeout", "30", Rule::Free),
    ("net_write_timeout", "60", Rule::Free),
    ("optimizer_switch", "", Rule::Free),
    ("performance_schema", "OFF", Rule::Fixed),
    ("protocol_version", "10", Rule::Fixed),
    ("query_cache_size", "0", Rule::Fixed),
    ("query_cache_type", "OFF", Rule::Fixed),
    ("read_only", "ON", Rule::Fixed),
    ("session_track_gtids", "OFF", Rule::Free),
    ("session_track_schema", "ON", Rule::Switch),
    ("session_track_state_change", "OFF", Rule::Switch),
    ("session_track_system_variables", "", Rule::Free),
    ("session_track_transaction_info", "OFF", Rule::Free),
    ("sql_auto_is_null", "OFF", Rule::Switch),
    ("sql_big_selects", "ON", Rule::Switch),
    ("sql_log_bin", "ON", Rule::Switch),
    ("sql_mode", "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION", Rule::Own),
    ("sql_notes", "ON", Rule::Switch),
    ("sql_quote_show_create", "ON", Rule::Switch),
    ("sql_safe_updates", "OFF", Rule::Switch),
    ("sql_select_limit", "18446744073709551615", Rule::Own),
    ("sql_warnings", "OFF", Rule::Switch),
    ("super_read_only", "ON", Rule::Fixed),
    ("system_time_zone", "UTC", Rule::Fixed),
    ("time_zone", "", Rule::Own),
    ("transaction_isolation", "REPEATABLE-READ", Rule::Free),
    ("transaction_read_only", "OFF", Rule::Switch),
    ("tx_isolation", "REPEATABLE-READ", Rule::Free),
    ("tx_read_only", "OFF", Rule::Switch),
    ("unique_checks", "ON", Rule::Switch),
    ("version", "{version}", Rule::Fixed),
    ("version_comment", "dbtrail-shim", Rule::Fixed),
    ("version_compile_machine", "x86_64", Rule::Fixed),
    ("version_compile_os", "Linux", Rule::Fixed),
    ("wait_timeout", "28800", Rule::Free),
    ("warning_count", "0", Rule::Fixed),
];

/// The rule and the default of a variable.
pub(super) fn find(name: &str, settings: &Settings) -> Option<(Rule, String)> {
    let (_, default, rule) = VARIABLES.iter().find(|(n, ..)| *n == name)?;
    let value = match *default {
        "{max_packet}" => settings.max_packet.to_string(),
        "{max_connections}" => settings.max_connections.to_string(),
        "{version}" => settings.server_version.clone(),
        fixed => fixed.to_owned(),
    };
    Some((*rule, value))
}

/// ON and OFF are 1 and 0 in SELECT.
pub(super) fn is_switch(name: &str) -> bool {
    VARIABLES
        .iter()
        .any(|(n, default, _)| *n == name && matches!(*default, "ON" | "OFF") && *n != "session_track_gtids")
}

/// Modes that change nothing that this server does; with the two that it honours, all that it takes.
pub(super) const MODES: &[&str] = &[
    // `||` is computed by no expression here, so its meaning cannot be seen.
    "PIPES_AS_CONCAT",
    "ANSI_QUOTES",
    "NO_BACKSLASH_ESCAPES",
    "ONLY_FULL_GROUP_BY",
    "NO_UNSIGNED_SUBTRACTION",
    "NO_DIR_IN_CREATE",
    "NO_AUTO_VALUE_ON_ZERO",
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ALLOW_INVALID_DATES",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "NO_AUTO_CREATE_USER",
    "NO_ENGINE_SUBSTITUTION",
];
