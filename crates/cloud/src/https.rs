//! Clients of addresses outside the port: over TLS with the certificates that the system trusts, and plain.

use std::{
    io,
    sync::{Arc, LazyLock, OnceLock},
};

use axum::body::Body;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::service::Response;

/// Why a request had no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// The system's certificates can't be read.
    #[error("the certificates of this machine can't be read: {0}")]
    Certificates(#[from] io::Error),
    /// Nobody answered.
    #[error(transparent)]
    Unanswered(#[from] hyper_util::client::legacy::Error),
}

/// Sends a request. One that is not over TLS asks for no certificates.
pub(crate) async fn send(request: http::Request<Body>) -> Result<Response, SendError> {
    static PLAIN: LazyLock<Client<HttpConnector, Body>> = LazyLock::new(|| {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        Client::builder(TokioExecutor::new()).build(http)
    });
    let response = match request.uri().scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => PLAIN.request(request).await?,
        _ => client()?.request(request).await?,
    };
    Ok(response.map(Body::new))
}

/// A client over HTTP and HTTPS.
pub(crate) type HttpsClient = Client<HttpsConnector<HttpConnector>, Body>;

/// The one client of this process. The system's certificates are read with the first call.
pub(crate) fn client() -> io::Result<&'static HttpsClient> {
    static CLIENT: OnceLock<Result<HttpsClient, Arc<io::Error>>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let connector = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider).map_err(Arc::new)?;
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.enforce_http(false);
        let connector = connector.https_or_http().enable_http1().wrap_connector(http);
        Ok(Client::builder(TokioExecutor::new()).build(connector))
    });
    client.as_ref().map_err(|error| io::Error::new(error.kind(), error.clone()))
}
