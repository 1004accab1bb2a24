//! The project's own template.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use sam::{Application, Code, EventSource, LoadOptions, Route, StateMachineKind, Target, load};
use serde_json::json;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn project(parameters: &[(&str, &str)]) -> Application {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = LoadOptions { parameters, ..LoadOptions::default() };
    load(&root().join("template.yaml"), &options).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn each_function_is_a_package_of_the_workspace() {
    let packages = [
        ("StartStepFunction", "start-step"),
        ("CheckSizeFunction", "check-size"),
        ("ProcessFileFunction", "process-file"),
        ("GenerateReportFunction", "generate-report"),
        ("UpdateCompletedLevelFunction", "update-completed-level"),
        ("UpdateCompletedGameFunction", "update-completed-game"),
        ("LogMetricFunction", "log-metric"),
    ];
    let application = project(&[]);
    let actual: BTreeMap<_, _> =
        application.functions.iter().map(|function| (function.name.as_str(), &function.code)).collect();
    let expected = packages.map(|(id, package)| {
        let package_dir = root().join("functions").join(package);
        (id, Code::Cargo { package_dir, binary: Some(package.to_owned()) })
    });
    assert_eq!(actual, expected.iter().map(|(id, code)| (*id, code)).collect());
}

#[test]
fn every_function_of_the_template_is_called_by_a_state_machine() {
    let application = project(&[]);
    let names: Vec<_> =
        application.state_machines.iter().map(|machine| (machine.name.as_str(), machine.kind)).collect();
    assert_eq!(
        names,
        ["FileProcessing", "GameCompletion", "HelloWorld"].map(|name| (name, StateMachineKind::Standard))
    );
    let called: BTreeSet<&str> = application.functions.iter().map(|function| function.arn.as_str()).collect();
    let text: String = application.state_machines.iter().map(|machine| machine.definition.to_string()).collect();
    for arn in called.iter().filter(|arn| !arn.ends_with("StartStepFunction")) {
        assert!(text.contains(&format!("\"{arn}\"")), "{arn} is not called");
    }
    assert!(!text.contains("${"));
}

#[test]
fn the_threshold_comes_from_its_parameter() {
    let output = |application: &Application| {
        application.state_machines[0].definition["States"]["CheckFileSize"]["Output"]["threshold"].clone()
    };
    assert_eq!(output(&project(&[])), json!("{% $number('2000000') %}"));
    assert_eq!(output(&project(&[("SizeThreshold", "10")])), json!("{% $number('10') %}"));
}

#[test]
fn start_step_answers_the_api_and_the_bucket() {
    let application = project(&[]);
    let route =
        Route { method: "POST".to_owned(), path: "/executions".to_owned(), function: "StartStepFunction".to_owned() };
    assert_eq!(application.http_apis.len(), 1);
    assert_eq!(application.http_apis[0].routes, [route]);

    let [rule] = application.rules.as_slice() else { panic!("{:?}", application.rules) };
    let bucket = application.buckets.iter().find(|bucket| bucket.logical_id == "DataBucket").unwrap();
    assert!(bucket.event_bridge && bucket.versioned);
    assert_eq!(rule.targets[0].target, Target::Function("StartStepFunction".to_owned()));
    let EventSource::Pattern(pattern) = &rule.source else { panic!("{rule:?}") };
    assert_eq!(pattern["detail"]["bucket"]["name"], json!([bucket.name]));
    assert_eq!(pattern["detail"]["object"]["key"], json!([{"prefix": "incoming/"}]));

    let start_step = application.functions.iter().find(|function| function.logical_id == "StartStepFunction").unwrap();
    assert_eq!(start_step.environment["STATE_MACHINE_ARN"], application.state_machines[0].arn);
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
    let (user, level) =
        (json!({"AttributeName": "user_id", "KeyType": "HASH"}), json!({"AttributeName": "level", "KeyType": "RANGE"}));
    assert_eq!(keys, [("LevelsTable", &json!([user, level])), ("GamesTable", &json!([user]))]);
}

#[test]
fn a_place_in_a_definition_is_a_place_in_its_file() {
    let application = project(&[]);
    let machine = &application.state_machines[0];
    let line_of = |pointer| {
        let location = application.locate(machine, pointer).unwrap();
        assert_eq!(location.file, machine.definition_file);
        location.source()[location.offset..][..location.length].to_owned()
    };
    assert_eq!(line_of("/States/ChoiceState"), "\"ChoiceState\"");
    assert_eq!(line_of("/States/ChoiceState/Default"), "\"DefaultState\"");
    assert_eq!(line_of("/States/ChoiceState/Choices[0]/Next"), "\"ProcessFile\"");
    assert_eq!(line_of("/States/DefaultState/Nothing/There"), "\"DefaultState\"");
}
