//! What a history looks like, in two numbers: enough to tell that a replay is not what was.

use asl::Value;
use twox_hash::XxHash3_64;

use crate::history::{Event, EventKind, event_type};

/// The number of events, and a hash of their types, their order and their payloads.
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
            text.extend(payload(&event.kind).map_or(0, |value| payloads.digest(value)).to_le_bytes());
            text.extend(event_type(&event.kind).bytes());
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

fn payload(kind: &EventKind) -> Option<&Value> {
    match kind {
        EventKind::ExecutionStarted { input, .. }
        | EventKind::StateEntered { input, .. }
        | EventKind::LambdaFunctionScheduled { input, .. } => Some(input),
        EventKind::ExecutionSucceeded { output }
        | EventKind::StateExited { output, .. }
        | EventKind::LambdaFunctionSucceeded { output }
        | EventKind::TaskSucceeded { output, .. } => Some(output),
        EventKind::TaskScheduled { parameters, .. } => Some(parameters),
        _ => None,
    }
}
