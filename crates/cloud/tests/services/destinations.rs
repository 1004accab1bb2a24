//! What becomes of events that functions are invoked with.

use cloud::lambda::InvokeOptions;
use sam::{Application, EventInvoke, Target};
use serde_json::{Value, json};

use crate::{
    lambda_support::function,
    support::{Client, arn, cloud, next_body, queue},
};

#[tokio::test]
async fn destinations_are_told_and_dead_letters_kept() {
    let to = |name: &str| Some(Target::Queue(arn("sqs", name)));
    let mut described = function();
    described.event_invoke = EventInvoke {
        max_age: None,
        max_retries: Some(0),
        on_success: to("done"),
        on_failure: to("failed"),
        dead_letters: to("dead"),
    };
    let queues = ["done", "failed", "dead"].map(|name| queue(name, &[])).to_vec();
    let cloud = cloud(&Application { functions: vec![described], queues, ..Application::default() }).await;
    for deed in ["process", "error"] {
        let payload = json!({ "do": deed }).to_string();
        cloud.lambda().invoke_event("Deeds", payload.into(), InvokeOptions::default()).unwrap();
    }
    let done: Value = serde_json::from_str(&next_body(&cloud, "done").await).unwrap();
    assert_eq!(done["requestContext"]["condition"], "Success");
    assert_eq!(done["requestPayload"], json!({ "do": "process" }));
    assert!(done["responsePayload"].is_number(), "{done}");
    let failed: Value = serde_json::from_str(&next_body(&cloud, "failed").await).unwrap();
    assert_eq!(failed["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(failed["requestContext"]["approximateInvokeCount"], 1);
    assert_eq!(failed["requestContext"]["functionArn"], arn("lambda", "function:Deeds:$LATEST"));
    assert_eq!(failed["responseContext"]["functionError"], "Unhandled");
    assert_eq!(failed["responsePayload"]["errorType"], "OutOfStock");
    let request = json!({ "QueueUrl": "0/dead", "WaitTimeSeconds": 20, "MessageAttributeNames": ["All"] });
    let dead = Client { cloud: &cloud, target: "AmazonSQS" }.call("ReceiveMessage", request).await;
    let message = &dead["Messages"][0];
    assert_eq!(message["Body"], json!({ "do": "error" }).to_string());
    assert_eq!(message["MessageAttributes"]["ErrorMessage"]["StringValue"], "there is none left");
    assert_eq!(message["MessageAttributes"]["RequestID"]["StringValue"], failed["requestContext"]["requestId"]);
    cloud.shutdown().await;
}
