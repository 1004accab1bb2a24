//! Definitions, most of which the checker takes, and JSON of any kind.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// Any JSON, some of whose fields are those that the generated paths lead to.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..12).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "[a-z$.\\[\\]*é\\PC]{0,6}".prop_map(Value::from),
        select(vec!["$.a", "{% $states.input %}", "2030-01-01T00:00:00Z", "A", "Task", "JSONata"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name(), inner), 0..4).prop_map(|fields| fields.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    let known = vec!["a", "b", "a.b", "States", "StartAt", "Type", "Next", "End", "Retry", "Choices", "x.$", "Output"];
    prop_oneof![4 => select(vec!["a", "b"]).prop_map(str::to_owned), 1 => select(known).prop_map(str::to_owned), 1 => "\\PC{0,5}"]
}

/// A definition whose states all can be reached, in either language.
pub(crate) fn definition() -> impl Strategy<Value = Value> {
    any::<bool>().prop_flat_map(|is_jsonata| {
        let machine = (graph(is_jsonata), option::weighted(0.2, 0_u32..100));
        machine.prop_map(move |(graph, timeout)| {
            let mut definition = graph.render("", 0, &mut 0);
            definition["QueryLanguage"] = json!(if is_jsonata { "JSONata" } else { "JSONPath" });
            if let Some(timeout) = timeout {
                definition["TimeoutSeconds"] = json!(timeout);
            }
            definition
        })
    })
}

/// From which byte on a target may lie before the state: an execution that goes round in circles fills its history.
const BACKWARD: u8 = 252;

/// States in a row: each leads to the next one, and may lead elsewhere too.
#[derive(Clone, Debug)]
struct Graph(Vec<State>);

#[derive(Clone, Debug)]
struct State {
    /// The fields that are the same wherever it stands.
    fields: Value,
    /// Where else it may lead, for each catcher or rule.
    targets: Vec<u8>,
    /// `Branches`, or the processor, alone.
    graphs: Vec<Graph>,
}

impl Graph {
    fn render(&self, prefix: &str, depth: usize, numbers: &mut usize) -> Value {
        *numbers += 1;
        let prefix = format!("{prefix}{numbers}.");
        let name = |index: usize| format!("{prefix}{}", index % self.0.len());
        let states = self.0.iter().enumerate().map(|(index, state)| {
            let mut fields = state.fields.clone();
            let target = |which: usize| {
                let byte = state.targets.get(which).copied().unwrap_or_default();
                let chosen = usize::from(byte);
                let ahead = self.0.len() - index - 1;
                if ahead == 0 || byte >= BACKWARD { name(chosen) } else { name(index + 1 + chosen % ahead) }
            };
            let kind = fields["Type"].as_str().unwrap_or_default().to_owned();
            if index + 1 == self.0.len()
                && let Some(catchers) = fields["Catch"].as_array_mut()
            {
                let leads_back = |which: usize| state.targets.get(which).is_some_and(|chosen| *chosen >= BACKWARD);
                let kept = std::mem::take(catchers).into_iter().enumerate().filter(|(which, _)| leads_back(*which));
                *catchers = kept.map(|(_, catcher)| catcher).collect();
            }
            for list in ["Catch", "Choices"] {
                for (which, element) in fields[list].as_array_mut().into_iter().flatten().enumerate() {
                    element["Next"] = json!(target(which));
                }
                if fields[list].is_null() {
                    fields.as_object_mut().unwrap().remove(list);
                }
            }
            // A scope inside another one may not assign its variables.
            if let Some(Value::Object(assign)) = fields.get_mut("Assign").filter(|_| depth > 0) {
                *assign = assign
                    .iter()
                    .map(|(name, value)| (name.replacen('v', &format!("v{depth}"), 1), value.clone()))
                    .collect();
            }
            let is_last = index + 1 == self.0.len();
            match &*kind {
                "Choice" if is_last => fields = json!({"Type": "Succeed"}),
                "Choice" => fields["Default"] = json!(name(index + 1)),
                "Succeed" | "Fail" if !is_last => fields = json!({"Type": "Pass", "Next": name(index + 1)}),
                "Succeed" | "Fail" => {}
                _ if is_last => fields["End"] = json!(true),
                _ => fields["Next"] = json!(name(index + 1)),
            }
            let mut graphs = state.graphs.iter().map(|graph| graph.render(&prefix, depth + 1, numbers));
            if kind == "Parallel" {
                fields["Branches"] = graphs.collect();
            } else if let Some(mut processor) = graphs.next() {
                if let Some(config) = fields["ItemProcessor"].as_object() {
                    processor["ProcessorConfig"] = config.clone().into();
                }
                fields["ItemProcessor"] = processor;
            }
            (name(index), fields)
        });
        let states: Map<_, _> = states.collect();
        json!({"StartAt": name(0), "States": states})
    }
}

