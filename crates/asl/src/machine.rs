//! The compiled definition: names are indexes, texts are parsed, and what can't be is gone.

use std::{collections::VecDeque, sync::Arc};

use time::OffsetDateTime;

use crate::{
    choice::Rule,
    compile::{self, Diagnostic},
    distributed::Distributed,
    flow::DataFlow,
    retry::{Catcher, Retrier},
    template::{Expression, Template},
    value::Value,
};

/// A state machine's definition.
#[derive(Clone, Debug)]
pub struct Machine {
    /// `Comment`
    pub comment: Option<Arc<str>>,
    /// `TimeoutSeconds`: how long an execution may take.
    pub timeout_seconds: Option<u64>,
    /// The states.
    pub graph: Arc<Graph>,
    /// Whether a state is of JSONata, whose expressions may take long.
    pub has_jsonata: bool,
}

impl Machine {
    /// Compiles a definition, or tells everything that is wrong with it.
    pub fn compile(definition: &Value) -> Result<Self, Vec<Diagnostic>> {
        let compiled = compile::compile(definition);
        compiled.machine.ok_or(compiled.diagnostics)
    }

    /// Every state, those of branches and processors among them, outer before inner.
    pub fn states(&self) -> Vec<&State> {
        self.graph.all_states()
    }

    /// The state with this name, at whatever depth, with the graph that it is in; the outermost of several.
    pub fn find(&self, name: &str) -> Option<(&Arc<Graph>, StateId)> {
        let mut graphs = VecDeque::from([&self.graph]);
        while let Some(graph) = graphs.pop_front() {
            if let Some(index) = graph.states.iter().position(|state| &*state.name == name) {
                return Some((graph, StateId(index)));
            }
            graphs.extend(graph.states.iter().flat_map(State::graphs));
        }
        None
    }
}

/// A set of states with a start: a whole machine, a branch of a Parallel state, or a processor of a Map state.
#[derive(Clone, Debug)]
pub struct Graph {
    /// `StartAt`
    pub start: StateId,
    /// `States`, in the order of the definition.
    pub states: Vec<State>,
}

impl Graph {
    /// The state with this id, which must be one of this graph.
    pub fn state(&self, id: StateId) -> &State {
        &self.states[id.0]
    }

    /// Every state, those of branches and processors among them, outer before inner.
    pub fn all_states(&self) -> Vec<&State> {
        self.states
            .iter()
            .flat_map(|state| {
                std::iter::once(state).chain(state.graphs().into_iter().flat_map(|graph| graph.all_states()))
            })
            .collect()
    }
}

/// A state's place in its [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateId(pub(crate) usize);

/// A state.
#[derive(Clone, Debug)]
pub struct State {
    /// Its key in `States`.
    pub name: Arc<str>,
    /// Its place in the definition: `/States/Check`.
    pub location: Arc<str>,
    /// `Comment`
    pub comment: Option<Arc<str>>,
    /// How data goes into it and out of it, by its query language.
    pub flow: DataFlow,
    /// `Assign`: the variables that it sets when it is left. A Choice state's own is for its `Default` alone.
    pub assign: Option<Template>,
    /// What it does.
    pub kind: Kind,
}

impl State {
    /// The graphs inside it: a Parallel state's branches, a Map state's processor.
    pub fn graphs(&self) -> Vec<&Arc<Graph>> {
        match &self.kind {
            Kind::Parallel(parallel) => parallel.branches.iter().collect(),
            Kind::Map(map) => vec![&map.processor],
            _ => Vec::new(),
        }
    }

    /// Its `Retry`.
    pub fn retriers(&self) -> &[Retrier] {
        self.on_error().map_or(&[], |on_error| &on_error.retry)
    }

    /// Its `Catch`.
    pub fn catchers(&self) -> &[Catcher] {
        self.on_error().map_or(&[], |on_error| &on_error.catch)
    }

    /// Where it leads when all goes well; nothing for a Choice state and for those that end.
    pub fn transition(&self) -> Option<Transition> {
        match &self.kind {
            Kind::Pass(pass) => Some(pass.transition),
            Kind::Task(task) => Some(task.transition),
            Kind::Wait(wait) => Some(wait.transition),
            Kind::Parallel(parallel) => Some(parallel.transition),
            Kind::Map(map) => Some(map.transition),
            Kind::Choice(_) | Kind::Succeed | Kind::Fail(_) => None,
        }
    }

