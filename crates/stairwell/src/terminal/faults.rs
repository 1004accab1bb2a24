//! Errors for people: what each says is told once, for it comes up again on its way out.

use std::collections::HashSet;

use asl::Fault;
use serde_json::Value;

use super::style::{RED, harmless, painted};

/// How many characters of a cause are shown.
const MAX_CAUSE: usize = 400;

/// What was told of the errors of one execution.
#[derive(Debug, Default)]
pub(super) struct Faults(HashSet<String>);

impl Faults {
    /// Notes that this was told. Says whether it was new.
    pub(super) fn note(&mut self, message: &str) -> bool {
        self.0.insert(message.to_owned())
    }

    /// An error on one line: its name, with what it says where that is new.
    pub(super) fn tell(&mut self, fault: &Fault) -> String {
        let message = message(fault);
        let name = fault.error.as_deref().map(|name| painted(RED, harmless(name)));
        if message.is_empty() || !self.note(&message) {
            return name.unwrap_or_default();
        }
        let mut short = harmless(&message.chars().take(MAX_CAUSE).collect::<String>());
        if message.chars().nth(MAX_CAUSE).is_some() {
            short.push('…');
        }
        name.map_or_else(|| short.clone(), |name| format!("{name} {short}"))
    }
}

/// What an error says. A function's own error is a JSON document, and so is the end of an execution that was waited for;
/// the message in it is what a person wants.
fn message(fault: &Fault) -> String {
    innermost(fault.cause.as_deref().unwrap_or_default())
}

fn innermost(cause: &str) -> String {
    let own = serde_json::from_str::<Value>(cause).ok();
    let text = |payload: &Value, name| payload.get(name).and_then(Value::as_str).map(str::to_owned);
    let message = own.and_then(|payload| {
        let of_execution =
            || text(&payload, "ExecutionArn").and_then(|_| text(&payload, "Cause")).map(|cause| innermost(&cause));
        text(&payload, "errorMessage").or_else(of_execution)
    });
    message.unwrap_or_else(|| cause.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_says_is_told_once() {
        let mut faults = Faults::default();
        let mut tell = |error: Option<&str>, cause: Option<&str>| {
            let fault = Fault { error: error.map(Into::into), cause: cause.map(Into::into) };
            anstream::adapter::strip_str(&faults.tell(&fault)).to_string()
        };
        let own = r#"{"errorType":"Gone","errorMessage":"there is\nnone"}"#;
        assert_eq!(tell(Some("Gone"), Some(own)), "Gone there is none");
        assert_eq!(tell(Some("Failed"), Some("there is\nnone")), "Failed");
        assert_eq!(tell(None, Some("stopped")), "stopped");
        let child = r#"{"ExecutionArn":"arn","Error":"Broken","Cause":"by\nhand"}"#;
        assert_eq!(tell(Some("States.TaskFailed"), Some(child)), "States.TaskFailed by hand");
        assert_eq!(tell(Some("Alone"), None), "Alone");
        assert_eq!(tell(Some("E\u{1b}]0;title\u{7}"), None), "E ]0;title ");
        assert_eq!(tell(None, None), "");
        assert_eq!(tell(Some("Long"), Some(&"x".repeat(500))), format!("Long {}…", "x".repeat(400)));
    }
}
