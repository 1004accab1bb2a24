//! Functions that follow their sources: what changes is built again, and put in the place of what runs.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use sam::{Code, Function};

use super::{
    build::{BuildError, BuildOptions, build, workspaces},
    config::ConfigError,
    handlers,
    service::Lambda,
    watch::Watch,
};

/// What is told of functions that follow their sources.
#[derive(Debug)]
pub enum Followed {
    /// The sources are watched from now on.
    Watching,
    /// These functions are built anew: each call from now on gets the new build.
    Replaced {
        /// Their names.
        functions: Vec<String>,
        /// How long it took from the change on.
        took: Duration,
    },
    /// Something could not be built or set up. What ran before runs on.
    Kept(FollowError),
    /// Another file has changed that is watched.
    Other(PathBuf),
}

/// Why functions do not follow their sources.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// They are not built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A build can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The handler of a function is not there any more, or not to be read.
    #[error("{function} cannot run: {fault}")]
    Handler {
        /// The function's logical id.
        function: String,
        /// What is wrong.
        fault: String,
    },
    /// The system does not watch their folders.
    #[error("the functions' sources are not watched: {0}")]
    Watch(#[from] notify::Error),
}

/// The sources of functions that are built together.
struct Source {
    folders: Vec<PathBuf>,
    functions: Vec<Function>,
}

/// Puts a new build in the place of each function whose sources change, until this is dropped. `others` are files beside the
/// sources whose changes are told.
pub async fn follow(
    lambda: &Arc<Lambda>,
    functions: &[Function],
    others: Vec<PathBuf>,
    options: &BuildOptions,
    mut tell: impl FnMut(Followed) + Send,
) -> Result<(), FollowError> {
    let sources = sources(functions).await?;
    let others: Vec<PathBuf> = others.into_iter().map(resolved).collect();
    let folders = sources.iter().flat_map(|source| source.folders.iter().cloned());
    let mut watch = Watch::of(folders.chain(others.iter().cloned()).collect())?;
    tell(Followed::Watching);
    loop {
        let changed = watch.changed().await;
        let since = Instant::now();
        for other in others.iter().filter(|other| changed.contains(*other)) {
            tell(Followed::Other(other.clone()));
        }
        for source in sources.iter().filter(|source| source.is_changed(&changed)) {
            match source.renew(lambda, options).await {
                Ok(functions) if functions.is_empty() => {}
                Ok(functions) => tell(Followed::Replaced { functions, took: since.elapsed() }),
                Err(error) => tell(Followed::Kept(error)),
            }
        }
    }
}

impl Source {
    fn is_changed(&self, changed: &BTreeSet<PathBuf>) -> bool {
        changed.iter().any(|path| self.folders.iter().any(|folder| path.starts_with(folder)))
    }

    /// Builds what has changed and puts it in place; gives the names of the functions that are other ones now.
    async fn renew(&self, lambda: &Lambda, options: &BuildOptions) -> Result<Vec<String>, FollowError> {
        let built = build(&self.functions, options.clone(), |_| ()).await?;
        if let Some((function, fault)) = self.faulty().await {
            return Err(FollowError::Handler { function, fault });
        }
        let mut renewed = Vec::new();
        for function in &self.functions {
            if lambda.replace(&function.name, built.get(&function.name).map(|path| &**path))? {
                renewed.push(function.name.clone());
            }
        }
        Ok(renewed)
    }

    /// A function whose handler an interpreter can't run, and why. What Cargo has built is none.
    async fn faulty(&self) -> Option<(String, String)> {
        let functions = self.functions.clone();
        // It asks interpreters, which takes a moment.
        let faults = tokio::task::spawn_blocking(move || {
            functions.iter().find_map(|function| Some((function.logical_id.clone(), handlers::fault(function)?)))
        });
        faults.await.ok().flatten()
    }
}

/// The workspaces and folders that functions are made of.
async fn sources(functions: &[Function]) -> Result<Vec<Source>, BuildError> {
    let workspaces = workspaces(functions).await?;
    let of_cargo = workspaces.iter().map(|(metadata, wanted)| {
        let is_built = |function: &&Function| wanted.iter().any(|wanted| wanted.function == function.name);
        let packages = metadata.packages.iter().filter_map(|package| package.manifest_path.parent());
        let settings = ["Cargo.toml", "Cargo.lock", ".cargo"].map(|name| metadata.workspace_root.join(name));
        Source {
            folders: packages.map(Path::to_owned).chain(settings).map(resolved).collect(),
            functions: functions.iter().filter(is_built).cloned().collect(),
        }
    });
    let of_scripts = functions.iter().filter_map(|function| match &function.code {
        Code::Scripts { folder, packages, .. } => {
            let layers = function.layers.iter().map(|layer| &layer.folder);
            let folders = [folder].into_iter().chain(packages).chain(layers).cloned().map(resolved).collect();
            Some(Source { folders, functions: vec![function.clone()] })
        }
        _ => None,
    });
    Ok(of_cargo.chain(of_scripts).collect())
}

/// The path as the system tells of it.
fn resolved(path: PathBuf) -> PathBuf {
    path.canonicalize().unwrap_or(path)
}
