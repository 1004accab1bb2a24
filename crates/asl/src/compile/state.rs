//! States, by their `Type`.

use std::sync::Arc;

use super::{
    choice,
    diagnostic::Code,
    fields::{Fields, Language, Reads, Type},
    graph::{Names, inner_graph},
    literals, map, retry, task,
};
use crate::{
    flow::{DataFlow, JsonPathFlow, JsonataFlow},
    machine::{Choice, ChoiceRule, Fail, FailText, Graph, Kind, Parallel, Pass, State, Transition, Until, Wait},
    timestamp,
};

/// The longest wait and the longest time-out that can be written down, which is also a task's default: some three years.
pub(super) const MAX_SECONDS: u64 = 99_999_999;

/// The fields around the work that only one of the languages has.
const JSON_PATH_FIELDS: &[&str] = &["InputPath", "Parameters", "ResultSelector", "ResultPath", "OutputPath"];
const JSONATA_FIELDS: &[&str] = &["Arguments", "Output"];

/// The fields around its work that a type of state has.
#[expect(clippy::struct_excessive_bools, reason = "a table of which field is where")]
#[derive(Clone, Copy)]
struct FlowFields {
    /// `InputPath` and `OutputPath`, or `Output`
    io: bool,
    /// `Parameters`
    parameters: bool,
    /// `Arguments`
    arguments: bool,
    /// `ResultSelector`
    result_selector: bool,
    /// `ResultPath`
    result_path: bool,
    /// `Assign`
    assign: bool,
}

impl FlowFields {
    const NONE: Self = Self {
        io: false,
        parameters: false,
        arguments: false,
        result_selector: false,
        result_path: false,
        assign: false,
    };
    const IO: Self = Self { io: true, ..Self::NONE };
    const IO_AND_ASSIGN: Self = Self { assign: true, ..Self::IO };
    const PASS: Self = Self { parameters: true, result_path: true, ..Self::IO_AND_ASSIGN };
    const WORK: Self = Self { arguments: true, result_selector: true, ..Self::PASS };
    /// `Parameters` of a Map state are its iterations'.
    const MAP: Self = Self { parameters: false, arguments: false, ..Self::WORK };

    fn of(type_name: &str) -> Option<Self> {
        Some(match type_name {
            "Task" | "Parallel" => Self::WORK,
            "Map" => Self::MAP,
            "Pass" => Self::PASS,
            "Wait" | "Choice" => Self::IO_AND_ASSIGN,
            "Succeed" => Self::IO,
            "Fail" => Self::NONE,
            _ => return None,
        })
    }

    /// Whether the state has a result of its own, which `Output` and `Assign` can read.
    fn reads(self) -> Reads {
        if self.result_selector { Reads::Result } else { Reads::Input }
    }
}

/// Compiles a state whose language is the machine's or its own.
pub(super) fn state(name: &Arc<str>, names: &Names, fields: &mut Fields<'_>) -> Option<State> {
    let comment = fields.text("Comment");
    query_language(names, fields);
    if !fields.has("Type") {
        fields.object_error("The field 'Type' is required");
    }
    let Some(type_name) = fields.text("Type") else {
        fields.let_be();
        return None;
    };
    let Some(flow_fields) = FlowFields::of(&type_name) else {
        fields.error(
            "Type",
            "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]",
        );
        fields.let_be();
        return None;
    };
    let flow = flow(flow_fields, fields);
    let assign = if flow_fields.assign { assign(fields, flow_fields.reads()) } else { None };
    check_language(fields);
    let kind = match &*type_name {
        "Pass" => Kind::Pass(pass(names, fields)?),
        "Task" => Kind::Task(task::task(names, fields)?),
        "Choice" => Kind::Choice(choice_state(names, fields)?),
        "Wait" => Kind::Wait(wait(names, fields)?),
        "Fail" => Kind::Fail(fail(fields)),
        "Parallel" => Kind::Parallel(parallel(names, fields)?),
        "Map" => Kind::Map(map::map(names, fields)?),
        _ => Kind::Succeed,
    };
    Some(State { name: name.clone(), location: fields.at.to_string().into(), comment, flow, assign, kind })
}

/// A state's own `QueryLanguage`, which only may lead from `JSONPath` to JSONata.
fn query_language(names: &Names, fields: &mut Fields<'_>) {
    let Some(language) = own_language(fields) else { return };
    if (names.language, language) == (Language::Jsonata, Language::JsonPath) {
        fields.object_error("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine");
        fields.is_mixed = true;
    }
    fields.language = language;
}

