//! The YAML file, key by key. Unknown keys are refused.

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) server_version: Option<String>,
    pub(super) agent_url: Option<String>,
    #[serde(default)]
    pub(super) agent_tls: AgentTls,
    #[serde(default)]
    pub(super) tls: Tls,
    pub(super) tenants: Vec<Tenant>,
    pub(super) monitor: Option<Monitor>,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) proxysql: ProxySql,
    #[serde(default)]
    pub(super) errors: Errors,
    #[serde(default)]
    pub(super) log: Log,
    pub(super) shutdown_grace: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names are the file's keys")]
pub(super) struct AgentTls {
    pub(super) ca_file: Option<String>,
    pub(super) cert_file: Option<String>,
    pub(super) key_file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) mode: Option<String>,
    pub(super) cert_file: Option<String>,
    pub(super) key_file: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tenant {
    pub(super) mysql_user: String,
    pub(super) mysql_password: Option<String>,
    pub(super) mysql_password_file: Option<String>,
    pub(super) mysql_pass_sha1: Option<String>,
    pub(super) server_id: String,
    pub(super) agent_url: Option<String>,
    pub(super) agent_token: Option<String>,
    pub(super) agent_token_file: Option<String>,
    pub(super) default_schema: Option<String>,
    pub(super) allowed_schemas: Option<Vec<String>>,
    pub(super) time_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Monitor {
    pub(super) user: String,
    pub(super) password: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names are the file's keys")]
pub(super) struct Limits {
    pub(super) max_diff_window: Option<String>,
    pub(super) max_keys: Option<u64>,
    pub(super) max_connections: Option<usize>,
    pub(super) max_packet: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProxySql {
    pub(super) unreachable_code: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Errors {
    pub(super) sqlstate_1064: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) level: Option<String>,
    pub(super) format: Option<String>,
}