    fn on_error(&self) -> Option<&OnError> {
        match &self.kind {
            Kind::Task(task) => Some(&task.on_error),
            Kind::Parallel(parallel) => Some(&parallel.on_error),
            Kind::Map(map) => Some(&map.on_error),
            _ => None,
        }
    }
}

/// What a state does, by its `Type`.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Gives its input, or a value of its own.
    Pass(Pass),
    /// Has work done.
    Task(Task),
    /// Chooses the next state.
    Choice(Choice),
    /// Waits.
    Wait(Wait),
    /// Ends its graph well.
    Succeed,
    /// Ends the execution badly.
    Fail(Fail),
    /// Does several graphs at once.
    Parallel(Parallel),
    /// Does one graph for each element of an array.
    Map(Map),
}

impl Kind {
    /// `Type`, as it stands in a definition and in the names of history events.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Pass(_) => "Pass",
            Self::Task(_) => "Task",
            Self::Choice(_) => "Choice",
            Self::Wait(_) => "Wait",
            Self::Succeed => "Succeed",
            Self::Fail(_) => "Fail",
            Self::Parallel(_) => "Parallel",
            Self::Map(_) => "Map",
        }
    }
}

/// `Next` or `End`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Go on here.
    Next(StateId),
    /// This graph is done.
    End,
}

/// `Retry` and `Catch`.
#[derive(Clone, Debug, Default)]
pub struct OnError {
    /// `Retry`, tried in order.
    pub retry: Vec<Retrier>,
    /// `Catch`, tried in order once no retrier takes the error.
    pub catch: Vec<Catcher>,
}

/// A Pass state.
#[derive(Clone, Debug)]
pub struct Pass {
    /// `Result`, of `JSONPath` alone.
    pub result: Option<Value>,
    /// What comes next.
    pub transition: Transition,
}

/// A Task state.
#[derive(Clone, Debug)]
pub struct Task {
    /// `Resource`
    pub resource: Resource,
    /// `TimeoutSeconds` or `TimeoutSecondsPath`
    pub timeout: Option<Count>,
    /// `HeartbeatSeconds` or `HeartbeatSecondsPath`
    pub heartbeat: Option<Count>,
    /// `Credentials`: an object with the `RoleArn` that the task is done with.
    pub credentials: Option<Template>,
    /// `Retry` and `Catch`
    pub on_error: OnError,
    /// What comes next.
    pub transition: Transition,
}

/// What a Task state calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A Lambda function by its ARN: the input is the payload, the answer is the result.
    Function {
        /// The function's ARN.
        arn: Arc<str>,
    },
    /// An activity: some worker asks for the work and answers.
    Activity {
        /// The activity's ARN.
        arn: Arc<str>,
    },
    /// An action of a service: `arn:aws:states:::lambda:invoke`.
    Service {
        /// The whole ARN.
        arn: Arc<str>,
        /// What the history calls `resourceType`: `lambda`, `aws-sdk:s3`.
        service: Arc<str>,
        /// What the history calls `resource`: `invoke`, `startExecution.sync:2`.
        action: Arc<str>,
        /// How its end is learned.
        pattern: Pattern,
    },
}

/// How the end of a service's work is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The answer to the call is the result.
    RequestResponse,
    /// `.sync`, `.sync:2`: the call begins a job, whose end is the result.
    Sync,
    /// `.waitForTaskToken`: somebody sends the result with the token that the call handed on.
    WaitForTaskToken,
}

impl Resource {
    /// What the service says of a resource that it does not have.
    pub fn not_recognized(arn: &str) -> String {
        format!(
            "The resource provided {arn} is not recognized. The value is not a valid resource ARN, or the resource is not \
             available in this region."
        )
    }

    /// The ARN as it was written.
    pub fn arn(&self) -> &Arc<str> {
        match self {
            Self::Function { arn } | Self::Activity { arn } | Self::Service { arn, .. } => arn,
        }
    }

    /// Whether the call hands in work whose end comes later.
    pub fn is_submitted(&self) -> bool {
        matches!(self, Self::Service { pattern: Pattern::Sync | Pattern::WaitForTaskToken, .. })
    }

