//! Reads a SAM template into the application it describes.

mod application;

pub use application::*;

/// The account in every ARN of the local cloud.
pub const ACCOUNT: &str = "000000000000";

/// The region of the local cloud where the environment names none.
pub const REGION: &str = "us-east-1";
