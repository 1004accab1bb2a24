//! A loopback stand-in for AWS: the functions' tests run the real clients against it, over HTTP.
//!
//! ```
//! use function_kit::testing::{Reply, Stub};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let stub = Stub::scripted([Reply::status(404)]).await;
//! let config = stub.sdk_config(); // for any `aws-sdk` client
//! assert!(stub.requests().is_empty());
//! # });
//! ```

mod config;
mod failures;
mod invoke;
mod message;
mod stub;

pub use config::unreachable_sdk_config;
pub use failures::{dynamodb_failures, s3_failures};
pub use invoke::{invoke, invoke_within};
pub use message::{Reply, Request};
pub use stub::Stub;
