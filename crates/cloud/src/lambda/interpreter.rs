//! The interpreters of this machine, which run what is no program of its own, and the project's runtime clients for them.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{LazyLock, Mutex, PoisonError},
};

use sam::Language;

/// An interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpreter {
    /// The program itself: what a shell finds may be a script that needs the user's environment.
    pub(crate) executable: PathBuf,
    /// `3.13`, `22.14.0`
    pub(crate) version: String,
}

impl Interpreter {
    /// The interpreter of the path that runs `language`: the very version if there is one, else the one that there is.
    ///
    /// The path is searched once for each language; what this machine has changes seldom, and each look starts a process.
    pub(crate) fn find(language: Language) -> Option<Self> {
        static FOUND: LazyLock<Mutex<BTreeMap<Language, Option<Interpreter>>>> = LazyLock::new(Mutex::default);
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        found
            .entry(language)
            .or_insert_with(|| commands(language).iter().find_map(|command| Self::ask(command, language)))
            .clone()
    }

    fn ask(command: &str, language: Language) -> Option<Self> {
        let arguments = match language {
            Language::Python { .. } => {
                ["-c", "import sys; print(sys.executable); print('%d.%d' % sys.version_info[:2])"]
            }
            Language::Node { .. } => ["-p", "process.execPath + '\\n' + process.versions.node"],
        };
        let output = Command::new(command).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        let answer = String::from_utf8(output.stdout).ok()?;
        let (executable, version) = answer.trim_end().split_once('\n')?;
        Some(Self { executable: PathBuf::from(executable), version: version.to_owned() })
    }

    /// Whether it is of the version that `language` names.
    pub(crate) fn is_of(&self, language: Language) -> bool {
        match language {
            Language::Python { minor } => self.version == format!("3.{minor}"),
            Language::Node { major } => self.version.split('.').next() == Some(major.to_string().as_str()),
        }
    }
}

/// The names under which a path has the interpreter, the best one first.
fn commands(language: Language) -> Vec<String> {
    match language {
        Language::Python { minor } => vec![format!("python3.{minor}"), "python3".to_owned(), "python".to_owned()],
        Language::Node { .. } => vec!["node".to_owned()],
    }
}

/// What a function whose language has no interpreter here fails with.
pub(crate) fn missing(language: Language) -> String {
    let commands = commands(language).join("`, `");
    format!("this machine has no {} (no `{commands}` on the PATH): install it, and start again", name(language))
}

/// The language without a version.
pub(crate) fn name(language: Language) -> &'static str {
    match language {
        Language::Python { .. } => "Python",
        Language::Node { .. } => "Node.js",
    }
}

/// The runtime clients, written to a folder.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    folder: PathBuf,
}

impl Clients {
    /// Writes them.
    pub(crate) fn write(folder: &Path) -> io::Result<Self> {
        fs::write(folder.join("python.py"), include_str!("clients/python.py"))?;
        fs::write(folder.join("node.mjs"), include_str!("clients/node.mjs"))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The client of a language.
    pub(crate) fn of(&self, language: Language) -> PathBuf {
        self.folder.join(match language {
            Language::Python { .. } => "python.py",
            Language::Node { .. } => "node.mjs",
        })
    }

    /// Where they are: `LAMBDA_RUNTIME_DIR`.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}
