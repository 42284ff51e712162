//! The password of the user: made once, kept beside the store.

use crate::cli::agent::local::random;
use crate::cli::agent::{CannotStart, NO_FOLDER};
use crate::cli::files::secret_in;
use crate::cli::private_file;
use dbtrail_types::secret::Secret;
use std::path::Path;

const NAME: &str = "app.password";

/// The one in the folder, or a new one that is in it from now on.
pub(super) fn kept(data: &Path) -> Result<Secret, CannotStart> {
    let path = data.join(NAME);
    if path.exists() {
        let password = secret_in(&path).map_err(|why| CannotStart(why, NO_FOLDER))?;
        if password.expose().is_empty() {
            let why =
                format!("{} is empty: write a password into it, or remove it for a new one", path.display());
            return Err(CannotStart(why, NO_FOLDER));
        }
        return Ok(password);
    }
    let password = random().map_err(|why| CannotStart(why, NO_FOLDER))?;
    private_file::write(&path, &format!("{password}\n"))
        .map_err(|e| CannotStart(format!("cannot write {}: {e}", path.display()), NO_FOLDER))?;
    Ok(Secret::new(password))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let first = kept(folder.path()).unwrap();
        assert_eq!(first.expose().len(), 32);
        let path = folder.path().join(NAME);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(kept(folder.path()).unwrap().expose(), first.expose());
        std::fs::write(&path, "my own\n").unwrap();
        assert_eq!(kept(folder.path()).unwrap().expose(), "my own");
        std::fs::write(&path, "\n").unwrap();
        assert!(kept(folder.path()).unwrap_err().0.contains("is empty"));
        assert_ne!(kept(tempfile::tempdir().unwrap().path()).unwrap().expose(), first.expose());
    }
}
