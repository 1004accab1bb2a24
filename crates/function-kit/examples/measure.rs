//! Runs the function's binary on a file and tells its time and its peak memory:
//! `measure <binary> <file> <output directory> [<command> ...]`.
//!
//! The binary runs as Lambda runs it, under the command if one is given, such as `taskset -c 0`. This process is the
//! Runtime API and an S3 with one object in it: the file, whatever is asked for. What the function writes is put into
//! the output directory.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    env, fs, io,
    path::PathBuf,
    process::{Command, ExitCode},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use futures::TryStreamExt;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_util::io::ReaderStream;

type Body = BoxBody<Bytes, io::Error>;

struct Host {
    file: PathBuf,
    output: PathBuf,
    name: String,
    /// Whether the one invocation was handed out.
    invoked: Mutex<Option<Instant>>,
    parts: Mutex<BTreeMap<(String, u32), Bytes>>,
    answer: mpsc::UnboundedSender<(Instant, StatusCode, Bytes)>,
}

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [binary, file, output, command @ ..] = arguments.as_slice() else {
        return Err(io::Error::other("usage: measure <binary> <file> <output directory> [<command> ...]"));
    };
    fs::create_dir_all(output)?;
    let file = PathBuf::from(file);
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let size = fs::metadata(&file)?.len();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (answer, mut answers) = mpsc::unbounded_channel();
    let host = Arc::new(Host {
        file,
        output: output.into(),
        name,
        invoked: Mutex::default(),
        parts: Mutex::default(),
        answer,
    });
    tokio::spawn(accept(listener, Arc::clone(&host)));

    let line: Vec<&str> = command.iter().map(String::as_str).chain([binary.as_str()]).collect();
    let mut child = Command::new(line[0]);
    child.args(&line[1..]).env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
    for (name, value) in [
        ("AWS_LAMBDA_RUNTIME_API", address.clone()),
        ("AWS_LAMBDA_FUNCTION_NAME", "measured".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{address}")),
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ] {
        child.env(name, value);
    }
    let mut child = child.spawn()?;
    let (invoked, status, body) = answers.recv().await.ok_or_else(|| io::Error::other("no answer"))?;
    let seconds = invoked.elapsed().as_secs_f64();
    let memory = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    child.kill()?;
    child.wait()?;

    #[expect(clippy::cast_precision_loss, reason = "a file's size in MB")]
    let megabytes = size as f64 / 1e6;
    println!("{}", String::from_utf8_lossy(&body));
    println!("{megabytes:.0} MB in {seconds:.2} s: {:.1} MB/s", megabytes / seconds);
    memory.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("peak memory, {line}"));
    Ok(if status == StatusCode::ACCEPTED { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn accept(listener: TcpListener, host: Arc<Host>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, Arc::clone(&host)));
    }
}

async fn serve(stream: TcpStream, host: Arc<Host>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&host), request));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(host: Arc<Host>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(host.answer(request).await.unwrap_or_else(|error| {
        eprintln!("{error}");
        let mut response = Response::new(full(error.to_string()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    }))
}

impl Host {
    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        if let Some(path) = path.strip_prefix("/2018-06-01/runtime/") {
            return self.runtime_api(path, request).await;
        }
        if request.method() == Method::GET {
            return self.get_object(&request).await;
        }
        let key = path.rsplit('/').next().unwrap_or_default().to_owned();
        let method = request.method().clone();
        let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        let part = query.split('&').find_map(|pair| pair.strip_prefix("partNumber=")?.parse().ok());
        match (method, part) {
            (Method::PUT, Some(part)) => {
                self.parts().insert((key, part), body);
                Response::builder().header("etag", "\"part\"").body(full("")).map_err(io::Error::other)
            }
            (Method::PUT, None) => {
                fs::write(self.output.join(key), body)?;
                Ok(Response::new(full("")))
            }
            (Method::POST, _) if query.starts_with("uploads") => {
                let xml = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>";
                Ok(Response::new(full(xml)))
            }
            (Method::POST, _) => {
                let parts: Vec<Bytes> =
                    self.parts().iter().filter(|((of, _), _)| *of == key).map(|(_, part)| part.clone()).collect();
                fs::write(self.output.join(key), parts.concat())?;
                Ok(Response::new(full("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")))
            }
            _ => {
                self.parts().clear();
                Ok(Response::new(full("")))
            }
        }
    }

    async fn runtime_api(&self, path: &str, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let invoked = *self.invoked.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(invoked) = invoked else {
            *self.invoked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            let event = serde_json::json!({"bucket": "data", "key": self.name, "eTag": "\"file\""});
            return Response::builder()
                .header("lambda-runtime-aws-request-id", "1")
                .header("lambda-runtime-deadline-ms", "9999999999999")
                .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:000000000000:function:f")
                .body(full(event.to_string()))
                .map_err(io::Error::other);
        };
        if path == "invocation/next" {
            std::future::pending::<()>().await;
        }
        let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        let status = if path.ends_with("/response") { StatusCode::ACCEPTED } else { StatusCode::INTERNAL_SERVER_ERROR };
        let _ = self.answer.send((invoked, status, body));
        let mut response = Response::new(full(""));
        *response.status_mut() = StatusCode::ACCEPTED;
        Ok(response)
    }

    async fn get_object(&self, request: &Request<Incoming>) -> io::Result<Response<Body>> {
        let range = request.headers().get("range").and_then(|range| range.to_str().ok());
        let start = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()).unwrap_or(0);
        let mut file = tokio::fs::File::open(&self.file).await?;
        let size = file.metadata().await?.len();
        file.seek(io::SeekFrom::Start(start)).await?;
        let pieces = ReaderStream::with_capacity(file.take(size - start), 256 << 10).map_ok(Frame::data);
        Response::builder()
            .header("content-length", size - start)
            .header("etag", "\"file\"")
            .body(BodyExt::boxed(StreamBody::new(pieces)))
            .map_err(io::Error::other)
    }

    fn parts(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, u32), Bytes>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn full(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).map_err(|never: Infallible| match never {}).boxed()
}
