//! A client of addresses beyond this machine, over TLS with the certificates that the system trusts.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use axum::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

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
