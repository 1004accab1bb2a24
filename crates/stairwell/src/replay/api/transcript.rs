//! A recorded transcript: calls of the Step Functions API in their order, with what was answered.

use std::sync::LazyLock;

use asl::{Value, value::Object};
use regex::Regex;
use serde::Deserialize;

/// A call of the API.
#[derive(Debug, Deserialize)]
pub struct Call {
    /// The operation, as the Python client calls it: `create_state_machine`.
    pub op: String,
    /// Its parameters. `definition` may be an object; a raw text has the suffix `_text`.
    #[serde(default)]
    pub request: Value,
    /// What was answered; empty where that was not recorded.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// What was answered to a call.
#[derive(Debug, Deserialize)]
pub struct Expectation {
    response: Option<Value>,
    error: Option<Value>,
}

/// A recorded answer, understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Recorded {
    /// The service's answer.
    Answer(Value),
    /// The service's exception.
    Refusal { code: String, message: String },
    /// The client refused to send the call, so the service has no part in it.
    NotSent,
}

/// `An error occurred (InvalidArn) when calling the DescribeActivity operation: Invalid Arn: …`
static EXCEPTION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?s)^An error occurred \((\w+)\) when calling the \w+ operation: (.*)$").ok());

/// How the Python client begins when it refuses parameters by itself.
const CLIENT_REFUSAL: &str = "Parameter validation failed:";

impl Call {
    /// The operation's name on the wire: `CreateStateMachine`.
    pub(super) fn operation(&self) -> String {
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
        };
        self.op.split('_').map(capital).collect()
    }

    /// Whether it changes nothing, so that it can be asked again.
    pub(super) fn only_looks(&self) -> bool {
        ["describe_", "list_", "get_execution_"].iter().any(|prefix| self.op.starts_with(prefix))
    }

    /// The recorded answers.
    pub(super) fn recorded(&self) -> Result<Vec<Recorded>, String> {
        self.expect.iter().map(Expectation::read).collect()
    }

    /// The names of the log groups that it speaks of.
    pub(super) fn log_groups(&self) -> impl Iterator<Item = &str> {
        let logging = self.request.get("loggingConfiguration");
        let destinations = logging.and_then(|logging| logging.get("destinations")?.as_array());
        destinations.into_iter().flat_map(|destinations| destinations.iter()).filter_map(|destination| {
            let arn = destination.get("cloudWatchLogsLogGroup")?.get("logGroupArn")?.as_str()?;
            Some(arn.split_once(":log-group:")?.1.trim_end_matches(":*"))
        })
    }

    /// A text parameter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.request.get(name).and_then(Value::as_str)
    }
}

impl Expectation {
    fn read(&self) -> Result<Recorded, String> {
        match (&self.response, &self.error) {
            (Some(response), None) => Ok(Recorded::Answer(without_metadata(response))),
            (None, Some(error)) => refusal(error).ok_or_else(|| format!("the recorded error {error} can't be read")),
            _ => Err("an expectation has either a 'response' or an 'error'".into()),
        }
    }
}

/// The three forms in which the recorder wrote exceptions: the client's answer, the exception's type and text, its text.
fn refusal(error: &Value) -> Option<Recorded> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    if let Some(answer) = error.get("Error") {
        return Some(Recorded::Refusal { code: text(answer, "Code")?, message: text(answer, "Message")? });
    }
    let told = error.as_str().map(str::to_owned).or_else(|| text(error, "exception_value"))?;
    if told.starts_with(CLIENT_REFUSAL) {
        return Some(Recorded::NotSent);
    }
    let parts = EXCEPTION.as_ref()?.captures(&told)?;
    Some(Recorded::Refusal { code: parts[1].to_owned(), message: parts[2].to_owned() })
}

fn without_metadata(response: &Value) -> Value {
    let Value::Object(fields) = response else { return response.clone() };
    let kept = fields.iter().filter(|(key, _)| &***key != "ResponseMetadata");
    kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Object>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Call {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn operations_have_their_names_on_the_wire() {
        assert_eq!(call(r#"{"op":"list_tags_for_resource"}"#).operation(), "ListTagsForResource");
    }

    #[test]
    fn every_form_of_a_recorded_answer_is_understood() {
        let refusal = |code: &str, message: &str| Recorded::Refusal { code: code.into(), message: message.into() };
        for (expectation, recorded) in [
            (
                r#"{"response":{"a":1,"ResponseMetadata":{}}}"#,
                Recorded::Answer(Value::from([("a", Value::from(1_u64))])),
            ),
            (r#"{"error":{"Error":{"Code":"InvalidArn","Message":"no"}}}"#, refusal("InvalidArn", "no")),
            (
                r#"{"error":{"exception_typename":"E","exception_value":
                    "An error occurred (E) when calling the X operation: a: b"}}"#,
                refusal("E", "a: b"),
            ),
            (r#"{"error":"An error occurred (E) when calling the X operation: a"}"#, refusal("E", "a")),
            (r#"{"error":"Parameter validation failed:\nInvalid type"}"#, Recorded::NotSent),
        ] {
            let call = call(&format!(r#"{{"op":"x","expect":[{expectation}]}}"#));
            assert_eq!(call.recorded(), Ok(vec![recorded]));
        }
        assert!(call(r#"{"op":"x","expect":[{"error":"who knows"}]}"#).recorded().is_err());
        assert!(call(r#"{"op":"x","expect":[{}]}"#).recorded().is_err());
    }
}
