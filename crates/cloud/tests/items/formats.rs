//! The content of objects.

use cloud::states::items::objects::Memory;
use time::OffsetDateTime;

use crate::{read, values};

/// Reads a file; the values of its items as JSON text, or the cause of the error.
fn items(config: &str, data: impl Into<Vec<u8>>) -> Result<String, String> {
    let objects = Memory::new(OffsetDateTime::UNIX_EPOCH).with_object("b", "k", data);
    read(&objects, &reader(config)).map(values)
}

fn reader(config: &str) -> String {
    format!(
        r#"{{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{config},"Parameters":{{"Bucket":"b","Key":"k"}}}}"#
    )
}

const FIRST_ROW: &str = r#"{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}"#;

#[test]
fn rows_under_their_header() {
    for (data, expected) in [
        ("a,b\n1,2\n3,4\n", r#"[{"a":"1","b":"2"},{"a":"3","b":"4"}]"#),
        ("a,b\r\n1,2\r\n3,4", r#"[{"a":"1","b":"2"},{"a":"3","b":"4"}]"#),
        ("", "[]"),
        ("a,b\n", "[]"),
        // Shorter and longer than the header.
        ("a,b\n1\n1,2,3\n,,,\n", r#"[{"a":"1","b":""},{"a":"1","b":"2"},{"a":"","b":""}]"#),
        // A header that ends with a comma names a column with nothing; blanks stay.
        ("a,\n 1 ,2\n   \n", r#"[{"a":" 1 ","":"2"},{"a":"   ","":""}]"#),
        // Empty lines are no rows.
        ("a,b\n\n1,2\n\r\n\n3,4\n\n", r#"[{"a":"1","b":"2"},{"a":"3","b":"4"}]"#),
        // The last of two columns with one name.
        ("a,b,a\n1,2,3\n", r#"[{"a":"3","b":"2"}]"#),
        ("\u{feff}a,b\n1,2\n", r#"[{"a":"1","b":"2"}]"#),
        ("a\n'x'\ntrue\nnull\n", r#"[{"a":"'x'"},{"a":"true"},{"a":"null"}]"#),
    ] {
        assert_eq!(items(FIRST_ROW, data), Ok(expected.to_owned()), "{data:?}");
    }
}

#[test]
fn quotes_and_backslashes() {
    for (row, expected) in [
        (r#""1,2",3"#, r#"{"a":"1,2","b":"3"}"#),
        ("\"1\n2\",3", r#"{"a":"1\n2","b":"3"}"#),
        ("\"1\r\n2\",3", r#"{"a":"1\r\n2","b":"3"}"#),
        (r#""say ""hi""",3"#, r#"{"a":"say \"hi\"","b":"3"}"#),
        (r#""say \"hi\"",3"#, r#"{"a":"say \"hi\"","b":"3"}"#),
        (r#""",3"#, r#"{"a":"","b":"3"}"#),
        (r#"say "hi",3"#, r#"{"a":"say \"hi\"","b":"3"}"#),
        (r"1\,2,3", r#"{"a":"1,2","b":"3"}"#),
        (r"path\\to,3", r#"{"a":"path\\to","b":"3"}"#),
        (r"a\tb,3", r#"{"a":"atb","b":"3"}"#),
        ("1,2\\", r#"{"a":"1","b":"2"}"#),
    ] {
        assert_eq!(items(FIRST_ROW, format!("a,b\n{row}\n")), Ok(format!("[{expected}]")), "{row}");
    }
}

#[test]
fn every_delimiter() {
    for (name, delimiter) in [("COMMA", ','), ("PIPE", '|'), ("SEMICOLON", ';'), ("SPACE", ' '), ("TAB", '\t')] {
        let config = format!(r#"{{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW","CSVDelimiter":"{name}"}}"#);
        let data = format!("a{delimiter}b\n1{delimiter}2\n\"1{delimiter}2\"{delimiter}\\{delimiter}\n");
        let delimiter = delimiter.to_string().replace('\t', "\\t");
        let expected = format!(r#"[{{"a":"1","b":"2"}},{{"a":"1{delimiter}2","b":"{delimiter}"}}]"#);
        assert_eq!(items(&config, data), Ok(expected), "{name}");
    }
}

#[test]
fn a_given_header_leaves_the_first_row() {
    let config = r#"{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["x","y"]}"#;
    assert_eq!(items(config, "a,b\n1\n"), Ok(r#"[{"x":"a","y":"b"},{"x":"1","y":""}]"#.to_owned()));
}

#[test]
fn text_that_is_none() {
    let long = "x".repeat(10 * 1024);
    for (data, reason) in [
        (b"a\n\xff\n".to_vec(), "the record that begins in line 2 is not UTF-8"),
        (b"a\n1\n\"2\n3\n".to_vec(), "a quoted field of the record that begins in line 3 does not end"),
        (format!("{long}\n1\n").into_bytes(), "its header has more than 10240 bytes"),
    ] {
        assert_eq!(items(FIRST_ROW, data), Err(format!("S3://b/k could not be read: {reason}")));
    }
}

#[test]
fn json_arrays() {
    for (pointer, data, expected) in [
        (None, r#"[1,"a",{"b":[2]},null]"#, Ok(r#"[1,"a",{"b":[2]},null]"#)),
        (None, " [ ] ", Ok("[]")),
        (None, r#"{"a":1}"#, Err("Attempting to map over non-iterable node.")),
        (None, "1", Err("Attempting to map over non-iterable node.")),
        (None, "null", Err("Attempting to map over non-iterable node.")),
        (Some("/a/b"), r#"{"x":[9],"a":{"b":[1,2],"c":3}}"#, Ok("[1,2]")),
        (Some("/1/a"), r#"[0,{"a":[1]},{"a":[2]}]"#, Ok("[1]")),
        (Some("/a~1b/~0"), r#"{"a/b":{"~":[1]}}"#, Ok("[1]")),
        (Some(""), "[1]", Ok("[1]")),
        (Some("/a"), r#"{"b":[1]}"#, Err("Attempting to map over non-iterable node.")),
        (Some("/a/b"), r#"{"a":[1]}"#, Err("Attempting to map over non-iterable node.")),
        (Some("/a/b"), r#"{"a":"b"}"#, Err("Attempting to map over non-iterable node.")),
        (Some("/a"), r#"{"a":true}"#, Err("Attempting to map over non-iterable node.")),
        (None, "[1,", Err("S3://b/k could not be read: EOF while parsing a value at line 1 column 3")),
        (None, "[1]]", Err("S3://b/k could not be read: trailing characters at line 1 column 4")),
        (None, "", Err("S3://b/k could not be read: EOF while parsing a value at line 1 column 0")),
    ] {
        let config = match pointer {
            None => r#"{"InputType":"JSON"}"#.to_owned(),
            Some(pointer) => format!(r#"{{"InputType":"JSON","ItemsPointer":"{pointer}"}}"#),
        };
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(items(&config, data), expected, "{pointer:?} {data}");
    }
}

#[test]
fn the_fields_of_an_object_that_a_pointer_names_are_items() {
    let objects = Memory::new(OffsetDateTime::UNIX_EPOCH).with_object("b", "k", r#"{"a":{"x":1,"y":[2]}}"#);
    let items = read(&objects, &reader(r#"{"InputType":"JSON","ItemsPointer":"/a"}"#)).unwrap();
    let keys: Vec<_> = items.iter().map(|item| item.key.as_deref()).collect();
    assert_eq!(keys, [Some("x"), Some("y")]);
    let inputs: Vec<_> = items.iter().map(|item| item.input().to_string()).collect();
    assert_eq!(inputs, [r#"{"Key":"x","Value":1}"#, r#"{"Key":"y","Value":[2]}"#]);
    assert_eq!(values(items), "[1,[2]]");
}

#[test]
fn nesting_without_end_is_an_error() {
    let error = items(r#"{"InputType":"JSON"}"#, "[".repeat(100_000)).unwrap_err();
    assert!(error.contains("recursion limit exceeded"), "{error}");
}

#[test]
fn lines_of_json() {
    let config = r#"{"InputType":"JSONL"}"#;
    assert_eq!(items(config, "{\"a\":1}\r\n\n  \n[2]\n3"), Ok(r#"[{"a":1},[2],3]"#.to_owned()));
    assert_eq!(items(config, ""), Ok("[]".to_owned()));
    let error = items(config, "1\n\n{\"a\":\n1}\n").unwrap_err();
    assert_eq!(error, "S3://b/k could not be read: line 3: EOF while parsing a value at line 2 column 0");
}

mod parquet_files {
    use std::sync::Arc;

    use parquet::{
        basic::{Compression, ZstdLevel},
        data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type},
        file::{properties::WriterProperties, writer::SerializedFileWriter},
        schema::parser::parse_message_type,
    };

    use super::items;

    const PARQUET: &str = r#"{"InputType":"PARQUET"}"#;

    /// Two rows: one with everything, one with as little as may be.
    fn file(compression: Compression) -> Vec<u8> {
        let schema = parse_message_type(
            "message m {
                REQUIRED INT64 id;
                OPTIONAL BYTE_ARRAY name (UTF8);
                OPTIONAL BYTE_ARRAY raw;
                OPTIONAL BOOLEAN flag;
                OPTIONAL DOUBLE ratio;
                OPTIONAL INT32 day (DATE);
                OPTIONAL INT64 at (TIMESTAMP_MILLIS);
                OPTIONAL INT32 price (DECIMAL(9,2));
                OPTIONAL group tags (LIST) { REPEATED group list { OPTIONAL BYTE_ARRAY element (UTF8); } }
            }",
        );
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema.unwrap()), Arc::new(properties)).unwrap();
        let mut group = file.next_row_group().unwrap();
        macro_rules! column {
            ($type:ty, $values:expr, $levels:expr, $repetition:expr) => {{
                let mut column = group.next_column().unwrap().unwrap();
                column.typed::<$type>().write_batch(&$values, $levels, $repetition).unwrap();
                column.close().unwrap();
            }};
        }
        let optional: Option<&[i16]> = Some(&[1, 0]);
        column!(Int64Type, [1, 9_007_199_254_740_993], None, None);
        column!(ByteArrayType, [ByteArray::from("é")], optional, None);
        column!(ByteArrayType, [ByteArray::from(vec![0_u8, 255])], optional, None);
        column!(BoolType, [true], optional, None);
        column!(DoubleType, [0.5], optional, None);
        column!(Int32Type, [19_675], optional, None);
        column!(Int64Type, [1_700_000_000_123], optional, None);
        column!(Int32Type, [12_345], optional, None);
        column!(ByteArrayType, [ByteArray::from("x"), ByteArray::from("y")], Some(&[3, 3, 0]), Some(&[0, 1, 0]));
        group.close().unwrap();
        file.into_inner().unwrap()
    }

    #[test]
    fn rows_are_objects() {
        for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default())] {
            assert_eq!(
                items(PARQUET, file(compression)),
                Ok(concat!(
                    r#"[{"id":1,"name":"é","raw":"AP8=","flag":true,"ratio":0.5,"day":"2023-11-14","#,
                    r#""at":"2023-11-14T22:13:20.123000Z","price":"123.45","tags":["x","y"]},"#,
                    r#"{"id":9007199254740993,"name":null,"raw":null,"flag":null,"ratio":null,"day":null,"at":null,"#,
                    r#""price":null,"tags":null}]"#
                )
                .to_owned()),
                "{compression}"
            );
        }
    }

    #[test]
    fn no_more_rows_than_are_wanted() {
        let wanted = items(r#"{"InputType":"PARQUET","MaxItems":1}"#, file(Compression::SNAPPY)).unwrap();
        assert!(wanted.starts_with(r#"[{"id":1,"#) && !wanted.contains("},{"), "{wanted}");
    }

    /// Whatever is done to a file, reading it ends, with rows or with an error.
    #[test]
    fn damaged_files_are_errors() {
        assert!(items(PARQUET, "PAR1 nothing PAR1").is_err());
        let whole = file(Compression::SNAPPY);
        for length in (0..whole.len()).step_by(7) {
            assert!(items(PARQUET, &whole[..length]).is_err(), "{length} bytes");
        }
        for at in (0..whole.len()).step_by(5) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            let _ = items(PARQUET, damaged);
        }
    }
}