fn graph(is_jsonata: bool) -> impl Strategy<Value = Graph> {
    let flat = vec(plain_state(is_jsonata), 1..5).prop_map(Graph);
    flat.prop_recursive(2, 12, 3, move |inner| {
        vec(prop_oneof![2 => plain_state(is_jsonata), 1 => nesting_state(is_jsonata, inner)], 1..4).prop_map(Graph)
    })
}

/// Expressions by their language: some of what they lead to is there, some is not, some is of another type.
fn expression(is_jsonata: bool) -> impl Strategy<Value = &'static str> {
    if is_jsonata {
        select(vec![
            "{% $states.input %}",
            "{% $states.input.a %}",
            "{% $states.input.a.b[0] %}",
            "{% [1..3] %}",
            "{% $sum($states.input.a) %}",
            "{% $states.context.Execution.Id %}",
            "{% $states.context.State.EnteredTime %}",
            "{% $v %}",
            "{% $uuid() %}",
            "{% $random() < 0.5 %}",
            "{% $millis() %}",
            "{% 1 %}",
            "{% 'no' & 1/0 %}",
            "{% {'a': [1, 2], 'b': $states.input} %}",
        ])
    } else {
        select(vec![
            "$",
            "$.a",
            "$.a.b",
            "$.a[0]",
            "$.b[1:]",
            "$..a",
            "$.a[?(@.b > 1)]",
            "$$",
            "$$.Execution.Id",
            "$$.State.EnteredTime",
            "$$.Map.Item.Value",
            "$v",
            "$v.a",
        ])
    }
}

/// The same where a path must lead to one place.
fn reference(is_jsonata: bool) -> BoxedStrategy<&'static str> {
    if is_jsonata {
        return expression(true).boxed();
    }
    select(vec!["$", "$.a", "$.a.b", "$.a[0]", "$.b", "$v", "$v.a"]).boxed()
}

/// An expression, or in `JSONPath` a call of an intrinsic function.
fn value(is_jsonata: bool) -> BoxedStrategy<&'static str> {
    if is_jsonata {
        return expression(true).boxed();
    }
    let calls = vec![
        "States.Format('{} {}', $.a, 1)",
        "States.Array($.a, $)",
        "States.MathRandom(1, 10)",
        "States.UUID()",
        "States.MathAdd($.a, 1)",
        "States.ArrayRange(0, $.b, 2)",
        "States.StringToJson($.a)",
    ];
    prop_oneof![2 => expression(false), 1 => select(calls)].boxed()
}

/// An object with an expression in it.
fn payload(is_jsonata: bool) -> impl Strategy<Value = Value> {
    (value(is_jsonata), any_json()).prop_map(move |(expression, literal)| {
        if is_jsonata {
            return json!({"a": expression, "b": [1, 2, 3]});
        }
        // A literal may not have fields that end in `.$`, which are expressions.
        let literal = if literal.is_object() || literal.is_array() { json!(3) } else { literal };
        json!({"a.$": expression, "b": literal})
    })
}

