//! Services of a real account, for requests to what is not emulated: those alone that the user names.
//!
//! A request comes signed with made-up credentials. It goes on as it is, signed anew with the user's own, which nobody else
//! ever sees: functions keep the made-up ones. Source: AWS Signature Version 4, "Create a signed AWS API request".

use std::{collections::BTreeMap, future::Future, pin::Pin, time::SystemTime};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::{
    http_request::{
        PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, Uri, header, request::Parts};

use crate::{
    front::collect,
    https::{self, HttpsClient},
    service::{Request, Response, Service},
    wire::{self, Format},
};

/// The longest body that goes on, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Headers of one connection, and those of the signature that comes with a request.
const LEFT_BEHIND: [HeaderName; 8] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TRANSFER_ENCODING,
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-security-token"),
];

/// The services of a real account that requests go on to.
pub struct Elsewhere {
    /// By the names in signatures: where each answers.
    addresses: BTreeMap<String, Uri>,
    region: String,
    credentials: SharedCredentialsProvider,
    client: &'static HttpsClient,
}

/// Why requests can't go on to a real account.
#[derive(Debug, thiserror::Error)]
pub enum ElsewhereError {
    /// It is emulated.
    #[error("{0} is emulated here: only a service that is not can be forwarded")]
    Here(String),
    /// No address can be made of it.
    #[error("{0:?} is no name of a service, such as rekognition")]
    Name(String),
    /// The certificates of the system can't be read.
    #[error("the certificates of this machine can't be read: {0}")]
    Certificates(std::io::Error),
}

impl Elsewhere {
    /// Services, each by the name that it has in its address and in signatures, of a region. `address` has another address
    /// of a service, where it has one.
    pub fn new(
        services: &[String],
        region: &str,
        credentials: SharedCredentialsProvider,
        address: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ElsewhereError> {
        let mut addresses = BTreeMap::new();
        for service in services {
            let (host, signing_name) = service.split_once(':').unwrap_or((service, service));
            if crate::route::is_here(signing_name) {
                return Err(ElsewhereError::Here(signing_name.to_owned()));
            }
            let is_name = |name: &str| {
                !name.is_empty()
                    && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
            };
            let refused = || ElsewhereError::Name(service.clone());
            if !is_name(host) || !is_name(signing_name) {
                return Err(refused());
            }
            let text = address(host).unwrap_or_else(|| format!("https://{host}.{region}.amazonaws.com"));
            let uri: Uri = text.parse().map_err(|_| refused())?;
            if uri.authority().is_none() {
                return Err(refused());
            }
            addresses.insert(signing_name.to_owned(), uri);
        }
        let client = https::client().map_err(ElsewhereError::Certificates)?;
        Ok(Self { addresses, region: region.to_owned(), credentials, client })
    }

    /// Whether requests that are signed for a service go on.
    pub(crate) fn has(&self, signing_name: &str) -> bool {
        self.addresses.contains_key(signing_name)
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = match collect(body, MAX_BODY).await {
            Ok(body) => body,
            Err(refused) => return refused.response(Format::Json),
        };
        let name = crate::route::signing_name(&parts).unwrap_or_default().to_owned();
        let sent = match self.signed(&name, &parts, body).await {
            Ok(request) => self.client.request(request).await.map_err(|error| error.to_string()),
            Err(reason) => Err(reason),
        };
        match sent {
            Ok(response) => response.map(Body::new),
            Err(reason) => {
                let message = format!("{name} of the real account was not reached: {reason}");
                wire::error(Format::Json, StatusCode::BAD_GATEWAY, "ServiceNotReached", &message)
            }
        }
    }

    /// The request as it goes on.
    async fn signed(&self, name: &str, parts: &Parts, body: Bytes) -> Result<http::Request<Body>, String> {
        let told = |error: &dyn std::error::Error| error.to_string();
        let address = self.addresses.get(name).ok_or("it was not named")?;
        let credentials = self.credentials.provide_credentials().await.map_err(|error| told(&error))?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let base = address.to_string();
        let uri = format!("{}{path}", base.trim_end_matches('/'));
        let headers: HeaderMap = parts
            .headers
            .iter()
            .filter(|(name, _)| !LEFT_BEHIND.contains(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut request = http::Request::builder().method(parts.method.clone()).uri(&uri);
        if let Some(of_request) = request.headers_mut() {
            *of_request = headers;
        }
        let mut request = request.body(()).map_err(|error| told(&error))?;
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Double;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Enabled;
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(name)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(|error| told(&error))?
            .into();
        let text = |value: &http::HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
        let signed: Vec<(String, String)> =
            request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let pairs = signed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let signable = SignableRequest::new(parts.method.as_str(), &uri, pairs, SignableBody::Bytes(&body));
        let signable = signable.map_err(|error| told(&error))?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| told(&error))?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request.map(|()| Body::from(body)))
    }
}

impl Service for Elsewhere {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

impl std::fmt::Debug for Elsewhere {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Elsewhere").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
