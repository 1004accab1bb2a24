//! Templates and what becomes of them, one folder a case under `tests/cases`.
//!
//! A case has a `template.yaml`, and either `expected.json`, a part of the application that it must load as, or
//! `problems.txt`, all the problems that loading must report, one a line. `options.json` gives parameters.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use sam::{LoadError, LoadOptions, load};
use serde_json::Value;

#[test]
fn every_case_loads_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    let failures: Vec<String> = cases.iter().filter_map(|case| run(case).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn run(case: &Path) -> Result<(), String> {
    let name = case.file_name().unwrap_or_default().to_string_lossy();
    let loaded = load(&case.join("template.yaml"), &options(case)?);
    let check = if case.join("problems.txt").exists() {
        match loaded {
            Ok(_) => Err("the template loads, and must not".to_owned()),
            Err(error) => {
                let (expected, actual) = (read(case, "problems.txt"), problems(case, &error));
                if expected == actual {
                    Ok(())
                } else {
                    Err(format!("expected problems:\n{expected}\nproblems:\n{actual}"))
                }
            }
        }
    } else {
        let application = loaded.map_err(|error| format!("{name}: {error}"))?;
        let text = serde_json::to_string(&application)
            .map_err(|error| error.to_string())?
            .replace(&format!("{}/", case.display()), "");
        let expected = serde_json::from_str(&read(case, "expected.json"))
            .map_err(|error| format!("{name}: expected.json: {error}"))?;
        differences(&expected, &serde_json::from_str(&text).map_err(|error| error.to_string())?, "")
    };
    check.map_err(|message| format!("{name}: {message}"))
}

fn read(case: &Path, file: &str) -> String {
    fs::read_to_string(case.join(file)).unwrap_or_default()
}

fn options(case: &Path) -> Result<LoadOptions, String> {
    let text = read(case, "options.json");
    let parameters = if text.is_empty() { Ok(BTreeMap::new()) } else { serde_json::from_str(&text) };
    let parameters = parameters.map_err(|error| format!("options.json: {error}"))?;
    Ok(LoadOptions { parameters, stack_name: "my-stack".to_owned(), ..LoadOptions::default() })
}

/// Each problem as `file:line:column: code: message (help)`.
fn problems(case: &Path, error: &LoadError) -> String {
    let lines = error.problems.iter().map(|problem| {
        let place = problem.location.as_ref().map(|location| format!("{location}: ")).unwrap_or_default();
        let help = problem.help().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{place}{}: {}{help}\n", problem.code(), problem.kind)
    });
    lines.collect::<String>().replace(&format!("{}/", case.display()), "")
}

/// Whether `actual` has everything that `expected` has: all of a list, and those fields of a map that are named.
fn differences(expected: &Value, actual: &Value, place: &str) -> Result<(), String> {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            expected.iter().try_for_each(|(key, value)| match actual.get(key) {
                Some(other) => differences(value, other, &format!("{place}/{key}")),
                None => Err(format!("{place}/{key} is not there")),
            })
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let mut pairs = expected.iter().zip(actual).enumerate();
            pairs.try_for_each(|(index, (expected, actual))| differences(expected, actual, &format!("{place}/{index}")))
        }
        _ if expected == actual => Ok(()),
        _ => Err(format!("{place} must be\n{expected:#}\nand is\n{actual:#}")),
    }
}
