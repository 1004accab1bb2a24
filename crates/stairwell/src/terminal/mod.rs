//! What a person sees while something runs.

mod build;
mod duration;
mod family;
mod faults;
mod live;
mod log_line;
mod plain;
mod print;
mod progress;
mod rest;
mod style;
mod tree;
mod view;
mod watch;

pub use build::BuildProgress;
pub use duration::{duration, took};
pub use family::{Family, Member};
pub use live::Spinner;
pub use log_line::LogText;
pub use plain::Plain;
pub use print::{counted, lines, lost, print, tell};
pub use progress::{Node, Progress, Status};
pub use rest::last_part;
pub use style::{BOLD, DIM, GREEN, RED, YELLOW, harmless, is_plain, painted, set_color};
pub use tree::render;
pub use watch::{Display, Started, Viewer, next_now};
