//! What an `ItemReader` field may say.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic, its helpers too")]

use asl::{
    Value,
    distributed::dataset::{Csv, Dataset, Delimiter, Format, Header, JsonPointer},
};

fn json(text: &str) -> Value {
    Value::parse(text).unwrap()
}

fn parse(action: &str, config: &str) -> Result<Dataset, String> {
    let config = (!config.is_empty()).then(|| json(config));
    Dataset::parse(&format!("arn:aws:states:::s3:{action}"), config.as_ref()).map_err(|invalid| invalid.to_string())
}

#[test]
fn every_kind_of_dataset() {
    let csv = |header, delimiter| Format::Csv(Csv { header, delimiter });
    let json_at = |pointer: &str| Format::Json { items_pointer: Some(JsonPointer::parse(pointer).unwrap()) };
    for (action, config, expected) in [
        ("getObject", r#"{"InputType":"JSON","MaxItems":3}"#, Dataset::Object(Format::Json { items_pointer: None })),
        ("getObject", r#"{"InputType":"JSON","ItemsPointer":"/a~1b/0"}"#, Dataset::Object(json_at("/a~1b/0"))),
        ("getObject", r#"{"InputType":"JSONL","MaxItemsPath":"$.n"}"#, Dataset::Object(Format::Jsonl)),
        ("getObject", r#"{"InputType":"PARQUET"}"#, Dataset::Object(Format::Parquet)),
        (
            "getObject",
            r#"{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}"#,
            Dataset::Object(csv(Header::FirstRow, Delimiter::Comma)),
        ),
        (
            "getObject",
            r#"{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a","b"],"CSVDelimiter":"TAB"}"#,
            Dataset::Object(csv(Header::Given(vec!["a".into(), "b".into()]), Delimiter::Tab)),
        ),
        ("getObject", r#"{"InputType":"MANIFEST"}"#, Dataset::Inventory),
        ("getObject", r#"{"ManifestType":"S3_INVENTORY"}"#, Dataset::Inventory),
        ("getObject", r#"{"ManifestType":"ATHENA_DATA","InputType":"PARQUET"}"#, Dataset::AthenaData(Format::Parquet)),
        ("listObjectsV2", "", Dataset::Listing),
        ("listObjectsV2", r#"{"Transformation":"NONE"}"#, Dataset::Listing),
        (
            "listObjectsV2",
            r#"{"Transformation":"LOAD_AND_FLATTEN","InputType":"JSONL"}"#,
            Dataset::ListedObjects(Format::Jsonl),
        ),
    ] {
        assert_eq!(parse(action, config), Ok(expected), "{action} {config}");
    }
}

#[test]
fn what_it_may_not_say() {
    for (action, config, expected) in [
        ("putObject", "", "Resource: The resource provided arn:aws:states:::s3:putObject is not recognized"),
        ("getObject", "", ": These fields are required: [ReaderConfig]"),
        ("getObject", "[]", "ReaderConfig: Expected value of type [OBJECT]"),
        ("getObject", r#"{"InputType":1}"#, "ReaderConfig/InputType: Expected value of type [STRING]"),
        (
            "getObject",
            r#"{"InputType":"XML"}"#,
            "ReaderConfig/InputType: Value should be one of the following: [CSV, JSON, JSONL, PARQUET, MANIFEST]",
        ),
        ("getObject", r#"{"InputType":"CSV"}"#, "ReaderConfig: The field 'CSVHeaderLocation' is required"),
        (
            "getObject",
            r#"{"InputType":"CSV","CSVHeaderLocation":"LAST_ROW"}"#,
            "ReaderConfig/CSVHeaderLocation: Value should be one of the following: [FIRST_ROW, GIVEN]",
        ),
        (
            "getObject",
            r#"{"InputType":"CSV","CSVHeaderLocation":"GIVEN"}"#,
            "ReaderConfig: These fields are required: [CSVHeaders]",
        ),
        (
            "getObject",
            r#"{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":[]}"#,
            "ReaderConfig/CSVHeaders: Value cannot be empty",
        ),
        (
            "getObject",
            r#"{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a",1]}"#,
            "ReaderConfig/CSVHeaders: Expected value of type [STRING]",
        ),
        (
            "getObject",
            r#"{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW","CSVHeaders":["a"]}"#,
            "ReaderConfig: Field 'CSVHeaders' is not supported",
        ),
        (
            "getObject",
            r#"{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW","CSVDelimiter":","}"#,
            "ReaderConfig/CSVDelimiter: Value should be one of the following: [COMMA, PIPE, SEMICOLON, SPACE, TAB]",
        ),
        (
            "getObject",
            r#"{"InputType":"JSON","ItemsPointer":"a"}"#,
            "ReaderConfig/ItemsPointer: Invalid input: JSON Pointer expression must start with '/': \"a\"",
        ),
        (
            "getObject",
            r#"{"InputType":"JSONL","ItemsPointer":"/a"}"#,
            "ReaderConfig: Field 'ItemsPointer' is not supported",
        ),
        (
            "getObject",
            r#"{"InputType":"JSON","Transformation":"NONE"}"#,
            "ReaderConfig: Field 'Transformation' is not supported",
        ),
        (
            "getObject",
            r#"{"ManifestType":"S3_INVENTORY","InputType":"CSV"}"#,
            "ReaderConfig: The field 'CSVHeaderLocation' is required",
        ),
        (
            "getObject",
            r#"{"ManifestType":"S3_INVENTORY","InputType":"PARQUET"}"#,
            "ReaderConfig/InputType: Must not be given with the ManifestType 'S3_INVENTORY'",
        ),
        (
            "getObject",
            r#"{"ManifestType":"ATHENA_DATA","InputType":"JSON"}"#,
            "ReaderConfig: Field 'ManifestType' is not supported",
        ),
        (
            "getObject",
            r#"{"ManifestType":"GLUE","InputType":"PARQUET"}"#,
            "ReaderConfig/ManifestType: Value should be one of the following: [ATHENA_DATA, S3_INVENTORY]",
        ),
        (
            "listObjectsV2",
            r#"{"Transformation":"LOAD_AND_FLATTEN"}"#,
            "ReaderConfig: The field 'InputType' is required",
        ),
        ("listObjectsV2", r#"{"InputType":"JSON"}"#, "ReaderConfig: Field 'InputType' is not supported"),
    ] {
        assert_eq!(parse(action, config), Err(expected.to_owned()), "{action} {config}");
    }
}
