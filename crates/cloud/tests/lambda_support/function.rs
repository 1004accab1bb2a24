//! The function that the tests invoke. It does what its payload says: `{"do": "echo"}` answers the payload.
//!
//! It is a part of each test binary, which the script `bootstrap` runs once more for it. So the function is built with
//! its tests, and with nothing beside them.

use std::{
    collections::BTreeMap,
    env,
    io::{self, Read, Write},
    net::TcpStream,
    process,
};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "not a test: the function that the tests invoke"]
async fn main() {
    if env::var_os("FAIL_AT_START").is_some() {
        eprintln!("cannot start: FAIL_AT_START is set");
        process::exit(3);
    }
    println!("started");
    lambda_runtime::run(service_fn(act)).await.unwrap();
}

async fn act(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let (payload, context) = event.into_parts();
    // A batch says in its first message what is to be done.
    let record = &payload["Records"][0];
    let first = record["body"].as_str().or(record["Sns"]["Message"].as_str()).or(payload["body"].as_str());
    let first = first.and_then(|body| serde_json::from_str::<Value>(body).ok());
    let deed = first.as_ref().and_then(|body| body["do"].as_str()).or(payload["do"].as_str());
    let deed = deed.or(record["dynamodb"]["NewImage"]["do"]["S"].as_str());
    match deed.unwrap_or("echo") {
        "echo" => Ok(payload),
        "error" => {
            Err(Diagnostic { error_type: "OutOfStock".to_owned(), error_message: "there is none left".to_owned() })
        }
        "panic" => panic!("on purpose"),
        "exit" => process::exit(7),
        "abort" => process::abort(),
        "hang" => std::future::pending().await,
        "big" => Ok(Value::String("x".repeat(7 * 1024 * 1024))),
        "log" => {
            println!("out {}", payload["text"]);
            eprintln!("err {}", payload["text"]);
            print!("unfinished");
            io::stdout()
                .flush()
                .map_err(|error| Diagnostic { error_type: "Io".to_owned(), error_message: error.to_string() })?;
            Ok(Value::Null)
        }
        "respond" => Ok(json!({
            "statusCode": 201,
            "headers": { "x-one": "a" },
            "multiValueHeaders": { "x-many": ["b", "c"] },
            "body": payload.to_string(),
        })),
        "show" => {
            println!("{payload}");
            Ok(Value::Null)
        }
        "refuse the last" => {
            let last = payload["Records"].as_array().and_then(|records| records.last()).map(|last| &last["messageId"]);
            Ok(json!({ "batchItemFailures": [{ "itemIdentifier": last }] }))
        }
        "process" => Ok(json!(process::id())),
        "environment" => Ok(json!(env::vars().collect::<BTreeMap<_, _>>())),
        "context" => Ok(json!({
            "requestId": context.request_id,
            "arn": context.invoked_function_arn,
            "deadline": context.deadline,
            "traceId": context.xray_trace_id,
            "clientContext": context.client_context,
            "folder": env::current_dir().ok(),
        })),
        "meet" => meet(payload["at"].as_str().unwrap_or_default())
            .map_err(|error| Diagnostic { error_type: "NoMeeting".to_owned(), error_message: error.to_string() }),
        other => Err(Diagnostic { error_type: "UnknownDeed".to_owned(), error_message: other.to_owned() }),
    }
}

/// Connects, and waits until the other side says something.
fn meet(address: &str) -> io::Result<Value> {
    let mut stream = TcpStream::connect(address)?;
    stream.read_exact(&mut [0])?;
    Ok(json!("met"))
}
