//! What a function's process prints, line by line, each with the invocation it belongs to.
//!
//! Standard output and standard error of a process are one pipe, so their lines keep the order in which they were
//! written. A line belongs to the invocation that ran when it was written, even if it is read later: whatever the
//! process wrote before it posted its answer is in the pipe when the answer arrives, so the pipe is emptied then,
//! before the invocation ends, and again before the next one begins.

use std::{
    fmt,
    io::{self, PipeWriter},
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use time::OffsetDateTime;
use tokio::net::unix::pipe::Receiver;
use uuid::Uuid;

use super::program::Program;

/// Where log lines go.
pub type LogSink = Arc<dyn Fn(LogLine) + Send + Sync>;

/// The longest line: what one CloudWatch log event holds. A longer one is cut into several.
const MAX_LINE: usize = 256 * 1024;
/// What `LogType: Tail` gives.
const MAX_TAIL: usize = 4 * 1024;
/// What is read at once.
const CHUNK: usize = 8 * 1024;
/// How many chunks a full pipe has at most. What comes after that was written after the pipe began to be emptied.
const PIPE_CHUNKS: usize = 1024 * 1024 / CHUNK;

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogKind {
    /// The function.
    Function,
    /// Lambda: `START`, `END`, `REPORT`, and what it says about a time-out or a lost process.
    Platform,
}

/// One line of a function's log.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// The function's name.
    pub function: Arc<str>,
    /// The log group and the stream that the line belongs to.
    pub place: Arc<LogPlace>,
    /// The invocation that ran when the line was written, or the last one before; while the process starts, the one that
    /// it is started for.
    pub request_id: Option<Arc<str>>,
    /// When it was read.
    pub time: OffsetDateTime,
    /// Who wrote it.
    pub kind: LogKind,
    /// The line, without its end. Bytes that are not UTF-8 are replaced.
    pub line: String,
}

/// Where a process writes its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    /// The function's log group.
    pub group: Arc<str>,
    /// The stream of this one process.
    pub stream: String,
}

/// The log of one process.
pub(crate) struct LogStream {
    function: Arc<str>,
    place: Arc<LogPlace>,
    version: Arc<str>,
    sink: LogSink,
    pipe: Receiver,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The invocation that runs, or ran last; before the first, the one that the process was started for.
    request_id: Option<Arc<str>>,
    /// Whether an invocation has begun.
    begun: bool,
    /// The beginning of a line whose end has not been read yet.
    partial: Vec<u8>,
    tail: Vec<u8>,
}

impl LogStream {
    /// A stream, and the end of its pipe that the process writes to. What the process writes while it starts belongs
    /// to the invocation that it is started for.
    pub(crate) fn new(program: &Program, started_for: &str) -> io::Result<(Arc<Self>, PipeWriter)> {
        let Program { function, version, log_group, log_sink, .. } = program;
        let place = LogPlace { group: Arc::clone(log_group), stream: stream_name(version) };
        let (reader, writer) = io::pipe()?;
        let pipe = Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let state = Mutex::new(State { request_id: Some(started_for.into()), ..State::default() });
        let (function, version, sink) = (Arc::clone(function), Arc::clone(version), Arc::clone(log_sink));
        Ok((Arc::new(Self { function, place: Arc::new(place), version, sink, pipe, state }), writer))
    }

    /// The name of the stream.
    pub(crate) fn name(&self) -> &str {
        &self.place.stream
    }

    /// Reads as the process writes, until it has closed its end.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut chunk = [0; CHUNK];
        while self.pipe.readable().await.is_ok() {
            let mut state = self.state();
            match self.pipe.try_read(&mut chunk) {
                Ok(0) => return,
                Ok(length) => self.take(&mut state, chunk.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    /// Begins an invocation: what has been written so far belongs to the one before. The lines of a new process'
    /// start stay in the tail of its first invocation.
    pub(crate) fn begin(&self, request_id: &str) {
        let mut state = self.state();
        self.drain(&mut state);
        self.flush(&mut state);
        if std::mem::replace(&mut state.begun, true) {
            state.tail.clear();
        }
        state.request_id = Some(request_id.into());
        self.emit(&mut state, LogKind::Platform, format!("START RequestId: {request_id} Version: {}", self.version));
    }

    /// Writes a line of Lambda's own.
    pub(crate) fn platform(&self, line: String) {
        let mut state = self.state();
        self.drain(&mut state);
        self.flush(&mut state);
        self.emit(&mut state, LogKind::Platform, line);
    }

    /// The last 4 KB of the invocation that has ended.
    pub(crate) fn tail(&self) -> Bytes {
        Bytes::copy_from_slice(&self.state().tail)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all that is in the pipe now. This asks the system rather than tokio, which may not have heard yet that
    /// there is something to read.
    fn drain(&self, state: &mut State) {
        let mut chunk = [0; CHUNK];
        for _ in 0..PIPE_CHUNKS {
            match rustix::io::read(&self.pipe, &mut chunk) {
                Ok(0) => return,
                Ok(length) => self.take(state, chunk.get(..length).unwrap_or_default()),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    fn take(&self, state: &mut State, read: &[u8]) {
        for piece in read.split_inclusive(|byte| *byte == b'\n') {
            state.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || state.partial.len() >= MAX_LINE {
                self.flush(state);
            }
        }
    }

    /// Ends the line that has begun, if one has.
    fn flush(&self, state: &mut State) {
        if state.partial.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut state.partial);
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.emit(state, LogKind::Function, String::from_utf8_lossy(line).into_owned());
    }

    fn emit(&self, state: &mut State, kind: LogKind, line: String) {
        state.tail.extend_from_slice(line.as_bytes());
        state.tail.push(b'\n');
        let surplus = state.tail.len().saturating_sub(MAX_TAIL);
        state.tail.drain(..surplus);
        (self.sink)(LogLine {
            function: Arc::clone(&self.function),
            place: Arc::clone(&self.place),
            request_id: state.request_id.clone(),
            time: OffsetDateTime::now_utc(),
            kind,
            line,
        });
    }
}

/// `2026/01/31/[$LATEST]<32 hex digits>`
fn stream_name(version: &str) -> String {
    let (year, month, day) = OffsetDateTime::now_utc().to_calendar_date();
    format!("{year}/{:02}/{day:02}/[{version}]{}", u8::from(month), Uuid::new_v4().simple())
}

impl fmt::Debug for LogStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStream").field("function", &self.function).finish_non_exhaustive()
    }
}
