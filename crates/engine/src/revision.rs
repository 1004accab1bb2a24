//! Revisions of state machines.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::history::log::Logging;

/// What a state machine was when an execution was started, beyond its definition, its name and its role.
///
/// An execution keeps it, whatever becomes of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Its id; the first one has none.
    pub id: Option<Arc<str>>,
    /// When it was made.
    pub made_at: OffsetDateTime,
    /// What of executions is logged, and where.
    pub logging: Logging,
    /// Whether X-Ray is to trace executions. Nothing is traced here; a client is told what it asked for.
    pub tracing: bool,
}

impl Revision {
    /// The first one, of which nothing is logged or traced.
    pub fn first(made_at: OffsetDateTime) -> Self {
        Self { id: None, made_at, logging: Logging::default(), tracing: false }
    }
}

/// That of an execution which was started when none was kept.
impl Default for Revision {
    fn default() -> Self {
        Self::first(OffsetDateTime::UNIX_EPOCH)
    }
}
