//! What every process of a function is started from.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sam::{Code, Language};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{
    config::{ConfigError, LambdaConfig},
    environment,
    interpreter::{self, Clients, Interpreter},
    logs::LogSink,
    version::Version,
};

/// What every process of a function is started from.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) function: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) start: Start,
    /// The folder that stands for `/var/task`.
    pub(crate) task_root: PathBuf,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) timeout: Duration,
    pub(crate) log_sink: LogSink,
    pub(crate) shutdown: CancellationToken,
}

impl Program {
    /// What is started, or the folder of what an interpreter runs.
    pub(crate) fn code(&self) -> &Path {
        match &self.start {
            Start::Process { executable, arguments } if arguments.is_empty() => executable,
            _ => &self.task_root,
        }
    }
}

/// How a process is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// By a program: the function itself, or an interpreter.
    Process { executable: PathBuf, arguments: Vec<PathBuf> },
    /// Not at all: this machine does not have what it takes.
    Impossible { reason: String },
}

/// Makes the programs of functions.
pub(crate) struct Programs {
    pub(crate) config: LambdaConfig,
    pub(crate) shutdown: CancellationToken,
    clients: Clients,
    /// The functions' `HOME`: empty, so that no settings of the user's are found there.
    home: TempDir,
    /// The runtime clients, and the code of templates.
    runtime: TempDir,
}

impl Programs {
    /// Programs with these settings, which end with `shutdown`.
    pub(crate) fn new(config: LambdaConfig, shutdown: CancellationToken) -> Result<Self, ConfigError> {
        let folder = |prefix| tempfile::Builder::new().prefix(prefix).tempdir().map_err(ConfigError::Folder);
        let (home, runtime) = (folder("stairwell-home-")?, folder("stairwell-runtime-")?);
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
        let (start, task_root) = self.start(function, built)?;
        let directories =
            environment::Directories { task_root: &task_root, home: self.home.path(), runtime: self.clients.folder() };
        Ok(Program {
            function: function.name.as_str().into(),
            version: version.to_string().into(),
            environment: environment::variables(function, version, &directories, &self.config)?,
            start,
            task_root,
            timeout: function.timeout,
            log_sink: Arc::clone(&self.config.log_sink),
            shutdown: self.shutdown.clone(),
        })
    }

    fn start(&self, function: &sam::Function, built: Option<&Path>) -> Result<(Start, PathBuf), ConfigError> {
        let resolved = |path: &Path| {
            let refused = |source| ConfigError::Code { function: function.name.clone(), path: path.to_owned(), source };
            path.canonicalize().map_err(refused)
        };
        let own = |path: &Path| Ok(Start::Process { executable: resolved(path)?, arguments: Vec::new() });
        match &function.code {
            Code::Cargo { package_dir, .. } => {
                let built = built.ok_or_else(|| ConfigError::NotBuilt { function: function.name.clone() })?;
                Ok((own(built)?, resolved(package_dir)?))
            }
            Code::Bootstrap { path } if !path.exists() => {
                let reason = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned();
                Ok((Start::Impossible { reason }, resolved(path.parent().unwrap_or(Path::new(".")))?))
            }
            Code::Bootstrap { path } => {
                // The parent of a bare file name is the empty path.
                let folder = Path::new(".").join(path.parent().unwrap_or(Path::new("")));
                Ok((own(path)?, resolved(&folder)?))
            }
            Code::Scripts { language, folder, packages } => {
                let packages = packages.as_deref().map(resolved).transpose()?;
                Ok((self.script(*language, packages), resolved(folder)?))
            }
            Code::Inline { language, text } => {
                let folder = self.write_inline(*language, text).map_err(ConfigError::Folder)?;
                Ok((self.script(*language, None), folder))
            }
        }
    }

    fn script(&self, language: Language, packages: Option<PathBuf>) -> Start {
        match Interpreter::find(language) {
            Some(Interpreter { executable, .. }) => {
                let arguments = [self.clients.of(language)].into_iter().chain(packages).collect();
                Start::Process { executable, arguments }
            }
            None => Start::Impossible { reason: interpreter::missing(language) },
        }
    }

    /// Writes the one module of inline code to a folder of its own.
    fn write_inline(&self, language: Language, text: &str) -> io::Result<PathBuf> {
        let folder = tempfile::Builder::new().prefix("code-").tempdir_in(self.runtime.path())?.keep();
        let module = match language {
            Language::Python { .. } => "index.py",
            Language::Node { .. } => "index.js",
        };
        fs::write(folder.join(module), text)?;
        folder.canonicalize()
    }
}
