//! The keys of the section `limits` of shim.yaml.

use super::{Keys, Takes::Text};

/// With their defaults.
pub(super) const LIMITS: Keys = &[
    ("max_diff_window", Text(Some("24h"))),
    ("max_keys", Text(Some("1000"))),
    ("table_scan", Text(Some("on_request"))),
    ("max_rows", Text(None)),
    ("max_connections", Text(Some("1000"))),
    ("max_prepared_statements", Text(Some("1000"))),
    ("max_packet", Text(Some("64MiB"))),
    ("memory", Text(Some("256MiB"))),
    ("memory_per_user", Text(Some("128MiB"))),
    ("compute_time", Text(Some("2s"))),
    ("compute_stretch", Text(Some("100ms"))),
    ("compute_memory", Text(Some("16MiB"))),
];
