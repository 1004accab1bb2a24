//! Builds the functions of an application: one call of Cargo for each workspace.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader, Lines},
    process::{Child, Command},
};

use super::cargo::{self, Message, Metadata, Package};

/// How functions are built.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// The release profile in place of the dev profile.
    pub release: bool,
    /// Compiler messages in colour.
    pub color: bool,
    /// The folder of the artefacts, in place of the workspace's own.
    pub target_dir: Option<PathBuf>,
}

/// What a build tells while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildEvent {
    /// Cargo was called.
    Started {
        /// The workspace's root.
        workspace: PathBuf,
        /// The names of the functions that it holds.
        functions: Vec<String>,
    },
    /// A target of a package was compiled. Cargo does not tell how many there will be.
    Compiled {
        /// The package's name.
        package: String,
        /// How many targets were compiled so far.
        count: usize,
    },
    /// A line that Cargo or the compiler wrote for people: a package that begins, a warning, a lock that is waited for.
    Message(String),
    /// A workspace is built.
    Finished {
        /// The workspace's root.
        workspace: PathBuf,
        /// How many targets were compiled; the others were up to date.
        compiled: usize,
        /// How long it took.
        took: Duration,
    },
}

/// Why functions were not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo itself does not start.
    #[error("cannot run cargo to build the functions: install Rust from https://rustup.rs, or set CARGO to its path")]
    NoCargo(#[source] io::Error),
    /// Cargo does not understand the package.
    #[error("function `{function}`: cargo cannot read {}:\n{output}", manifest.display())]
    Manifest {
        /// The function's name.
        function: String,
        /// The package's manifest.
        manifest: PathBuf,
        /// What Cargo said.
        output: String,
    },
    /// The folder of the function's code has no `Cargo.toml`, or none of its workspace's packages.
    #[error("function `{function}`: {} is not a Cargo package: `CodeUri` must name a folder with a `Cargo.toml`", package_dir.display())]
    NoPackage {
        /// The function's name.
        function: String,
        /// The folder that `CodeUri` names.
        package_dir: PathBuf,
    },
    /// The package does not have the binary.
    #[error(
        "function `{function}`: package `{package}` has no binary `{binary}`; it has {}. Set `Metadata: BuildProperties: \
         Binary` or `Handler` to one of them", list(.binaries)
    )]
    NoBinary {
        /// The function's name.
        function: String,
        /// The package's name, or the workspace's root.
        package: String,
        /// The binary that was looked for.
        binary: String,
        /// The binaries that there are.
        binaries: Vec<String>,
    },
    /// The package has several binaries, or none, and the template names none of them.
    #[error(
        "function `{function}`: package `{package}` has {}. Set `Metadata: BuildProperties: Binary` to the one that \
         the function runs", list(.binaries)
    )]
    WhichBinary {
        /// The function's name.
        function: String,
        /// The package's name, or the workspace's root.
        package: String,
        /// The binaries that there are.
        binaries: Vec<String>,
    },
    /// The code does not compile.
    #[error("{}: {package} does not compile ({status})\n{output}", functions.join(", "))]
    Compile {
        /// The functions that need what does not compile.
        functions: Vec<String>,
        /// The package that does not compile, as Cargo names it.
        package: String,
        /// How Cargo ended.
        status: ExitStatus,
        /// All that Cargo and the compiler said.
        output: String,
    },
    /// Cargo ended well without an executable.
    #[error("function `{function}`: cargo built no executable for binary `{binary}` of package `{package}`")]
    NoExecutable {
        /// The function's name.
        function: String,
        /// The package's name.
        package: String,
        /// The binary's name.
        binary: String,
    },
}

/// A function and the binary that runs it.
pub(crate) struct Wanted {
    pub(crate) function: String,
    package_id: String,
    package: String,
    binary: String,
}

/// Builds the functions that Cargo builds, and gives the executable of each by the function's name.
///
/// The functions of a workspace are built by one call with `--workspace`. Cargo chooses the features of shared
/// dependencies by the packages that it is asked for: with one call a package, or with `-p`, the AWS SDK and `tokio` are
/// compiled once for each set of features, minutes each time. So all functions, and `cargo run` and `cargo test` in the
/// same workspace, use the same artefacts.
pub async fn build(
    functions: &[sam::Function],
    options: BuildOptions,
    mut progress: impl FnMut(BuildEvent) + Send,
) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let mut executables = BTreeMap::new();
    for (metadata, wanted) in &workspaces(functions).await? {
        executables.extend(build_workspace(&metadata.workspace_root, wanted, &options, &mut progress).await?);
    }
    Ok(executables)
}

