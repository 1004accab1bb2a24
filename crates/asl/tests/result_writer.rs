//! What a `ResultWriter` field may say.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

use asl::{
    Value,
    distributed::{OutputType, Transformation, WriterConfig},
};

fn json(text: &str) -> Value {
    Value::parse(text).unwrap()
}

#[test]
fn what_a_result_writer_may_say() {
    use WriterConfig::{Export, State};
    const PUT: Option<&str> = Some("arn:aws:states:::s3:putObject");
    for (resource, config, expected) in [
        (PUT, "", Ok(Export(Transformation::None, OutputType::Json))),
        (PUT, "{}", Ok(Export(Transformation::None, OutputType::Json))),
        (
            PUT,
            r#"{"Transformation":"FLATTEN","OutputType":"JSONL"}"#,
            Ok(Export(Transformation::Flatten, OutputType::Jsonl)),
        ),
        (None, r#"{"Transformation":"NONE","OutputType":"JSON"}"#, Ok(State(Transformation::None))),
        (None, r#"{"OutputType":"JSON"}"#, Ok(State(Transformation::Compact))),
        (None, "", Err(": These fields are required: [WriterConfig] or [Resource, Parameters]")),
        (
            None,
            r#"{"OutputType":"JSONL"}"#,
            Err("WriterConfig/OutputType: A state's result can't be JSONL: results must be exported"),
        ),
        (
            Some("arn:aws:states:::s3:getObject"),
            "",
            Err("Resource: The resource provided arn:aws:states:::s3:getObject is not recognized"),
        ),
        (PUT, "[]", Err("WriterConfig: Expected value of type [OBJECT]")),
        (
            PUT,
            r#"{"Transformation":"ZIP"}"#,
            Err("WriterConfig/Transformation: Value should be one of the following: [NONE, COMPACT, FLATTEN]"),
        ),
        (
            PUT,
            r#"{"OutputType":"CSV"}"#,
            Err("WriterConfig/OutputType: Value should be one of the following: [JSON, JSONL]"),
        ),
        (PUT, r#"{"Pretty":true}"#, Err("WriterConfig/Pretty: Field is not supported")),
    ] {
        let config = (!config.is_empty()).then(|| json(config));
        let found = WriterConfig::parse(resource, config.as_ref()).map_err(|invalid| invalid.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{resource:?} {config:?}");
    }
}
