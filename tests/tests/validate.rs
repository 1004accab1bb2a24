//! `stairwell validate`: what is wrong is told with its place.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use end_to_end::{Command, Finished, fixture, project};
use serde_json::Value;

fn validate(template: &Path) -> Command {
    Command::new(["validate", "--template"]).arg(template)
}

/// The folders of `fixtures/validate`; each has a template, and in `problems.txt` what is wrong with it.
fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(fixture("validate")).unwrap().map(|case| case.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

/// A problem as a line of `problems.txt`.
fn line(problem: &Value, case: &Path) -> String {
    let text = |field: &str| problem[field].as_str().unwrap_or_default().to_owned();
    let file = text("file").replace(&format!("{}/", case.display()), "");
    let help = problem["help"].as_str().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{file}:{}:{} {}: {}{help}\n", problem["line"], problem["column"], text("code"), text("message"))
}

#[test]
fn every_problem_is_told_with_its_place() {
    let mut differences = Vec::new();
    for case in cases() {
        let finished = validate(&case.join("template.yaml")).arg("--json").run().expect(1);
        let found: String = finished.json().as_array().unwrap().iter().map(|problem| line(problem, &case)).collect();
        if found != fs::read_to_string(case.join("problems.txt")).unwrap_or_default() {
            differences.push(format!("{}:\n{found}", case.display()));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn a_person_is_shown_the_place() {
    for case in cases() {
        let Finished { stderr, stdout, .. } = validate(&case.join("template.yaml")).run().expect(1);
        assert_eq!(stdout, "", "{}", case.display());
        for problem in fs::read_to_string(case.join("problems.txt")).unwrap().lines() {
            let (place, problem) = problem.split_once(' ').unwrap();
            assert!(stderr.contains(&format!("{}/{place}", case.display())), "{place}: {stderr}");
            let (code, _) = problem.split_once(": ").unwrap();
            assert!(stderr.contains(code), "{code}: {stderr}");
        }
    }
}

#[test]
fn the_mark_is_below_the_place_also_behind_tabs() {
    let folder = tempfile::tempdir().unwrap();
    let definition = folder.path().join("machine.asl.json");
    fs::write(
        &definition,
        "{\n\t\"StartAt\": \"A\",\n\t\"States\": {\"A\":\t{\"Type\": \"Pass\",\t\"Next\": \"B\"}}\n}\n",
    )
    .unwrap();
    let told = validate(&definition).run().expect(1).stderr;
    let lines: Vec<&str> = told.lines().collect();
    let column = |line: &str, of: &str| line.find(of).map(|start| line[..start].chars().count());
    let line = lines.iter().position(|line| line.contains(r#""Next": "B""#)).unwrap();
    assert_eq!(column(lines[line + 1], "─┬─"), column(lines[line], r#""B""#), "{told}");
}

#[test]
fn what_cannot_be_run_is_not_run() {
    for case in cases() {
        let template = case.join("template.yaml");
        let finished = Command::new(["up", "--ephemeral", "--port", "0", "-t"]).arg(&template).run().expect(2);
        let first = fs::read_to_string(case.join("problems.txt")).unwrap();
        let (place, _) = first.split_once(' ').unwrap();
        assert!(finished.stderr.contains(place), "{}", finished.stderr);
        assert!(finished.stderr.contains(&format!("in {}", template.display())), "{}", finished.stderr);
    }
}

#[test]
fn the_project_is_fine() {
    let template = project().join("template.yaml");
    let finished = validate(&template).run().expect(0);
    assert!(finished.stderr.contains("is fine: 20 functions, 9 state machines; 1 warning"), "{}", finished.stderr);
    let found = validate(&template).arg("--json").run().expect(0).json();
    let of = |severity: &str| found.as_array().unwrap().iter().filter(|found| found["severity"] == severity).count();
    // Rekognition, which a state calls; and of the template IAM policies.
    assert_eq!((of("ERROR"), of("WARNING")), (0, 1), "{found}");
    assert!(of("NOT_EMULATED") > 1, "{found}");
    assert!(found.as_array().unwrap().iter().all(|found| found["code"] == "not-emulated"), "{found}");
}

#[test]
fn a_function_that_can_run_nowhere_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    fs::create_dir(folder.path().join("code")).unwrap();
    fs::write(folder.path().join("code/app.py"), "def handler(event, context): return 1\n").unwrap();
    fs::write(folder.path().join("code/bootstrap"), "").unwrap();
    let written = |properties: &str| {
        let function = "  Greet:\n    Type: AWS::Serverless::Function\n";
        let text = format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n{function}    Properties: {{CodeUri: code, {properties}}}\n"
        );
        fs::write(&template, text).unwrap();
        validate(&template).run()
    };
    let runtime = "Runtime: python3.13";
    assert!(written(&format!("{runtime}, Handler: app.handler")).expect(0).stderr.contains("is fine"));
    for (properties, told, place) in [
        (format!("{runtime}, Handler: app.handle"), "Greet cannot run: its handler is `app.handle`, and ", ":3:3"),
        (
            format!("{runtime}, Handler: other.handler"),
            "Greet cannot run: its handler is `other.handler`, and ",
            ":3:3",
        ),
        // As the SAM command line has it, also for a runtime that makes no use of it.
        (runtime.to_owned(), "has no `Handler`", ":3:3"),
        ("Runtime: provided.al2023".to_owned(), "has no `Handler`", ":3:3"),
    ] {
        let refused = written(&properties).expect(1);
        let text = refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(told), "{told}: {text}");
        assert!(text.contains(place), "{place}: {text}");
        assert!(text.contains("has 1 error"), "{text}");
    }
}

#[test]
fn a_definition_is_checked_without_its_template() {
    let finished = validate(&project().join("statemachines/file-processing.asl.json")).run().expect(0);
    assert!(finished.stderr.contains("is fine: a definition"), "{}", finished.stderr);
    let folder = tempfile::tempdir().unwrap();
    let definition = |text: &str| {
        let file = folder.path().join("machine.asl.json");
        fs::write(&file, text).unwrap();
        file
    };
    let http = r#"{"StartAt":"H","States":{"H":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:kinesis:listStreams","End":true}}}"#;
    let finished = validate(&definition(http)).run().expect(0);
    assert!(finished.stderr.contains("aws-sdk:kinesis:listStreams"), "{}", finished.stderr);
    let finished = validate(&definition(r#"{"StartAt" "H"}"#)).run().expect(1);
    assert!(
        finished.stderr.contains("machine.asl.json:1:12") && finished.stderr.contains("expected `:`"),
        "{}",
        finished.stderr
    );
    let machine = fixture("validate/next-names-no-state/machine.asl.json");
    let finished = validate(&machine).run().expect(1);
    assert!(finished.stderr.contains("machine.asl.json:6:15"), "{}", finished.stderr);
    let finished = Command::new(["up", "--ephemeral", "--port", "0", "-t"]).arg(&machine).run().expect(2);
    assert!(finished.stderr.contains("machine.asl.json:6:15"), "{}", finished.stderr);
}

#[test]
fn a_template_that_is_not_there_is_named() {
    let finished = validate(Path::new("no-such-template.yaml")).run().expect(2);
    assert!(finished.stderr.contains("no-such-template.yaml"), "{}", finished.stderr);
}

#[test]
fn a_parameter_that_does_not_fit_is_named() {
    let overrides = |value: &str| Command::new(["validate", "--parameter-overrides", value]).run();
    for (value, status, named) in [
        ("SizeThreshold=-1", 1, "SizeThreshold"),
        ("Architecture=mips", 1, "mips"),
        ("NoSuchParameter=1", 2, "NoSuchParameter"),
        ("nothing", 2, "Name=Value"),
        ("Architecture=x86_64", 0, "is fine"),
    ] {
        let finished = overrides(value).expect(status);
        assert!(finished.stderr.contains(named), "{value}: {}", finished.stderr);
    }
}

#[test]
fn colours_are_there_where_they_are_wanted() {
    let broken = fixture("validate/next-names-no-state/template.yaml");
    for (arguments, environment, coloured) in [
        (vec![], vec![], false),
        (vec!["--color", "always"], vec![], true),
        (vec!["--color", "never"], vec![("CLICOLOR_FORCE", "1")], false),
        (vec![], vec![("CLICOLOR_FORCE", "1")], true),
        (vec![], vec![("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (vec!["--color", "auto"], vec![("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        // What is asked for on the command line counts more than the environment.
        (vec!["--color", "always"], vec![("NO_COLOR", "1")], true),
    ] {
        for template in [broken.clone(), project().join("template.yaml")] {
            let mut command = validate(&template);
            for argument in &arguments {
                command = command.arg(argument);
            }
            for (name, value) in &environment {
                command = command.env(name, value);
            }
            let stderr = command.run().stderr;
            assert_eq!(stderr.contains("\u{1b}["), coloured, "{arguments:?} {environment:?}: {stderr:?}");
        }
    }
}

#[test]
fn what_a_service_refuses_is_refused_before_anything_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template.yaml");
    for (resource, told) in [
        (
            "{Type: AWS::Events::Rule, Properties: {Name: hourly, ScheduleExpression: rate(1 hours), Targets: []}}",
            "the rule hourly: Parameter ScheduleExpression is not valid. It is rate(1 hours).",
        ),
        (
            "{Type: AWS::DynamoDB::Table, Properties: {TableName: orders, BillingMode: PAY_PER_REQUEST, \
             AttributeDefinitions: [], KeySchema: [{AttributeName: id, KeyType: HASH}]}}",
            "the table orders: ",
        ),
        ("{Type: AWS::SQS::Queue, Properties: {QueueName: my.queue}}", "the queue my.queue: "),
    ] {
        fs::write(&template, format!("Resources:\n  One: {resource}\n")).unwrap();
        let refused = validate(&template).run().expect(1);
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
        assert!(refused.stderr.contains("has 1 error"), "{}", refused.stderr);
    }
}
