//! What every process of a function is started from.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sam::{Code, Language};
use tokio_util::sync::CancellationToken;

use super::{
    config::{ConfigError, LambdaConfig},
    environment,
    interpreter::{self, Clients, Interpreter},
    kept_build::KeptBuild,
    late_build::LateBuild,
    logs::LogSink,
    version::Version,
};
use crate::temporary::Temporary;

/// What every process of a function is started from.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) function: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) start: Start,
    /// The executable as it was named, or the folder of what an interpreter runs.
    pub(crate) code: PathBuf,
    /// What `start` names, where it is not to change under the processes.
    pub(crate) kept: Option<Arc<KeptBuild>>,
    /// The folder that stands for `/var/task`.
    pub(crate) task_root: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) timeout: Duration,
    pub(crate) log_group: Arc<str>,
    pub(crate) log_sink: LogSink,
    pub(crate) shutdown: CancellationToken,
}

/// How a process is started.
#[derive(Clone, Debug)]
pub(crate) enum Start {
    /// By a program: the function itself, or an interpreter.
    Process { executable: PathBuf, arguments: Vec<PathBuf> },
    /// By a program that is built when it is asked for.
    Late(Arc<LateBuild>),
    /// Not at all: this machine does not have what it takes.
    Impossible { reason: String },
}

impl Start {
    fn program(executable: PathBuf) -> Self {
        Self::Process { executable, arguments: Vec::new() }
    }
}

/// What a function's code comes to.
struct Started {
    start: Start,
    code: PathBuf,
    kept: Option<Arc<KeptBuild>>,
    task_root: PathBuf,
}

impl Started {
    /// Of a function that is all of a folder.
    fn in_folder(start: Start, folder: PathBuf) -> Self {
        Self { start, code: folder.clone(), kept: None, task_root: folder }
    }
}

/// Makes the programs of functions.
pub(crate) struct Programs {
    pub(crate) config: LambdaConfig,
    pub(crate) shutdown: CancellationToken,
    clients: Clients,
    /// The functions' `HOME`: empty, so that no settings of the user's are found there.
    home: Temporary,
    /// The runtime clients, and the code of templates.
    runtime: Temporary,
}

impl Programs {
    /// Programs with these settings, which end with `shutdown`.
    pub(crate) fn new(config: LambdaConfig, shutdown: CancellationToken) -> Result<Self, ConfigError> {
        let folder = |purpose| Temporary::new(purpose).map_err(ConfigError::Folder);
        let (home, runtime) = (folder("home")?, folder("runtime")?);
        let clients = Clients::write(runtime.path()).map_err(ConfigError::Folder)?;
        Ok(Self { config, shutdown, clients, home, runtime })
    }

    /// The program of a function; `built` is the executable that Cargo has built of it.
    pub(crate) fn of(
        &self,
        function: &sam::Function,
        version: Version,
        built: Option<&Path>,
    ) -> Result<Program, ConfigError> {
        let Started { start, code, kept, task_root } = self.start(function, built)?;
        let directories =
            environment::Directories { task_root: &task_root, home: self.home.path(), runtime: self.clients.folder() };
        Ok(Program {
            function: function.name.as_str().into(),
            version: version.to_string().into(),
            environment: environment::variables(function, version, &directories, &self.config)?,
            start,
            code,
            kept,
            task_root,
            timeout: function.timeout,
            log_group: function.log_group.as_str().into(),
            log_sink: Arc::clone(&self.config.log_sink),
            shutdown: self.shutdown.clone(),
        })
    }

    fn start(&self, function: &sam::Function, built: Option<&Path>) -> Result<Started, ConfigError> {
        let resolved = |path: &Path| {
            let refused = |source| ConfigError::Code { function: function.name.clone(), path: path.to_owned(), source };
            path.canonicalize().map_err(refused)
        };
        match &function.code {
            Code::Cargo { package_dir, .. } => {
                let task_root = resolved(package_dir)?;
                let executable = match (built, &self.config.builder) {
                    (Some(built), _) => resolved(built)?,
                    (None, Some(builder)) => {
                        let late = LateBuild::new(function.clone(), builder.clone());
                        return Ok(Started::in_folder(Start::Late(Arc::new(late)), task_root));
                    }
                    (None, None) => return Err(ConfigError::NotBuilt { function: function.name.clone() }),
                };
                // Where the file system has no second names, the first one has to do.
                let kept = KeptBuild::of(&executable).ok().map(Arc::new);
                let started = kept.as_ref().map_or(&*executable, |kept| kept.path()).to_owned();
                Ok(Started { start: Start::program(started), code: executable, kept, task_root })
            }
            Code::Bootstrap { path } => {
                // The parent of a bare file name is the empty path.
                let task_root = resolved(&Path::new(".").join(path.parent().unwrap_or(Path::new(""))))?;
                if !path.exists() {
                    let reason = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned();
                    return Ok(Started::in_folder(Start::Impossible { reason }, task_root));
                }
                let executable = resolved(path)?;
                Ok(Started { start: Start::program(executable.clone()), code: executable, kept: None, task_root })
            }
            Code::Scripts { language, folder, packages } => {
                let packages = packages.as_deref().map(resolved).transpose()?;
                Ok(Started::in_folder(self.script(function, *language, packages), resolved(folder)?))
            }
            Code::NotHere { reason } => {
                let reason = format!("the function cannot run here: {reason}");
                Ok(Started::in_folder(Start::Impossible { reason }, self.runtime.path().to_owned()))
            }
            Code::Inline { language, text } => {
                let folder = self.write_inline(*language, text).map_err(ConfigError::Folder)?;
                Ok(Started::in_folder(self.script(function, *language, None), folder))
            }
        }
    }

    fn script(&self, function: &sam::Function, language: Language, packages: Option<PathBuf>) -> Start {
        match Interpreter::find(language) {
            Some(Interpreter { executable, .. }) => {
                let mut arguments = vec![self.clients.of(language)];
                if let Language::Python { minor } = language {
                    arguments.extend(packages);
                    let of_version = format!("python/lib/python3.{minor}/site-packages");
                    arguments.extend(environment::in_layers(function, &of_version));
                    arguments.extend(environment::in_layers(function, "python"));
                }
                Start::Process { executable, arguments }
            }
            None => Start::Impossible { reason: interpreter::missing(language) },
        }
    }

    /// Writes the one module of inline code to a folder of its own.
    fn write_inline(&self, language: Language, text: &str) -> io::Result<PathBuf> {
        let folder = tempfile::Builder::new().prefix("code-").tempdir_in(self.runtime.path())?.keep();
        fs::write(folder.join(language.inline_module()), text)?;
        folder.canonicalize()
    }
}
