//! A line of a function's log, for people.

use std::fmt;

use serde_json::{Map, Value};

use super::style::{DIM, RED, YELLOW, harmless, painted};

/// A log line: structured ones are told in short, others as they are, but for control characters.
pub struct LogText<'a>(pub &'a str);

impl LogText<'_> {
    /// The error that a structured line tells, where it is one.
    pub fn error(&self) -> Option<String> {
        let fields: Map<String, Value> = serde_json::from_str(self.0).ok()?;
        let is_error = fields.get("level").and_then(Value::as_str) == Some("ERROR");
        fields.get("message").and_then(Value::as_str).filter(|_| is_error).map(str::to_owned)
    }
}

/// Fields that say what a reader of the tree knows already.
const KNOWN: [&str; 7] = ["timestamp", "level", "message", "target", "span", "spans", "threadId"];

impl fmt::Display for LogText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(Value::Object(fields)) = serde_json::from_str(self.0) else { return f.write_str(&harmless(self.0)) };
        let Some(message) = fields.get("message").and_then(Value::as_str) else {
            return f.write_str(&harmless(self.0));
        };
        match fields.get("level").and_then(Value::as_str) {
            Some("ERROR") => write!(f, "{} ", painted(RED, "error"))?,
            Some("WARN") => write!(f, "{} ", painted(YELLOW, "warn"))?,
            _ => {}
        }
        f.write_str(&harmless(message))?;
        rest(&fields, f)
    }
}

fn rest(fields: &Map<String, Value>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (name, value) in fields.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        write!(f, " {}", painted(DIM, harmless(&format!("{name}={value}"))))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_lines_are_told_in_short() {
        let told = |line: &str| anstream::adapter::strip_str(&LogText(line).to_string()).to_string();
        let line = r#"{"timestamp":"2026-01-01T00:00:00Z","level":"WARN","message":"ragged row","rows":2,"key":"a.csv","span":{"requestId":"1"}}"#;
        assert_eq!(told(line), "warn ragged row rows=2 key=a.csv");
        assert_eq!(told("plain text"), "plain text");
        let obeyed = r#"{"message":"a\u001b]0;title\u0007","key":"\u001b[2Jb\rc"}"#;
        assert_eq!(LogText(obeyed).to_string(), format!("a ]0;title  {}", painted(DIM, "key= [2Jb c")));
        assert_eq!(LogText("a\u{9b}2J\rb").to_string(), "a 2J b");
        assert_eq!(told(r#"{"no":"message"}"#), r#"{"no":"message"}"#);
    }
}
