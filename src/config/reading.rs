//! Reading a file of settings: all mistakes at once, with their lines.

use super::file::{File, Layout};
use super::files::Files;
use super::{Resolver, tree};
use dbtrail_types::secret::Secret;
use std::path::Path;

/// What came of a file.
pub(super) struct Read<T> {
    pub(super) made: T,
    pub(super) warnings: Vec<String>,
    pub(super) text: Secret,
    pub(super) files: Files,
}

/// Reads a file of this layout (or the text that it had) and makes settings of it; `secrets` tells
/// whether it holds any.
pub(super) fn resolve<T>(
    path: &Path,
    text: Option<&Secret>,
    layout: &Layout,
    settings: impl FnOnce(&mut Resolver) -> Option<T>,
    secrets: impl FnOnce(&File) -> bool,
) -> Result<Read<T>, Vec<String>> {
    let name = path.display();
    let text = match text {
        Some(text) => text.clone(),
        None => Secret::new(
            std::fs::read_to_string(path)
                .map_err(|e| vec![format!("{name}: the file cannot be read: {e}")])?,
        ),
    };
    let environment = |variable: &str| std::env::var(variable).ok();
    let root = tree::read(text.expose()).map_err(|mistake| messages(path, vec![mistake]))?;
    let file = File::new(&root, layout, environment);
    let mut resolver = Resolver { file, warnings: Vec::new(), pools: Vec::new(), files: Vec::new() };
    let made = settings(&mut resolver);
    if secrets(&resolver.file) {
        resolver.warnings.extend(readable_by_others(path));
    }
    match made {
        Some(made) if resolver.file.mistakes.is_empty() => {
            let files = Files::seen(resolver.files);
            Ok(Read { made, warnings: resolver.warnings, text, files })
        }
        _ => Err(messages(path, resolver.file.mistakes)),
    }
}

/// Mistakes as lines, in the order of the file.
fn messages(path: &Path, mut mistakes: Vec<tree::Mistake>) -> Vec<String> {
    let name = path.display();
    mistakes.sort();
    mistakes.dedup();
    let line = |m: tree::Mistake| match m.path.as_str() {
        "" => format!("{name}:{}: {}", m.line, m.what),
        path => format!("{name}:{}: {path}: {}", m.line, m.what),
    };
    mistakes.into_iter().map(line).collect()
}

fn readable_by_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        format!(
            "{} holds secrets and others can read it (mode {:o}): chmod 600 {}",
            path.display(),
            mode & 0o777,
            path.display()
        )
    })
}
