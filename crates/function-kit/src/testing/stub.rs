//! The server.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_config::SdkConfig;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::config;
use super::message::{Ending, Reply, Request};

type Script = dyn FnMut(&Request) -> Reply + Send;

struct Shared {
    script: Mutex<Box<Script>>,
    requests: Mutex<Vec<Request>>,
}

/// An HTTP server on a free loopback port that records requests and gives scripted replies. It ends when it is dropped.
pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    silent: bool,
}

impl Stub {
    /// A stub that gives these replies, one a request, in their order. A request after the last one is answered with
    /// status 501.
    pub async fn scripted(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut replies: VecDeque<Reply> = replies.into_iter().collect();
        let silent = replies.iter().any(|reply| reply.ending == Ending::Silent);
        let next = move |_: &Request| replies.pop_front().unwrap_or_else(|| Reply::json_error(501, "NoReplyIsLeft"));
        let mut stub = Self::replying(next).await;
        stub.silent = silent;
        stub
    }

    /// A stub whose replies follow from the requests.
    ///
    /// # Panics
    ///
    /// When no loopback port can be had.
    pub async fn replying(script: impl FnMut(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared { script: Mutex::new(Box::new(script)), requests: Mutex::default() });
        let server = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, server, silent: false }
    }

    /// The configuration of clients that speak to this stub: made-up credentials, and no retries.
    ///
    /// A call may take 30 s, or 100 ms where the script has a reply that never comes.
    pub fn sdk_config(&self) -> SdkConfig {
        let timeout = if self.silent { Duration::from_millis(100) } else { Duration::from_secs(30) };
        config::sdk_config(self.address, timeout)
    }

    /// The requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let answer = |request| answer(Arc::clone(&shared), request);
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    // A client that goes away, or a reply that is cut short, is no failure of the stub.
    let _ = connection.await;
}

async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<ReplyBody>, Infallible> {
    let request = received(request).await;
    let reply = {
        let mut script = shared.script.lock().unwrap_or_else(PoisonError::into_inner);
        script(&request)
    };
    shared.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    if reply.ending == Ending::Silent {
        std::future::pending::<()>().await;
    }
    let mut response =
        hyper::Response::new(ReplyBody { bytes: Some(reply.body), cut_short: reply.ending == Ending::CutShort });
    *response.status_mut() = hyper::StatusCode::from_u16(reply.status).unwrap_or_default();
    *response.headers_mut() = reply.headers;
    Ok(response)
}

async fn received(request: hyper::Request<Incoming>) -> Request {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    }
}

/// The body of a reply, which may announce more than it has.
struct ReplyBody {
    bytes: Option<Bytes>,
    cut_short: bool,
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.bytes.take() {
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            _ if self.cut_short => Poll::Ready(Some(Err(std::io::ErrorKind::BrokenPipe.into()))),
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.cut_short && self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        SizeHint::with_exact(left + u64::from(self.cut_short))
    }
}
