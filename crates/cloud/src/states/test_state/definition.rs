//! The state that is tested: in its machine, or by itself.

use std::{collections::BTreeSet, sync::Arc};

use asl::{
    Machine, Severity, Value,
    machine::{Graph, State, StateId},
    value::Object,
};
use sam::StateMachineKind;

use super::request::no_such_state;
use crate::states::{
    ApiError,
    definition::{self, Callable},
};

/// The name of a state that comes by itself.
const UNNAMED: &str = "StateName";

/// A state that is tested.
pub(super) struct Tested {
    pub(super) machine: Arc<Machine>,
    pub(super) name: Arc<str>,
    graph: Arc<Graph>,
    id: StateId,
}

impl Tested {
    /// Reads a machine's definition with a state of this name, or where there is none, the definition of a single state.
    pub(super) fn find(text: &str, name: Option<&str>) -> Result<Self, ApiError> {
        let machine = match (name, Value::parse(text)) {
            (None, Ok(state)) => {
                definition::accept_value(&alone(&state), StateMachineKind::Standard, Callable::Anything)
            }
            _ => definition::accept(text, StateMachineKind::Standard, Callable::Anything),
        }?;
        let machine = machine.machine;
        let name = name.unwrap_or(UNNAMED);
        let (graph, id) = machine.find(name).ok_or_else(no_such_state)?;
        Ok(Self { graph: graph.clone(), id, machine: machine.clone(), name: name.into() })
    }

    pub(super) fn state(&self) -> &State {
        self.graph.state(self.id)
    }

    /// Whether there is a state with this name inside the tested one.
    pub(super) fn contains(&self, name: &str) -> bool {
        let is_named = |state: &State| &*state.name == name;
        self.state().graphs().iter().any(|graph| graph.all_states().into_iter().any(is_named))
    }

    /// Fails where the state calls what can't be called. What other states call is not looked at.
    pub(super) fn can_be_called(&self, callable: Callable<'_>) -> Result<(), ApiError> {
        let at = &self.state().location;
        let found: Vec<_> = definition::find_uncallable(&self.machine, callable)
            .into_iter()
            .filter(|found| found.severity == Severity::Error)
            .filter(|found| {
                found.pointer().strip_prefix(&**at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .collect();
        if found.is_empty() { Ok(()) } else { Err(definition::refused(&found)) }
    }
}

/// A machine of one state, with a state at each place that it leads to.
fn alone(state: &Value) -> Value {
    let next = Value::from([("Type", Value::from("Succeed"))]);
    let mut states = Object::from_iter([(UNNAMED.into(), state.clone())]);
    for target in targets(state) {
        states.entry(target).or_insert_with(|| next.clone());
    }
    Value::from([("StartAt", Value::from(UNNAMED)), ("States", states.into())])
}

/// Where a state leads to: its own fields, its choices, its catchers.
fn targets(state: &Value) -> BTreeSet<Arc<str>> {
    let elements = ["Choices", "Catch"].into_iter().filter_map(|list| state.get(list)?.as_array());
    let places = std::iter::once(state).chain(elements.flat_map(|list| list.iter()));
    let named = places.flat_map(|place| ["Next", "Default"].map(|field| place.get(field).and_then(Value::as_str)));
    named.flatten().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_by_itself_may_lead_anywhere() {
        let choice = r#"{"Type":"Choice","Choices":[{"Variable":"$.a","IsPresent":true,"Next":"B"}],"Default":"C"}"#;
        let tested = Tested::find(choice, None).unwrap();
        assert_eq!((&*tested.name, tested.state().kind.type_name()), ("StateName", "Choice"));
        let task = r#"{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Next":"StateName",
            "Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}]}"#;
        assert!(Tested::find(task, None).is_ok());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, name, code, message) in [
            (r#"{"Type":"Pass"}"#, None, "InvalidDefinition", "at /States/StateName"),
            ("[]", None, "InvalidDefinition", "at /States/StateName"),
            ("no JSON", None, "InvalidDefinition", "INVALID_JSON_DESCRIPTION"),
            (r#"{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}"#, Some("B"), "ValidationException", "not found"),
            (r#"{"Type":"Succeed"}"#, Some("StateName"), "InvalidDefinition", "StartAt"),
        ] {
            let refused = Tested::find(text, name).err().unwrap();
            assert_eq!(refused.code, code, "{text}");
            assert!(refused.message.contains(message), "{text}: {refused}");
        }
    }

    #[test]
    fn a_state_is_found_at_any_depth() {
        let text = r#"{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
            {"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Succeed"}}}]}}}"#;
        assert_eq!(&*Tested::find(text, Some("A")).unwrap().state().location, "/States/P/Branches[0]/States/A");
        let parallel = Tested::find(text, Some("P")).unwrap();
        assert!(parallel.contains("B") && !parallel.contains("P"));
    }
}
