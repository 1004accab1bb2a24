//! Which objects are read, how many items of them, and what is told of errors.

use std::io::Write as _;

use cloud::states::items::objects::Memory;
use flate2::{Compression, write::GzEncoder};
use time::macros::datetime;

use crate::{read, values};

fn memory() -> Memory {
    Memory::new(datetime!(2022-11-17 15:44:41.5 UTC))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn get(config: &str) -> String {
    format!(
        r#"{{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{config},"Parameters":{{"Bucket":"b","Key":"k"}}}}"#
    )
}

fn list(parameters: &str, config: &str) -> String {
    format!(r#"{{"Resource":"arn:aws:states:::s3:listObjectsV2","ReaderConfig":{config},"Parameters":{parameters}}}"#)
}

#[test]
fn no_more_items_than_are_wanted() {
    let numbers = memory().with_object("b", "k", "[1,2,3]");
    for (most, expected) in [
        ("0", Ok("[1,2,3]")),
        ("1", Ok("[1]")),
        ("3", Ok("[1,2,3]")),
        ("100000001", Ok("[1,2,3]")),
        ("-1", Err("field MaxItems must be positive")),
    ] {
        let items = read(&numbers, &get(&format!(r#"{{"InputType":"JSON","MaxItems":{most}}}"#)));
        assert_eq!(items.map(values), expected.map(str::to_owned).map_err(str::to_owned), "{most}");
    }
}

#[test]
fn what_comes_behind_the_last_wanted_item_is_not_read() {
    for (config, data) in [
        (r#"{"InputType":"JSON","MaxItems":2}"#, "[1,2,oops"),
        (r#"{"InputType":"JSON","ItemsPointer":"/a","MaxItems":2}"#, r#"{"a":[1,2],oops"#),
        (r#"{"InputType":"JSONL","MaxItems":2}"#, "1\n2\noops\n"),
    ] {
        let objects = memory().with_object("b", "k", data);
        assert_eq!(read(&objects, &get(config)).map(values), Ok("[1,2]".to_owned()), "{config}");
    }
}

#[test]
fn a_listing_gives_its_entries() {
    let objects = memory()
        .with_object("b", "a.txt", "aaa")
        .with_object("b", "in/1", "")
        .with_object("b", "in/2", "22")
        .with_object("b", "z", "z");
    let items = read(&objects, &list(r#"{"Bucket":"b","Prefix":"in/"}"#, "{}")).unwrap();
    assert_eq!(items.iter().map(|item| &*item.source).collect::<Vec<_>>(), ["S3://b", "S3://b"]);
    assert_eq!(
        values(items),
        concat!(
            r#"[{"Etag":"\"d41d8cd98f00b204e9800998ecf8427e\"","Key":"in/1","LastModified":1668699881.0,"Size":0,"#,
            r#""StorageClass":"STANDARD"},"#,
            r#"{"Etag":"\"b6d767d2f8ed5d21a44b0e5886680cb9\"","Key":"in/2","LastModified":1668699881.0,"Size":2,"#,
            r#""StorageClass":"STANDARD"}]"#
        )
    );
    let keys = |parameters| {
        let items = read(&objects, &list(parameters, "{}")).unwrap();
        items.iter().map(|item| item.value.get("Key").unwrap().as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(r#"{"Bucket":"b"}"#), ["a.txt", "in/1", "in/2", "z"]);
    assert_eq!(keys(r#"{"Bucket":"b","StartAfter":"in/1"}"#), ["in/2", "z"]);
    assert!(keys(r#"{"Bucket":"b","Prefix":"none"}"#).is_empty());
}

#[test]
fn a_listing_of_many_pages() {
    let objects = (0..2500).fold(memory(), |objects, number| objects.with_object("b", &format!("{number:04}"), "x"));
    let items = read(&objects, &list(r#"{"Bucket":"b"}"#, "{}")).unwrap();
    assert_eq!(items.len(), 2500);
    let items = read(&objects, &list(r#"{"Bucket":"b"}"#, r#"{"MaxItems":1001}"#)).unwrap();
    assert_eq!(items.last().unwrap().value.get("Key").unwrap().as_str(), Some("1000"));
}

#[test]
fn listed_objects_are_read_one_after_the_other() {
    let objects = memory()
        .with_object("b", "logs/", "")
        .with_object("b", "logs/1", "[1,2]")
        .with_object("b", "logs/2", "[]")
        .with_object("b", "logs/3", "[3]")
        .with_object("b", "other", "oops");
    let reader =
        list(r#"{"Bucket":"b","Prefix":"logs/"}"#, r#"{"Transformation":"LOAD_AND_FLATTEN","InputType":"JSON"}"#);
    let items = read(&objects, &reader).unwrap();
    let sources: Vec<_> = items.iter().map(|item| &*item.source).collect();
    assert_eq!(sources, ["S3://b/logs/1", "S3://b/logs/1", "S3://b/logs/3"]);
    assert_eq!(values(items), "[1,2,3]");
}

#[test]
fn an_inventory_names_objects() {
    let manifest = |format: &str| {
        format!(
            r#"{{"sourceBucket":"photos","destinationBucket":"arn:aws:s3:::inventories","version":"2016-11-30",
                 "creationTimestamp":"1514944800000","fileFormat":"{format}","fileSchema":"Bucket, Key, Size",
                 "files":[{{"key":"data/1.csv.gz","size":1,"MD5checksum":"x"}},{{"key":"data/2.csv.gz","size":1}}]}}"#
        )
    };
    let objects = memory()
        .with_object("b", "k", manifest("CSV"))
        .with_object(
            "inventories",
            "data/1.csv.gz",
            gzip("\"photos\",\"a%20b.jpg\",\"12\"\n\"photos\",\"c.jpg\",\"3\"\n"),
        )
        .with_object("inventories", "data/2.csv.gz", gzip("\"photos\",\"d.jpg\",\"4\"\n"));
    for config in [r#"{"InputType":"MANIFEST"}"#, r#"{"ManifestType":"S3_INVENTORY"}"#] {
        let items = read(&objects, &get(config)).unwrap();
        assert_eq!(&*items[2].source, "S3://inventories/data/2.csv.gz");
        assert_eq!(
            values(items),
            concat!(
                r#"[{"Bucket":"photos","Key":"a%20b.jpg","Size":"12"},{"Bucket":"photos","Key":"c.jpg","Size":"3"},"#,
                r#"{"Bucket":"photos","Key":"d.jpg","Size":"4"}]"#
            )
        );
    }
    let objects = memory().with_object("b", "k", manifest("Parquet"));
    let error = read(&objects, &get(r#"{"InputType":"MANIFEST"}"#)).unwrap_err();
    assert_eq!(error, "S3://b/k could not be read: the inventory's format is Parquet, and only CSV is read");
}

#[test]
fn an_older_version_of_a_parquet_file_is_not_read() {
    let objects = memory().with_object("b", "k", "PAR1");
    let reader = get(r#"{"InputType":"PARQUET"}"#).replace(r#""Key":"k""#, r#""Key":"k","VersionId":"1""#);
    let error = read(&objects, &reader).unwrap_err();
    assert_eq!(error, "S3 Version ID selection is not currently supported for PARQUET files");
}

#[test]
fn a_manifest_of_athena_names_files_of_data() {
    let objects = memory()
        .with_object("b", "k", "s3://data/1.gz\ns3://data/folder/2\n")
        .with_object("data", "1.gz", gzip("{\"n\":1}\n{\"n\":2}\n"))
        .with_object("data", "folder/2", "{\"n\":3}\n");
    let config = r#"{"ManifestType":"ATHENA_DATA","InputType":"JSONL"}"#;
    let items = read(&objects, &get(config)).unwrap();
    assert_eq!(&*items[2].source, "S3://data/folder/2");
    assert_eq!(values(items), r#"[{"n":1},{"n":2},{"n":3}]"#);

    let objects = memory().with_object("b", "k", "data/1.gz\n");
    let error = read(&objects, &get(config)).unwrap_err();
    assert_eq!(error, "S3://b/k could not be read: 'data/1.gz' is not the address of an object");
}

#[test]
fn a_small_file_that_unpacks_to_a_huge_one_is_an_error() {
    // A file may be several compressed ones, one behind the other.
    let bomb = gzip(&"1".repeat(1 << 20)).repeat(257);
    let objects = memory().with_object("b", "k", "s3://b/bomb\n").with_object("b", "bomb", bomb);
    let error = read(&objects, &get(r#"{"ManifestType":"ATHENA_DATA","InputType":"JSONL"}"#)).unwrap_err();
    assert_eq!(error, "The dataset has more than 268435456 bytes, which is the most that this runner reads");
}

#[test]
fn what_s3_refuses_is_told_in_its_words() {
    let objects = memory().with_object("b", "other", "[]");
    let config = r#"{"InputType":"JSON"}"#;
    let parameters = |parameters: &str| {
        format!(r#"{{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{config},"Parameters":{parameters}}}"#)
    };
    for (reader, start) in [
        (get(config), "The specified key does not exist. (Service: S3, Status Code: 404, Request ID: "),
        (
            parameters(r#"{"Bucket":"none","Key":"k"}"#),
            "The specified bucket does not exist (Service: S3, Status Code: 404, Request ID: ",
        ),
        (
            parameters(r#"{"Bucket":"b","Key":"other","VersionId":"v"}"#),
            "The specified version does not exist. (Service: S3, Status Code: 404, Request ID: ",
        ),
        (
            list(r#"{"Bucket":"none"}"#, "{}"),
            "The specified bucket does not exist (Service: S3, Status Code: 404, Request ID: ",
        ),
    ] {
        let error = read(&objects, &reader).unwrap_err();
        assert!(error.starts_with(start), "{error}");
        assert!(error.contains(", Extended Request ID: ") && error.ends_with(')'), "{error}");
    }
}

#[test]
fn parameters_must_be_usable() {
    let objects = memory();
    for (parameters, reason) in [
        ("[]", "they are no object"),
        ("{}", "'Bucket' is missing"),
        (r#"{"Bucket":1}"#, "'Bucket' is no string"),
        (r#"{"Bucket":"b","MaxKeys":5}"#, "'MaxKeys' is not supported"),
    ] {
        let error = read(&objects, &list(parameters, "{}")).unwrap_err();
        assert_eq!(error, format!("The parameters of the ItemReader could not be used: {reason}"));
    }
}
