//! What every front end of the local cloud is: a function from an HTTP request to an HTTP response.

use std::{future::Future, net::SocketAddr, pin::Pin};

use axum::body::Body;

/// An HTTP request as the one port takes it.
pub type Request = http::Request<Body>;

/// An HTTP response as the one port gives it.
pub type Response = http::Response<Body>;

/// The address of the client. The server puts it into the extensions of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A front end: S3, `DynamoDB`, Step Functions, Lambda, …
///
/// A front end never fails: an error is a response in its service's own wire format.
pub trait Service: Send + Sync + 'static {
    /// Answers one request.
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>>;
}
