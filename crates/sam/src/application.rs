//! What a template describes, resolved: every parameter, condition and intrinsic function has its value.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Serialize;
use serde_json::Value;

/// The application of one template.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Application {
    /// The template's file.
    pub template: PathBuf,
    /// The name that `AWS::StackName` stands for.
    pub stack_name: String,
    /// The Lambda functions, in the template's order.
    pub functions: Vec<Function>,
    /// The Step Functions state machines, in the template's order.
    pub state_machines: Vec<StateMachine>,
    /// The Step Functions activities.
    pub activities: Vec<Activity>,
    /// The S3 buckets.
    pub buckets: Vec<Bucket>,
    /// The DynamoDB tables.
    pub tables: Vec<Table>,
    /// The SQS queues.
    pub queues: Vec<Queue>,
    /// The HTTP APIs.
    pub http_apis: Vec<HttpApi>,
    /// The EventBridge rules, those of a function's or machine's `Events` among them.
    pub rules: Vec<EventRule>,
    /// What the template has and the runner leaves out, each with the reason. A user is always shown this.
    pub left_out: Vec<LeftOut>,
    /// The template's `Outputs`, resolved with local values.
    pub outputs: BTreeMap<String, String>,
}

/// A Lambda function.
#[derive(Debug, Clone, Serialize)]
pub struct Function {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// `FunctionName`, or the logical id where the template gives none.
    pub name: String,
    /// `arn:aws:lambda:<region>:<account>:function:<name>`.
    pub arn: String,
    /// How its binary comes to be.
    pub code: Code,
    /// `Handler`, as written.
    pub handler: String,
    /// `Runtime`, as written: `provided.al2023`.
    pub runtime: String,
    /// `Timeout`; Lambda's default is 3 s.
    pub timeout: Duration,
    /// `MemorySize` in MB; Lambda's default is 128.
    pub memory_mb: u32,
    /// `Environment.Variables`, resolved.
    pub environment: BTreeMap<String, String>,
    /// `LoggingConfig.LogGroup`, or `/aws/lambda/<name>` where the template gives none.
    pub log_group: String,
    /// `LoggingConfig.LogFormat`.
    pub log_format: LogFormat,
    /// `AutoPublishAlias`: another name for the function as it is, `$LATEST`.
    pub alias: Option<String>,
}

/// How a function writes its log.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub enum LogFormat {
    /// As plain text.
    Text,
    /// As JSON, from `ApplicationLogLevel` up: `DEBUG`. Lambda's default is `INFO`.
    Json {
        /// The level.
        level: String,
    },
}

/// Where a function's code is.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub enum Code {
    /// `BuildMethod: rust-cargolambda`: a Cargo package, built on this machine.
    Cargo {
        /// The folder that `CodeUri` names; it holds a `Cargo.toml`.
        package_dir: PathBuf,
        /// `BuildProperties.Binary`, else the handler where it is no `bootstrap`, else the package's only binary.
        binary: Option<String>,
    },
    /// A folder that already holds an executable `bootstrap`.
    Bootstrap {
        /// The executable.
        path: PathBuf,
    },
}

/// A Step Functions state machine.
#[derive(Debug, Clone, Serialize)]
pub struct StateMachine {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// `Name`, or the logical id where the template gives none.
    pub name: String,
    /// `arn:aws:states:<region>:<account>:stateMachine:<name>`.
    pub arn: String,
    /// `STANDARD` or `EXPRESS`.
    pub kind: StateMachineKind,
    /// The definition after its substitutions, in the order of its file.
    pub definition: Value,
    /// The file of `DefinitionUri`; the template itself for an inline definition.
    pub definition_file: PathBuf,
    /// The role's ARN; made up where SAM would create the role.
    pub role_arn: String,
}

/// The type of a state machine.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub enum StateMachineKind {
    /// Exactly-once, with a history.
    Standard,
    /// At-least-once, short, logged only.
    Express,
}

/// A Step Functions activity: a queue of tasks for workers that ask for them.
#[derive(Debug, Clone, Serialize)]
pub struct Activity {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// `Name`.
    pub name: String,
    /// `arn:aws:states:<region>:<account>:activity:<name>`.
    pub arn: String,
}

/// An S3 bucket.
#[derive(Debug, Clone, Serialize)]
pub struct Bucket {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// `BucketName`, or `<stack>-<logical id>-<account>` in lower case where the template gives none.
    pub name: String,
    /// `VersioningConfiguration.Status: Enabled`.
    pub versioned: bool,
    /// `NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled`.
    pub event_bridge: bool,
}

/// A DynamoDB table.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// `TableName`, or the logical id where the template gives none.
    pub name: String,
    /// The body of the `CreateTable` call that makes it.
    pub create: Value,
    /// The attribute of `TimeToLiveSpecification` where that is on.
    pub ttl_attribute: Option<String>,
}

/// An SQS queue.
#[derive(Debug, Clone, Serialize)]
pub struct Queue {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// `QueueName`, or `<stack>-<logical id>` where the template gives none, with `.fifo` where it is a FIFO queue.
    pub name: String,
    /// Its attributes, as `CreateQueue` takes them.
    pub attributes: BTreeMap<String, String>,
}

/// An API Gateway HTTP API.
#[derive(Debug, Clone, Serialize)]
pub struct HttpApi {
    /// Its key under `Resources`; `ServerlessHttpApi` for the one SAM makes by itself.
    pub logical_id: String,
    /// Its stage: `$default` where the template gives none.
    pub stage: String,
    /// Its routes, in the template's order.
    pub routes: Vec<Route>,
}

/// A route of an HTTP API.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Route {
    /// An upper-case HTTP method, or `ANY`.
    pub method: String,
    /// A path with `{parameters}`, or `$default`.
    pub path: String,
    /// The name of the function that answers, payload format 2.0.
    pub function: String,
}

/// An EventBridge rule.
#[derive(Debug, Clone, Serialize)]
pub struct EventRule {
    /// `<function's logical id><event's key>`, or the key under `Resources`.
    pub name: String,
    /// The bus that it listens to: `default` where the template gives none.
    pub bus: String,
    /// When it fires.
    pub source: EventSource,
    /// What it starts.
    pub target: Target,
    /// `Input`: the JSON that goes to the target in place of the event.
    pub input: Option<Value>,
    /// `State: DISABLED` or `Enabled: false` make this false.
    pub enabled: bool,
}

/// What makes a rule fire.
#[derive(Debug, Clone, Serialize)]
pub enum EventSource {
    /// An event that matches this pattern.
    Pattern(Value),
    /// A `rate(…)` or `cron(…)` expression.
    Schedule(String),
}

/// What a rule starts.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub enum Target {
    /// A function, by its name.
    Function(String),
    /// A state machine, by its ARN.
    StateMachine(String),
}

/// Something that the runner does not do.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct LeftOut {
    /// `Resources/<logical id>/…`: the place in the template.
    pub place: String,
    /// The resource's type: `AWS::IAM::Role`.
    pub what: String,
    /// Why, in a sentence.
    pub reason: String,
}
