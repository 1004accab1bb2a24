//! A version of a function that can be invoked, with what Lambda's API tells of it.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{pool::Pool, version::Version};

/// A version of a function that can be invoked. It does not change: what changes the function puts another in its place.
pub(crate) struct Deployed {
    pub(crate) function: sam::Function,
    pub(crate) version: Version,
    pub(crate) about: About,
    pub(crate) code: CodeFacts,
    pub(crate) revision: String,
    pub(crate) pool: Arc<Pool>,
}

/// What the API is told of a function and tells again, and what makes no other difference here.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) description: String,
    pub(crate) role: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// What is known of a function's code.
#[derive(Debug, Clone)]
pub(crate) struct CodeFacts {
    /// The executable, or the folder of what an interpreter runs.
    pub(crate) location: PathBuf,
    /// Of code that came as an archive.
    pub(crate) archive: Option<Archive>,
    /// When it came.
    pub(crate) modified: OffsetDateTime,
}

/// What is known of the archive that a function's code came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Archive {
    /// The hash of its bytes: SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
    /// In bytes.
    pub(crate) size: u64,
}
