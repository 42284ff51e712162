//! Gives `--version` the commit that a release is built of.

use std::process::Command;

/// What git says, without the end of its line; None where there is no git, or no repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|o| o.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=DBTRAIL_COMMIT");
    let given = std::env::var("DBTRAIL_COMMIT").ok().filter(|c| !c.is_empty());
    // Not in other profiles: each commit would compile the crate once more.
    let release = std::env::var("PROFILE").is_ok_and(|p| p == "release");
    let commit = given.or_else(|| {
        if !release {
            return None;
        }
        // Both change with a commit: the first at a checkout too.
        for name in ["HEAD", "logs/HEAD"] {
            if let Some(path) = git(&["rev-parse", "--git-path", name]) {
                println!("cargo::rerun-if-changed={path}");
            }
        }
        git(&["rev-parse", "--short=12", "HEAD"])
    });
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = commit.map_or_else(|| version.clone(), |commit| format!("{version} ({commit})"));
    println!("cargo::rustc-env=DBTRAIL_VERSION={version}");
}
