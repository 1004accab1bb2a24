//! The commands, one module each.

pub mod completions;
pub mod demo;
pub mod invoke;
pub mod record;
pub mod replay;
pub mod reset;
pub mod run;
pub mod up;
pub mod validate;
