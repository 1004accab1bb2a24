//! The parameters of the operations, as the service's model has them.

use super::{Member, Pattern, Shape, Structure, Text};

/// The parameters of an operation that is there.
pub(in crate::states) fn parameters_of(operation: &str) -> Option<&'static Structure> {
    OPERATIONS.iter().find(|parameters| parameters.name == operation)
}

const fn text(min: usize, max: usize) -> Shape {
    Shape::Text(Text { min, max, pattern: None, secret: false })
}

const fn secret(min: usize, max: usize) -> Shape {
    Shape::Text(Text { min, max, pattern: None, secret: true })
}

const fn matching(min: usize, max: usize, text: &'static str, matches: fn(&str) -> bool) -> Shape {
    Shape::Text(Text { min, max, pattern: Some(Pattern { text, matches }), secret: false })
}

const fn required(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, required: true, shape }
}

const fn optional(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, required: false, shape }
}

static ARN: Shape = text(1, 256);
static LONG_ARN: Shape = text(1, 2000);
static NAME: Shape = text(1, 80);
static ALIAS_NAME: Shape = matching(1, 80, r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$", is_alias_name);
static DEFINITION: Shape = secret(1, 1_048_576);
static DESCRIPTION: Shape = secret(0, 256);
static REVISION_ID: Shape = text(0, usize::MAX);
static PAYLOAD: Shape = Shape::Payload { max_bytes: asl::PAYLOAD_LIMIT };
static ERROR: Shape = secret(0, 256);
static CAUSE: Shape = secret(0, 32_768);
static TRACE_HEADER: Shape = matching(0, 256, r"\p{ASCII}*", str::is_ascii);
static TASK_TOKEN: Shape = text(1, 2048);
static CLIENT_TOKEN: Shape = matching(1, 64, "[!-~]+", is_client_token);
static PAGE_TOKEN: Shape = text(1, 1024);
static EXECUTIONS_PAGE_TOKEN: Shape = text(1, 3096);
static PAGE_SIZE: Shape = Shape::Integer { min: 0, max: 1000 };
static DIAGNOSTICS_SIZE: Shape = Shape::Integer { min: 0, max: 100 };
static FLAG: Shape = Shape::Boolean;
static TYPE: Shape = Shape::Enumeration(&["STANDARD", "EXPRESS"]);
static SEVERITY: Shape = Shape::Enumeration(&["ERROR", "WARNING"]);
static INCLUDED_DATA: Shape = Shape::Enumeration(&["ALL_DATA", "METADATA_ONLY"]);
static STATUS: Shape =
    Shape::Enumeration(&["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]);
static REDRIVE_FILTER: Shape = Shape::Enumeration(&["REDRIVEN", "NOT_REDRIVEN"]);

static LIMIT: Shape = Shape::Integer { min: 0, max: i64::MAX };
static PERCENTAGE: Shape = Shape::Float { min: 0.0, max: 100.0 };

static TAG_KEY: Shape = text(1, 128);
static TAG_KEYS: Shape = Shape::List { item: &TAG_KEY, min: 0, max: usize::MAX };
static TAG_VALUE: Shape = text(0, 256);
static TAG: Shape =
    Shape::Structure(&Structure { name: "Tag", members: &[optional("key", &TAG_KEY), optional("value", &TAG_VALUE)] });
static TAGS: Shape = Shape::List { item: &TAG, min: 0, max: usize::MAX };

static LOG_LEVEL: Shape = Shape::Enumeration(&["ALL", "ERROR", "FATAL", "OFF"]);
static LOG_GROUP: Shape =
    Shape::Structure(&Structure { name: "CloudWatchLogsLogGroup", members: &[optional("logGroupArn", &ARN)] });
static LOG_DESTINATION: Shape =
    Shape::Structure(&Structure { name: "LogDestination", members: &[optional("cloudWatchLogsLogGroup", &LOG_GROUP)] });
static LOG_DESTINATIONS: Shape = Shape::List { item: &LOG_DESTINATION, min: 0, max: usize::MAX };
static LOGGING: Shape = Shape::Structure(&Structure {
    name: "LoggingConfiguration",
    members: &[
        optional("level", &LOG_LEVEL),
        optional("includeExecutionData", &FLAG),
        optional("destinations", &LOG_DESTINATIONS),
    ],
});

static TRACING: Shape =
    Shape::Structure(&Structure { name: "TracingConfiguration", members: &[optional("enabled", &FLAG)] });

static KMS_KEY: Shape = text(1, 2048);
static KMS_PERIOD: Shape = Shape::Integer { min: 60, max: 900 };
static ENCRYPTION_TYPE: Shape = Shape::Enumeration(&["AWS_OWNED_KEY", "CUSTOMER_MANAGED_KMS_KEY"]);
static ENCRYPTION: Shape = Shape::Structure(&Structure {
    name: "EncryptionConfiguration",
    members: &[
        optional("kmsKeyId", &KMS_KEY),
        optional("kmsDataKeyReusePeriodSeconds", &KMS_PERIOD),
        required("type", &ENCRYPTION_TYPE),
    ],
});

static INSPECTION_LEVEL: Shape = Shape::Enumeration(&["INFO", "DEBUG", "TRACE"]);
static STATE_NAME: Shape = secret(1, 80);
static COUNT: Shape = Shape::Integer { min: 0, max: i32::MAX as i64 };
static VALIDATION_MODE: Shape = Shape::Enumeration(&["STRICT", "PRESENT", "NONE"]);
static ERROR_OUTPUT: Shape = Shape::Structure(&Structure {
    name: "MockErrorOutput",
    members: &[optional("error", &ERROR), optional("cause", &CAUSE)],
});
static MOCK: Shape = Shape::Structure(&Structure {
    name: "MockInput",
    members: &[
        optional("result", &PAYLOAD),
        optional("errorOutput", &ERROR_OUTPUT),
        optional("fieldValidationMode", &VALIDATION_MODE),
    ],
});
static STATE_CONFIGURATION: Shape = Shape::Structure(&Structure {
    name: "TestStateConfiguration",
    members: &[
        optional("retrierRetryCount", &COUNT),
        optional("errorCausedByState", &STATE_NAME),
        optional("mapIterationFailureCount", &COUNT),
        optional("mapItemReaderData", &PAYLOAD),
    ],
});

static WEIGHT: Shape = Shape::Integer { min: 0, max: 100 };
static ROUTE: Shape = Shape::Structure(&Structure {
    name: "RoutingConfigurationListItem",
    members: &[required("stateMachineVersionArn", &ARN), required("weight", &WEIGHT)],
});
static ROUTES: Shape = Shape::List { item: &ROUTE, min: 1, max: 2 };

/// Letters, digits, `_`, `-` and `.`, and not digits alone: an alias must not look like a version.
fn is_alias_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !name.is_empty() && name.chars().all(allowed) && !name.chars().all(|c| c.is_ascii_digit())
}

/// Visible ASCII characters.
fn is_client_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

macro_rules! operations {
    ($($name:literal: [$($member:expr),* $(,)?]),* $(,)?) => {
        static OPERATIONS: &[Structure] = &[$(Structure { name: $name, members: &[$($member),*] }),*];
    };
}

operations! {
    "CreateActivity": [
        required("name", &NAME),
        optional("tags", &TAGS),
        optional("encryptionConfiguration", &ENCRYPTION),
    ],
    "CreateStateMachine": [
        required("name", &NAME),
        required("definition", &DEFINITION),
        required("roleArn", &ARN),
        optional("type", &TYPE),
        optional("loggingConfiguration", &LOGGING),
        optional("tags", &TAGS),
        optional("tracingConfiguration", &TRACING),
        optional("publish", &FLAG),
        optional("versionDescription", &DESCRIPTION),
        optional("encryptionConfiguration", &ENCRYPTION),
    ],
    "CreateStateMachineAlias": [
        optional("description", &DESCRIPTION),
        required("name", &ALIAS_NAME),
        required("routingConfiguration", &ROUTES),
    ],
    "DeleteActivity": [required("activityArn", &ARN)],
    "DeleteStateMachine": [required("stateMachineArn", &ARN)],
    "DeleteStateMachineAlias": [required("stateMachineAliasArn", &ARN)],
    "DeleteStateMachineVersion": [required("stateMachineVersionArn", &LONG_ARN)],
    "DescribeActivity": [required("activityArn", &ARN)],
    "DescribeExecution": [required("executionArn", &ARN), optional("includedData", &INCLUDED_DATA)],
    "DescribeMapRun": [required("mapRunArn", &LONG_ARN)],
    "DescribeStateMachine": [required("stateMachineArn", &ARN), optional("includedData", &INCLUDED_DATA)],
    "DescribeStateMachineAlias": [required("stateMachineAliasArn", &ARN)],
    "DescribeStateMachineForExecution": [required("executionArn", &ARN), optional("includedData", &INCLUDED_DATA)],
    "GetActivityTask": [required("activityArn", &ARN), optional("workerName", &NAME)],
    "GetExecutionHistory": [
        required("executionArn", &ARN),
        optional("maxResults", &PAGE_SIZE),
        optional("reverseOrder", &FLAG),
        optional("nextToken", &PAGE_TOKEN),
        optional("includeExecutionData", &FLAG),
    ],
    "ListActivities": [optional("maxResults", &PAGE_SIZE), optional("nextToken", &PAGE_TOKEN)],
    "ListExecutions": [
        optional("stateMachineArn", &ARN),
        optional("statusFilter", &STATUS),
        optional("maxResults", &PAGE_SIZE),
        optional("nextToken", &EXECUTIONS_PAGE_TOKEN),
        optional("mapRunArn", &LONG_ARN),
        optional("redriveFilter", &REDRIVE_FILTER),
    ],
    "ListStateMachineAliases": [
        required("stateMachineArn", &ARN),
        optional("nextToken", &PAGE_TOKEN),
        optional("maxResults", &PAGE_SIZE),
    ],
    "ListMapRuns": [
        required("executionArn", &ARN),
        optional("maxResults", &PAGE_SIZE),
        optional("nextToken", &PAGE_TOKEN),
    ],
    "ListStateMachineVersions": [
        required("stateMachineArn", &ARN),
        optional("nextToken", &PAGE_TOKEN),
        optional("maxResults", &PAGE_SIZE),
    ],
    "ListStateMachines": [optional("maxResults", &PAGE_SIZE), optional("nextToken", &PAGE_TOKEN)],
    "ListTagsForResource": [required("resourceArn", &ARN)],
    "PublishStateMachineVersion": [
        required("stateMachineArn", &ARN),
        optional("revisionId", &REVISION_ID),
        optional("description", &DESCRIPTION),
    ],
    "RedriveExecution": [required("executionArn", &ARN), optional("clientToken", &CLIENT_TOKEN)],
    "SendTaskFailure": [
        required("taskToken", &TASK_TOKEN),
        optional("error", &ERROR),
        optional("cause", &CAUSE),
    ],
    "SendTaskHeartbeat": [required("taskToken", &TASK_TOKEN)],
    "SendTaskSuccess": [required("taskToken", &TASK_TOKEN), required("output", &PAYLOAD)],
    "StartExecution": [
        required("stateMachineArn", &ARN),
        optional("name", &NAME),
        optional("input", &PAYLOAD),
        optional("traceHeader", &TRACE_HEADER),
    ],
    "StartSyncExecution": [
        required("stateMachineArn", &ARN),
        optional("name", &NAME),
        optional("input", &PAYLOAD),
        optional("traceHeader", &TRACE_HEADER),
        optional("includedData", &INCLUDED_DATA),
    ],
    "StopExecution": [required("executionArn", &ARN), optional("error", &ERROR), optional("cause", &CAUSE)],
    "TagResource": [required("resourceArn", &ARN), required("tags", &TAGS)],
    "TestState": [
        required("definition", &DEFINITION),
        optional("roleArn", &ARN),
        optional("input", &PAYLOAD),
        optional("inspectionLevel", &INSPECTION_LEVEL),
        optional("revealSecrets", &FLAG),
        optional("variables", &PAYLOAD),
        optional("stateName", &STATE_NAME),
        optional("mock", &MOCK),
        optional("context", &PAYLOAD),
        optional("stateConfiguration", &STATE_CONFIGURATION),
    ],
    "UntagResource": [required("resourceArn", &ARN), required("tagKeys", &TAG_KEYS)],
    "UpdateMapRun": [
        required("mapRunArn", &LONG_ARN),
        optional("maxConcurrency", &LIMIT),
        optional("toleratedFailurePercentage", &PERCENTAGE),
        optional("toleratedFailureCount", &LIMIT),
    ],
    "UpdateStateMachine": [
        required("stateMachineArn", &ARN),
        optional("definition", &DEFINITION),
        optional("roleArn", &ARN),
        optional("loggingConfiguration", &LOGGING),
        optional("tracingConfiguration", &TRACING),
        optional("publish", &FLAG),
        optional("versionDescription", &DESCRIPTION),
        optional("encryptionConfiguration", &ENCRYPTION),
    ],
    "UpdateStateMachineAlias": [
        required("stateMachineAliasArn", &ARN),
        optional("description", &DESCRIPTION),
        optional("routingConfiguration", &ROUTES),
    ],
    "ValidateStateMachineDefinition": [
        required("definition", &DEFINITION),
        optional("type", &TYPE),
        optional("severity", &SEVERITY),
        optional("maxResults", &DIAGNOSTICS_SIZE),
    ],
}
