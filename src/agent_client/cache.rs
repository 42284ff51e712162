//! Definitions seen last.

use super::Caller;
use crate::column::TableDefinition;
use crate::plan::Resolved;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Definitions kept at most; beyond, all are forgotten and asked for again.
const MOST: usize = 1024;

/// Whose, and of which table. The tenant is part of it: what one may know, another may not.
type Key = (String, String, String, String);

/// A bounded map. What it holds may be out of date: see the module documentation of `agent_client`.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<HashMap<Key, Arc<TableDefinition>>>);

fn key(caller: &Caller, resolved: &Resolved) -> Key {
    let table = &resolved.table;
    (caller.tenant.clone(), resolved.server_id.0.clone(), table.schema.clone(), table.table.clone())
}

impl Cache {
    pub(super) fn get(&self, caller: &Caller, resolved: &Resolved) -> Option<Arc<TableDefinition>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key(caller, resolved)).cloned()
    }

    pub(super) fn put(&self, caller: &Caller, resolved: &Resolved, definition: Arc<TableDefinition>) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= MOST {
            map.clear();
        }
        map.insert(key(caller, resolved), definition);
    }
}
