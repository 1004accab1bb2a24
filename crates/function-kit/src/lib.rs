//! What all Lambda functions of the application share.
//!
//! A function is a thin `main`, a state that is made once, and a handler that is a free `async fn`:
//!
//! ```no_run
//! use function_kit::{Environment, NamedError, SettingError};
//! use function_kit::aws::SdkConfig;
//! use lambda_runtime::LambdaEvent;
//!
//! struct Greeter { greeting: String }
//!
//! impl Greeter {
//!     fn new(environment: &Environment, _aws: &SdkConfig) -> Result<Self, SettingError> {
//!         Ok(Self { greeting: environment.text("GREETING", "the words before the name")? })
//!     }
//! }
//!
//! #[derive(Debug, thiserror::Error)]
//! enum Error {
//!     #[error("nobody to greet")]
//!     NoName,
//! }
//!
//! impl NamedError for Error {
//!     fn name(&self) -> &'static str { "NoName" }
//! }
//!
//! async fn handle(greeter: &Greeter, event: LambdaEvent<String>) -> Result<String, Error> {
//!     if event.payload.is_empty() { return Err(Error::NoName) }
//!     Ok(format!("{} {}", greeter.greeting, event.payload))
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     function_kit::start_up(Greeter::new, handle)
//! }
//! ```
//!
//! - [`start_up`] sets up the logs, makes the state and serves invocations.
//! - [`time_left`] tells a handler how long it may take.
//! - [`Environment`] reads settings; its errors name the variable and what it should be.
//! - [`NamedError`] gives an error the name that a state machine catches.
//! - [`aws`] configures the clients, and [`ServiceError`] classifies what AWS answers.
//! - [`Name`], [`Amount`] and [`EventTime`] are values that several functions take.
//! - [`HttpRequest`] and [`HttpResponse`] are for functions behind an HTTP API.
//! - [`html`] puts text into a page.
//! - [`game`] and [`dragon`] are what the functions of one workflow share.
//! - `testing`, a feature, is a loopback stand-in for AWS.

mod amount;
pub mod aws;
pub mod dragon;
mod environment;
mod error;
mod event_time;
pub mod game;
pub mod html;
mod http;
mod invocation;
mod logs;
mod name;
mod service_error;
mod start_up;
#[cfg(feature = "testing")]
#[expect(clippy::expect_used, reason = "what fails here fails the test that uses it")]
pub mod testing;

pub use amount::Amount;
pub use environment::{Environment, SettingError};
pub use error::{Failure, INVALID_INPUT, NamedError};
pub use event_time::EventTime;
pub use http::{HttpRequest, HttpResponse, NotBase64, RequestContext};
pub use invocation::time_left;
pub use name::{Name, NotAName};
pub use service_error::{ServiceError, ServiceErrorKind};
pub use start_up::start_up;
