//! What somebody should know of functions before they are called: no interpreter for them, one of another version, a
//! handler that is not there, packages that they need and that are not here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
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

/// What somebody should know of these functions, one sentence each.
///
/// It asks the interpreters of this machine, which takes a moment where a function needs one and none where none does.
pub fn notices(functions: &[Function]) -> Vec<String> {
    let mut by_language: BTreeMap<Language, Vec<&Function>> = BTreeMap::new();
    for function in functions {
        if let Code::Scripts { language, .. } | Code::Inline { language, .. } = &function.code {
            by_language.entry(*language).or_default().push(function);
        }
    }
    let mut notices: Vec<String> = functions.iter().filter_map(cannot_run).collect();
    for (language, functions) in by_language {
        let names: Vec<&str> = functions.iter().map(|function| function.logical_id.as_str()).collect();
        let names = names.join(", ");
        let Some(interpreter) = Interpreter::find(language) else {
            notices.push(format!("{names} cannot run: {}", interpreter::missing(language)));
            continue;
        };
        if !interpreter.is_of(language) {
            let (found, place) = (&interpreter.version, interpreter.executable.display());
            let kind = interpreter::name(language);
            notices
                .push(format!("{names}: the template asks for {language}, what runs here is {kind} {found} ({place})"));
        }
        let faults = handlers::faults(language, &functions, &interpreter);
        let faulty = functions.iter().zip(faults).filter_map(|(function, fault)| Some((function, fault?)));
        notices.extend(faulty.map(|(function, fault)| format!("{} cannot run: {fault}", function.logical_id)));
        let mut missing: IndexMap<String, Vec<&str>> = IndexMap::new();
        for function in functions {
            if let Some(told) = missing_packages(function, &interpreter) {
                missing.entry(told).or_default().push(&function.logical_id);
            }
        }
        notices.extend(missing.into_iter().map(|(told, names)| format!("{}: {told}", names.join(", "))));
    }
    notices
}

fn cannot_run(function: &Function) -> Option<String> {
    let Code::NotHere { reason } = &function.code else { return None };
    Some(format!("{} cannot run: {reason}", function.logical_id))
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
