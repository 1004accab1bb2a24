//! Mock configurations: answers of tasks that a file gives in place of the services.
//!
//! The format is that of `MockConfigFile.json` of AWS Step Functions Local (Developer Guide, "Testing state machines with
//! Step Functions Local"): test cases of state machines name a mocked response for each of their states, and a mocked
//! response says what a call gives, by how often it was made before.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use asl::{Fault, Value, machine::Resource, value::Object};
use serde::{Deserialize, Serialize};

/// A mock configuration.
#[derive(Clone, Debug, Default)]
pub struct MockConfig {
    /// Machines by name, their test cases by name, and for each state what answers it.
    machines: HashMap<Arc<str>, HashMap<Arc<str>, MockedStates>>,
}

/// Which test case answers an execution's calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mocked {
    /// The name of the state machine that has the test case.
    pub machine: Arc<str>,
    /// The test case's name.
    pub test_case: Arc<str>,
    /// The ARN of the execution that was started with it. With the calls of that one those of its Map Runs' child
    /// executions are counted.
    pub execution: Arc<str>,
}

/// What answers each mocked state of a test case.
type MockedStates = HashMap<Arc<str>, Arc<MockedResponse>>;

/// What a mocked state answers, by how often it was called before.
#[derive(Debug, Default)]
struct MockedResponse(BTreeMap<u64, MockedAnswer>);

#[derive(Clone, Debug)]
enum MockedAnswer {
    Return(Value),
    Throw(Fault),
}

/// Text that is no mock configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at {at}")]
pub struct MockError {
    /// Where it is wrong: `/MockedResponses/Accepted/0`.
    pub at: String,
    /// What is wrong.
    pub message: String,
}

impl MockConfig {
    /// Reads a configuration.
    pub fn parse(config: &Value) -> Result<Self, MockError> {
        known_fields(config, "", &["StateMachines", "MockedResponses"])?;
        let responses = object(config.get("MockedResponses"), "/MockedResponses")?;
        let responses: HashMap<Arc<str>, Arc<MockedResponse>> = responses
            .iter()
            .map(|(name, value)| Ok((name.clone(), Arc::new(response(value, &format!("/MockedResponses/{name}"))?))))
            .collect::<Result<_, MockError>>()?;
        let mut machines = HashMap::new();
        for (machine, value) in object(config.get("StateMachines"), "/StateMachines")? {
            let at = format!("/StateMachines/{machine}");
            known_fields(value, &at, &["TestCases"])?;
            let at = format!("{at}/TestCases");
            let mut cases = HashMap::new();
            for (case, states) in object(value.get("TestCases"), &at)? {
                let at = format!("{at}/{case}");
                let states = object(Some(states), &at)?;
                let answered = states.iter().map(|(state, name)| {
                    let named = name.as_str().and_then(|name| responses.get(name)).cloned();
                    let wrong = || error(&format!("{at}/{state}"), format!("there is no mocked response {name}"));
                    Ok((state.clone(), named.ok_or_else(wrong)?))
                });
                cases.insert(case.clone(), answered.collect::<Result<_, MockError>>()?);
            }
            machines.insert(machine.clone(), cases);
        }
        Ok(Self { machines })
    }

    /// A test case of a state machine, whose calls have not been made yet.
    pub fn test_case(&self, machine: &str, case: &str) -> Option<TestCase> {
        self.machines.get(machine)?.get(case).map(TestCase::of)
    }

    /// The test case of this name, of whichever machine has one; none where several have.
    pub fn only_test_case(&self, case: &str) -> Option<TestCase> {
        let mut found = self.machines.values().filter_map(|cases| cases.get(case));
        found.next().filter(|_| found.next().is_none()).map(TestCase::of)
    }
}

/// A test case under way.
#[derive(Clone, Debug)]
pub struct TestCase {
    states: MockedStates,
    /// How often each state has called.
    calls: HashMap<Arc<str>, u64>,
}

impl TestCase {
    fn of(states: &MockedStates) -> Self {
        Self { states: states.clone(), calls: HashMap::new() }
    }

    /// The states that are mocked.
    pub fn states(&self) -> impl Iterator<Item = &Arc<str>> {
        self.states.keys()
    }

    /// Whether a state is mocked; others call their services.
    pub fn mocks(&self, state: &str) -> bool {
        self.states.contains_key(state)
    }

    /// The answer to a state's next call. Of a mocked function called by its ARN it is the `Payload`.
    ///
    /// Fails with `States.Runtime` where the state has no answer left.
    pub fn answer(&mut self, state: &Arc<str>, resource: &Resource) -> Result<Value, Fault> {
        let count = self.calls.entry(state.clone()).or_default();
        let call = *count;
        *count += 1;
        match self.states.get(state).and_then(|response| response.0.get(&call)) {
            Some(MockedAnswer::Throw(fault)) => Err(fault.clone()),
            Some(MockedAnswer::Return(value)) => Ok(match (resource, value.get("Payload")) {
                (Resource::Function { .. }, Some(payload)) => payload.clone(),
                _ => value.clone(),
            }),
            None => Err(Fault::runtime(format!("No mocked response is left for call {call} of the state '{state}'."))),
        }
    }
}

