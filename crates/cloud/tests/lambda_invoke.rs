//! Invocations of a real function: what it answers, and what is said when it fails.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

mod lambda_support;

use std::{collections::BTreeMap, fs, time::Duration};

use bytes::Bytes;
use cloud::lambda::{ConfigError, InvokeError, InvokeOptions, Lambda};
use lambda_support::{answer, config, error_of, file, function, invoke, json_of, lambda};
use serde_json::json;

#[tokio::test]
async fn a_function_gets_its_payload_and_answers() {
    let lambda = lambda();
    for payload in [json!({ "a": [1, 2.5, "ü"] }), json!({}), json!({ "deep": { "er": null } })] {
        assert_eq!(answer(&lambda, payload.clone()).await, payload);
    }
}

#[tokio::test]
async fn an_empty_payload_is_an_empty_object() {
    let invocation = lambda().invoke("Deeds", Bytes::new(), InvokeOptions::default()).await.unwrap();
    assert_eq!(json_of(&invocation), json!({}));
}

#[tokio::test]
async fn a_function_is_found_by_each_of_its_names() {
    let lambda = lambda();
    let arn = function().arn;
    for name in ["Deeds", "Deeds:$LATEST", "Deeds:live", &format!("{}:function:Deeds", sam::ACCOUNT), &arn] {
        lambda.invoke(name, Bytes::new(), InvokeOptions::default()).await.unwrap();
    }
    for (name, asked) in [
        ("Others", format!("arn:aws:lambda:{}:{}:function:Others", sam::REGION, sam::ACCOUNT)),
        ("Deeds:blue", format!("{arn}:blue")),
        ("arn:aws:lambda:mars-1:1:function:Deeds", "arn:aws:lambda:mars-1:1:function:Deeds".to_owned()),
    ] {
        let error = lambda.invoke(name, Bytes::new(), InvokeOptions::default()).await.unwrap_err();
        assert_eq!(error, InvokeError::ResourceNotFound { arn: asked });
    }
}

#[tokio::test]
async fn an_error_of_the_function_is_given_as_it_is() {
    let lambda = lambda();
    let (kind, message) = error_of(&invoke(&lambda, json!({ "do": "error" })).await);
    assert_eq!((kind.as_str(), message.as_str()), ("OutOfStock", "there is none left"));
    let (_, message) = error_of(&invoke(&lambda, json!({ "do": "panic" })).await);
    assert_eq!(message, "Lambda panicked: on purpose");
}

#[tokio::test]
async fn a_process_that_ends_is_an_error_and_the_next_invocation_has_a_new_one() {
    let lambda = lambda();
    for (deed, reason) in [("exit", "exit status 7"), ("abort", "signal: aborted")] {
        let invocation = invoke(&lambda, json!({ "do": deed })).await;
        let (kind, message) = error_of(&invocation);
        assert_eq!(kind, "Runtime.ExitError");
        let expected = format!("RequestId: {} Error: Runtime exited with error: {reason}", invocation.request_id);
        assert!(message.starts_with(&expected), "{message}");
        assert_eq!(answer(&lambda, json!({ "x": 1 })).await, json!({ "x": 1 }));
    }
}

#[tokio::test]
async fn a_late_function_is_killed_and_the_next_invocation_has_a_new_one() {
    let mut late = function();
    late.timeout = Duration::from_secs(1);
    let lambda = Lambda::new(config(vec![late])).unwrap();
    let before = answer(&lambda, json!({ "do": "process" })).await;
    let invocation = invoke(&lambda, json!({ "do": "hang" })).await;
    let (kind, message) = error_of(&invocation);
    assert_eq!(kind, "Sandbox.Timedout");
    assert_eq!(message, format!("RequestId: {} Error: Task timed out after 1.00 seconds", invocation.request_id));
    assert_ne!(answer(&lambda, json!({ "do": "process" })).await, before);
}