    /// Whether somebody who has its token may end the task.
    pub fn has_token(&self) -> bool {
        self.is_submitted() || matches!(self, Self::Activity { .. })
    }
}

/// A whole number: written down, or found at run time.
#[derive(Clone, Debug)]
pub enum Count {
    /// A constant.
    Literal(u64),
    /// The `…Path` field, or an expression in its place.
    Expression(Expression),
}

/// A percentage, 0 to 100: written down, or found at run time.
#[derive(Clone, Debug)]
pub enum Percentage {
    /// A constant.
    Literal(f64),
    /// The `…Path` field, or an expression in its place.
    Expression(Expression),
}

/// A Choice state.
#[derive(Clone, Debug)]
pub struct Choice {
    /// `Choices`, tried in order.
    pub rules: Vec<ChoiceRule>,
    /// `Default`
    pub default: Option<StateId>,
}

/// An element of `Choices`.
#[derive(Clone, Debug)]
pub struct ChoiceRule {
    /// When it is taken.
    pub rule: Rule,
    /// Where it leads.
    pub next: StateId,
    /// Its own `Assign`.
    pub assign: Option<Template>,
    /// Its own `Output`, of JSONata alone.
    pub output: Option<Template>,
}

/// A Wait state.
#[derive(Clone, Debug)]
pub struct Wait {
    /// How long.
    pub until: Until,
    /// What comes next.
    pub transition: Transition,
}

/// How long a Wait state waits.
#[derive(Clone, Debug)]
pub enum Until {
    /// `Seconds`
    Seconds(u64),
    /// `SecondsPath`, or `Seconds` with an expression.
    SecondsOf(Expression),
    /// `Timestamp`
    Timestamp(OffsetDateTime),
    /// `TimestampPath`, or `Timestamp` with an expression.
    TimestampOf(Expression),
}

/// A Fail state.
#[derive(Clone, Debug)]
pub struct Fail {
    /// `Error` or `ErrorPath`
    pub error: Option<FailText>,
    /// `Cause` or `CausePath`
    pub cause: Option<FailText>,
}

/// A Fail state's error name or cause.
#[derive(Clone, Debug)]
pub enum FailText {
    /// A constant.
    Literal(Arc<str>),
    /// `ErrorPath` or `CausePath`, or an expression in the field itself: it gives a string.
    Expression(Expression),
}

/// A Parallel state.
#[derive(Clone, Debug)]
pub struct Parallel {
    /// `Branches`
    pub branches: Vec<Arc<Graph>>,
    /// `Retry` and `Catch`
    pub on_error: OnError,
    /// What comes next.
    pub transition: Transition,
}

/// A Map state.
#[derive(Clone, Debug)]
pub struct Map {
    /// Where the array is.
    pub items: Items,
    /// `ItemSelector`, or `Parameters` in older definitions: each iteration's input.
    pub item_selector: Option<Template>,
    /// `ItemProcessor`, or `Iterator` in older definitions.
    pub processor: Arc<Graph>,
    /// `ProcessorConfig`, and what comes with it.
    pub processing: Processing,
    /// `MaxConcurrency` or `MaxConcurrencyPath`; 0 is no limit but the service's.
    pub max_concurrency: Option<Count>,
    /// `ToleratedFailureCount` or `ToleratedFailureCountPath`: evaluated, of effect in a distributed Map alone.
    pub tolerated_failure_count: Option<Count>,
    /// `ToleratedFailurePercentage` or `ToleratedFailurePercentagePath`, as the count.
    pub tolerated_failure_percentage: Option<Percentage>,
    /// `Retry` and `Catch`
    pub on_error: OnError,
    /// What comes next.
    pub transition: Transition,
}

/// Where a Map state's iterations are carried out.
#[derive(Clone, Debug)]
pub enum Processing {
    /// `INLINE`: in the execution that the state is part of.
    Inline,
    /// `DISTRIBUTED`: in executions of their own.
    Distributed(Arc<Distributed>),
}

/// Where a Map state's array is.
#[derive(Clone, Debug)]
pub enum Items {
    /// The state's input itself: there is no field.
    Input,
    /// `ItemsPath`
    Path(Expression),
    /// `Items`, of JSONata alone.
    Template(Template),
}
