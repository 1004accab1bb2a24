//! The handler with the real client against a stand-in for DynamoDB.

use function_kit::testing::{self, Reply, Stub, unreachable_sdk_config};
use function_kit::{Environment, Failure};
use serde_json::{Value, json};

use crate::{AssignCase, handle};

const SETTINGS: [(&str, &str); 3] = [("AGENTS", "grace,ada"), ("CASES_TABLE", "cases"), ("AGENTS_TABLE", "agents")];

fn event() -> Value {
    serde_json::from_str(include_str!("../../../events/assign-case/case-001.json")).unwrap()
}

async fn invoke(stub: &Stub, payload: Value) -> Result<Value, Failure> {
    let function = AssignCase::new(&Environment::of(SETTINGS), &stub.sdk_config()).unwrap();
    testing::invoke(&function, handle, payload).await
}

/// The answer to `GetItem`: the case, opened by the event's execution.
fn case() -> Reply {
    Reply::json(200, json!({"Item": {"execution": {"S": event()["execution"]}}}))
}

/// The answer to `BatchGetItem`.
fn open_cases(counts: &[(&str, u64)]) -> Reply {
    let item = |(agent, open): &(&str, u64)| json!({"agent_id": {"S": agent}, "open_cases": {"N": open.to_string()}});
    let items: Vec<Value> = counts.iter().map(item).collect();
    Reply::json(200, json!({"Responses": {"agents": items}, "UnprocessedKeys": {}}))
}

fn done() -> Reply {
    Reply::json(200, json!({}))
}

fn cancelled(codes: [&str; 2]) -> Reply {
    let reasons: Vec<Value> = codes.iter().map(|code| json!({"Code": code})).collect();
    let answer =
        json!({"__type": "TransactionCanceledException", "message": "cancelled", "CancellationReasons": reasons});
    Reply::json(400, answer)
}

#[tokio::test]
async fn an_assignment_has_one_token_wherever_it_is_tried() {
    let mut tokens = Vec::new();
    for open in [2, 2, 3] {
        let stub = Stub::scripted([case(), open_cases(&[("grace", 9), ("ada", open)]), done()]).await;
        invoke(&stub, event()).await.unwrap();
        tokens.push(stub.requests()[2].json()["ClientRequestToken"].as_str().unwrap().to_owned());
    }
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[0], tokens[2]);
    assert!(tokens.iter().all(|token| token.len() == 32), "{tokens:?}");
}

#[tokio::test]
async fn the_least_busy_agent_gets_the_case_and_is_counted_for_it() {
    let stub = Stub::scripted([case(), open_cases(&[("grace", 3), ("ada", 2)]), done()]).await;
    assert_eq!(invoke(&stub, event()).await.unwrap(), json!({"Agent": "ada"}));

    let requests = stub.requests();
    let operations: Vec<_> = requests.iter().map(|request| request.operation()).collect();
    assert_eq!(operations, ["GetItem", "BatchGetItem", "TransactWriteItems"]);
    assert_eq!(requests[0].json()["ConsistentRead"], true);
    let read = &requests[1].json()["RequestItems"]["agents"];
    assert_eq!(read["Keys"], json!([{"agent_id": {"S": "grace"}}, {"agent_id": {"S": "ada"}}]));
    assert_eq!(read["ConsistentRead"], true);
    assert_eq!(
        requests[2].json()["TransactItems"],
        json!([
            {"Update": {
                "TableName": "cases",
                "Key": {"case_id": {"S": "001"}},
                "UpdateExpression": "SET agent_id = :agent, case_status = :assigned",
                "ConditionExpression": "execution = :execution AND attribute_not_exists(agent_id)",
                "ExpressionAttributeValues": {
                    ":agent": {"S": "ada"}, ":assigned": {"S": "assigned"}, ":execution": {"S": event()["execution"]},
                },
            }},
            {"Update": {
                "TableName": "agents",
                "Key": {"agent_id": {"S": "ada"}},
                "UpdateExpression": "SET open_cases = :more",
                "ConditionExpression": "open_cases = :open",
                "ExpressionAttributeValues": {":open": {"N": "2"}, ":more": {"N": "3"}},
            }},
        ])
    );
}

#[tokio::test]
async fn an_agent_who_is_not_in_the_table_has_no_open_case() {
    let stub = Stub::scripted([case(), open_cases(&[("grace", 1)]), done()]).await;
    assert_eq!(invoke(&stub, event()).await.unwrap(), json!({"Agent": "ada"}));
    let count = &stub.requests()[2].json()["TransactItems"][1]["Update"];
    assert_eq!(count["ConditionExpression"], "attribute_not_exists(open_cases) OR open_cases = :open");
    assert_eq!(count["ExpressionAttributeValues"], json!({":open": {"N": "0"}, ":more": {"N": "1"}}));
}