const QUERY_LANGUAGE: &str = "QueryLanguage";

/// What a `QueryLanguage` that is there comes to: the service takes all that is not `JSONPath` for JSONata, and refuses
/// it nevertheless.
pub(super) fn own_language(fields: &Fields<'_>) -> Option<Language> {
    fields.look(QUERY_LANGUAGE).map(|value| match value.as_str() {
        Some("JSONPath") => Language::JsonPath,
        _ => Language::Jsonata,
    })
}

/// Refuses a `QueryLanguage` that is none.
pub(super) fn check_language(fields: &mut Fields<'_>) {
    fields.one_of(QUERY_LANGUAGE, &["JSONPath", "JSONata"]);
}

fn flow(has: FlowFields, fields: &mut Fields<'_>) -> DataFlow {
    match fields.language {
        Language::JsonPath => {
            fields.refuse_jsonata(JSONATA_FIELDS);
            let mut flow = JsonPathFlow::default();
            if has.io {
                flow.input_path = fields.selection("InputPath");
                flow.output_path = fields.selection("OutputPath");
            }
            if has.parameters {
                flow.parameters = fields.template("Parameters", Reads::Input);
            }
            if has.result_selector {
                flow.result_selector = fields.template("ResultSelector", Reads::Input);
            }
            if has.result_path {
                flow.result_path = fields.result_path();
            }
            DataFlow::JsonPath(flow)
        }
        Language::Jsonata => {
            fields.refuse_json_path(JSON_PATH_FIELDS);
            let mut flow = JsonataFlow::default();
            if has.arguments {
                flow.arguments = fields.template("Arguments", Reads::Input);
            }
            if has.io {
                flow.output = fields.template("Output", has.reads());
            }
            DataFlow::Jsonata(flow)
        }
    }
}

/// `Assign`: an object whose fields are variables.
pub(super) fn assign(fields: &mut Fields<'_>, reads: Reads) -> Option<crate::template::Template> {
    const NAME: &str = "Assign";
    match fields.look(NAME)? {
        crate::Value::Object(variables) => {
            let wrong: Vec<_> = variables.keys().filter_map(|key| wrong_name(key, fields.language)).collect();
            for (key, code, why) in wrong {
                let at = fields.at.child(NAME).child(&key);
                fields.findings.error(code, &at, why);
            }
        }
        _ => {
            fields.take(NAME);
            fields.type_error(NAME, Type::Object);
            return None;
        }
    }
    fields.template(NAME, reads)
}

/// The most characters of a variable's name.
const MAX_VARIABLE_NAME: usize = 80;

/// What is wrong with a variable's name: it must be an identifier of Unicode, and not `states`.
fn wrong_name(key: &Arc<str>, language: Language) -> Option<(Arc<str>, Code, String)> {
    let name = match language {
        Language::JsonPath => key.strip_suffix(".$").unwrap_or(key),
        Language::Jsonata => key,
    };
    let mut characters = name.chars();
    let starts = characters.next().is_some_and(|first| first.is_alphabetic());
    let invalid = |why: &str| (Code::InvalidVariableName, format!("Invalid variable name '{name}': {why}"));
    let (code, why) = if !starts || !characters.all(|c| c.is_alphanumeric() || c == '_') {
        invalid("the variable name contains invalid characters.")
    } else if name.chars().count() > MAX_VARIABLE_NAME {
        invalid("the variable name has more than 80 characters.")
    } else if name == "states" {
        (Code::ReservedVariableName, "Cannot assign to reserved variable '$states'.".to_owned())
    } else {
        return None;
    };
    Some((key.clone(), code, why))
}

/// `Next` or `End`: one of them, and only one.
pub(super) fn transition(names: &Names, fields: &mut Fields<'_>) -> Option<Transition> {
    let end = fields.flag("End") == Some(true);
    match (fields.has("Next"), end) {
        (true, true) => {
            fields.take("Next");
            fields.one_at_most(&["Next", "End"]);
            None
        }
        (true, false) => names.target(fields, "Next").map(Transition::Next),
        (false, true) => Some(Transition::End),
        (false, false) => {
            fields.object_error("This object should have only one of the following fields: [Next, End]");
            None
        }
    }
}

fn pass(names: &Names, fields: &mut Fields<'_>) -> Option<Pass> {
    if fields.language == Language::Jsonata {
        fields.refuse_json_path(&["Result"]);
    }
    let result = fields.take("Result");
    if let (Some(result), Language::JsonPath) = (&result, fields.language) {
        literals::check_result(result, &fields.at.child("Result"), fields.findings);
    }
    Some(Pass { result, transition: transition(names, fields)? })
}

