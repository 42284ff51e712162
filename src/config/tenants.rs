//! Tenants, their credentials and their agents.

use super::Resolver;
use crate::agent_client;
use crate::agent_client::{AgentClient, AgentPool, Caller};
use crate::session::{Credential, Tenant};
use dbtrail_types::names::ServerId;
use dbtrail_types::secret::Secret;
use dbtrail_types::zone::Zone;
use std::collections::HashMap;
use std::sync::Arc;

/// Whether the host of a URL, with its port, is this machine.
pub(super) fn is_local(host: &str) -> bool {
    let name = host.trim_end_matches('/');
    let name = name.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(name, |(n, _)| n);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|a| a.is_loopback())
}

/// The agents of the file, as far as they were read.
#[derive(Default)]
pub(super) struct Agents {
    /// By their URLs; `None`: there is a mistake.
    clients: HashMap<String, Option<AgentClient>>,
    pools: Vec<AgentPool>,
}

/// A URL as it may be shown: somebody may have put a password into it.
fn shown(url: &str) -> &str {
    url.split_once('@').map_or(url, |(_, following)| following)
}

impl Resolver {
    pub(super) fn monitor(&mut self) -> Option<(String, Secret)> {
        let (user, password) = (self.text("monitor.user")?, self.text("monitor.password")?);
        if user.is_empty() {
            self.mistake("monitor.user", "it is empty".to_owned())?;
        }
        if self.file.entries.iter().any(|t| self.file.text(&format!("{t}.mysql_user")) == Some(&user)) {
            self.mistake("monitor.user", format!("'{user}' is a tenant's user too"))?;
        }
        if password.is_empty() {
            return self.mistake("monitor.password", "it is empty".to_owned());
        }
        Some((user, Secret::new(password)))
    }

    pub(super) fn tenants(&mut self) -> HashMap<String, Arc<Tenant>> {
        if self.file.entries.is_empty() && !self.file.mistakes.iter().any(|m| m.path.starts_with("tenants")) {
            self.file.mistake("tenants", "there is none, so nobody could log in".to_owned());
        }
        let mut agents = Agents::default();
        let (mut tenants, mut first) = (HashMap::new(), HashMap::new());
        for at in self.file.entries.clone() {
            if let Some(user) = self.text(&format!("{at}.mysql_user"))
                && let Some(before) = first.insert(user.clone(), at.clone())
            {
                let what = format!("'{user}' is the user of {before} already");
                self.file.mistake(&format!("{at}.mysql_user"), what);
            }
            if let Some(made) = self.tenant(&at, &mut agents) {
                tenants.insert(made.mysql_user.clone(), Arc::new(made));
            }
        }
        tenants
    }

    pub(super) fn tenant(&mut self, at: &str, agents: &mut Agents) -> Option<Tenant> {
        let key = |name: &str| format!("{at}.{name}");
        for name in ["mysql_user", "server_id", "default_schema"] {
            if self.file.text(&key(name)) == Some("") {
                self.file.mistake(&key(name), "it is empty".to_owned());
            }
        }
        let credential = self.credential(at);
        let own = key("agent_url");
        let named = [own.as_str(), "agent_url"].into_iter().find(|path| self.file.list(path).is_some());
        let agent = match named {
            Some(path) => self.pool(path, agents),
            None => self.mistake(&own, "neither the tenant nor the file names an agent".to_owned()),
        };
        let token = match (self.text(&key("agent_token")), self.file.text(&key("agent_token_file"))) {
            (Some(_), Some(_)) => {
                self.mistake(at, "agent_token and agent_token_file exclude each other".to_owned())
            }
            (Some(token), None) => self.token(&key("agent_token"), Secret::new(token)),
            (None, Some(_)) => {
                let path = key("agent_token_file");
                self.secret_in(&path).and_then(|token| self.token(&path, token))
            }
            (None, None) => None,
        };
        let zone = self.parsed(&key("time_zone"), Zone::parse, "a time zone such as Europe/Berlin or +02:00");
        let (allowed, default) = (
            self.file.list(&key("allowed_schemas")).map(<[String]>::to_vec),
            self.text(&key("default_schema")),
        );
        if let (Some(allowed), Some(default)) = (&allowed, &default)
            && !allowed.contains(default)
        {
            self.file.mistake(&key("default_schema"), format!("'{default}' is not in allowed_schemas"));
        }
        let mysql_user = self.text(&key("mysql_user"))?;
        Some(Tenant {
            caller: Caller { tenant: mysql_user.clone(), token },
            mysql_user,
            credential: credential?,
            server_id: ServerId(self.text(&key("server_id"))?),
            agent: agent?,
            default_schema: default,
            allowed_schemas: allowed,
            time_zone: zone?,
        })
    }