#[tokio::test]
async fn a_response_above_the_limit_is_an_error_and_the_process_lives_on() {
    let lambda = lambda();
    let before = answer(&lambda, json!({ "do": "process" })).await;
    let (kind, message) = error_of(&invoke(&lambda, json!({ "do": "big" })).await);
    assert_eq!(kind, "Function.ResponseSizeTooLarge");
    assert_eq!(message, "Response payload size exceeded maximum allowed payload size (6291556 bytes).");
    assert_eq!(answer(&lambda, json!({ "do": "process" })).await, before);
}

#[tokio::test]
async fn a_payload_above_the_limit_is_refused() {
    let lambda = lambda();
    let largest = 6 * 1024 * 1024;
    let text = |length: usize| Bytes::from(format!("\"{}\"", "x".repeat(length - 2)));
    let error = lambda.invoke("Deeds", text(largest + 1), InvokeOptions::default()).await.unwrap_err();
    assert_eq!(error, InvokeError::RequestTooLarge { limit: largest });
    let error = lambda.invoke_event("Deeds", text(1024 * 1024 + 1), InvokeOptions::default()).unwrap_err();
    assert_eq!(error, InvokeError::RequestTooLarge { limit: 1024 * 1024 });
    let whole = lambda.invoke("Deeds", text(largest), InvokeOptions::default()).await.unwrap();
    assert_eq!(whole.payload.len(), largest);
}

#[tokio::test]
async fn options_that_fit_into_no_header_are_refused() {
    let options = InvokeOptions { client_context: Some("{\n}".to_owned()), ..InvokeOptions::default() };
    let error = lambda().invoke("Deeds", Bytes::new(), options).await.unwrap_err();
    assert_eq!(error, InvokeError::InvalidOption { option: "client context" });
}

#[tokio::test]
async fn a_function_that_does_not_start_says_so() {
    let mut broken = function();
    broken.environment.insert("FAIL_AT_START".to_owned(), "yes".to_owned());
    let lambda = Lambda::new(config(vec![broken])).unwrap();
    let invocation = invoke(&lambda, json!({})).await;
    let (kind, message) = error_of(&invocation);
    assert_eq!(kind, "Runtime.ExitError");
    assert!(message.ends_with("Error: Runtime exited with error: exit status 3"), "{message}");
    let tail = String::from_utf8(invocation.log_tail.to_vec()).unwrap();
    assert!(tail.contains("cannot start: FAIL_AT_START is set"), "{tail}");
}

#[tokio::test]
async fn an_executable_that_is_none_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = function();
    let path = folder.path().join("bootstrap");
    spec.code = sam::Code::Bootstrap { path: path.clone() };
    let lambda = Lambda::new(config(vec![spec.clone()])).unwrap();
    let invocation = invoke(&lambda, json!({})).await;
    let (kind, message) = error_of(&invocation);
    assert_eq!(kind, "Runtime.InvalidEntrypoint");
    let reason = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
    assert_eq!(message, format!("RequestId: {} Error: {reason}", invocation.request_id));
    // A text that nobody may execute.
    fs::write(&path, "no program").unwrap();
    let lambda = Lambda::new(config(vec![spec])).unwrap();
    let (kind, message) = error_of(&invoke(&lambda, json!({})).await);
    assert_eq!(kind, "Runtime.InvalidEntrypoint");
    assert!(message.contains("bootstrap: Permission denied"), "{message}");
}

