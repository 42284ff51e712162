//! Definitions seen last.

use super::Caller;
use crate::plan::Resolved;
use dbtrail_types::column::TableDefinition;
use dbtrail_types::timestamp::AsOf;
use lru::LruCache;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

/// Definitions kept at most; beyond, the one that was not asked for the longest is asked for again.
const MOST: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// Whose, and of which table. The tenant is part of it: what one may know, another may not.
type Key = (String, String, String, String);

/// A bounded map. What it holds may be out of date: see the module documentation of `agent_client`.
#[derive(Debug)]
pub(super) struct Cache(Mutex<LruCache<Key, Arc<TableDefinition>>>);

impl Default for Cache {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MOST)))
    }
}

fn key(caller: &Caller, resolved: &Resolved) -> Key {
    let table = &resolved.table;
    (caller.tenant.clone(), resolved.server_id.0.clone(), table.schema.clone(), table.table.clone())
}

impl Cache {
    pub(super) fn get(&self, caller: &Caller, resolved: &Resolved) -> Option<Arc<TableDefinition>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key(caller, resolved)).cloned()
    }

    pub(super) fn put(&self, caller: &Caller, resolved: &Resolved, definition: Arc<TableDefinition>) {
        let mut definitions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        definitions.put(key(caller, resolved), definition);
    }
}

/// What the beginnings of header lines mean as a definition: most answers begin with one that was
/// read before. The same bytes have the same meaning, so that nothing here can be out of date, and
/// nobody learns from it what the agent did not just tell.
#[derive(Debug, Default)]
pub(super) struct Texts(Mutex<VecDeque<CachedHeader>>);

/// A beginning, and what it means.
type CachedHeader = (Box<[u8]>, Arc<TableDefinition>);

/// Beginnings kept at most; beyond, the oldest is read again.
const MOST_TEXTS: usize = 64;

/// What the header of an answer says beside the definition.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) success: bool,
    pub(super) at: Option<AsOf>,
}

/// `agent_api::Header`, the definition not yet read.
#[derive(Deserialize)]
struct Unread<'a> {
    success: bool,
    #[serde(borrow)]
    columns: &'a RawValue,
    #[serde(borrow)]
    primary_key: &'a RawValue,
    #[serde(default)]
    at: Option<AsOf>,
}

/// What may be after a definition. Anything else calls for reading the whole line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderRest {
    #[serde(default)]
    at: Option<AsOf>,
}

impl Texts {
    /// Reads the header line of an answer.
    pub(super) fn header(&self, line: &[u8]) -> Result<(Header, Arc<TableDefinition>), serde_json::Error> {
        if let Some(found) = self.known(line) {
            return Ok(found);
        }
        let unread: Unread<'_> = serde_json::from_slice(line)?;
        let (columns, key) = (unread.columns.get(), unread.primary_key.get());
        let definition = Arc::new(TableDefinition {
            columns: serde_json::from_str(columns)?,
            primary_key: serde_json::from_str(key)?,
        });
        // Success and definition, where they come first: up to the end of whichever of the two is
        // after the other.
        let end_of = |part: &str| (part.as_ptr().addr() + part.len()).wrapping_sub(line.as_ptr().addr());
        let end = end_of(columns).max(end_of(key));
        if unread.success
            && let Some((beginning, rest)) = line.split_at_checked(end)
            && header_rest(rest).is_some()
        {
            let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if texts.len() >= MOST_TEXTS {
                texts.pop_front();
            }
            texts.push_back((beginning.into(), Arc::clone(&definition)));
        }
        Ok((Header { success: unread.success, at: unread.at }, definition))
    }

    fn known(&self, line: &[u8]) -> Option<(Header, Arc<TableDefinition>)> {
        let texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (beginning, definition) = texts.iter().find(|(beginning, _)| line.starts_with(beginning))?;
        let at = header_rest(&line[beginning.len()..])?.at;
        Some((Header { success: true, at }, Arc::clone(definition)))
    }
}

/// `}` or `,"at":...}`
fn header_rest(rest: &[u8]) -> Option<HeaderRest> {
    let fields = match rest {
        [b',', fields @ ..] if fields.first() == Some(&b'"') => fields,
        _ => rest,
    };
    serde_json::from_slice(&[b"{", fields].concat()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMN: &str = r#"{"name":"id","type":"int","nullable":false,"key":"primary"}"#;

    #[test]
    fn ok_a_text_is_read_once_and_means_the_same() {
        let texts = Texts::default();
        let line = |name: &str, at: &str| {
            let column = COLUMN.replace("id", name);
            format!(r#"{{"success":true,"columns":[{column}],"primary_key":["{name}"]{at}}}"#)
        };
        let (header, first) = texts.header(line("id", "").as_bytes()).unwrap();
        assert!(header.success && header.at.is_none());
        let at = r#","at":{"time":"2026-04-27T09:00:00.000000Z"}"#;
        let (header, second) = texts.header(line("id", at).as_bytes()).unwrap();
        let time = AsOf::Time("2026-04-27T09:00:00Z".parse().unwrap());
        assert_eq!(header.at, Some(time));
        assert!(Arc::ptr_eq(&first, &second));
        let (_, third) = texts.header(line("no", "").as_bytes()).unwrap();
        assert_eq!((first.columns[0].name.as_str(), third.columns[0].name.as_str()), ("id", "no"));
        assert_eq!(third.primary_key, ["no"]);
        // What follows the definition is looked at every time.
        let (header, _) = texts.header(line("id", ",\"more\":1").as_bytes()).unwrap();
        assert!(header.at.is_none());
        for rest in [",\"at\":5", ",\"columns\":[]", ",", "}"] {
            assert!(texts.header(line("id", rest).as_bytes()).is_err(), "{rest}");
        }
        let failed = line("id", "").replace("true", "false");
        assert!(!texts.header(failed.as_bytes()).unwrap().0.success);
        let late = format!(r#"{{"columns":[{COLUMN}],"primary_key":["id"],"success":false}}"#);
        assert!(!texts.header(late.as_bytes()).unwrap().0.success);
    }

    #[test]
    fn err_what_is_no_header() {
        for line in [
            "",
            "[]",
            "{}",
            r#"{"success":true,"columns":[],"primary_key":5}"#,
            r#"{"success":false,"error":"x","code":"y"}"#,
        ] {
            assert!(Texts::default().header(line.as_bytes()).is_err(), "{line}");
        }
    }
}
