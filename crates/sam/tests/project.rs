//! The project's own template.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use sam::{
    Application, Code, EventRule, EventSource, Integration, LoadOptions, PayloadFormat, Route, StateMachine,
    StateMachineKind, Target, load,
};
use serde_json::json;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn project(parameters: &[(&str, &str)]) -> Application {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = LoadOptions { parameters, ..LoadOptions::default() };
    load(&root().join("template.yaml"), &options).unwrap_or_else(|error| panic!("{error}"))
}

fn machine<'a>(application: &'a Application, name: &str) -> &'a StateMachine {
    application.state_machines.iter().find(|machine| machine.name == name).unwrap()
}

#[test]
fn each_function_is_a_package_of_the_workspace() {
    // The function is called as its package is, but where several functions are one package.
    let shared = ["StartDragonsFunction", "StartImagesFunction", "OpenCaseFunction"].map(|id| (id, "start-step"));
    let application = project(&[]);
    let actual: BTreeMap<_, _> =
        application.functions.iter().map(|function| (function.name.as_str(), &function.code)).collect();
    for (id, code) in actual {
        let package = shared
            .iter()
            .find(|(shared, _)| *shared == id)
            .map_or_else(|| kebab_case(id.strip_suffix("Function").unwrap()), |(_, package)| (*package).to_owned());
        let package_dir = root().join("functions").join(&package);
        assert!(package_dir.join("Cargo.toml").is_file(), "{id}");
        assert_eq!(*code, Code::Cargo { package_dir, binary: Some(package) }, "{id}");
    }
}

/// `check-size` for `CheckSize`.
fn kebab_case(name: &str) -> String {
    let mut kebab = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(character.to_lowercase());
    }
    kebab
}

#[test]
fn every_function_of_the_template_is_called_by_something() {
    let application = project(&[]);
    assert!(application.state_machines.iter().all(|machine| machine.kind == StateMachineKind::Standard));
    let text: String = application.state_machines.iter().map(|machine| machine.definition.to_string()).collect();
    let routes = application.apis.iter().flat_map(|api| &api.routes);
    let answering: BTreeSet<&str> = routes
        .filter_map(|route| match &route.integration {
            Integration::Function { name, .. } => Some(name.as_str()),
            Integration::StateMachine { .. } => None,
        })
        .collect();
    let is_target = |name: &str| {
        application
            .rules
            .iter()
            .flat_map(|rule| &rule.targets)
            .any(|target| matches!(&target.target, Target::Function(function) if function == name))
    };
    for function in &application.functions {
        let id = function.logical_id.as_str();
        let called = text.contains(&format!("\"{}\"", function.arn));
        assert!(called || answering.contains(id) || is_target(id), "{id} is not called");
    }
    assert!(!text.contains("${"));
}

#[test]
fn the_threshold_comes_from_its_parameter() {
    let output = |application: &Application| {
        machine(application, "FileProcessing").definition["States"]["CheckFileSize"]["Output"]["threshold"].clone()
    };
    assert_eq!(output(&project(&[])), json!("{% $number('2000000') %}"));
    assert_eq!(output(&project(&[("SizeThreshold", "10")])), json!("{% $number('10') %}"));
}

#[test]
fn start_step_answers_the_api_and_the_bucket() {
    let application = project(&[]);
    let integration = Integration::Function { name: "StartStepFunction".to_owned(), payload: PayloadFormat::V2 };
    let route = Route { method: "POST".to_owned(), path: "/executions".to_owned(), integration };
    assert_eq!(application.apis.len(), 1);
    assert!(application.apis[0].routes.contains(&route));

    let starts = |rule: &&EventRule| rule.targets[0].target == Target::Function("StartStepFunction".to_owned());
    let rule = application.rules.iter().find(starts).unwrap();
    let bucket = application.buckets.iter().find(|bucket| bucket.logical_id == "DataBucket").unwrap();
    assert!(bucket.event_bridge && bucket.versioned);
    let EventSource::Pattern(pattern) = &rule.source else { panic!("{rule:?}") };
    assert_eq!(pattern["detail"]["bucket"]["name"], json!([bucket.name]));
    assert_eq!(pattern["detail"]["object"]["key"], json!([{"prefix": "incoming/"}]));

    let start_step = application.functions.iter().find(|function| function.logical_id == "StartStepFunction").unwrap();
    assert_eq!(start_step.environment["STATE_MACHINE_ARN"], machine(&application, "FileProcessing").arn);
}

#[test]
fn what_a_workflow_writes_does_not_start_it_again() {
    let application = project(&[]);
    let process_file =
        application.functions.iter().find(|function| function.logical_id == "ProcessFileFunction").unwrap();
    assert!(!process_file.environment["OUTPUT_PREFIX"].starts_with("incoming/"));
}

#[test]
fn the_tables_have_the_keys_that_the_functions_use() {
    let application = project(&[]);
    let keys: Vec<_> =
        application.tables.iter().map(|table| (table.name.as_str(), &table.create["KeySchema"])).collect();
    let schema = |names: &[&str]| {
        let kinds = names.iter().zip(["HASH", "RANGE"]);
        kinds.map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind})).collect::<serde_json::Value>()
    };
    assert_eq!(
        keys,
        [
            ("LevelsTable", &schema(&["user_id", "level"])),
            ("GamesTable", &schema(&["user_id"])),
            ("DragonsTable", &schema(&["dragon_name_str"])),
            ("CasesTable", &schema(&["case_id"])),
            ("AgentsTable", &schema(&["agent_id"])),
            ("ImageHashesTable", &schema(&["band", "object"])),
        ]
    );
}

#[test]
fn a_place_in_a_definition_is_a_place_in_its_file() {
    let application = project(&[]);
    let machine = machine(&application, "FileProcessing");
    let written = application.written_definition(machine).unwrap();
    let line_of = |pointer| {
        let location = written.locate(pointer);
        assert_eq!(location.file, machine.definition_file);
        location.source()[location.offset..][..location.length].to_owned()
    };
    assert_eq!(line_of("/States/ChoiceState"), "\"ChoiceState\"");
    assert_eq!(line_of("/States/ChoiceState/Default"), "\"DefaultState\"");
    assert_eq!(line_of("/States/ChoiceState/Choices[0]/Next"), "\"ProcessFile\"");
    assert_eq!(line_of("/States/DefaultState/Nothing/There"), "\"DefaultState\"");
}
