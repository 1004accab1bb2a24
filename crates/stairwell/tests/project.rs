//! What is told of a template that can't be run, before anything is built.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{fs, path::Path};

use clap::Parser;
use stairwell::project::{TemplateArgs, document};

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    template: TemplateArgs,
}

/// What loading a template tells: the error, or each problem with its code.
fn told(arguments: &[&str]) -> Vec<String> {
    let parsed = Arguments::parse_from([&["test"], arguments].concat());
    match parsed.template.load() {
        Ok(_) => Vec::new(),
        Err(stairwell::error::Error::Project { problems, .. }) => {
            let line = |problem: &stairwell::problems::Problem| {
                let json = problem.to_json();
                format!("{}: {}", json["code"].as_str().unwrap(), json["message"].as_str().unwrap())
            };
            problems.iter().map(line).collect()
        }
        Err(error) => vec![error.to_string()],
    }
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn a_parameter_that_is_wrong_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let template = write(
        folder.path(),
        "template.yaml",
        r#"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, AllowedValues: [dev, prod]}
  Seconds: {Type: Number, Default: 1}
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "data-${Stage}"}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionSubstitutions: {Seconds: !Ref Seconds}
      Definition: {StartAt: A, States: {A: {Type: Wait, Seconds: "${Seconds}", End: true}}}
  Other:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition: {StartAt: !Ref Stage, States: {}}
"#,
    );
    let told = |overrides: &str| told(&["-t", &template, "--parameter-overrides", overrides]);
    let text = "schema-validation-failed: `Seconds`: Expected value of type [INTEGER] (state machine Machine)";
    let unread = "not-checked: the definition of Other was not checked, because it could not be read";
    for (overrides, first) in [
        ("Stage=x", "parameter-value: the parameter `Stage` cannot be `x`: it must be one of dev, prod"),
        ("Stge=dev", "unknown-parameter: the template has no parameter `Stge`"),
        ("Seconds=1", "missing-parameter: the parameter `Stage` has neither a default nor a value"),
    ] {
        assert_eq!(told(overrides), [first, text, unread], "{overrides}");
    }
}

#[test]
fn a_template_is_looked_for_by_the_names_that_it_may_have() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display().to_string();
    let none = told(&["-t", &here]);
    assert_eq!(
        none,
        [format!(
            "no template found; looked for {here}/template.yaml, {here}/template.yml, {here}/template.json\n  help: go to \
             the folder of the template, or name it: -t path/to/template.yaml"
        )]
    );
    assert_eq!(told(&["-t", "/no/such.yaml"]), ["there is no template /no/such.yaml"]);
    write(folder.path(), "template.json", r#"{"Resources": {}}"#);
    assert_eq!(told(&["-t", &here]), [""; 0]);
}

#[test]
fn a_document_is_a_file_or_stands_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "input.json", "{\"a\": 1}");
    let broken = write(folder.path(), "broken.json", "{");
    let read = |argument: &str| document("--input", argument).map_err(|error| error.to_string());
    assert_eq!(read(&file).as_deref(), Ok("{\"a\": 1}"));
    assert_eq!(read("[1]").as_deref(), Ok("[1]"));
    assert_eq!(read("17").as_deref(), Ok("17"));
    assert_eq!(read(&broken), Err(format!("{broken} is not JSON")));
    assert_eq!(read("{\"a\": }"), Err("the argument of --input is not JSON".to_owned()));
    assert!(read("no-such-file.json").is_err_and(|error| error.starts_with("there is no file 'no-such-file.json'")));
}
