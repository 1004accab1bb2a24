//! The one port: accepts connections, speaks HTTP/1.1, hands every request to the front.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::body::Body;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::service::{Peer, Service};

/// How many connections may wait to be accepted; what Tokio itself takes.
const BACKLOG: u32 = 1024;

/// The pause after a connection that was not accepted. Without it the lack of file handles would take a whole core, and fill
/// the log.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long requests under way may go on after the shutdown was asked for.
const DRAIN: Duration = Duration::from_secs(5);

/// Why the port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process listens on the address.
    #[error(
        "port {} of {} is taken{}: choose another one with --port{}", .address.port(), .address.ip(),
        by(.holder.as_deref()), or(*.free)
    )]
    Taken {
        /// The address that was asked for.
        address: SocketAddr,
        /// The name and number of the process that has it, where the system tells.
        holder: Option<String>,
        /// One of the next ports that nobody listens on.
        free: Option<u16>,
    },
    /// The system refused for another reason.
    #[error("cannot listen on {address}: {source}")]
    Refused {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's own error.
        source: io::Error,
    },
}

impl BindError {
    fn of(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => {
                Self::Taken { address, holder: holder::of(address.port()), free: next_free(address) }
            }
            _ => Self::Refused { address, source },
        }
    }
}

fn by(holder: Option<&str>) -> String {
    holder.map(|holder| format!(" by {holder}")).unwrap_or_default()
}

fn or(free: Option<u16>) -> String {
    free.map(|port| format!(", such as --port {port}")).unwrap_or_default()
}

/// The first of the ports after one that can be had at this moment.
fn next_free(address: SocketAddr) -> Option<u16> {
    const TRIED: u16 = 20;
    let mut ports = (1..=TRIED).filter_map(|step| address.port().checked_add(step));
    ports.find(|port| std::net::TcpListener::bind((address.ip(), *port)).is_ok())
}

/// A port that is taken, and that nobody listens on yet: clients are refused, as they are before the server is started.
#[derive(Debug)]
pub struct Reserved {
    socket: TcpSocket,
    address: SocketAddr,
}

impl Reserved {
    /// The address, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients begin an address with: `http://127.0.0.1:4566`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Opens the port. Connections queue from here on; they are served by [`Server::serve`].
    pub fn listen(self) -> Result<Server, BindError> {
        let address = self.address;
        let listener = self.socket.listen(BACKLOG).map_err(|source| BindError::of(address, source))?;
        Ok(Server { listener, address })
    }
}

/// A listening socket, not yet serving.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// The loopback address with the given port. Port 0 takes any free port.
    pub fn loopback(port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    /// Takes the port. Must be called inside a Tokio runtime.
    pub fn reserve(address: SocketAddr) -> Result<Reserved, BindError> {
        let failed = |source| BindError::of(address, source);
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        };
        let socket = socket.map_err(failed)?;
        // What a server before left to be closed must not keep this one from the port.
        socket.set_reuseaddr(true).map_err(failed)?;
        socket.bind(address).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Reserved { socket, address })
    }

    /// Takes and opens the port. Must be called inside a Tokio runtime.
    pub fn bind(address: SocketAddr) -> Result<Self, BindError> {
        Self::reserve(address)?.listen()
    }

    /// The address that was opened, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is cancelled, then lets requests under way end, for at most five seconds.
    pub async fn serve<S: Service>(self, front: Arc<S>, shutdown: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        // Small answers must not wait for the client's delayed acknowledgement.
                        if let Err(error) = stream.set_nodelay(true) {
                            tracing::debug!(%error, "TCP_NODELAY was refused");
                        }
                        connections.spawn(serve_connection(stream, peer, Arc::clone(&front), shutdown.clone()));
                    }
                    // A connection that died in the queue, or no file handles left: the next accept may work.
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::debug!("requests still under way were cut off");
        }
    }
}

/// Serves one connection, from a client at `peer`, until it ends or `shutdown` is cancelled.
pub async fn serve_connection<S: Service>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    front: Arc<S>,
    shutdown: CancellationToken,
) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let front = Arc::clone(&front);
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            Ok::<_, Infallible>(front.call(request).await)
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            // Clients keep idle connections for long; closing them first makes their next request fail.
            .header_read_timeout(None)
            .pipeline_flush(true)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection ended early");
    }
}

#[cfg(target_os = "linux")]
mod holder {
    //! Which process listens on a port, by the files of `/proc`.

    use std::{fs, path::Path};

    const LISTEN: &str = "0A";

    /// The name and process id of the listener, when it belongs to this user.
    pub(super) fn of(port: u16) -> Option<String> {
        let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|table| fs::read_to_string(table).ok())
            .find_map(|table| listening_inode(&table, port))?;
        let link = format!("socket:[{inode}]");
        fs::read_dir("/proc")
            .ok()?
            .flatten()
            // `/proc/self` and its like are not by number.
            .filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit))
            .map(|entry| entry.path())
            .find(|process| has_open(process, &link))
            .map(|process| describe(&process))
    }

    fn listening_inode(table: &str, port: u16) -> Option<String> {
        let suffix = format!(":{port:04X}");
        table.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
            (local.ends_with(&suffix) && *state == LISTEN).then(|| (*inode).to_owned())
        })
    }

    fn has_open(process: &Path, link: &str) -> bool {
        fs::read_dir(process.join("fd")).is_ok_and(|descriptors| {
            descriptors
                .flatten()
                .any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|target| target.as_os_str() == link))
        })
    }

    fn describe(process: &Path) -> String {
        let id = process.file_name().unwrap_or_default().to_string_lossy();
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        format!("{} (process {id})", name.trim())
    }
}

#[cfg(not(target_os = "linux"))]
mod holder {
    //! Other systems have no such files.

    pub(super) fn of(_port: u16) -> Option<String> {
        None
    }
}