/// The workspaces of the functions that Cargo builds, each with what is wanted of it.
pub(crate) async fn workspaces(functions: &[sam::Function]) -> Result<Vec<(Metadata, Vec<Wanted>)>, BuildError> {
    let mut workspaces: Vec<(Metadata, Vec<Wanted>)> = Vec::new();
    for function in functions {
        let sam::Code::Cargo { package_dir, binary } = &function.code else { continue };
        let manifest = manifest(&function.name, package_dir)?;
        let known = workspaces.iter().position(|(metadata, _)| holds(metadata, &manifest));
        let index = match known {
            Some(index) => index,
            None => {
                workspaces.push((metadata(&function.name, &manifest).await?, Vec::new()));
                workspaces.len() - 1
            }
        };
        if let Some((metadata, wanted)) = workspaces.get_mut(index) {
            wanted.push(resolve(&function.name, metadata, &manifest, binary.as_deref())?);
        }
    }
    Ok(workspaces)
}

fn manifest(function: &str, package_dir: &Path) -> Result<PathBuf, BuildError> {
    package_dir
        .join("Cargo.toml")
        .canonicalize()
        .map_err(|_| BuildError::NoPackage { function: function.to_owned(), package_dir: package_dir.to_owned() })
}

fn holds(metadata: &Metadata, manifest: &Path) -> bool {
    metadata.workspace_root.join("Cargo.toml") == manifest
        || metadata.packages.iter().any(|package| package.manifest_path == manifest)
}

