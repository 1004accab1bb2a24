//! The objects of a transcript. Of those that Map Runs read it shows how many items there were, but not the objects: others
//! with as many items are as good.

use asl::{Value, value::Object as Fields};

use super::transcript::{Call, Recorded};

/// An object in S3.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) text: String,
}

/// The object that an execution with this input reads, by a transcript's calls.
pub(super) fn read_by(input: &Value, calls: &[Call]) -> Option<Object> {
    let name = |key: &str| input.get(key).and_then(Value::as_str).map(str::to_owned);
    let text = text(input_type(calls)?, items(calls)?)?;
    Some(Object { bucket: name("Bucket")?, key: name("Key")?, text })
}

/// What `GetObject` tells of an object's content. When it was written, and the rest, is the bucket's own matter.
pub(super) fn as_read(answer: &Value) -> Value {
    const KEPT: &[&str] = &["AcceptRanges", "Body", "ContentLength", "ContentType", "ETag", "Metadata"];
    let Value::Object(fields) = answer else { return answer.clone() };
    let kept = fields.iter().filter(|(key, _)| KEPT.contains(&&***key));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Fields>().into()
}

/// How many items a Map Run had.
fn items(calls: &[Call]) -> Option<i64> {
    let described = calls.iter().filter(|call| call.op == "describe_map_run");
    let answers = described.flat_map(|call| call.recorded().unwrap_or_default());
    let counts = answers.filter_map(|answer| match answer {
        Recorded::Answer(answer) => answer.get("itemCounts")?.get("total")?.as_i64(),
        _ => None,
    });
    counts.max()
}

/// The `InputType` of the first `ItemReader` of the transcript's definitions.
fn input_type(calls: &[Call]) -> Option<&str> {
    calls.iter().filter_map(|call| call.request.get("definition")).find_map(reader_input_type)
}

fn reader_input_type(value: &Value) -> Option<&str> {
    match value {
        Value::Object(fields) => {
            let own =
                fields.get("ItemReader").and_then(|reader| reader.get("ReaderConfig")?.get("InputType")?.as_str());
            own.or_else(|| fields.values().find_map(reader_input_type))
        }
        Value::Array(items) => items.iter().find_map(reader_input_type),
        _ => None,
    }
}

fn text(input_type: &str, count: i64) -> Option<String> {
    let lines = || (0..count).flat_map(|number| [number.to_string(), "\n".to_owned()]).collect::<String>();
    match input_type {
        "CSV" => Some(format!("number\n{}", lines())),
        "JSONL" => Some(lines()),
        "JSON" => Some(Value::from((0..count).map(Value::from).collect::<Vec<_>>()).to_string()),
        _ => None,
    }
}
