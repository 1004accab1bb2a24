//! What somebody should know of functions before they are called: no interpreter for them, one of another version, a
//! handler that is not there, packages that they need and that are not here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
    process::{Command, Stdio},
};

use indexmap::IndexMap;
use sam::{Code, Function, Language};
use serde::Deserialize;

use super::{
    handlers,
    interpreter::{self, Interpreter},
};

/// What a package file may have, in bytes. One that is larger is nobody's.
const MAX_FILE: u64 = 1024 * 1024;

/// Something that somebody should know of functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// They run here otherwise than in AWS, or not at all. It names them.
    Here(String),
    /// One can run nowhere: its handler is not there, or has an error.
    Fault {
        /// The function's logical id.
        function: String,
        /// What is wrong with it.
        fault: String,
    },
}

/// How many functions a sentence names.
const NAMED: usize = 5;

/// What somebody should know of these functions, one sentence each.
///
/// It asks the interpreters of this machine, which takes a moment where a function needs one and none where none does.
pub fn notices(functions: &[Function]) -> Vec<Notice> {
    let mut by_language: BTreeMap<Language, Vec<&Function>> = BTreeMap::new();
    for function in functions {
        if let Code::Scripts { language, .. } | Code::Inline { language, .. } = &function.code {
            by_language.entry(*language).or_default().push(function);
        }
    }
    let mut not_here: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for function in functions {
        if let Code::NotHere { reason } = &function.code {
            not_here.entry(reason).or_default().push(&function.logical_id);
        }
    }
    let cannot_run = |names: &[&str], reason: &str| Notice::Here(format!("{} cannot run: {reason}", listed(names)));
    let mut notices: Vec<Notice> = not_here.iter().map(|(reason, names)| cannot_run(names, reason)).collect();
    for (language, functions) in by_language {
        let names: Vec<&str> = functions.iter().map(|function| function.logical_id.as_str()).collect();
        let Some(interpreter) = Interpreter::find(language) else {
            notices.push(cannot_run(&names, &interpreter::missing(language)));
            continue;
        };
        if !interpreter.is_of(language) {
            let (found, place) = (&interpreter.version, interpreter.executable.display());
            let kind = interpreter::name(language);
            let names = listed(&names);
            let told = format!("{names}: the template asks for {language}, what runs here is {kind} {found} ({place})");
            notices.push(Notice::Here(told));
        }
        let faults = handlers::faults(language, &functions, &interpreter);
        let faulty = functions.iter().zip(faults).filter_map(|(function, fault)| {
            Some(Notice::Fault { function: function.logical_id.clone(), fault: fault? })
        });
        notices.extend(faulty);
        let mut missing: IndexMap<String, Vec<&str>> = IndexMap::new();
        for function in functions {
            if let Some(told) = missing_packages(function, &interpreter) {
                missing.entry(told).or_default().push(&function.logical_id);
            }
        }
        let missing = missing.into_iter().map(|(told, names)| format!("{}: {told}", listed(&names)));
        notices.extend(missing.map(Notice::Here));
    }
    notices
}

/// `A, B, C`, and of many how many more there are.
fn listed(names: &[&str]) -> String {
    match names.split_at_checked(NAMED) {
        Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
        _ => names.join(", "),
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(text) => f.write_str(text),
            Self::Fault { function, fault } => write!(f, "{function} cannot run: {fault}"),
        }
    }
}

/// What a function's package file names and nothing here has.
fn missing_packages(function: &Function, interpreter: &Interpreter) -> Option<String> {
    let Code::Scripts { language, folder, packages } = &function.code else { return None };
    let folders: Vec<&Path> = [folder.as_path()].into_iter().chain(packages.as_deref()).collect();
    let (file, missing, install) = match language {
        Language::Python { .. } => {
            let file = folder.join("requirements.txt");
            let missing = not_importable(&required(&read(&file)?), &folders, interpreter)?;
            let target = folder.display();
            (file.clone(), missing, format!("`pip install -r {} -t {target}`", file.display()))
        }
        Language::Node { .. } => {
            let file = folder.join("package.json");
            let package: Package = serde_json::from_str(&read(&file)?).ok()?;
            let is_there = |name: &str| {
                let above = folders.iter().flat_map(|folder| folder.ancestors());
                above.map(|folder| folder.join("node_modules").join(name)).any(|module| module.is_dir())
            };
            let missing = package.dependencies.into_keys().filter(|name| !is_there(name)).collect();
            (file, missing, format!("`npm install` in {}", folder.display()))
        }
    };
    let missing: Vec<String> = missing;
    (!missing.is_empty()).then(|| {
        let (file, missing) = (file.display(), missing.join(", "));
        format!("{file} names what is not installed: {missing}. Run {install}, or `sam build`")
    })
}

/// What is read of a `package.json`.
#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    dependencies: BTreeMap<String, serde_json::Value>,
}

fn read(file: &Path) -> Option<String> {
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.len() <= MAX_FILE).then(|| fs::read_to_string(file).ok()).flatten()
}

/// The distributions that a `requirements.txt` names. What is no name (an address, an option, another file) is left to pip.
fn required(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(|line| line.split(['#', ';']).next().unwrap_or_default().trim());
    let named = lines.filter(|line| !line.starts_with('-') && !line.contains(['/', '@', '\\']));
    let name = |line: &str| -> String {
        line.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect()
    };
    named.map(name).filter(|name| !name.is_empty()).collect()
}

/// Which distributions Python finds neither in the folders nor in its own.
fn not_importable(names: &BTreeSet<String>, folders: &[&Path], interpreter: &Interpreter) -> Option<Vec<String>> {
    const SCRIPT: &str = "
import sys, importlib.metadata, importlib.util
count = int(sys.argv[1])
sys.path[:1] = sys.argv[2:2 + count]
for name in sys.argv[2 + count:]:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        if importlib.util.find_spec(name.lower().replace('-', '_').split('.')[0]) is None:
            print(name)
";
    if names.is_empty() {
        return None;
    }
    let mut command = Command::new(&interpreter.executable);
    command.args(["-c", SCRIPT]).arg(folders.len().to_string()).args(folders).args(names);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?;
    Some(answer.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_a_few_functions_and_counts_the_others() {
        assert_eq!(listed(&["A"]), "A");
        assert_eq!(listed(&["A", "B", "C", "D", "E"]), "A, B, C, D, E");
        assert_eq!(listed(&["A", "B", "C", "D", "E", "F", "G"]), "A, B, C, D, E and 2 more");
    }

    #[test]
    fn requirements_give_the_names_of_distributions() {
        let text = "\
# of the web\n\
requests>=2.31,<3  # the usual one\n\
aws-lambda-powertools[tracer]==3.0.0\n\
ruamel.yaml ; python_version < '3.13'\n\
\n\
-r more.txt\n\
--index-url https://example.com\n\
./local/package\n\
thing @ https://example.com/thing.zip\n";
        let names: Vec<String> = required(text).into_iter().collect();
        assert_eq!(names, ["aws-lambda-powertools", "requests", "ruamel.yaml"]);
    }
}
