//! The keys of the file: one table of names and defaults.

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Takes {
    /// A single value, with its default.
    Text(Option<&'static str>),
    /// A single value that must be there.
    Needed,
    /// A list of single values.
    Texts,
    /// A list of single values, or one of them alone.
    OneOrMore,
}
use Takes::{Needed, OneOrMore, Text, Texts};

/// Keys with what they take.
pub(in crate::config) type Keys = &'static [(&'static str, Takes)];

/// The keys of a kind of file: those of the file itself, of its sections, and of the entries of its
/// one list. The only place that names them.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Layout {
    pub(in crate::config) top: Keys,
    pub(in crate::config) sections: &'static [(&'static str, Keys)],
    pub(in crate::config) list: Option<(&'static str, Keys)>,
}

/// The keys of the section `limits`.
const LIMITS: Keys = &[
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

/// The keys of shim.yaml.
pub(in crate::config) const SHIM: Layout = Layout {
    top: &[
        ("listen", Text(Some("127.0.0.1:3308"))),
        ("reuse_port", Text(Some("off"))),
        ("server_version", Text(Some("8.0.36-dbtrail"))),
        ("agent_url", OneOrMore),
        ("shutdown_grace", Text(Some("30s"))),
    ],
    sections: &[
        ("agent_tls", &[("ca_file", Text(None)), ("cert_file", Text(None)), ("key_file", Text(None))]),
        ("tls", &[("mode", Text(Some("off"))), ("cert_file", Text(None)), ("key_file", Text(None))]),
        ("monitor", &[("user", Needed), ("password", Needed)]),
        ("limits", LIMITS),
        ("statements", &[("orm_forms", Text(Some("off")))]),
        ("proxysql", &[("unreachable_code", Text(Some("auto")))]),
        ("errors", &[("sqlstate_1064", Text(Some("documented")))]),
        ("http", &[("listen", Text(None))]),
        (
            "audit",
            &[
                ("file", Text(None)),
                ("syslog", Text(None)),
                ("max_size", Text(Some("100MiB"))),
                ("keep", Text(Some("10"))),
                ("on_failure", Text(Some("go_on"))),
            ],
        ),
        ("log", &[("level", Text(Some("info"))), ("format", Text(Some("text")))]),
    ],
    list: Some((
        "tenants",
        &[
            ("mysql_user", Needed),
            ("mysql_password", Text(None)),
            ("mysql_password_file", Text(None)),
            ("mysql_pass_sha1", Text(None)),
            ("server_id", Needed),
            ("agent_url", OneOrMore),
            ("agent_token", Text(None)),
            ("agent_token_file", Text(None)),
            ("default_schema", Text(None)),
            ("allowed_schemas", Texts),
            ("time_zone", Text(Some("+00:00"))),
        ],
    )),
};
