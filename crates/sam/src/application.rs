//! What a template describes, resolved: every parameter, condition and intrinsic function has its value.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Serialize;
use serde_json::Value;

use crate::Language;

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
    /// The SNS topics.
    pub topics: Vec<Topic>,
    /// The names of the event buses, beside the default one.
    pub event_buses: Vec<String>,
    /// The names of the log groups.
    pub log_groups: Vec<String>,
    /// The subscriptions to SNS topics, those of a function's `Events` among them.
    pub subscriptions: Vec<Subscription>,
    /// What queues and streams give to functions.
    pub event_source_mappings: Vec<EventSourceMapping>,
    /// The APIs of API Gateway, and the URLs of functions.
    pub apis: Vec<Api>,
    /// The EventBridge rules, those of a function's or machine's `Events` among them.
    pub rules: Vec<EventRule>,
    /// The schedules of EventBridge Scheduler.
    pub schedules: Vec<Schedule>,
    /// The names of the groups of schedules, beside the default one.
    pub schedule_groups: Vec<String>,
    /// The parameters of Systems Manager.
    pub parameters: Vec<Parameter>,
    /// The secrets of Secrets Manager.
    pub secrets: Vec<Secret>,
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
    /// `Runtime`, as written: `provided.al2023`, `python3.13`.
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
    /// `ReservedConcurrentExecutions`: how many invocations may run at once; 0 lets none run.
    pub reserved_concurrency: Option<u32>,
    /// `AutoPublishAlias`, or an `AWS::Lambda::Alias`: another name for the function as it is, `$LATEST`.
    pub alias: Option<String>,
    /// What becomes of events that it is invoked with.
    pub event_invoke: EventInvoke,
    /// `Layers`, as far as they are the template's: what a later one has stands over the same of an earlier one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
}

/// What is found beside a function's code.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Layer {
    /// `arn:aws:lambda:<region>:<account>:layer:<name>:1`.
    pub arn: String,
    /// What is at `/opt` on Lambda.
    pub folder: PathBuf,
}

/// What becomes of events that a function is invoked with, when nobody waits for the answer.
#[derive(Debug, Clone, Default, Serialize, PartialEq, Eq)]
pub struct EventInvoke {
    /// `EventInvokeConfig.MaximumRetryAttempts`; Lambda's default is 2.
    pub max_retries: Option<u32>,
    /// `EventInvokeConfig.MaximumEventAgeInSeconds`: how old an event may become; Lambda's default is six hours.
    pub max_age: Option<Duration>,
    /// `EventInvokeConfig.DestinationConfig.OnSuccess`: who is told of an event that is done.
    pub on_success: Option<Target>,
    /// `EventInvokeConfig.DestinationConfig.OnFailure`: who is told of an event that is given up.
    pub on_failure: Option<Target>,
    /// `DeadLetterQueue`: who gets an event that is given up.
    pub dead_letters: Option<Target>,
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
    /// A folder of scripts, which an interpreter runs.
    Scripts {
        /// Of which runtime.
        language: Language,
        /// The folder that `CodeUri` names.
        folder: PathBuf,
        /// Where more packages are that the scripts import: what `sam build` has built of the function.
        packages: Option<PathBuf>,
    },
    /// Code that nothing here can run: a container's image, another runtime, an archive in a bucket of AWS. Calls fail.
    NotHere {
        /// Why not.
        reason: String,
    },
    /// `InlineCode`: the module `index`.
    Inline {
        /// Of which runtime.
        language: Language,
        /// The module's text.
        text: String,
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
    /// `Logging`, or `LoggingConfiguration`, unless it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<ExecutionLogging>,
}

/// What the executions of a state machine log.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct ExecutionLogging {
    /// Which events.
    pub level: LogLevel,
    /// Whether inputs and outputs are logged too.
    pub include_execution_data: bool,
    /// The ARN of the log group.
    pub log_group_arn: String,
}

/// Which events of an execution are logged.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub enum LogLevel {
    /// `ALL`.
    All,
    /// `ERROR`.
    Error,
    /// `FATAL`.
    Fatal,
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
    /// Whom it tells directly, by `NotificationConfiguration` or a function's `S3` event.
    pub notifications: Vec<BucketNotification>,
}

/// Whom a bucket tells of its objects.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct BucketNotification {
    /// Of what, as `s3:ObjectCreated:*`.
    pub events: Vec<String>,
    /// What the object's key begins with.
    pub prefix: String,
    /// What the object's key ends with.
    pub suffix: String,
    /// Who is told.
    pub target: Target,
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