#[tokio::test]
async fn a_case_that_has_an_agent_keeps_it() {
    let item = json!({"execution": {"S": event()["execution"]}, "agent_id": {"S": "linus"}});
    let stub = Stub::scripted([Reply::json(200, json!({"Item": item}))]).await;
    assert_eq!(invoke(&stub, event()).await.unwrap(), json!({"Agent": "linus"}));
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn numbers_that_have_changed_are_read_once_more() {
    for codes in [["None", "ConditionalCheckFailed"], ["TransactionConflict", "None"]] {
        let second = open_cases(&[("grace", 1)]);
        let stub = Stub::scripted([case(), open_cases(&[]), cancelled(codes), case(), second, done()]).await;
        assert_eq!(invoke(&stub, event()).await.unwrap(), json!({"Agent": "ada"}), "{codes:?}");
    }
}

#[tokio::test]
async fn too_many_assignments_at_once_are_told() {
    let mut turn = 0;
    let stub = Stub::replying(move |_| {
        turn += 1;
        match turn % 3 {
            1 => case(),
            2 => open_cases(&[]),
            _ => cancelled(["None", "ConditionalCheckFailed"]),
        }
    });
    let stub = stub.await;
    assert_eq!(invoke(&stub, event()).await.unwrap_err().name, "TooManyAssignments");
    assert_eq!(stub.requests().len(), 30);
}

#[tokio::test]
async fn a_case_of_another_execution_is_not_found() {
    for answer in [json!({}), json!({"Item": {"execution": {"S": "arn:other"}, "agent_id": {"S": "ada"}}})] {
        let stub = Stub::scripted([Reply::json(200, answer)]).await;
        let failure = invoke(&stub, event()).await.unwrap_err();
        let message = "the execution has opened no case 001".to_owned();
        assert_eq!(failure, Failure { name: "CaseNotFound", message });
    }
}

#[tokio::test]
async fn what_dynamodb_answers_has_a_name() {
    for before in [vec![], vec![case()], vec![case(), open_cases(&[])]] {
        for (reply, name) in testing::dynamodb_failures() {
            let stub = Stub::scripted(before.iter().cloned().chain([reply.clone()])).await;
            assert_eq!(invoke(&stub, event()).await.unwrap_err().name, name, "{} {reply:?}", before.len());
        }
    }
    for (codes, name) in [
        (["ThrottlingError", "ConditionalCheckFailed"], "Throttled"),
        (["ProvisionedThroughputExceeded", "None"], "Throttled"),
        (["ValidationError", "None"], "ServiceRejected"),
    ] {
        let stub = Stub::scripted([case(), open_cases(&[]), cancelled(codes)]).await;
        assert_eq!(invoke(&stub, event()).await.unwrap_err().name, name, "{codes:?}");
    }
    let unread = json!({"Responses": {}, "UnprocessedKeys": {"agents": {"Keys": [{"agent_id": {"S": "ada"}}]}}});
    let stub = Stub::scripted([case(), Reply::json(200, unread)]).await;
    assert_eq!(invoke(&stub, event()).await.unwrap_err().name, "Throttled");
}

#[tokio::test]
async fn input_that_is_not_what_it_should_be_is_refused() {
    for (field, value) in [("Case", json!("a/b")), ("Case", json!(1)), ("execution", json!(null))] {
        let stub = Stub::scripted([]).await;
        let mut payload = event();
        payload[field] = value;
        let failure = invoke(&stub, payload).await.unwrap_err();
        assert_eq!(failure.name, "InvalidInput");
        assert!(failure.message.starts_with(field), "{failure:?}");
        assert!(stub.requests().is_empty());
    }
}

#[test]
fn a_setting_that_is_missing_or_wrong_is_an_error_at_the_start() {
    let new = |settings: Vec<(&str, &str)>| {
        AssignCase::new(&Environment::of(settings), &unreachable_sdk_config()).err().unwrap().to_string()
    };
    for (name, _) in SETTINGS {
        let others = SETTINGS.into_iter().filter(|(other, _)| *other != name).collect();
        assert!(new(others).contains(name), "{name}");
    }
    let error = new(vec![("AGENTS", "ada,ada")]);
    assert!(error.ends_with("separated by commas: ada is there twice"), "{error}");
}
