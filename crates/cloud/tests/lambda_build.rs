//! Builds of functions, in a small workspace made for the purpose.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

mod lambda_support;

use std::{env, fs, path::Path, process::Command};

use cloud::lambda::{BuildError, BuildEvent, BuildOptions, build};
use lambda_support::function;

/// Writes a workspace of two packages: `one` has one binary, `two` has `left` and `right`.
fn workspace(root: &Path) {
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"one\", \"two\"]\n");
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write("one/Cargo.toml", &package("one"));
    write("one/src/main.rs", "fn main() {}\n");
    write("two/Cargo.toml", &package("two"));
    write("two/src/bin/left.rs", "fn main() {}\n");
    write("two/src/bin/right.rs", "fn main() {}\n");
}

/// Artefacts of the workspace's own: Cargo takes two workspaces whose packages have the same names for one.
fn options(root: &Path) -> BuildOptions {
    BuildOptions { target_dir: Some(root.join("target")), ..BuildOptions::default() }
}

fn of(name: &str, package_dir: &Path, binary: Option<&str>) -> sam::Function {
    let mut function = function();
    name.clone_into(&mut function.name);
    function.code = sam::Code::Cargo { package_dir: package_dir.to_owned(), binary: binary.map(str::to_owned) };
    function
}

#[tokio::test]
async fn a_workspace_is_built_by_one_call_and_once() {
    let folder = tempfile::tempdir().unwrap();
    workspace(folder.path());
    let functions = [
        of("One", &folder.path().join("one"), None),
        of("Left", &folder.path().join("two"), Some("left")),
        of("Right", folder.path(), Some("right")),
        function(),
    ];
    for compiled_before in [false, true] {
        let mut events = Vec::new();
        let executables = build(&functions, options(folder.path()), |event| events.push(event)).await.unwrap();
        let names: Vec<&str> = executables.keys().map(String::as_str).collect();
        assert_eq!(names, ["Left", "One", "Right"]);
        for (name, file) in [("One", "one"), ("Left", "left"), ("Right", "right")] {
            assert_eq!(executables[name].file_stem().unwrap(), file);
            assert!(executables[name].exists());
        }
        let started: Vec<_> = events.iter().filter(|event| matches!(event, BuildEvent::Started { .. })).collect();
        assert_eq!(started.len(), 1, "{events:?}");
        let compiled = events.iter().find_map(|event| match event {
            BuildEvent::Finished { compiled, .. } => Some(*compiled),
            _ => None,
        });
        assert_eq!(compiled, Some(if compiled_before { 0 } else { 3 }));
    }
}

/// The tests run under `cargo test`, which describes this package in the environment. A build script that watches those
/// variables must not see them, or it would run again.
#[tokio::test]
async fn what_was_built_from_a_shell_is_not_built_again() {
    let folder = tempfile::tempdir().unwrap();
    workspace(folder.path());
    let watched = ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_MANIFEST_PATH", "OUT_DIR"];
    let prints = watched.map(|name| format!("println!(\"cargo::rerun-if-env-changed={name}\");"));
    fs::write(folder.path().join("one/build.rs"), format!("fn main() {{ {} }}\n", prints.concat())).unwrap();
    let mut shell = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    shell.args(["build", "--workspace", "--bin", "one", "--target-dir"]).arg(folder.path().join("target"));
    shell.current_dir(folder.path());
    for name in watched {
        shell.env_remove(name);
    }
    assert!(shell.output().unwrap().status.success());
    let mut compiled = None;
    let functions = [of("One", &folder.path().join("one"), None)];
    let observe = |event| {
        if let BuildEvent::Finished { compiled: count, .. } = event {
            compiled = Some(count);
        }
    };
    build(&functions, options(folder.path()), observe).await.unwrap();
    assert_eq!(compiled, Some(0));
}

#[tokio::test]
async fn code_that_does_not_compile_is_shown_with_its_function() {
    let folder = tempfile::tempdir().unwrap();
    workspace(folder.path());
    fs::write(folder.path().join("two/src/bin/left.rs"), "fn main() { unknown_name() }\n").unwrap();
    let functions = [of("One", &folder.path().join("one"), None), of("Left", &folder.path().join("two"), Some("left"))];
    let error = build(&functions, options(folder.path()), |_| ()).await.unwrap_err();
    let BuildError::Compile { functions, package, output, .. } = &error else { panic!("{error}") };
    assert_eq!((functions.as_slice(), package.as_str()), (["Left".to_owned()].as_slice(), "package `two`"));
    assert!(output.contains("cannot find function `unknown_name`"), "{output}");
    assert!(error.to_string().contains("left.rs:1:13"), "{error}");
}

#[tokio::test]
async fn a_binary_that_is_not_there_or_not_named_is_an_error_that_lists_them() {
    let folder = tempfile::tempdir().unwrap();
    workspace(folder.path());
    let two = folder.path().join("two");
    let cases = [
        (of("Up", &two, Some("up")), "package `two` has no binary `up`; it has `left`, `right`."),
        (of("Which", &two, None), "package `two` has `left`, `right`."),
        (of("None", &folder.path().join("three"), None), "three is not a Cargo package"),
    ];
    for (function, expected) in cases {
        let name = function.name.clone();
        let error = build(&[function], options(folder.path()), |_| ()).await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(&format!("`{name}`")), "{error}");
    }
}

#[tokio::test]
async fn a_build_that_is_given_up_ends_with_all_that_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    workspace(folder.path());
    // A build script that goes on until its connection is closed, which nobody does.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let script = format!(
        "use std::io::Read;\nfn main() {{ std::net::TcpStream::connect({:?}).unwrap().read(&mut [0]).unwrap(); }}\n",
        listener.local_addr().unwrap().to_string()
    );
    fs::write(folder.path().join("one/build.rs"), script).unwrap();
    let functions = [of("One", &folder.path().join("one"), None)];
    let building = build(&functions, options(folder.path()), |_| ());
    let mut connection = tokio::select! {
        built = building => panic!("{built:?}"),
        accepted = listener.accept() => accepted.unwrap().0,
    };
    // The build was dropped with the other branch: the script's end closes its side.
    assert_eq!(tokio::io::AsyncReadExt::read(&mut connection, &mut [0]).await.unwrap_or(0), 0);
}
