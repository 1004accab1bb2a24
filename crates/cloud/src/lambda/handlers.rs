//! Handlers that are not there: what can be known of scripts without running them, by the interpreter that would.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use sam::{Code, Function, Language};
use serde_json::json;

use super::interpreter::Interpreter;

/// Why functions of one language can't be called: the file of the handler is not there, it has an error of syntax, or not the
/// handler's name. None for each that has no such fault, and for all where the interpreter can't be asked.
pub(crate) fn faults(language: Language, functions: &[&Function], interpreter: &Interpreter) -> Vec<Option<String>> {
    ask(language, functions, interpreter).unwrap_or_else(|| vec![None; functions.len()])
}

/// Why a function can't be called, as [`faults`] tells it.
pub(crate) fn fault(function: &Function) -> Option<String> {
    let (Code::Scripts { language, .. } | Code::Inline { language, .. }) = &function.code else { return None };
    faults(*language, &[function], &Interpreter::find(*language)?).into_iter().flatten().next()
}

fn ask(language: Language, functions: &[&Function], interpreter: &Interpreter) -> Option<Vec<Option<String>>> {
    let inline = tempfile::tempdir().ok()?;
    let mut handlers = Vec::new();
    for (index, function) in functions.iter().enumerate() {
        let folders: Vec<&Path>;
        let written;
        match &function.code {
            Code::Scripts { folder, packages, .. } => {
                folders = [folder.as_path()].into_iter().chain(packages.as_deref()).collect();
            }
            Code::Inline { text, .. } => {
                written = inline.path().join(index.to_string());
                std::fs::create_dir(&written).ok()?;
                std::fs::write(written.join(language.inline_module()), text).ok()?;
                folders = vec![&written];
            }
            Code::Cargo { .. } | Code::Bootstrap { .. } | Code::NotHere { .. } => return None,
        }
        handlers.push(json!({ "name": function.handler, "folders": folders }));
    }
    let mut command = Command::new(&interpreter.executable);
    match language {
        Language::Python { .. } => command.args(["-c", include_str!("clients/handlers.py")]),
        Language::Node { .. } => command.args(["--input-type=module", "-e", include_str!("clients/handlers.mjs")]),
    };
    let mut asked = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let sent = asked.stdin.take()?.write_all(serde_json::Value::from(handlers).to_string().as_bytes());
    let answer = asked.wait_with_output().ok()?;
    sent.ok()?;
    let faults: Vec<Option<String>> = serde_json::from_slice(&answer.stdout).ok()?;
    // The folder of inline code is nothing that anybody knows.
    let prefix = format!("{}/", inline.path().display());
    let faults: Vec<_> = faults.into_iter().map(|fault| Some(without_folder(&fault?, &prefix))).collect();
    (faults.len() == functions.len()).then_some(faults)
}

/// A text in which the files of inline code have their names alone.
fn without_folder(text: &str, prefix: &str) -> String {
    let Some((before, after)) = text.split_once(prefix) else { return text.to_owned() };
    format!("{before}{}", after.split_once('/').map_or(after, |(_, file)| file))
}
