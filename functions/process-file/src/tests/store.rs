//! An S3 in memory, for one bucket, behind the loopback stub.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use function_kit::{
    Environment, Failure,
    testing::{self, Reply, Request, Stub},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::{ProcessFile, handle};

/// The tag of every object.
pub(super) const TAG: &str = "\"tag\"";

#[derive(Default)]
struct Objects {
    whole: BTreeMap<String, Bytes>,
    unfinished: BTreeMap<String, BTreeMap<u32, Bytes>>,
    /// What is answered instead, once for each.
    faults: Vec<Fault>,
}

struct Fault {
    method: &'static str,
    part: String,
    /// How many such requests pass before.
    passing: u32,
    reply: Reply,
}

/// The bucket `data`, and the function that works on it.
pub(super) struct Store {
    objects: Arc<Mutex<Objects>>,
    stub: Stub,
    settings: Vec<(&'static str, &'static str)>,
}

impl Store {
    /// A bucket with one object.
    pub(super) async fn with(key: &str, content: impl Into<Bytes>) -> Self {
        let objects = Arc::new(Mutex::new(Objects::default()));
        objects.lock().unwrap().whole.insert(key.to_owned(), content.into());
        let shared = Arc::clone(&objects);
        let stub = Stub::replying(move |request| lock(&shared).answer(request)).await;
        Self { objects, stub, settings: Vec::new() }
    }

    pub(super) fn setting(mut self, name: &'static str, value: &'static str) -> Self {
        self.settings.push((name, value));
        self
    }

    /// The next request with this method and this in its path or query gets this reply.
    pub(super) fn fault(self, method: &'static str, part: &str, reply: Reply) -> Self {
        self.fault_after(0, method, part, reply)
    }

    /// The same, after some such requests have passed.
    pub(super) fn fault_after(self, passing: u32, method: &'static str, part: &str, reply: Reply) -> Self {
        lock(&self.objects).faults.push(Fault { method, part: part.to_owned(), passing, reply });
        self
    }

    pub(super) async fn process(&self, key: &str) -> Result<Value, Failure> {
        self.invoke(json!({"bucket": "data", "key": key})).await
    }

    pub(super) async fn invoke(&self, payload: Value) -> Result<Value, Failure> {
        let environment = Environment::of(self.settings.iter().copied());
        let function = ProcessFile::new(&environment, &self.stub.sdk_config()).unwrap();
        testing::invoke(&function, handle, payload).await
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.stub.requests()
    }

    /// The keys of all objects.
    pub(super) fn keys(&self) -> Vec<String> {
        lock(&self.objects).whole.keys().cloned().collect()
    }

    pub(super) fn has_unfinished(&self) -> bool {
        !lock(&self.objects).unfinished.is_empty()
    }

    pub(super) fn get(&self, key: &str) -> Bytes {
        lock(&self.objects).whole.get(key).cloned().unwrap_or_else(|| panic!("no {key} in {:?}", self.keys()))
    }

    /// The profile that was written for a key.
    pub(super) fn profile(&self, key: &str) -> Value {
        serde_json::from_slice(&self.get(&format!("processed/{key}.profile.json"))).unwrap()
    }

    /// The Parquet file that was written for a key, as a table in text, and the types of its columns.
    pub(super) fn table(&self, key: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let file = self.get(&format!("processed/{key}.parquet"));
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let types = reader.schema().fields().iter().map(|field| format!("{}: {}", field.name(), field.data_type()));
        let types = types.collect();
        let mut rows = Vec::new();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let show = |column: &arrow::array::ArrayRef, row| {
                let shown = arrow::util::display::array_value_to_string(column, row).unwrap();
                if column.is_null(row) { "-".to_owned() } else { shown }
            };
            rows.extend(
                (0..batch.num_rows())
                    .map(|row| batch.columns().iter().map(|column| show(column, row)).collect::<Vec<_>>()),
            );
        }
        (types, rows)
    }
}

fn lock(objects: &Mutex<Objects>) -> MutexGuard<'_, Objects> {
    objects.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Objects {
    fn answer(&mut self, request: &Request) -> Reply {
        let place = format!("{}?{}", request.path, request.query);
        let meets = |fault: &Fault| request.method == fault.method && place.contains(&fault.part);
        if let Some(at) = self.faults.iter().position(meets) {
            match &mut self.faults[at].passing {
                0 => return self.faults.remove(at).reply,
                passing => *passing -= 1,
            }
        }
        let Some(key) = request.path.strip_prefix("/data/").map(str::to_owned) else {
            return Reply::s3_error(404, "NoSuchBucket");
        };
        let part = request.query.split('&').find_map(|pair| pair.strip_prefix("partNumber=")?.parse().ok());
        match (request.method.as_str(), part) {
            ("GET", _) => self.get(&key, request),
            ("PUT", Some(part)) => {
                let Some(parts) = self.unfinished.get_mut(&key) else { return Reply::s3_error(404, "NoSuchUpload") };
                parts.insert(part, request.body.clone());
                Reply::status(200).header("etag", &format!("\"part-{part}\""))
            }
            ("PUT", None) => {
                self.whole.insert(key, request.body.clone());
                Reply::status(200).header("x-amz-version-id", "v2")
            }
            ("POST", _) if request.query.starts_with("uploads") => {
                self.unfinished.insert(key, BTreeMap::new());
                let id = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
                Reply::body(200, id)
            }
            ("POST", _) => {
                let parts = self.unfinished.remove(&key).unwrap_or_default();
                let content: Vec<Bytes> = parts.into_values().collect();
                self.whole.insert(key, content.concat().into());
                Reply::body(200, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
            }
            ("DELETE", _) if request.query.contains("uploadId=u1") => {
                self.unfinished.remove(&key);
                Reply::status(204)
            }
            ("DELETE", _) => {
                self.whole.remove(&key);
                Reply::status(204)
            }
            _ => Reply::s3_error(405, "MethodNotAllowed"),
        }
    }

    fn get(&self, key: &str, request: &Request) -> Reply {
        let Some(content) = self.whole.get(key) else { return Reply::s3_error(404, "NoSuchKey") };
        if !["", TAG].contains(&request.header("if-match")) {
            return Reply::s3_error(412, "PreconditionFailed");
        }
        let range = request.header("range").strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        let start = range.map_or(0, |start| start.parse().unwrap());
        let status = if start > 0 { 206 } else { 200 };
        Reply::body(status, content.slice(start..)).header("etag", TAG)
    }
}
