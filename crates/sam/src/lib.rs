//! Reads a SAM template into the application it describes.
//!
//! [`load()`] does it all: parameters, conditions and intrinsic functions get their values, `Globals` are merged, the
//! definitions of state machines are read and their substitutions made, names and ARNs are those of the local cloud. What
//! the runner cannot do is either a [`Problem`], with its place in the file, or an entry of [`Application::left_out`].
//!
//! - `yaml`, `json`, `source`: text to values, and their places.
//! - `template`, `parameters`, `globals`: the sections.
//! - `intrinsics`, `conditions`, `names`: what functions and names stand for.
//! - `references`, `audit`: nothing is named that is not there, nothing is read and forgotten.
//! - `resources`, `definition`, `cargo`: the application's parts.
//!
//! Nothing is resolved before it is asked for, so a template may use whatever it likes in resources that the runner leaves out.

mod application;
mod audit;
mod cargo;
mod conditions;
mod definition;
mod globals;
mod intrinsics;
mod json;
mod language;
mod load;
mod locate;
mod names;
mod parameters;
mod problem;
mod properties;
mod references;
mod resources;
mod source;
mod suggest;
mod template;
mod yaml;

pub use application::*;
pub use language::Language;
pub use load::{LoadOptions, load, load_definition};
pub use locate::WrittenDefinition;
pub use names::is_states_name;
pub use problem::{LoadError, Problem, ProblemKind};
pub use resources::function::RESERVED_VARIABLES;
pub use source::SourceLocation;
pub use suggest::closest;

/// The account in every ARN of the local cloud.
pub const ACCOUNT: &str = "000000000000";

/// The region of the local cloud where the environment names none.
pub const REGION: &str = "us-east-1";