    /// A token that goes into a header.
    fn token(&mut self, path: &str, token: Secret) -> Option<Secret> {
        let text = token.expose();
        if text.is_empty() {
            return self.mistake(path, "it is empty".to_owned());
        }
        if text.trim() != text || !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            let what = "a token is one line of ASCII characters without blanks around it";
            return self.mistake(path, what.to_owned());
        }
        Some(token)
    }

    fn credential(&mut self, at: &str) -> Option<Credential> {
        let names = ["mysql_password", "mysql_password_file", "mysql_pass_sha1"];
        let given = names.map(|name| self.file.text(&format!("{at}.{name}")).is_some());
        let (name, secret) = match given {
            [true, false, false] => (names[0], self.text(&format!("{at}.{}", names[0])).map(Secret::new)),
            [false, true, false] => (names[1], self.secret_in(&format!("{at}.{}", names[1]))),
            [false, false, true] => {
                let path = format!("{at}.{}", names[2]);
                let digits = self.file.text(&path).and_then(|t| t.strip_prefix('*'));
                let bytes = digits.and_then(|digits| hex::decode(digits).ok());
                return bytes.and_then(|b| <[u8; 20]>::try_from(b).ok()).map(Credential::NativeHash).or_else(
                    || {
                        self.mistake(
                            &path,
                            "it is not * and 40 hexadecimal digits, as in mysql.user".to_owned(),
                        )
                    },
                );
            }
            _ => {
                return self.mistake(
                    at,
                    "exactly one of mysql_password, mysql_password_file and mysql_pass_sha1 is needed"
                        .to_owned(),
                );
            }
        };
        let secret = secret?;
        if secret.expose().is_empty() {
            return self.mistake(&format!("{at}.{name}"), "the password is empty".to_owned());
        }
        Some(Credential::Password(secret))
    }

    /// The agents that a key names; one pool for each list of them.
    fn pool(&mut self, path: &str, known: &mut Agents) -> Option<AgentPool> {
        let urls = self.file.list(path)?.to_vec();
        if urls.is_empty() {
            let reported = self.file.mistakes.iter().any(|mistake| mistake.path == path);
            return if reported { None } else { self.mistake(path, "it names no agent".to_owned()) };
        }
        if let Some(repeated) = urls.iter().enumerate().find(|(i, url)| urls[..*i].contains(url)) {
            return self.mistake(path, format!("{} is there twice", shown(repeated.1)));
        }
        // Each mistake is reported, not only the first.
        let made: Vec<_> = urls.iter().map(|url| self.agent(path, url, &mut known.clients)).collect();
        let made = made.into_iter().collect::<Option<Vec<AgentClient>>>()?;
        let in_use = known.pools.iter().chain(&self.pools).find(|pool| pool.is_over(&made)).cloned();
        let pool = in_use.unwrap_or_else(|| AgentPool::new(made));
        known.pools.push(pool.clone());
        Some(pool)
    }

    /// The client of one agent; `path` is the key that names it. One client a URL.
    pub(super) fn agent(
        &mut self,
        path: &str,
        url: &str,
        agents: &mut HashMap<String, Option<AgentClient>>,
    ) -> Option<AgentClient> {
        if let Some(known) = agents.get(url) {
            return known.clone();
        }
        let made = self.new_agent(path, url);
        agents.insert(url.to_owned(), made.clone());
        made
    }

    fn new_agent(&mut self, path: &str, url: &str) -> Option<AgentClient> {
        let host = url
            .strip_prefix("https://")
            .map(|h| (h, true))
            .or_else(|| url.strip_prefix("http://").map(|h| (h, false)));
        let Some((host, encrypted)) =
            host.filter(|(h, _)| !h.is_empty() && !h.trim_end_matches('/').contains(['/', '?', '#', '@']))
        else {
            return self.mistake(path, format!("'{}' is not https://host:port", shown(url)));
        };
        if !encrypted && !is_local(host) {
            self.warnings
                .push(format!("{path}: {url} is not encrypted: tokens and rows can be read on the way"));
        }
        let ca_pem = match self.file.text("agent_tls.ca_file") {
            Some(_) => Some(self.bytes("agent_tls.ca_file")?),
            None => None,
        };
        let pair = ["agent_tls.cert_file", "agent_tls.key_file"];
        let identity_pem = match pair.map(|p| self.file.text(p).is_some()) {
            [true, true] => {
                let (cert, key) = (self.bytes(pair[0]), self.secret_in(pair[1]));
                Some((cert?, key?))
            }
            [false, false] => None,
            _ => return self.mistake("agent_tls", "cert_file and key_file come together".to_owned()),
        };
        let settings = agent_client::AgentSettings { base_url: url.to_owned(), ca_pem, identity_pem };
        let in_use =
            self.pools.iter().flat_map(AgentPool::agents).find(|agent| agent.is_of(&settings)).cloned();
        if in_use.is_some() {
            return in_use;
        }
        match AgentClient::new(&settings) {
            Ok(agent) => Some(agent),
            Err(e) => self.mistake(path, e.to_string()),
        }
    }
}
