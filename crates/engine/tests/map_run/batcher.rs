//! Items to the inputs of child executions.

use asl::{PAYLOAD_LIMIT, Value};
use engine::map_run::{ItemBatcher, one_by_one};

use crate::json;

fn batches(batcher: &ItemBatcher, items: &str) -> Vec<String> {
    let batches = batcher.batches(json(items).as_array().unwrap().to_vec()).unwrap();
    for batch in &batches {
        assert_eq!(batch.items, batch.input.get("Items").unwrap().as_array().unwrap().len() as u64);
    }
    batches.into_iter().map(|batch| batch.input.to_string()).collect()
}

#[test]
fn by_number() {
    let two = ItemBatcher { max_items: Some(2), ..ItemBatcher::default() };
    assert_eq!(batches(&two, "[1,2,3,4,5]"), [r#"{"Items":[1,2]}"#, r#"{"Items":[3,4]}"#, r#"{"Items":[5]}"#]);
    assert!(batches(&two, "[]").is_empty());
    let all = ItemBatcher { max_items: Some(0), ..ItemBatcher::default() };
    assert_eq!(batches(&all, "[1,2,3]"), [r#"{"Items":[1,2,3]}"#]);
}

#[test]
fn with_an_input_for_all() {
    let batcher = ItemBatcher {
        max_items: Some(1),
        max_bytes: None,
        batch_input: Some(json(r#"{"factCheck":"December 2022"}"#)),
    };
    assert_eq!(
        batches(&batcher, r#"["a","b"]"#),
        [
            r#"{"BatchInput":{"factCheck":"December 2022"},"Items":["a"]}"#,
            r#"{"BatchInput":{"factCheck":"December 2022"},"Items":["b"]}"#
        ]
    );
}

#[test]
fn by_bytes_exactly() {
    let items = r#"["é","b",{"c":1},"\n",22]"#;
    for (batch_input, shortest) in [(None, 19), (Some(json("7")), 34)] {
        for max_bytes in shortest..80 {
            let batcher = ItemBatcher { max_items: None, max_bytes: Some(max_bytes), batch_input: batch_input.clone() };
            let found = batches(&batcher, items);
            let mut rest = json(items).as_array().unwrap().to_vec();
            for (index, batch) in found.iter().enumerate() {
                let limit = usize::try_from(max_bytes).unwrap();
                assert!(batch.len() <= limit, "{max_bytes}: {batch}");
                let taken = json(batch).get("Items").unwrap().as_array().unwrap().len();
                rest.drain(..taken);
                if let Some(next) = rest.first() {
                    assert!(batch.len() + 1 + next.to_string().len() > limit, "{max_bytes}: batch {index} has room");
                }
            }
            assert!(rest.is_empty());
        }
    }
}

#[test]
fn both_limits_hold() {
    let batcher = ItemBatcher { max_items: Some(3), max_bytes: Some(19), batch_input: None };
    assert_eq!(
        batches(&batcher, "[1,2,3,4,55555,6,7]"),
        [r#"{"Items":[1,2,3]}"#, r#"{"Items":[4,55555]}"#, r#"{"Items":[6,7]}"#]
    );
}

#[test]
fn no_input_is_larger_than_a_payload() {
    let item = Value::from("x".repeat(100_000));
    let unlimited = ItemBatcher { max_items: None, max_bytes: Some(10_000_000), batch_input: None };
    let found = unlimited.batches(vec![item; 5]).unwrap();
    assert_eq!(found.iter().map(|batch| batch.items).collect::<Vec<_>>(), [2, 2, 1]);

    let largest = Value::from("x".repeat(PAYLOAD_LIMIT - 2));
    assert_eq!(one_by_one([largest.clone()]).unwrap()[0].input, largest);
    let too_large = [Value::from("x".repeat(PAYLOAD_LIMIT - 1))];
    for result in [one_by_one(too_large.clone()), unlimited.batches(too_large), unlimited.batches([largest])] {
        assert!(result.unwrap_err().is("States.DataLimitExceeded"));
    }
}
