//! S3: the protocol by `s3s`, the storage by this module.
//!
//! What is there: buckets, objects with their headers, conditions and ranges, listings, multipart uploads,
//! versions, tags. Everything else is refused as not implemented, as are access lists, object lock and customer
//! keys when a request asks for them. Signatures are not checked.

mod chunked;
mod condition;
mod event;
mod listing;
mod locks;
mod notifications;
mod object;
mod objects;
mod operations;
mod presigned;
mod receive;
mod request;
mod store;
mod tags;
mod uploads;

use std::{
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, atomic::Ordering},
};

use axum::body::Body;
use http::{HeaderValue, StatusCode};
use s3s::{
    S3Error, S3Result,
    service::{S3Service, S3ServiceBuilder},
};
use time::OffsetDateTime;

pub use event::{Deletion, EventKind, Listener, ObjectEvent, Reason, TagChange};
pub use notifications::{Notification, Notifications};
pub use store::OpenError;

use crate::{
    location::Location,
    service::{Request, Response, Service},
    temporary::Temporary,
    wire::{self, Format},
};
use operations::Operations;
pub(crate) use receive::hex;
use request::Prepared;
use store::{Store, Versioning};

/// Why a bucket could not be created: its name is not valid, or the disk failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot create the bucket {bucket:?}: {reason}")]
pub struct CreateBucketError {
    bucket: String,
    reason: String,
}

impl CreateBucketError {
    fn of(bucket: &str, error: &S3Error) -> Self {
        let reason = match (error.message(), std::error::Error::source(error)) {
            (Some(message), _) => message.to_owned(),
            (None, Some(source)) => source.to_string(),
            (None, None) => error.code().as_str().to_owned(),
        };
        Self { bucket: bucket.to_owned(), reason }
    }
}

/// The local S3.
pub struct S3 {
    service: S3Service,
    store: Arc<Store>,
    listener: Arc<dyn Listener>,
    /// Removed, with all objects, when the last reference goes.
    _temporary: Option<Temporary>,
}

impl S3 {
    /// Opens the buckets kept in `folder`, which is made when it is not there. Each change to an object is told to
    /// `listener` after it is on disk, before its request is answered. What is broken in the folder is an error, unless it is
    /// to be set aside.
    pub fn open(folder: &Path, listener: impl Listener, set_aside_broken: bool) -> Result<Self, OpenError> {
        Ok(Self::new(Store::open(folder, set_aside_broken)?, None, Arc::new(listener)))
    }

    /// Buckets in a folder of their own, which goes when this does.
    pub fn ephemeral(listener: impl Listener) -> Result<Self, OpenError> {
        let temporary = Temporary::new("s3").map_err(|source| OpenError::Io { path: std::env::temp_dir(), source })?;
        let store = Store::open(temporary.path(), false)?;
        Ok(Self::new(store, Some(temporary), Arc::new(listener)))
    }

    fn new(store: Store, temporary: Option<Temporary>, listener: Arc<dyn Listener>) -> Self {
        let store = Arc::new(store);
        let mut builder = S3ServiceBuilder::new(Operations::new(Arc::clone(&store), listener.clone()));
        builder.set_host(request::Hosts);
        Self { service: builder.build(), store, listener, _temporary: temporary }
    }

    /// Creates a bucket unless it is there. Says whether it was created. Blocks on the disk.
    pub fn create_bucket_if_absent(&self, name: &str, versioned: bool) -> Result<bool, CreateBucketError> {
        let versioning = if versioned { Versioning::Enabled } else { Versioning::Off };
        self.store.create_bucket(name, versioning).map_err(|error| CreateBucketError::of(name, &error))
    }

    /// Whom a bucket tells of its objects. Nobody, where it is not there.
    pub fn notifications_of(&self, bucket: &str) -> Notifications {
        self.store.with_bucket(bucket, |bucket| Ok(bucket.info.notifications.clone())).unwrap_or_default()
    }

    /// Makes a bucket of the template, or gives one that is there what the template says now. Versions that a client has
    /// switched on stay on. Blocks on the disk.
    pub fn provide(&self, bucket: &sam::Bucket, location: &Location) -> Result<(), CreateBucketError> {
        let name = &*bucket.name;
        let failed = |error: S3Error| CreateBucketError::of(name, &error);
        self.create_bucket_if_absent(name, bucket.versioned)?;
        let versioning = self.store.with_bucket(name, |bucket| Ok(bucket.info.versioning)).map_err(failed)?;
        match (bucket.versioned, versioning) {
            (true, Versioning::Off | Versioning::Suspended) => {
                self.store.set_versioning(name, Versioning::Enabled).map_err(failed)?;
            }
            (false, Versioning::Enabled) => {
                tracing::warn!(
                    bucket = name,
                    "a bucket that is kept has versions on, which the template does not say; they stay"
                );
            }
            (true, Versioning::Enabled) | (false, Versioning::Off | Versioning::Suspended) => {}
        }
        self.set_notifications(name, Notifications::of_template(bucket, location))
    }

    /// Has a bucket tell these, in place of those that it tells. Blocks on the disk.
    pub fn set_notifications(&self, bucket: &str, notifications: Notifications) -> Result<(), CreateBucketError> {
        let set = self.store.set_notifications(bucket, notifications);
        set.map_err(|error| CreateBucketError::of(bucket, &error))
    }

    /// The file that holds the data of the newest version of an object, where there is one.
    pub fn file_of(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        self.store.file_of(bucket, key)
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        if presigned::has_expired(&parts, OffsetDateTime::now_utc()) {
            return wire::error(Format::S3Xml, StatusCode::FORBIDDEN, "AccessDenied", presigned::EXPIRED);
        }
        let Prepared { request, request_id, body_is_broken, document_is_too_long } =
            request::prepare(Request::from_parts(parts, body));
        let mut response = match self.service.call(request).await {
            Ok(response) if response.status().is_server_error() && body_is_broken.load(Ordering::Relaxed) => {
                let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
                wire::error(Format::S3Xml, StatusCode::BAD_REQUEST, "IncompleteBody", message)
            }
            Ok(response) if response.status().is_server_error() && document_is_too_long.load(Ordering::Relaxed) => {
                let message = "Your request was too big.";
                wire::error(Format::S3Xml, StatusCode::BAD_REQUEST, "MaxMessageLengthExceeded", message)
            }
            Ok(response) => response.map(Body::new),
            Err(error) => {
                tracing::error!(?error, "S3 could not write its answer");
                let message = "The local S3 could not write its answer.";
                wire::error(Format::S3Xml, StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
            }
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-amz-request-id", id);
        }
        response
    }
}

impl Service for S3 {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("S3").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Runs work that blocks on the disk away from the async threads. A panic goes on in the caller.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> S3Result<T> + Send + 'static) -> S3Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => Err(S3Error::internal_error(cancelled)),
        },
    }
}