fn response(value: &Value, at: &str) -> Result<MockedResponse, MockError> {
    let mut answers = BTreeMap::new();
    for (calls, value) in object(Some(value), at)? {
        let at = format!("{at}/{calls}");
        let answer = answer(value, &at)?;
        let range = range(calls).ok_or_else(|| error(&at, "calls are a number or a range such as 1-3"))?;
        for call in range {
            if answers.insert(call, answer.clone()).is_some() {
                return Err(error(&at, format!("call {call} has two answers")));
            }
        }
    }
    Ok(MockedResponse(answers))
}

/// The most calls that one range may stand for.
const LONGEST_RANGE: u64 = 100_000;

fn range(text: &str) -> Option<std::ops::RangeInclusive<u64>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && last - first < LONGEST_RANGE).then_some(first..=last)
}

fn answer(value: &Value, at: &str) -> Result<MockedAnswer, MockError> {
    known_fields(value, at, &["Return", "Throw"])?;
    match (value.get("Return"), value.get("Throw")) {
        (Some(output), None) => Ok(MockedAnswer::Return(output.clone())),
        (None, Some(thrown)) => {
            known_fields(thrown, &format!("{at}/Throw"), &["Error", "Cause"])?;
            let text = |key| thrown.get(key).and_then(Value::as_str).map(Into::into);
            Ok(MockedAnswer::Throw(Fault { error: text("Error"), cause: text("Cause") }))
        }
        _ => Err(error(at, "expected either 'Return' or 'Throw'")),
    }
}

fn object<'v>(value: Option<&'v Value>, at: &str) -> Result<&'v Object, MockError> {
    match value {
        Some(Value::Object(fields)) => Ok(fields),
        Some(_) => Err(error(at, "expected an object")),
        None => Err(error(at, "expected an object, found nothing")),
    }
}

fn known_fields(value: &Value, at: &str, known: &[&str]) -> Result<(), MockError> {
    let fields = object(Some(value), if at.is_empty() { "/" } else { at })?;
    match fields.keys().find(|name| !known.contains(&&***name)) {
        Some(name) => Err(error(&format!("{at}/{name}"), format!("expected one of {}", known.join(", ")))),
        None => Ok(()),
    }
}

fn error(at: &str, message: impl Into<String>) -> MockError {
    MockError { at: at.to_owned(), message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(responses: &str) -> Result<MockConfig, MockError> {
        let text = format!(
            r#"{{"StateMachines":{{"M":{{"TestCases":{{"Case":{{"Call":"one"}}}}}}}},"MockedResponses":{responses}}}"#
        );
        MockConfig::parse(&Value::parse(&text).unwrap())
    }

    fn service() -> Resource {
        Resource::Activity { arn: "arn:aws:states:us-east-1:123456789012:activity:a".into() }
    }

    #[test]
    fn a_state_is_answered_by_how_often_it_called() {
        let config =
            parse(r#"{"one":{"0":{"Throw":{"Error":"Busy","Cause":"try"}},"1-2":{"Return":{"Payload":7}}}}"#).unwrap();
        let mut case = config.test_case("M", "Case").unwrap();
        assert!(case.mocks("Call") && !case.mocks("Other"));
        assert_eq!(case.answer(&"Call".into(), &service()), Err(Fault::new("Busy", "try")));
        let function = Resource::Function { arn: "arn:aws:lambda:us-east-1:123456789012:function:f".into() };
        assert_eq!(case.answer(&"Call".into(), &function).unwrap().to_string(), "7");
        assert_eq!(case.answer(&"Call".into(), &service()).unwrap().to_string(), r#"{"Payload":7}"#);
        assert!(case.answer(&"Call".into(), &service()).unwrap_err().is("States.Runtime"));
        assert!(config.test_case("M", "Other").is_none());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (responses, expected) in [
            (r#"{"two":{}}"#, r#"there is no mocked response "one" at /StateMachines/M/TestCases/Case/Call"#),
            (r#"{"one":{"0":{}}}"#, "expected either 'Return' or 'Throw' at /MockedResponses/one/0"),
            (r#"{"one":{"x":{"Return":1}}}"#, "calls are a number or a range such as 1-3 at /MockedResponses/one/x"),
            (r#"{"one":{"0-1":{"Return":1},"1":{"Return":2}}}"#, "call 1 has two answers at /MockedResponses/one/1"),
            (r#"{"one":{"0":{"Retrun":1}}}"#, "expected one of Return, Throw at /MockedResponses/one/0/Retrun"),
            ("[]", "expected an object at /MockedResponses"),
        ] {
            assert_eq!(parse(responses).unwrap_err().to_string(), expected);
        }
    }
}
