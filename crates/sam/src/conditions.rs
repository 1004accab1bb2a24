//! `Conditions` and their functions.

use crate::{
    problem::ProblemKind,
    source::Span,
    template::{Reported, Template},
    yaml::Node,
};

impl Template {
    /// Whether a condition of the template holds.
    pub(crate) fn condition(&self, name: &str, at: Span) -> Result<bool, Reported> {
        let Some(field) = self.conditions.get(name) else {
            return Err(self.report_unknown("condition", name, self.conditions.keys().map(String::as_str), at));
        };
        self.guarded(&format!("Conditions/{name}"), name, at, || self.holds(&field.value))
    }

    fn holds(&self, node: &Node) -> Result<bool, Reported> {
        let function = node.as_map().filter(|map| map.len() == 1).and_then(|map| map.first());
        let Some((name, argument)) = function.map(|(name, field)| (name.as_str(), &field.value)) else {
            return Err(self.bad_arguments(
                "a condition",
                "one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition",
                node.at,
            ));
        };
        match name {
            "Condition" => match argument.as_text() {
                Some(name) => self.condition(name, argument.at),
                None => Err(self.bad_arguments("Condition", "the name of a condition", argument.at)),
            },
            "Fn::Equals" => match argument.as_list() {
                Some([left, right]) => Ok(self.comparable(left)? == self.comparable(right)?),
                _ => Err(self.bad_arguments(name, "two values", argument.at)),
            },
            "Fn::Not" => match argument.as_list() {
                Some([inner]) => Ok(!self.holds(inner)?),
                _ => Err(self.bad_arguments(name, "a list of one condition", argument.at)),
            },
            "Fn::And" | "Fn::Or" => match argument.as_list() {
                // All are looked at, so that each one's problems are shown.
                Some(inner @ [_, _, ..]) => {
                    let results = inner.iter().map(|inner| self.holds(inner)).collect::<Result<Vec<_>, _>>()?;
                    Ok(if name == "Fn::And" {
                        results.iter().all(|holds| *holds)
                    } else {
                        results.iter().any(|holds| *holds)
                    })
                }
                _ => Err(self.bad_arguments(name, "a list of two conditions or more", argument.at)),
            },
            _ => {
                let kind = ProblemKind::UnsupportedFunction {
                    function: name.to_owned(),
                    reason: "it is no function of conditions",
                };
                Err(self.report(kind, node.at))
            }
        }
    }

    /// The text that CloudFormation compares.
    fn comparable(&self, node: &Node) -> Result<String, Reported> {
        let value = self.resolve(node)?;
        Ok(value
            .map(|value| value.as_text().map_or_else(|| value.to_json().to_string(), str::to_owned))
            .unwrap_or_default())
    }
}
