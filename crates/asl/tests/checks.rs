//! What is found in definitions, in the service's words and at its places.
//!
//! Each file of `checks` has cases by their names: a definition, and what is found as a line of `code: message at place`,
//! with `warning` before it where the definition is taken all the same, and with what helps behind it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::{collections::BTreeMap, fs, path::Path};

use asl::{
    Diagnostic, Severity, Value,
    compile::{compile, compile_text},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    definition: serde_json::Value,
    found: Vec<String>,
}

fn line(found: &Diagnostic) -> String {
    let help = found.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    match found.severity {
        Severity::Error => format!("{found}{help}"),
        Severity::Warning => format!("warning {found}{help}"),
    }
}

#[test]
fn every_definition_is_found_what_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checks");
    let mut differences = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let cases: BTreeMap<String, Case> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for (name, case) in cases {
            let compiled = compile(&Value::from(&case.definition));
            let found: Vec<String> = compiled.diagnostics.iter().map(line).collect();
            let refused = compiled.diagnostics.iter().any(|found| found.severity == Severity::Error);
            assert_eq!(compiled.machine.is_none(), refused, "{name}");
            if found != case.found {
                differences.push(format!("{} {name}: {found:#?}", path.display()));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn text_that_is_no_json_has_no_place() {
    let compiled = compile_text("{");
    assert!(compiled.machine.is_none());
    let [found] = compiled.diagnostics.as_slice() else { panic!("{:?}", compiled.diagnostics) };
    assert_eq!((found.code.name(), &found.location), ("INVALID_JSON_DESCRIPTION", &None));
}

#[test]
fn a_name_that_text_has_twice_is_told_where_it_comes_again() {
    let text = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"P"},"P":{"Type":"Parallel","Branches":[
        {"StartAt":"B","States":{"B":{"Type":"Pass","End":true},"B":{"Type":"Succeed"}}}],"Next":"A"},"A":{"Type":"Succeed",
        "Comment":"one","Comment":"two"}},"Comment":{"States":{"A":1,"A":2}}}"#;
    let found = compile_text(text).diagnostics;
    let found: Vec<String> = found.iter().map(ToString::to_string).filter(|line| line.contains("State name")).collect();
    assert_eq!(
        found,
        [
            "DUPLICATE_STATE_NAME: Duplicate State name: B at /States/P/Branches[0]/States/B",
            "DUPLICATE_STATE_NAME: Duplicate State name: A at /States/A"
        ]
    );
}
