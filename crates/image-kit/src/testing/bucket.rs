//! An S3 in memory, for one bucket.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use function_kit::aws::SdkConfig;
use function_kit::testing::{Reply, Request, Stub};
use serde_json::{Value, json};

type Objects = BTreeMap<String, Vec<u8>>;

/// The bucket `data`. Requests of other services have other answers.
pub struct Bucket {
    objects: Arc<Mutex<Objects>>,
    stub: Stub,
}

impl Bucket {
    /// A bucket with one object.
    pub async fn with(key: &str, file: Vec<u8>) -> Self {
        Self::replying(key, file, |_| None).await
    }

    /// The same. What is answered here is not carried out.
    pub async fn replying(
        key: &str,
        file: Vec<u8>,
        mut answer: impl FnMut(&Request) -> Option<Reply> + Send + 'static,
    ) -> Self {
        let objects = Arc::new(Mutex::new(Objects::from([(key.to_owned(), file)])));
        let shared = Arc::clone(&objects);
        let carry_out = move |request: &Request| match answer(request) {
            Some(reply) => reply,
            None => carry_out(&mut lock(&shared), request),
        };
        Self { objects, stub: Stub::replying(carry_out).await }
    }

    /// The configuration of clients that speak to it.
    pub fn sdk_config(&self) -> SdkConfig {
        self.stub.sdk_config()
    }

    /// The object as the functions take it.
    ///
    /// # Panics
    ///
    /// When there is no such object.
    pub fn object(&self, key: &str) -> Value {
        json!({"bucket": "data", "key": key, "eTag": e_tag(&self.get(key))})
    }

    /// The content of an object.
    ///
    /// # Panics
    ///
    /// When there is no such object.
    pub fn get(&self, key: &str) -> Vec<u8> {
        lock(&self.objects).get(key).expect("an object of this key").clone()
    }

    /// Puts an object, as somebody else does.
    pub fn put(&self, key: &str, file: Vec<u8>) {
        lock(&self.objects).insert(key.to_owned(), file);
    }

    /// Takes an object away, as somebody else does.
    pub fn delete(&self, key: &str) {
        lock(&self.objects).remove(key);
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        lock(&self.objects).keys().cloned().collect()
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.stub.requests()
    }
}

fn lock(objects: &Mutex<Objects>) -> MutexGuard<'_, Objects> {
    objects.lock().unwrap_or_else(PoisonError::into_inner)
}

fn e_tag(file: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    file.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn carry_out(objects: &mut Objects, request: &Request) -> Reply {
    let Some(key) = request.path.strip_prefix("/data/") else { return Reply::s3_error(404, "NoSuchBucket") };
    if request.method == "PUT" {
        let file = request.body.to_vec();
        let reply = Reply::status(200).header("etag", &e_tag(&file));
        objects.insert(key.to_owned(), file);
        return reply;
    }
    let Some(file) = objects.get(key) else { return Reply::s3_error(404, "NoSuchKey") };
    let e_tag = e_tag(file);
    if request.header("if-match") != e_tag {
        return Reply::s3_error(412, "PreconditionFailed");
    }
    let body = if request.method == "HEAD" { Vec::new() } else { file.clone() };
    Reply::body(200, body).header("etag", &e_tag)
}
