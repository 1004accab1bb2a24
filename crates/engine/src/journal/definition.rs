//! Definitions as the journal keeps them: by their content.

use std::sync::Arc;

use asl::Machine;
use sha2::{Digest, Sha256};

/// What an execution runs: a definition, and what was compiled of it.
///
/// An execution keeps the one that it was started with, whatever becomes of its state machine.
#[derive(Clone, Debug)]
pub struct Definition {
    pub(crate) id: DefinitionId,
    pub(crate) text: Arc<str>,
    machine: Arc<Machine>,
}

/// The SHA-256 of a definition's JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DefinitionId(pub(crate) [u8; 32]);

impl Definition {
    /// A definition's JSON text, and what was compiled of it.
    pub fn new(text: impl Into<Arc<str>>, machine: Arc<Machine>) -> Self {
        let text = text.into();
        Self { id: DefinitionId(Sha256::digest(&*text).into()), text, machine }
    }

    /// Its JSON text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// What was compiled.
    pub fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }
}
