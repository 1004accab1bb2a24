//! What a history looks like, in two numbers: enough to tell that a replay is not what was.

use asl::{Fault, Value};
use twox_hash::XxHash3_64;

use crate::history::{Event, EventKind, event_type};

/// The number of events, and a hash of their types, their order, their payloads and their faults.
///
/// It grows with the history: the cost is that of the new events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) events: usize,
    pub(crate) digest: u64,
}

impl Fingerprint {
    /// The fingerprint of the whole history, where this is the one of its beginning.
    pub(crate) fn extended(self, history: &[Event]) -> Self {
        let mut digest = self.digest;
        let mut payloads = Payloads::default();
        let mut text = Vec::new();
        for event in history.get(self.events..).unwrap_or_default() {
            text.clear();
            text.extend(event.previous_id.to_le_bytes());
            let (payload, fault) = carried(&event.kind);
            text.extend(payload.map_or(0, |value| payloads.digest(value)).to_le_bytes());
            text.extend(event_type(&event.kind).bytes());
            if let Some(Fault { error, cause }) = fault {
                text.extend(error.iter().chain(cause).flat_map(|part| part.bytes()));
            }
            digest = XxHash3_64::oneshot_with_seed(digest, &text);
        }
        Self { events: history.len(), digest }
    }
}

/// The digests of payloads. From event to event goes mostly one and the same piece of memory, which is read once.
#[derive(Default)]
struct Payloads {
    last: Option<(Value, u64)>,
    text: Vec<u8>,
}

impl Payloads {
    fn digest(&mut self, value: &Value) -> u64 {
        if let Some((last, digest)) = &self.last
            && last.is_same(value)
        {
            return *digest;
        }
        self.text.clear();
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(&mut self.text, value);
        let digest = XxHash3_64::oneshot(&self.text);
        self.last = Some((value.clone(), digest));
        digest
    }
}

/// What an event carries: a payload or a fault.
fn carried(kind: &EventKind) -> (Option<&Value>, Option<&Fault>) {
    match kind {
        EventKind::ExecutionStarted { input: payload, .. }
        | EventKind::ExecutionSucceeded { output: payload }
        | EventKind::StateEntered { input: payload, .. }
        | EventKind::StateExited { output: payload, .. }
        | EventKind::LambdaFunctionScheduled { input: payload, .. }
        | EventKind::LambdaFunctionSucceeded { output: payload }
        | EventKind::ActivityScheduled { input: payload, .. }
        | EventKind::ActivitySucceeded { output: payload }
        | EventKind::TaskScheduled { parameters: payload, .. }
        | EventKind::TaskSubmitted { output: payload, .. }
        | EventKind::TaskSucceeded { output: payload, .. } => (Some(payload), None),
        EventKind::ExecutionFailed(fault)
        | EventKind::ExecutionTimedOut(fault)
        | EventKind::ExecutionAborted(fault)
        | EventKind::EvaluationFailed { fault, .. }
        | EventKind::MapRunFailed(fault)
        | EventKind::LambdaFunctionScheduleFailed(fault)
        | EventKind::LambdaFunctionStartFailed(fault)
        | EventKind::LambdaFunctionFailed(fault)
        | EventKind::LambdaFunctionTimedOut(fault)
        | EventKind::ActivityScheduleFailed(fault)
        | EventKind::ActivityFailed(fault)
        | EventKind::ActivityTimedOut(fault)
        | EventKind::TaskStartFailed(_, fault)
        | EventKind::TaskSubmitFailed(_, fault)
        | EventKind::TaskFailed(_, fault)
        | EventKind::TaskTimedOut(_, fault) => (None, Some(fault)),
        EventKind::ExecutionRedriven { .. }
        | EventKind::StateAborted { .. }
        | EventKind::ParallelStateStarted
        | EventKind::ParallelStateSucceeded
        | EventKind::ParallelStateFailed
        | EventKind::MapStateStarted { .. }
        | EventKind::MapStateSucceeded
        | EventKind::MapStateFailed
        | EventKind::MapRunStarted { .. }
        | EventKind::MapRunSucceeded
        | EventKind::MapRunAborted
        | EventKind::MapRunRedriven { .. }
        | EventKind::MapIterationStarted(_)
        | EventKind::MapIterationSucceeded(_)
        | EventKind::MapIterationFailed(_)
        | EventKind::MapIterationAborted(_)
        | EventKind::LambdaFunctionStarted
        | EventKind::ActivityStarted { .. }
        | EventKind::TaskStarted(_) => (None, None),
    }
}
