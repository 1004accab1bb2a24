//! Lambda: the functions of a template, built here and run as the processes that Lambda would run.
//!
//! A function's process speaks the [Runtime API] over HTTP with its own loopback listener, takes one invocation at
//! a time, has the environment that its template gives it and made-up credentials, and is killed at its time-out.
//! Several invocations at once run in several processes, and a process that is done is used again.
//!
//! ```text
//! invoke -> Pool (who runs it) -> Sandbox (one process) <-> RuntimeApi (what it asks for)
//!                                      \-> LogStream (what it prints)
//! ```
//!
//! Processes run on Unix alone: they are killed as process groups.
//!
//! [Runtime API]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

mod api;
mod archive;
mod build;
mod cargo;
mod concurrency;
mod config;
mod deployed;
mod environment;
mod event;
mod function_name;
mod handlers;
mod interpreter;
mod invocation;
mod kept_build;
mod kept_events;
mod late_build;
mod logs;
mod notices;
mod pool;
mod program;
mod rebuild;
mod registry;
mod runtime_api;
mod sandbox;
mod saved;
mod service;
mod version;
mod watch;

pub use api::{ApiConfig, FrontEnd, Objects, RestoreError};
pub use build::{BuildError, BuildEvent, BuildOptions, build};
pub use config::{ConfigError, Credentials, LambdaConfig};
pub use event::{EventEnd, EventOutcome, NotRun};
pub(crate) use function_name::FunctionReference;
pub use invocation::{Invocation, InvokeError, InvokeOptions, ThrottleReason};
pub use kept_events::KeptEventsError;
pub use late_build::Builder;
pub use logs::{LogKind, LogLine, LogPlace, LogSink};
pub use notices::{Notice, notices};
pub use rebuild::{FollowError, Followed, follow};
pub use service::Lambda;