#[tokio::test]
async fn a_start_that_is_reported_as_failed_is_the_answer() {
    let mut spec = function();
    spec.code = sam::Code::Bootstrap { path: file("broken_bootstrap") };
    let lambda = Lambda::new(config(vec![spec])).unwrap();
    let (kind, message) = error_of(&invoke(&lambda, json!({})).await);
    assert_eq!((kind.as_str(), message.as_str()), ("Config", "no settings"));
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_given_as_it_is() {
    let mut spec = function();
    spec.code = sam::Code::Bootstrap { path: file("garbage_bootstrap") };
    let lambda = Lambda::new(config(vec![spec])).unwrap();
    for _ in 0..2 {
        let invocation = invoke(&lambda, json!({ "a": "b" })).await;
        assert_eq!((&*invocation.payload, invocation.failed), (b"<not JSON".as_slice(), false));
    }
}

#[tokio::test]
async fn a_function_sees_its_context() {
    let lambda = lambda();
    let options = InvokeOptions {
        trace_id: Some("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1".to_owned()),
        client_context: Some(r#"{"custom":{"a":"b"}}"#.to_owned()),
        request_id: Some("8f5d8a3c-0000-4000-8000-000000000000".to_owned()),
    };
    let payload = Bytes::from_static(br#"{"do":"context"}"#);
    let invocation = lambda.invoke("Deeds", payload, options.clone()).await.unwrap();
    let context = json_of(&invocation);
    assert_eq!(context["requestId"], json!(options.request_id));
    assert_eq!(Some(invocation.request_id), options.request_id);
    assert_eq!(context["arn"], json!(function().arn));
    assert_eq!(context["traceId"], json!(options.trace_id));
    assert_eq!(context["clientContext"]["custom"], json!({ "a": "b" }));
    let folder = file(".").canonicalize().unwrap();
    assert_eq!(context["folder"], json!(folder));
}

#[tokio::test]
async fn the_environment_is_lambdas_and_the_templates_and_nothing_of_the_users() {
    let mut spec = function();
    spec.environment.insert("TABLE".to_owned(), "Levels".to_owned());
    spec.log_group = "/games/levels".to_owned();
    spec.log_format = sam::LogFormat::Json { level: "DEBUG".to_owned() };
    let mut config = config(vec![spec]);
    config.environment = BTreeMap::from([("RUST_LOG".to_owned(), "debug".to_owned())]);
    let credentials = config.credentials.clone();
    let lambda = Lambda::new(config).unwrap();
    let environment = answer(&lambda, json!({ "do": "environment" })).await;
    let expected = [
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id.as_str()),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_DEFAULT_REGION", sam::REGION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_NAME", "Deeds"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/games/levels"),
        ("AWS_LAMBDA_LOG_LEVEL", "DEBUG"),
        ("AWS_REGION", sam::REGION),
        ("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key),
        ("AWS_SESSION_TOKEN", &credentials.session_token),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
        ("RUST_LOG", "debug"),
        ("TABLE", "Levels"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
    ];
    for (name, value) in expected {
        assert_eq!(environment[name], json!(value), "{name}");
    }
    let varying = [
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "HOME",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_X_AMZN_TRACE_ID",
    ];
    // What the shell of the test's bootstrap adds, and what makes it the function.
    let tests_own = ["OLDPWD", "PWD", "SHLVL", "TEST_BINARY", "_"];
    let known = |name: &&String| {
        expected.iter().map(|(name, _)| *name).chain(varying).chain(tests_own).any(|known| known == name.as_str())
    };
    let leaked: Vec<&String> = environment.as_object().unwrap().keys().filter(|name| !known(name)).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    assert_ne!(environment["HOME"], json!(std::env::var("HOME").unwrap_or_default()));
    assert_eq!(fs::read_dir(environment["HOME"].as_str().unwrap()).unwrap().count(), 0);
    assert_eq!(environment["_X_AMZN_TRACE_ID"].as_str().map(|id| &id[..7]), Some("Root=1-"));
}

#[test]
fn a_variable_of_lambdas_own_is_refused_in_the_template() {
    let mut spec = function();
    spec.environment = BTreeMap::from([("AWS_REGION".to_owned(), "eu-west-1".to_owned())]);
    let error = Lambda::new(config(vec![spec])).unwrap_err();
    assert!(matches!(error, ConfigError::ReservedVariable { variable, .. } if variable == "AWS_REGION"));
}

#[test]
fn two_functions_of_one_name_are_refused() {
    let error = Lambda::new(config(vec![function(), function()])).unwrap_err();
    assert!(matches!(error, ConfigError::DuplicateName(name) if name == "Deeds"));
}
