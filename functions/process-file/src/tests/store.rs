//! An S3 in memory, for one bucket, behind the loopback stub.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
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

/// A version of an object. A bucket without versions has one of each.
struct Object {
    content: Bytes,
    /// `x-amz-meta-run`.
    run: String,
    version: String,
}

#[derive(Default)]
struct Upload {
    parts: BTreeMap<u32, Bytes>,
    run: String,
}

#[derive(Default)]
struct Objects {
    has_versions: bool,
    /// The versions of each key, the newest last.
    whole: BTreeMap<String, Vec<Object>>,
    unfinished: BTreeMap<String, Upload>,
    /// What is answered instead, once for each.
    faults: Vec<Fault>,
}

struct Fault {
    method: &'static str,
    part: String,
    /// How many such requests pass before.
    passing: u32,
    /// Whether the request is carried out all the same.
    takes_effect: bool,
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
        let objects = Arc::new(Mutex::new(Objects { has_versions: true, ..Objects::default() }));
        lock(&objects).put(key, content.into(), "");
        let shared = Arc::clone(&objects);
        let stub = Stub::replying(move |request| lock(&shared).answer(request)).await;
        Self { objects, stub, settings: Vec::new() }
    }

    /// The same bucket without versions.
    pub(super) fn without_versions(self) -> Self {
        lock(&self.objects).has_versions = false;
        self
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
        self.with_fault(Fault { method, part: part.to_owned(), passing, takes_effect: false, reply })
    }

    /// The next such request is carried out, but gets this reply.
    pub(super) fn lost_answer(self, method: &'static str, part: &str, reply: Reply) -> Self {
        self.with_fault(Fault { method, part: part.to_owned(), passing: 0, takes_effect: true, reply })
    }

    fn with_fault(self, fault: Fault) -> Self {
        lock(&self.objects).faults.push(fault);
        self
    }

    /// Puts an object, as another run does.
    pub(super) fn put(&self, key: &str, content: &'static str) {
        lock(&self.objects).put(key, content.into(), "another");
    }

    pub(super) async fn process(&self, key: &str) -> Result<Value, Failure> {
        self.invoke(json!({"bucket": "data", "key": key})).await
    }

    pub(super) async fn invoke(&self, payload: Value) -> Result<Value, Failure> {
        let environment = Environment::of(self.settings.iter().copied());
        let function = ProcessFile::new(&environment, &self.stub.sdk_config()).unwrap();
        testing::invoke(&function, handle, payload).await
    }

    /// Processes a file in a function with this time-out.
    pub(super) async fn process_within(&self, time: Duration, key: &str) -> Result<Value, Failure> {
        let function = ProcessFile::new(&Environment::default(), &self.stub.sdk_config()).unwrap();
        testing::invoke_within(time, &function, handle, json!({"bucket": "data", "key": key})).await
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
        let newest = |objects: &Objects| Some(objects.newest(key)?.content.clone());
        newest(&lock(&self.objects)).unwrap_or_else(|| panic!("no {key} in {:?}", self.keys()))
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
            if self.faults[at].passing == 0 {
                let fault = self.faults.remove(at);
                if fault.takes_effect {
                    self.carry_out(request);
                }
                return fault.reply;
            }
            self.faults[at].passing -= 1;
        }
        self.carry_out(request)
    }

    fn carry_out(&mut self, request: &Request) -> Reply {
        let Some(key) = request.path.strip_prefix("/data/") else {
            return Reply::s3_error(404, "NoSuchBucket");
        };
        let run = request.header("x-amz-meta-run");
        let parameter =
            |name: &str| request.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let part = parameter("partNumber").map(|part| part.parse().unwrap());
        match (request.method.as_str(), part) {
            ("GET", _) => self.get(key, request),
            ("HEAD", _) => self.newest(key).map_or(Reply::status(404), |object| {
                self.version(Reply::status(200), object).header("x-amz-meta-run", &object.run).header("etag", TAG)
            }),
            ("PUT", Some(part)) => {
                let Some(upload) = self.unfinished.get_mut(key) else { return Reply::s3_error(404, "NoSuchUpload") };
                upload.parts.insert(part, request.body.clone());
                Reply::status(200).header("etag", &format!("\"part-{part}\""))
            }
            ("PUT", None) => {
                self.put(key, request.body.clone(), run);
                self.newest(key).map(|object| self.version(Reply::status(200), object)).unwrap()
            }
            ("POST", _) if request.query.starts_with("uploads") => {
                self.unfinished.insert(key.to_owned(), Upload { run: run.to_owned(), ..Upload::default() });
                let id = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
                Reply::body(200, id)
            }
            ("POST", _) => {
                let Some(Upload { parts, run }) = self.unfinished.remove(key) else {
                    return Reply::s3_error(404, "NoSuchUpload");
                };
                let content: Vec<Bytes> = parts.into_values().collect();
                self.put(key, content.concat().into(), &run);
                Reply::body(200, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
            }
            ("DELETE", _) if parameter("uploadId").is_some() => match self.unfinished.remove(key) {
                Some(_) => Reply::status(204),
                None => Reply::s3_error(404, "NoSuchUpload"),
            },
            ("DELETE", _) => {
                let versions = self.whole.entry(key.to_owned()).or_default();
                match parameter("versionId") {
                    Some(version) => versions.retain(|object| object.version != version),
                    None => versions.clear(),
                }
                self.whole.retain(|_, versions| !versions.is_empty());
                Reply::status(204)
            }
            _ => Reply::s3_error(405, "MethodNotAllowed"),
        }
    }

    fn put(&mut self, key: &str, content: Bytes, run: &str) {
        let versions = self.whole.entry(key.to_owned()).or_default();
        if !self.has_versions {
            versions.clear();
        }
        let version = format!("v{}", versions.len() + 1);
        versions.push(Object { content, run: run.to_owned(), version });
    }

    fn newest(&self, key: &str) -> Option<&Object> {
        self.whole.get(key)?.last()
    }

    fn version(&self, reply: Reply, object: &Object) -> Reply {
        if self.has_versions { reply.header("x-amz-version-id", &object.version) } else { reply }
    }

    fn get(&self, key: &str, request: &Request) -> Reply {
        let Some(Object { content, .. }) = self.newest(key) else { return Reply::s3_error(404, "NoSuchKey") };
        if !["", TAG].contains(&request.header("if-match")) {
            return Reply::s3_error(412, "PreconditionFailed");
        }
        let range = request.header("range").strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        let start = range.map_or(0, |start| start.parse().unwrap());
        let status = if start > 0 { 206 } else { 200 };
        Reply::body(status, content.slice(start..)).header("etag", TAG)
    }
}