/// What answers HTTP requests: an API of API Gateway, or the URL of a function.
#[derive(Debug, Clone, Serialize)]
pub struct Api {
    /// Its key under `Resources`; `ServerlessHttpApi` and `ServerlessRestApi` for those that SAM makes by itself, and
    /// `<function's logical id>Url` for the URL of a function.
    pub logical_id: String,
    /// What it is.
    pub kind: ApiKind,
    /// Its stage: `$default` for an HTTP API whose template gives none.
    pub stage: String,
    /// Its routes, in the template's order.
    pub routes: Vec<Route>,
}

/// What answers HTTP requests.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub enum ApiKind {
    /// An HTTP API.
    Http,
    /// A REST API, whose stage is the first part of the path.
    Rest,
    /// The URL of a function.
    FunctionUrl,
}

/// A route of an API.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Route {
    /// An upper-case HTTP method, or `ANY`.
    pub method: String,
    /// A path with `{parameters}`, or `$default`.
    pub path: String,
    /// Who answers.
    pub integration: Integration,
}

/// Who answers the requests of a route.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub enum Integration {
    /// A function.
    Function {
        /// Its name.
        name: String,
        /// The format of what it gets.
        payload: PayloadFormat,
    },
    /// An action of Step Functions.
    StateMachine {
        /// What is done.
        action: StateMachineAction,
        /// Its parameters, in which parts of the request may stand: `$request.body`.
        parameters: BTreeMap<String, String>,
    },
}

/// The format of the event that a function gets of a request.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub enum PayloadFormat {
    /// 1.0, which is that of REST APIs.
    V1,
    /// 2.0.
    V2,
}

/// What a route does with a state machine.
#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub enum StateMachineAction {
    /// `StartExecution`
    Start,
    /// `StartSyncExecution`
    StartSync,
    /// `StopExecution`
    Stop,
}

/// An SNS topic.
#[derive(Debug, Clone, Serialize)]
pub struct Topic {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// `arn:aws:sns:<region>:<account>:<name>`.
    pub arn: String,
    /// Its attributes, as `CreateTopic` takes them.
    pub attributes: BTreeMap<String, String>,
}

/// A subscription to an SNS topic.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Subscription {
    /// Its key under `Resources`, or `<function's logical id><event's key>`.
    pub logical_id: String,
    /// The topic's ARN.
    pub topic_arn: String,
    /// `sqs` or `lambda`.
    pub protocol: String,
    /// The ARN of the queue or the function.
    pub endpoint: String,
    /// Its attributes, as `Subscribe` takes them: `FilterPolicy`, `RawMessageDelivery`.
    pub attributes: BTreeMap<String, String>,
}