async fn metadata(function: &str, manifest: &Path) -> Result<Metadata, BuildError> {
    let output = cargo::command()
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(BuildError::NoCargo)?;
    let unreadable =
        |output: String| BuildError::Manifest { function: function.to_owned(), manifest: manifest.to_owned(), output };
    if !output.status.success() {
        return Err(unreadable(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| unreadable(error.to_string()))
}

/// Finds the function's binary: in its own package, or in the whole workspace where `CodeUri` names the root of a
/// workspace that is no package itself.
fn resolve(function: &str, metadata: &Metadata, manifest: &Path, binary: Option<&str>) -> Result<Wanted, BuildError> {
    let own = metadata.packages.iter().find(|package| package.manifest_path == manifest);
    let place = own.map_or_else(|| metadata.workspace_root.display().to_string(), |package| package.name.clone());
    let packages = || metadata.packages.iter().filter(|package| own.is_none_or(|own| own.id == package.id));
    let all: Vec<(&Package, &str)> =
        packages().flat_map(|package| package.binaries().map(move |binary| (package, binary))).collect();
    let binaries = || all.iter().map(|(_, binary)| (*binary).to_owned()).collect();
    let found = match binary {
        Some(binary) => {
            let found = all.iter().find(|(_, name)| *name == binary);
            found.ok_or_else(|| BuildError::NoBinary {
                function: function.to_owned(),
                package: place,
                binary: binary.to_owned(),
                binaries: binaries(),
            })?
        }
        None => match all.as_slice() {
            [only] => only,
            _ => {
                return Err(BuildError::WhichBinary {
                    function: function.to_owned(),
                    package: place,
                    binaries: binaries(),
                });
            }
        },
    };
    let (package, binary) = *found;
    Ok(Wanted {
        function: function.to_owned(),
        package_id: package.id.clone(),
        package: package.name.clone(),
        binary: binary.to_owned(),
    })
}

async fn build_workspace(
    workspace: &Path,
    wanted: &[Wanted],
    options: &BuildOptions,
    progress: &mut (impl FnMut(BuildEvent) + Send),
) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let started = Instant::now();
    progress(BuildEvent::Started {
        workspace: workspace.to_owned(),
        functions: wanted.iter().map(|wanted| wanted.function.clone()).collect(),
    });
    let mut cargo = command(workspace, wanted, options).spawn().map_err(BuildError::NoCargo)?;
    let group = Group::of(&cargo);
    let mut messages = lines(cargo.stdout.take());
    let mut diagnostics = lines(cargo.stderr.take());
    let mut built: BTreeMap<(String, String), PathBuf> = BTreeMap::new();
    let mut compiled = 0;
    let mut output = String::new();
    loop {
        tokio::select! {
            Some(line) = next(&mut messages) => {
                // A line that is no message is what a build script's own tools print; it is of no use here.
                let Ok(Message::CompilerArtifact { package_id, target, executable, fresh }) = serde_json::from_str(&line)
                else { continue };
                if !fresh {
                    compiled += 1;
                    let package = cargo::package_name(&package_id).to_owned();
                    progress(BuildEvent::Compiled { package, count: compiled });
                }
                if let Some(executable) = executable {
                    built.insert((package_id, target.name), executable);
                }
            }
            Some(line) = next(&mut diagnostics) => {
                output.push_str(&line);
                output.push('\n');
                progress(BuildEvent::Message(line));
            }
            else => break,
        }
    }
    let status = cargo.wait().await.map_err(BuildError::NoCargo)?;
    group.has_ended();
    if !status.success() {
        return Err(compile_error(wanted, status, output));
    }
    progress(BuildEvent::Finished { workspace: workspace.to_owned(), compiled, took: started.elapsed() });
    wanted.iter().map(|wanted| executable(wanted, &built)).collect()
}

fn command(workspace: &Path, wanted: &[Wanted], options: &BuildOptions) -> Command {
    let mut command = cargo::command();
    command.args(["build", "--workspace", "--message-format=json-render-diagnostics"]);
    // The workspace's own `.cargo/config.toml` counts.
    command.current_dir(workspace);
    if options.release {
        command.arg("--release");
    }
    if options.color {
        command.args(["--color", "always"]);
    }
    if let Some(target_dir) = &options.target_dir {
        command.arg("--target-dir").arg(target_dir);
    }
    for wanted in wanted {
        command.args(["--bin", &wanted.binary]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command
}

/// Cargo with all that it has started: compilers, build scripts. They end when this is dropped.
struct Group(Option<Pid>);

impl Group {
    /// The group of a process that leads one.
    fn of(process: &Child) -> Self {
        Self(process.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)))
    }

    /// It has ended by itself: its number may be another's by now.
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // One that is gone needs no end.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn executable(wanted: &Wanted, built: &BTreeMap<(String, String), PathBuf>) -> Result<(String, PathBuf), BuildError> {
    match built.get(&(wanted.package_id.clone(), wanted.binary.clone())) {
        Some(executable) => Ok((wanted.function.clone(), executable.clone())),
        None => Err(BuildError::NoExecutable {
            function: wanted.function.clone(),
            package: wanted.package.clone(),
            binary: wanted.binary.clone(),
        }),
    }
}

/// Names the functions of the package that does not compile, or all where it is one that they share.
fn compile_error(wanted: &[Wanted], status: ExitStatus, output: String) -> BuildError {
    let failed = output.split_once("could not compile `").and_then(|(_, rest)| rest.split_once('`'));
    let failed = failed.map(|(package, _)| package.to_owned());
    let names = |of: &dyn Fn(&Wanted) -> bool| -> Vec<String> {
        wanted.iter().filter(|wanted| of(wanted)).map(|wanted| wanted.function.clone()).collect()
    };
    let mut functions = names(&|wanted| Some(&wanted.package) == failed.as_ref());
    if functions.is_empty() {
        functions = names(&|_| true);
    }
    let package = failed.map_or_else(|| "the workspace".to_owned(), |package| format!("package `{package}`"));
    BuildError::Compile { functions, package, status, output }
}

type OptionalLines<R> = Option<Lines<BufReader<R>>>;

fn lines<R: AsyncRead + Unpin>(reader: Option<R>) -> OptionalLines<R> {
    reader.map(|reader| BufReader::new(reader).lines())
}

/// The next line; `None` at the end, and from then on.
async fn next<R: AsyncRead + Unpin>(lines: &mut OptionalLines<R>) -> Option<String> {
    let line = lines.as_mut()?.next_line().await.ok().flatten();
    if line.is_none() {
        *lines = None;
    }
    line
}

fn list(binaries: &[String]) -> String {
    if binaries.is_empty() {
        "no binary".to_owned()
    } else {
        binaries.iter().map(|binary| format!("`{binary}`")).collect::<Vec<_>>().join(", ")
    }
}
