//! Where the binary is.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A file or a folder of the tests.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// The `stairwell` executable, built if it is not up to date. It is of another package, so Cargo does not tell its path.
pub(crate) fn stairwell() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build)
}

fn build() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    // `--workspace` for the features that everything else was built with. The functions are built here too, where a build may
    // take as long as it takes: a runner that would have to build them is not ready soon.
    command.args(["build", "--workspace", "--bins", "--message-format=json"]).current_dir(project());
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(describes_this_test) {
            command.env_remove(name);
        }
    }
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "cargo build: {}", output.status);
    let messages = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let mut executables = messages.filter_map(|message: Value| message["executable"].as_str().map(PathBuf::from));
    executables.find(|path| path.ends_with("stairwell")).expect("cargo tells the path of the executable")
}

/// What Cargo tells a test about its package. A build script that looks at it would run again.
fn describes_this_test(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY_", "CARGO_TARGET_TMPDIR", "OUT_DIR"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}