/// What gives the messages of a queue, or the changes of a table, to a function.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct EventSourceMapping {
    /// `<function's logical id><event's key>`, or the key under `Resources`.
    pub name: String,
    /// The function's name.
    pub function: String,
    /// What is read.
    pub source: MappingSource,
    /// How many records one invocation gets at most.
    pub batch_size: u32,
    /// How long it waits for a batch to be full.
    pub batching_window: Duration,
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`: the function tells which records it has failed for.
    pub reports_item_failures: bool,
    /// `FilterCriteria`: what is no match for one of these patterns is not given to the function. Without any, all is.
    pub filters: Vec<Value>,
    /// `Enabled`.
    pub enabled: bool,
}

/// What an event source mapping reads.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub enum MappingSource {
    /// The queue with this ARN.
    Queue {
        /// The queue's ARN.
        arn: String,
        /// `ScalingConfig.MaximumConcurrency`: how many batches are under way at once.
        max_concurrency: Option<u32>,
    },
    /// The stream of this table.
    Table {
        /// The table's name.
        table: String,
        /// `StartingPosition: TRIM_HORIZON`: what was there before the mapping is read too.
        from_the_beginning: bool,
        /// `MaximumRetryAttempts`; none for as long as the records are kept.
        max_retries: Option<u32>,
        /// `BisectBatchOnFunctionError`: a batch that fails is tried again in two halves.
        bisects: bool,
        /// `DestinationConfig.OnFailure.Destination`: who is told of records that are given up.
        on_failure: Option<Target>,
    },
}

/// An EventBridge rule.
#[derive(Debug, Clone, Serialize)]
pub struct EventRule {
    /// `<function's logical id><event's key>`, or the key under `Resources`, where the template gives no name.
    pub name: String,
    /// The bus that it listens to: `default` where the template gives none.
    pub bus: String,
    /// When it fires.
    pub source: EventSource,
    /// What it starts.
    pub targets: Vec<RuleTarget>,
    /// `State: DISABLED` or `Enabled: false` make this false.
    pub enabled: bool,
}

/// A parameter of Systems Manager.
#[derive(Debug, Clone, Serialize)]
pub struct Parameter {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// `Name`, or `<stack>-<logical id>` where the template gives none.
    pub name: String,
    /// `String` or `StringList`.
    pub kind: String,
    /// `Value`.
    pub value: String,
}

/// A secret of Secrets Manager.
#[derive(Debug, Clone, Serialize)]
pub struct Secret {
    /// Its key under `Resources`.
    pub logical_id: String,
    /// `Name`, or `<stack>-<logical id>` where the template gives none.
    pub name: String,
    /// Its ARN, with the six characters that the service puts to its end.
    pub arn: String,
    /// `SecretString`, or what `GenerateSecretString` gives.
    pub value: String,
}

/// A schedule of EventBridge Scheduler.
#[derive(Debug, Clone, Serialize)]
pub struct Schedule {
    /// `<function's logical id><event's key>`, or the key under `Resources`, where the template gives no name.
    pub name: String,
    /// A `rate(…)`, `cron(…)` or `at(…)` expression.
    pub expression: String,
    /// The time zone of the expression; UTC where the template gives none.
    pub timezone: Option<String>,
    /// What it starts.
    pub target: Target,
    /// `Input`: what the target gets; without it, an event that tells of the schedule.
    pub input: Option<Value>,
    /// `State: DISABLED` makes this false.
    pub enabled: bool,
    /// `GroupName`; `default` where the template gives none.
    pub group: String,
    /// `StartDate`: nothing is fired before.
    pub start: Option<String>,
    /// `EndDate`: nothing is fired after.
    pub end: Option<String>,
    /// The role's ARN; made up where SAM would create the role.
    pub role_arn: String,
    /// `DeadLetterConfig.Arn`: the queue that gets what the target could not be given.
    pub dead_letters: Option<Target>,
    /// `SqsParameters.MessageGroupId`: the group of messages to a FIFO queue.
    pub message_group_id: Option<String>,
    /// `EventBridgeParameters`: what the event is that an event bus gets.
    pub event: Option<ScheduledEvent>,
}

/// What the event of a schedule is.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct ScheduledEvent {
    /// `DetailType`.
    pub detail_type: String,
    /// `Source`.
    pub source: String,
}

/// A target of a rule.
#[derive(Debug, Clone, Serialize)]
pub struct RuleTarget {
    /// Its id among the rule's targets.
    pub id: String,
    /// What is started, or told.
    pub target: Target,
    /// What it gets.
    pub input: TargetInput,
    /// `SqsParameters.MessageGroupId`: the group of messages to a FIFO queue.
    pub message_group_id: Option<String>,
    /// `DeadLetterConfig.Arn`: the queue that gets what the target could not be given.
    pub dead_letters: Option<Target>,
}

/// What a target gets of an event.
#[derive(Debug, Clone, Default, Serialize, PartialEq)]
pub enum TargetInput {
    /// The event.
    #[default]
    Event,
    /// This, whatever the event: `Input`.
    Constant(Value),
    /// The part at this path: `InputPath`.
    Path(String),
    /// A text with parts of the event in it: `InputTransformer`.
    Transformed {
        /// The names that stand in the template, and the paths of what they stand for.
        paths: BTreeMap<String, String>,
        /// The template.
        template: String,
    },
}

/// What makes a rule fire.
#[derive(Debug, Clone, Serialize)]
pub enum EventSource {
    /// An event that matches this pattern.
    Pattern(Value),
    /// A `rate(…)` or `cron(…)` expression.
    Schedule(String),
}

/// Who is started or told by an event, a message or a change.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub enum Target {
    /// A function, by its name.
    Function(String),
    /// A state machine, by its ARN.
    StateMachine(String),
    /// An SQS queue, by its ARN.
    Queue(String),
    /// An SNS topic, by its ARN.
    Topic(String),
    /// A log group, by its name.
    LogGroup(String),
    /// An event bus, by its name.
    EventBus(String),
}

impl Target {
    /// What an ARN names, where that can be a target.
    pub fn of_arn(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, service, _, _, resource] = parts[..] else { return None };
        let rest = |prefix: &str| resource.strip_prefix(prefix).map(str::to_owned);
        match service {
            // A qualifier may follow the name.
            "lambda" => Some(Self::Function(rest("function:")?.split(':').next()?.to_owned())),
            "states" => rest("stateMachine:").map(|_| Self::StateMachine(arn.to_owned())),
            "sqs" => Some(Self::Queue(arn.to_owned())),
            "sns" => Some(Self::Topic(arn.to_owned())),
            "logs" => Some(Self::LogGroup(rest("log-group:")?.trim_end_matches(":*").to_owned())),
            "events" => rest("event-bus/").map(Self::EventBus),
            _ => None,
        }
    }
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