fn choice_state(names: &Names, fields: &mut Fields<'_>) -> Option<Choice> {
    fields.require("Choices");
    let choices = fields.filled_array("Choices");
    let default = names.target(fields, "Default");
    let choices = choices?;
    let rules: Vec<_> = choices
        .iter()
        .enumerate()
        .filter_map(|(index, value)| {
            let mut fields = fields.element("Choices", index, value)?;
            let rule = choice_rule(names, &mut fields);
            fields.close();
            rule
        })
        .collect();
    (rules.len() == choices.len()).then_some(Choice { rules, default })
}

fn choice_rule(names: &Names, fields: &mut Fields<'_>) -> Option<ChoiceRule> {
    fields.require("Next");
    let rule = choice::rule(fields);
    let next = names.target(fields, "Next");
    let assign = assign(fields, Reads::Input);
    let output = match fields.language {
        Language::Jsonata => fields.template("Output", Reads::Input),
        Language::JsonPath => {
            fields.refuse_jsonata(&["Output"]);
            None
        }
    };
    Some(ChoiceRule { rule: rule?, next: next?, assign, output })
}

fn wait(names: &Names, fields: &mut Fields<'_>) -> Option<Wait> {
    let until = match fields.language {
        Language::JsonPath => &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"][..],
        Language::Jsonata => {
            fields.refuse_json_path(&["SecondsPath", "TimestampPath"]);
            &["Seconds", "Timestamp"][..]
        }
    };
    let given: Vec<_> = until.iter().filter(|name| fields.has(name)).copied().collect();
    let until = match given.as_slice() {
        ["Seconds"] => match fields.query("Seconds") {
            Some(query) => query.map(Until::SecondsOf),
            None => fields.count("Seconds", 0..=MAX_SECONDS).map(Until::Seconds),
        },
        ["SecondsPath"] => fields.reference_expression("SecondsPath").map(Until::SecondsOf),
        ["Timestamp"] => match fields.query("Timestamp") {
            Some(query) => query.map(Until::TimestampOf),
            None => timestamp(fields),
        },
        ["TimestampPath"] => fields.reference_expression("TimestampPath").map(Until::TimestampOf),
        _ => {
            for name in given {
                fields.take(name);
            }
            fields.exactly_one(&["SecondsPath", "Seconds", "TimestampPath", "Timestamp"]);
            None
        }
    };
    let transition = transition(names, fields);
    Some(Wait { until: until?, transition: transition? })
}

fn timestamp(fields: &mut Fields<'_>) -> Option<Until> {
    let at = timestamp::parse(&fields.text("Timestamp")?);
    if at.is_none() {
        fields.error("Timestamp", "String does not match RFC3339 timestamp");
    }
    at.map(Until::Timestamp)
}

fn fail(fields: &mut Fields<'_>) -> Fail {
    Fail { error: fail_text(fields, "Error", "ErrorPath"), cause: fail_text(fields, "Cause", "CausePath") }
}

fn fail_text(fields: &mut Fields<'_>, name: &'static str, path_name: &'static str) -> Option<FailText> {
    if fields.language == Language::Jsonata {
        fields.refuse_json_path(&[path_name]);
        if let Some(query) = fields.query(name) {
            return query.map(FailText::Expression);
        }
        let constant = fields.text(name)?;
        literals::check_text(&constant, &fields.at.child(name), fields.findings);
        return Some(FailText::Literal(constant));
    }
    fields.one_at_most(&[name, path_name]);
    let constant = fields.text(name);
    if let Some(constant) = &constant {
        literals::check_constant(name, constant, &fields.at.child(name), fields.findings);
    }
    constant.map(FailText::Literal).or(fields.path_or_call(path_name).map(FailText::Expression))
}

fn parallel(names: &Names, fields: &mut Fields<'_>) -> Option<Parallel> {
    fields.require("Branches");
    let branches = fields.filled_array("Branches");
    let at = fields.at.child("Branches");
    let graphs: Vec<Arc<Graph>> = branches
        .iter()
        .flat_map(|branches| branches.iter().enumerate())
        .filter_map(|(index, branch)| {
            let branch = fields.open_below(branch, at.element(index), names.language)?;
            inner_graph(branch, names).map(Arc::new)
        })
        .collect();
    let on_error = retry::on_error(names, fields);
    let transition = transition(names, fields)?;
    let complete = graphs.len() == branches?.len();
    complete.then_some(Parallel { branches: graphs, on_error, transition })
}