/// The fields around a state's work.
fn flow(is_jsonata: bool, has_result: bool) -> BoxedStrategy<Value> {
    let assign = payload(is_jsonata)
        .prop_map(move |value| if is_jsonata { json!({"v": value["a"]}) } else { json!({"v.$": value["a.$"]}) });
    if is_jsonata {
        let output = prop_oneof![2 => payload(true), 1 => Just(json!("{% $states.input %}"))];
        let arguments = option::weighted(0.3, payload(true));
        return (option::weighted(0.3, output), option::weighted(0.2, assign), arguments)
            .prop_map(move |(output, assign, arguments)| {
                let arguments = arguments.filter(|_| has_result);
                object([("Output", output), ("Assign", assign), ("Arguments", arguments)])
            })
            .boxed();
    }
    let path =
        || option::weighted(0.2, prop_oneof![3 => expression(false).prop_map(Value::from), 1 => Just(Value::Null)]);
    let result_path = select(vec![json!("$"), json!("$.a"), json!("$.a.b"), json!("$.b[0]"), Value::Null]);
    let selector = option::weighted(0.2, payload(false));
    let fields = (
        path(),
        option::weighted(0.3, payload(false)),
        selector,
        option::weighted(0.4, result_path),
        path(),
        option::weighted(0.2, assign),
    );
    fields
        .prop_map(move |(input_path, parameters, selector, result_path, output_path, assign)| {
            object([
                ("InputPath", input_path),
                ("Parameters", parameters),
                ("ResultSelector", selector.filter(|_| has_result)),
                ("ResultPath", result_path),
                ("OutputPath", output_path),
                ("Assign", assign),
            ])
        })
        .boxed()
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

fn with(mut state: Value, fields: Value) -> Value {
    if let (Value::Object(state), Value::Object(fields)) = (&mut state, fields) {
        state.extend(fields);
    }
    state
}

/// `Retry` and `Catch`.
fn on_error() -> impl Strategy<Value = Value> {
    let error = || select(vec!["A", "B", "States.Timeout", "States.TaskFailed", "States.DataLimitExceeded"]);
    let retrier = (error(), 0_u32..3, 0_u32..5, 1_u32..4, any::<bool>()).prop_map(|(error, attempts, interval, rate, full)| {
        let jitter = if full { "FULL" } else { "NONE" };
        json!({"ErrorEquals": [error], "MaxAttempts": attempts, "IntervalSeconds": interval, "BackoffRate": rate, "JitterStrategy": jitter})
    });
    let catcher = error().prop_map(|error| json!({"ErrorEquals": [error]}));
    (vec(retrier, 0..3), vec(catcher, 0..2), any::<bool>()).prop_map(|(retry, mut catch, all)| {
        if all {
            catch.push(json!({"ErrorEquals": ["States.ALL"]}));
        }
        json!({"Retry": retry, "Catch": catch})
    })
}

fn state(fields: impl Strategy<Value = Value>) -> impl Strategy<Value = State> {
    (fields, vec(any::<u8>(), 4)).prop_map(|(fields, targets)| State { fields, targets, graphs: Vec::new() })
}

fn plain_state(is_jsonata: bool) -> impl Strategy<Value = State> {
    let pass = flow(is_jsonata, false).prop_map(|flow| with(json!({"Type": "Pass"}), flow));
    prop_oneof![
        3 => state(pass),
        4 => state(task(is_jsonata)),
        2 => state(choice(is_jsonata)),
        2 => state(wait(is_jsonata)),
        1 => state(Just(json!({"Type": "Succeed"}))),
        1 => state(fail(is_jsonata)),
    ]
}

fn task(is_jsonata: bool) -> impl Strategy<Value = Value> {
    let resource = select(vec![
        "arn:aws:lambda:us-east-1:123456789012:function:work",
        "arn:aws:states:::lambda:invoke",
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "arn:aws:states:::states:startExecution.sync:2",
        "arn:aws:states:us-east-1:123456789012:activity:work",
    ]);
    let limit = prop_oneof![2 => Just(json!({})), 1 => Just(json!({"TimeoutSeconds": 5})), 1 => Just(json!({"TimeoutSeconds": 5, "HeartbeatSeconds": 2}))];
    (resource, limit, flow(is_jsonata, true), on_error(), option::weighted(0.2, reference(is_jsonata))).prop_map(
        move |(resource, limit, flow, on_error, found)| {
            let task = with(with(with(json!({"Type": "Task", "Resource": resource}), limit), flow), on_error);
            match found {
                Some(found) if is_jsonata => with(task, json!({"TimeoutSeconds": found})),
                Some(found) => {
                    let mut task = task;
                    task.as_object_mut().unwrap().remove("TimeoutSeconds");
                    with(task, json!({"TimeoutSecondsPath": found}))
                }
                None => task,
            }
        },
    )
}

fn choice(is_jsonata: bool) -> BoxedStrategy<Value> {
    let rule = if is_jsonata {
        prop_oneof![
            expression(true).prop_map(|condition| json!({"Condition": condition})),
            Just(json!({"Condition": true}))
        ]
        .boxed()
    } else {
        let test = prop_oneof![
            Just(json!({"IsPresent": true})),
            Just(json!({"NumericLessThan": 5})),
            Just(json!({"StringMatches": "*a*"})),
            Just(json!({"BooleanEqualsPath": "$.b"})),
            Just(json!({"TimestampGreaterThan": "2020-01-01T00:00:00Z"})),
        ];
        let test =
            (reference(false), test).prop_map(|(variable, test)| with(json!({"Variable": variable}), test)).boxed();
        prop_oneof![3 => test.clone(), 1 => test.clone().prop_map(|test| json!({"Not": test})), 1 => vec(test, 1..3).prop_map(|tests| json!({"And": tests}))]
            .boxed()
    };
    vec(rule, 1..3).prop_map(|rules| json!({"Type": "Choice", "Choices": rules})).boxed()
}

fn wait(is_jsonata: bool) -> BoxedStrategy<Value> {
    let constant = prop_oneof![
        (0_u32..50).prop_map(|seconds| json!({"Seconds": seconds})),
        Just(json!({"Seconds": 99_999_999})),
        Just(json!({"Timestamp": "2030-01-01T00:00:00Z"})),
        Just(json!({"Timestamp": "9999-12-31T23:59:59Z"})),
    ];
    let found = reference(is_jsonata).prop_flat_map(move |found| {
        let names = if is_jsonata { ["Seconds", "Timestamp"] } else { ["SecondsPath", "TimestampPath"] };
        select(names.to_vec()).prop_map(move |name| object([(name, Some(json!(found)))]))
    });
    prop_oneof![constant, found].prop_map(|fields| with(json!({"Type": "Wait"}), fields)).boxed()
}

fn fail(is_jsonata: bool) -> impl Strategy<Value = Value> {
    option::of(expression(is_jsonata)).prop_map(move |found| match found {
        None => json!({"Type": "Fail", "Error": "A", "Cause": "because"}),
        Some(found) if is_jsonata => json!({"Type": "Fail", "Error": found}),
        Some(found) => json!({"Type": "Fail", "ErrorPath": found, "CausePath": "States.Format('{}', $.a)"}),
    })
}

fn nesting_state(is_jsonata: bool, inner: impl Strategy<Value = Graph> + Clone + 'static) -> BoxedStrategy<State> {
    let graphs = vec(inner, 1..4);
    let items = option::weighted(0.7, expression(is_jsonata));
    let state = (flow(is_jsonata, true), on_error(), graphs, items, 0_u32..3, 0_u8..4, vec(any::<u8>(), 4));
    state
        .prop_map(move |(flow, on_error, mut graphs, items, concurrency, kind, targets)| {
            if kind == 0 {
                let fields = with(with(json!({"Type": "Parallel"}), flow), on_error);
                return State { fields, targets, graphs };
            }
            graphs.truncate(1);
            let mut fields = with(with(json!({"Type": "Map", "MaxConcurrency": concurrency}), flow), on_error);
            fields.as_object_mut().unwrap().remove("Arguments");
            if let Some(items) = items {
                fields[if is_jsonata { "Items" } else { "ItemsPath" }] = json!(items);
            }
            if kind == 3 {
                fields["ItemProcessor"] = json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"});
            }
            State { fields, targets, graphs }
        })
        .boxed()
}

/// A change somewhere in a definition.
#[derive(Clone, Debug)]
pub(crate) struct Mutation {
    place: usize,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Remove,
    Replace(Value),
    Add(String, Value),
}

pub(crate) fn mutation() -> impl Strategy<Value = Mutation> {
    let change = prop_oneof![
        Just(Change::Remove),
        any_json().prop_map(Change::Replace),
        (name(), any_json()).prop_map(|(name, value)| Change::Add(name, value)),
    ];
    (any::<usize>(), change).prop_map(|(place, change)| Mutation { place, change })
}

impl Mutation {
    pub(crate) fn apply(self, mut definition: Value) -> Value {
        let mut places = Vec::new();
        collect(&definition, &mut String::new(), &mut places);
        let place = places.swap_remove(self.place % places.len());
        match self.change {
            Change::Replace(value) => *definition.pointer_mut(&place).unwrap() = value,
            Change::Add(name, value) => {
                if let Some(object) = definition.pointer_mut(&place).and_then(Value::as_object_mut) {
                    object.insert(name, value);
                }
            }
            Change::Remove => {
                if let Some((outer, name)) = place.rsplit_once('/')
                    && let Some(object) = definition.pointer_mut(outer).and_then(Value::as_object_mut)
                {
                    object.remove(name);
                }
            }
        }
        definition
    }
}

/// Every place in a value as a JSON pointer.
fn collect(value: &Value, at: &mut String, places: &mut Vec<String>) {
    places.push(at.clone());
    let length = at.len();
    let mut inner = |name: &str, value: &Value| {
        at.push('/');
        at.push_str(&name.replace('~', "~0").replace('/', "~1"));
        collect(value, at, places);
        at.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| inner(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| inner(&index.to_string(), item)),
        _ => {}
    }
}
