//! What agent.yaml may have.

use crate::config::file::{Layout, Takes};
use Takes::{Needed, Text, Texts};

/// The keys of agent.yaml.
pub(in crate::config) const KEYS: Layout = Layout {
    top: &[
        ("server_id", Text(None)),
        ("listen", Text(Some("127.0.0.1:8600"))),
        ("binlog", Texts),
        ("data", Text(None)),
        ("keep", Text(Some("forever"))),
        ("source_time", Text(Some("local"))),
        ("cache", Text(Some("48"))),
        ("disk_cache", Text(Some("0"))),
        ("read", Text(Some("off"))),
        ("standby", Text(Some("off"))),
        ("poll", Text(Some("1s"))),
        ("disk_reserve", Text(Some("256"))),
        ("verify", Text(Some("off"))),
        ("token_file", Text(None)),
        ("doubt_token_file", Text(None)),
        ("allow_insecure", Text(Some("off"))),
        ("shutdown_grace", Text(Some("30s"))),
        ("ui", Text(Some("on"))),
    ],
    sections: &[
        (
            "source",
            &[
                ("url", Needed),
                ("password", Text(None)),
                ("password_file", Text(None)),
                ("replica_id", Text(None)),
                ("include", Texts),
                ("exclude", Texts),
            ],
        ),
        ("baseline", &[("mode", Text(Some("on"))), ("rows_per_second", Text(Some("0")))]),
        (
            "capture",
            &[
                ("statements", Text(Some("on"))),
                ("backfill", Text(Some("oldest"))),
                ("connections", Text(Some("on"))),
            ],
        ),
        (
            "log_files",
            &[
                ("from", Text(None)),
                ("to", Text(None)),
                ("schema", Text(None)),
                ("include", Texts),
                ("exclude", Texts),
            ],
        ),
        ("tls", &[("cert_file", Text(None)), ("key_file", Text(None))]),
        (
            "limits",
            &[
                ("max_requests", Text(Some("256"))),
                ("max_connections", Text(Some("1024"))),
                ("catch_up_wait", Text(Some("5s"))),
            ],
        ),
        ("readiness", &[("max_lag", Text(Some("60s")))]),
        ("log", &[("level", Text(Some("info"))), ("format", Text(Some("text")))]),
    ],
    list: Some(("sources", super::sources::KEYS)),
};
