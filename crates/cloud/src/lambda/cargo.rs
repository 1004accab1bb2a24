//! What Cargo says about a workspace and about a build, as far as it matters here.

use std::{env, ffi::OsString, path::PathBuf};

use serde::Deserialize;
use tokio::process::Command;

/// `cargo metadata --no-deps`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_root: PathBuf,
}

/// A package of the workspace.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) targets: Vec<Target>,
}

impl Package {
    pub(crate) fn binaries(&self) -> impl Iterator<Item = &str> {
        let binaries = self.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "bin"));
        binaries.map(|target| target.name.as_str())
    }
}

/// A target of a package.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

/// A line of `--message-format=json`.
#[derive(Debug, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub(crate) enum Message {
    /// Something was compiled, or found compiled.
    CompilerArtifact { package_id: String, target: Target, executable: Option<PathBuf>, fresh: bool },
    /// All else.
    #[serde(other)]
    Other,
}

/// The name in a package id: `path+file:///a/b#name@1.0.0`, or `path+file:///a/name#1.0.0`.
pub(crate) fn package_name(id: &str) -> &str {
    let (url, fragment) = id.rsplit_once('#').unwrap_or((id, ""));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => url.rsplit('/').next().unwrap_or(url),
    }
}

/// The `cargo` that runs this process, else the one of the path, without what Cargo told this process about itself.
///
/// `cargo run` and `cargo test` describe the package they run in the environment. A build script that watches such a
/// variable would run again here, and the next time the user builds, so everything that depends on it would be compiled
/// twice, each time.
pub(crate) fn command() -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(describes_this_process) {
            command.env_remove(name);
        }
    }
    command
}

fn describes_this_process(variable: &str) -> bool {
    const PREFIXES: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_"];
    const NAMES: [&str; 5] =
        ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "OUT_DIR"];
    PREFIXES.iter().any(|prefix| variable.starts_with(prefix)) || NAMES.contains(&variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_id_gives_its_name() {
        let cases = [
            ("path+file:///home/a/functions/check-size#0.1.0", "check-size"),
            ("path+file:///home/a/lib#kit@0.1.0", "kit"),
            ("registry+https://github.com/rust-lang/crates.io-index#serde@1.0.0", "serde"),
            ("odd", "odd"),
        ];
        for (id, name) in cases {
            assert_eq!(package_name(id), name, "{id}");
        }
    }

    #[test]
    fn settings_of_the_user_are_kept() {
        for kept in ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "RUSTFLAGS", "PATH"] {
            assert!(!describes_this_process(kept), "{kept}");
        }
        for removed in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_CRATE_NAME", "OUT_DIR"] {
            assert!(describes_this_process(removed), "{removed}");
        }
    }
}
