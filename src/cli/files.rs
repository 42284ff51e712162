//! Files that arguments name.

use dbtrail_types::secret::Secret;
use std::path::Path;

pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

/// The secret in a file, without the end of its line.
pub(super) fn secret_in(path: &Path) -> Result<Secret, String> {
    let text = String::from_utf8(read(path)?).map_err(|_| format!("{} is not UTF-8 text", path.display()))?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}
