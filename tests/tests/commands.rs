//! `stairwell run`, `invoke` and `--help`: exit status, standard output, standard error.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
};

use end_to_end::{Command, data::level, fixture, project};
use serde_json::{Value, json};

fn run(machine: &str, input: &str) -> Command {
    Command::new(["run", machine, "--ephemeral", "--input", input])
}

fn invoke(function: &str, event: &str) -> Command {
    Command::new(["invoke", function, "--ephemeral", "-e", event])
}

#[test]
fn run_writes_the_output_and_nothing_else() {
    let finished = run("GameCompletion", "events/game-completion/level.json").run().expect(0);
    assert_eq!(finished.json()["Message"], "Level completed");
    for line in ["GameCompletion  ✓ Gen Report", "GameCompletion  Gen Report │", "GameCompletion succeeded after"] {
        assert!(finished.stderr.contains(line), "{line}: {}", finished.stderr);
    }
}

#[test]
fn run_takes_its_input_from_a_file_an_argument_or_standard_input() {
    let echo = |input: &str| {
        let template = fixture("waiting/template.yaml");
        Command::new(["run", "Echo", "--ephemeral", "--input", input, "-t"]).arg(template)
    };
    assert_eq!(echo(r#"{"a":[1,"ü"]}"#).run().expect(0).json(), json!({ "a": [1, "ü"] }));
    assert_eq!(echo("-").input(r#"{"b":2}"#).run().expect(0).json(), json!({ "b": 2 }));
    let file = "events/file-processing/large.json";
    assert_eq!(echo(file).run().expect(0).json(), json!({ "key": "incoming/large.csv" }));
}

#[test]
fn run_takes_a_definition_for_a_template() {
    let run = |machine: &str, file: &str| {
        Command::new(["run", machine, "--ephemeral", "--fast", "-t"])
            .arg(project().join("statemachines").join(file))
            .run()
    };
    let finished = run("hello-world", "hello-world.asl.json").expect(0);
    assert!(finished.stderr.contains("hello-world succeeded after 3.00 s virtual"), "{}", finished.stderr);
    let finished = run("file-processing", "file-processing.asl.json").expect(2);
    assert!(
        finished.stderr.contains("`${CheckSizeFunctionArn}`, for which only a template has a value"),
        "{}",
        finished.stderr
    );
}

#[test]
fn run_tells_machines_every_event() {
    let lines = run("GameCompletion", &level("json", "1").to_string()).arg("--json").run().expect(0).json_lines();
    let arn = &lines[0]["executionArn"];
    assert!(lines.iter().all(|line| line["executionArn"] == *arn));
    let events: Vec<&Value> = lines.iter().filter(|line| !line["event"].is_null()).map(|line| &line["event"]).collect();
    let ids: Vec<u64> = events.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=events.len() as u64).collect::<Vec<_>>());
    assert_eq!(events[0]["type"], "ExecutionStarted");
    assert_eq!(events[events.len() - 1]["type"], "ExecutionSucceeded");
    assert!(lines.iter().any(|line| line["state"] == "CWMetric" && line["log"].is_string()));
    let last = &lines[lines.len() - 1];
    assert_eq!([&last["status"], &last["output"]["Message"]], ["SUCCEEDED", "Level completed"]);
}

#[test]
fn run_exits_by_the_executions_status() {
    let missing = run("FileProcessing", "events/file-processing/missing.json").run().expect(1);
    assert_eq!(missing.stdout, "");
    assert!(missing.stderr.contains("FileProcessing failed after"), "{}", missing.stderr);
    assert!(missing.stderr.contains("ObjectNotFound"), "{}", missing.stderr);
    // However often the error comes up.
    assert_eq!(missing.stderr.matches("does not exist").count(), 1, "{}", missing.stderr);

    let lines = run("FileProcessing", "events/file-processing/missing.json").arg("--json").run().expect(1).json_lines();
    let last = &lines[lines.len() - 1];
    assert_eq!([&last["status"], &last["error"]], ["FAILED", "ObjectNotFound"]);
}

#[test]
fn what_cannot_be_carried_out_is_told_with_what_can() {
    let waiting = fixture("waiting/template.yaml");
    let waiting = waiting.to_str().unwrap();
    for (arguments, named) in [
        (vec!["run", "Nobody", "--ephemeral"], vec!["state machine 'Nobody'", "FileProcessing, GameCompletion"]),
        (vec!["run", "Nobody", "--ephemeral", "-t", waiting], vec!["Waiting, Echo"]),
        (vec!["run", "FileProcessing", "--ephemeral", "--input", "{"], vec!["not JSON", "line 1 column 1"]),
        (vec!["run", "FileProcessing", "--ephemeral", "--input", "no-such-file.json"], vec!["no-such-file.json"]),
        (vec!["run", "FileProcessing", "--ephemeral", "--name", "a b"], vec!["InvalidName", "a b"]),
        (vec!["run", "FileProcessing", "--ephemeral", "--mocks", "no.json"], vec!["no.json", "MockConfigFile.json"]),
        (vec!["invoke", "Nobody", "--ephemeral"], vec!["function 'Nobody'", "CheckSizeFunction"]),
        (
            vec!["invoke", "FileProcessing", "--ephemeral"],
            vec!["'FileProcessing' is a state machine, and no function", "stairwell run FileProcessing --input JSON"],
        ),
        (
            vec!["run", "CheckSizeFunction", "--ephemeral"],
            vec!["'CheckSizeFunction' is a function, and no state machine", "invoke CheckSizeFunction --event JSON"],
        ),
        (vec!["demo", "nobody", "--ephemeral"], vec!["workflow 'nobody'", "file-processing, game-completion"]),
        (vec!["up", "--ephemeral", "--data", "folder"], vec!["--ephemeral", "--data"]),
        (vec!["climb"], vec!["climb", "--help"]),
        (vec!["run", "FileProcesing", "--ephemeral"], vec!["did you mean 'FileProcessing'?"]),
        (vec!["invoke", "checksizefunction", "--ephemeral"], vec!["did you mean 'CheckSizeFunction'?"]),
        (vec!["demo", "game-complete", "--ephemeral"], vec!["did you mean 'game-completion'?"]),
    ] {
        let finished = Command::new(&arguments).run().expect(2);
        assert_eq!(finished.stdout, "", "{arguments:?}");
        for named in named {
            assert!(finished.stderr.contains(named), "{arguments:?}, {named}: {}", finished.stderr);
        }
    }
}

#[test]
fn invoke_writes_the_functions_answer() {
    let answered = invoke("UpdateCompletedLevelFunction", "events/update-completed-level/level.json").run().expect(0);
    assert_eq!(answered.json(), json!({ "user_id": "12345678901234567890", "level": "3", "changed": true }));
    assert!(answered.stderr.contains("│"), "{}", answered.stderr);

    let failed = invoke("CheckSizeFunction", "events/check-size/object.json").run().expect(1);
    assert_eq!(failed.json()["errorType"], "ObjectNotFound");
    assert!(failed.stderr.contains("does not exist"), "{}", failed.stderr);

    let raw = invoke("CheckSizeFunction", "-").input(r#"{"key":"a"}"#).arg("--raw-log").run().expect(1);
    assert!(raw.stderr.lines().any(|line| line.starts_with('{') && line.contains("request_id")), "{}", raw.stderr);
}

/// A function that writes to its log what the test says, and answers when the test does.
#[test]
fn the_log_of_a_function_is_shown_while_it_runs_and_whole() {
    const LINES: usize = 12_000;
    let asked = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = asked.local_addr().unwrap().port();
    let mut invoked = invoke("AskFunction", &port.to_string()).arg("-t").arg(fixture("journal/template.yaml")).spawn();
    let (mut function, _) = asked.accept().unwrap();
    writeln!(function, "log first").unwrap();
    let mut told = BufReader::new(invoked.stderr.take().unwrap()).lines().map(Result::unwrap);
    // It has no answer yet, nor may it get one before this line is shown.
    assert!(told.any(|line| line == "│ log first"));
    let lines = (1..=LINES).map(|number| format!("log {number}")).collect::<Vec<_>>().join("\n");
    function.write_all(format!("{lines}\n\"done\"\n").as_bytes()).unwrap();
    let told: Vec<String> = told.collect();
    assert_eq!(told, (1..=LINES).map(|number| format!("│ log {number}")).collect::<Vec<_>>());
    let mut answer = String::new();
    invoked.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert_eq!((invoked.wait().unwrap().code(), answer.as_str()), (Some(0), "\"done\"\n"));
}

/// An application of two functions, which Cargo builds, and a state machine for each that calls it. None of the functions
/// compiles.
fn functions_that_do_not_compile(folder: &Path) {
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let machines = ["One", "Other"].map(|name| {
        let package = name.to_lowercase();
        let manifest = format!("[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        write(&format!("{package}/Cargo.toml"), &manifest);
        write(&format!("{package}/src/main.rs"), "fn main() { no_such_thing() }\n");
        format!(
            "  {name}Function:
    Type: AWS::Serverless::Function
    Metadata: {{BuildMethod: rust-cargolambda}}
    Properties: {{CodeUri: {package}, Handler: bootstrap, Runtime: provided.al2023}}
  {name}:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionSubstitutions: {{Function: !GetAtt {name}Function.Arn}}
      Definition:
        StartAt: Is
        States:
          Is:
            Type: Choice
            Default: Done
            Choices: [{{Variable: $.call, IsPresent: true, Next: Call}}]
          Call: {{Type: Task, Resource: \"${{Function}}\", End: true}}
          Done: {{Type: Succeed}}
"
        )
    });
    let any = "  Any:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: Call
        States:
          Call: {Type: Task, Resource: arn:aws:states:::lambda:invoke, Parameters: {FunctionName.$: $.function}, End: true}
";
    write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"one\", \"other\"]\n");
    let template = format!("Transform: AWS::Serverless-2016-10-31\nResources:\n{}{any}", machines.concat());
    write("template.yaml", &template);
}

#[test]
fn a_command_builds_what_it_needs_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    functions_that_do_not_compile(folder.path());
    let of = |arguments: &[&str]| Command::new(arguments).arg("--ephemeral").folder(folder.path()).run();

    // Whatever the execution does then: what its definition names is built first.
    for (arguments, function) in [
        (["run", "One", "--input", "{}"], "OneFunction"),
        (["run", "Other", "--input", "{}"], "OtherFunction"),
        (["invoke", "OtherFunction", "-e", "{}"], "OtherFunction"),
    ] {
        let refused = of(&arguments).expect(2);
        assert!(refused.stderr.contains(&format!("{function}: package")), "{}", refused.stderr);
        assert!(refused.stderr.contains("cannot find function `no_such_thing`"), "{}", refused.stderr);
        assert!(!refused.stderr.contains("OneFunction") || function == "OneFunction", "{}", refused.stderr);
    }

    // What it names by its input is built when it is called.
    let called = of(&["run", "Any", "--input", r#"{"function": "OneFunction"}"#]).expect(1);
    assert!(called.stderr.contains("does not compile"), "{}", called.stderr);
    fs::write(folder.path().join("one/src/main.rs"), "fn main() { println!(\"it has begun\"); }").unwrap();
    let called = of(&["run", "Any", "--input", r#"{"function": "OneFunction"}"#]).expect(1);
    for line in ["✓ Built OneFunction, 1 target", "it has begun", "Runtime.ExitError"] {
        assert!(called.stderr.contains(line), "{line}: {}", called.stderr);
    }
}

#[test]
fn every_event_of_a_function_is_understood() {
    for (function, event, status, field, value) in [
        ("GenerateReportFunction", "generate-report/level", 0, "textKey", json!("12345678901234567890_report_3.txt")),
        ("UpdateCompletedGameFunction", "update-completed-game/last-level", 0, "changed", json!(true)),
        ("LogMetricFunction", "log-metric/level", 0, "namespace", json!("FLOW")),
        ("ProcessFileFunction", "process-file/object", 1, "errorType", json!("ObjectNotFound")),
    ] {
        let finished = invoke(function, &format!("events/{event}.json")).run().expect(status);
        assert_eq!(finished.json()[field], value, "{function}: {}", finished.stdout);
    }
}

#[test]
fn help_tells_the_commands_the_exit_status_and_the_port() {
    let help = Command::new(["--help"]).run().expect(0).stdout;
    for word in
        ["demo", "up", "run", "invoke", "validate", "replay", "record", "completions", "Exit status: 0", "NO_COLOR"]
    {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(Command::new(["up", "--help"]).run().expect(0).stdout.contains("[default: 4566]"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(Command::new(["completions", shell].map(OsStr::new)).run().expect(0).stdout.contains("stairwell"));
    }
}

#[test]
fn reset_removes_what_was_kept_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let reset = |folder: &std::path::Path| Command::new(["reset", "--data"]).arg(folder).run().expect(0).stderr;
    assert!(reset(&data).contains("There is no data in"));
    let template = fixture("waiting/template.yaml");
    Command::new(["run", "Echo", "--input", "{}", "-t"]).arg(template).arg("--data").arg(&data).run().expect(0);
    assert!(data.is_dir());
    assert!(reset(&data).contains("is removed"));
    assert!(!data.exists());
    // A folder that no runner has used is left alone, and gets no data that would make it one.
    std::fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    assert!(reset(folder.path()).contains("There is no data in"));
    let template = fixture("waiting/template.yaml");
    let run = Command::new(["run", "Echo", "-t"]).arg(template).arg("--data").arg(folder.path()).run().expect(2);
    assert!(run.stderr.contains("has files that are no data of a local cloud"), "{}", run.stderr);
    assert!(reset(folder.path()).contains("There is no data in"));
    assert_eq!(folder.path().read_dir().unwrap().count(), 1);
}
