//! The languages of Lambda's own runtimes that an interpreter on this machine can run.

use std::fmt;

use serde::Serialize;

/// A language, with the version that a function asks for.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// `python3.<minor>`
    Python {
        /// The version's second number.
        minor: u32,
    },
    /// `nodejs<major>.x`
    Node {
        /// The version's first number.
        major: u32,
    },
}

impl Language {
    /// The language of a `Runtime`: `python3.13`, `nodejs22.x`; none of one that needs no interpreter, or one that is not
    /// known here.
    pub fn of_runtime(runtime: &str) -> Option<Self> {
        if let Some(minor) = runtime.strip_prefix("python3.") {
            return Some(Self::Python { minor: minor.parse().ok()? });
        }
        let major = runtime.strip_prefix("nodejs")?.strip_suffix(".x")?;
        Some(Self::Node { major: major.parse().ok()? })
    }

    /// Lambda's name of the runtime: `python3.13`, `nodejs22.x`.
    pub fn runtime(self) -> String {
        match self {
            Self::Python { minor } => format!("python3.{minor}"),
            Self::Node { major } => format!("nodejs{major}.x"),
        }
    }

    /// The file that Lambda puts inline code into: `index.py`, `index.js`.
    pub fn inline_module(self) -> &'static str {
        match self {
            Self::Python { .. } => "index.py",
            Self::Node { .. } => "index.js",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Python { minor } => write!(f, "Python 3.{minor}"),
            Self::Node { major } => write!(f, "Node.js {major}"),
        }
    }
}
