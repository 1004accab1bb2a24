//! What the runner does with each property of a resource: nothing is read and then forgotten.

use crate::{closest, properties::Properties, template::Resource};

/// What becomes of a property.
enum Use {
    /// The runner works with it.
    Read,
    /// It makes no difference on one machine: tags, descriptions, encryption at rest.
    NoDifference,
    /// A user would see the difference, so it is said.
    LeftOut(&'static str),
}
use Use::{LeftOut, NoDifference, Read};

pub(crate) const NO_IAM: &str = "IAM is not emulated: every call is allowed.";
const NO_ALIAS: &str = "Nothing is published here: an alias stands for the function or machine as it is.";
const NO_DEPLOYMENT: &str = "Code is replaced at once.";
const NO_CAPACITY: &str = "As many processes start as are needed.";

const FUNCTION: &[(&str, Use)] = &[
    ("Architectures", NoDifference),
    ("AssumeRolePolicyDocument", LeftOut(NO_IAM)),
    ("AutoPublishAlias", Read),
    ("AutoPublishAliasAllProperties", NoDifference),
    ("AutoPublishCodeSha256", NoDifference),
    ("CapacityProviderConfig", LeftOut(NO_CAPACITY)),
    ("CodeSigningConfigArn", LeftOut("Code is not signed.")),
    ("CodeUri", Read),
    ("DeadLetterQueue", Read),
    ("DeploymentPreference", LeftOut(NO_DEPLOYMENT)),
    ("Description", NoDifference),
    ("DurableConfig", LeftOut("Durable functions are not emulated.")),
    ("Environment", Read),
    ("EphemeralStorage", LeftOut("The function's /tmp is this machine's.")),
    ("EventInvokeConfig", Read),
    ("Events", Read),
    ("FileSystemConfigs", LeftOut("File systems are not mounted.")),
    ("FunctionName", Read),
    ("FunctionScalingConfig", LeftOut(NO_CAPACITY)),
    ("FunctionUrlConfig", Read),
    ("Handler", Read),
    ("ImageConfig", NoDifference),
    ("ImageUri", Read),
    ("InlineCode", Read),
    ("KmsKeyArn", NoDifference),
    ("Layers", Read),
    ("LoggingConfig", Read),
    ("MemorySize", Read),
    ("PackageType", Read),
    ("PermissionsBoundary", LeftOut(NO_IAM)),
    ("Policies", LeftOut(NO_IAM)),
    ("PropagateTags", NoDifference),
    ("ProvisionedConcurrencyConfig", LeftOut(NO_CAPACITY)),
    ("PublishToLatestPublished", LeftOut(NO_ALIAS)),
    ("RecursiveLoop", LeftOut("Loops of calls are not found.")),
    ("ReservedConcurrentExecutions", Read),
    ("Role", LeftOut(NO_IAM)),
    ("RolePath", NoDifference),
    ("Runtime", Read),
    ("RuntimeManagementConfig", NoDifference),
    ("SnapStart", LeftOut("Processes start from nothing.")),
    ("SourceKMSKeyArn", NoDifference),
    ("Tags", NoDifference),
    ("TenancyConfig", LeftOut("Processes are not kept apart by tenant.")),
    ("Timeout", Read),
    ("Tracing", NoDifference),
    ("VersionDeletionPolicy", NoDifference),
    ("VersionDescription", NoDifference),
    ("VpcConfig", LeftOut("There is no VPC: functions use this machine's network.")),
];

const PLAIN_FUNCTION: &[(&str, Use)] = &[
    ("Architectures", NoDifference),
    ("CapacityProviderConfig", LeftOut(NO_CAPACITY)),
    ("Code", Read),
    ("CodeSigningConfigArn", LeftOut("Code is not signed.")),
    ("DeadLetterConfig", Read),
    ("Description", NoDifference),
    ("DurableConfig", LeftOut("Durable functions are not emulated.")),
    ("Environment", Read),
    ("EphemeralStorage", LeftOut("The function's /tmp is this machine's.")),
    ("FileSystemConfigs", LeftOut("File systems are not mounted.")),
    ("FunctionName", Read),
    ("FunctionScalingConfig", LeftOut(NO_CAPACITY)),
    ("Handler", Read),
    ("ImageConfig", NoDifference),
    ("KmsKeyArn", NoDifference),
    ("Layers", Read),
    ("LoggingConfig", Read),
    ("MemorySize", Read),
    ("PackageType", Read),
    ("PublishToLatestPublished", LeftOut(NO_ALIAS)),
    ("RecursiveLoop", LeftOut("Loops of calls are not found.")),
    ("ReservedConcurrentExecutions", Read),
    ("Role", LeftOut(NO_IAM)),
    ("Runtime", Read),
    ("RuntimeManagementConfig", NoDifference),
    ("SnapStart", LeftOut("Processes start from nothing.")),
    ("Tags", NoDifference),
    ("TenancyConfig", LeftOut("Processes are not kept apart by tenant.")),
    ("Timeout", Read),
    ("TracingConfig", NoDifference),
    ("VpcConfig", LeftOut("There is no VPC: functions use this machine's network.")),
];

const SAM_STATE_MACHINE: &[(&str, Use)] = &[
    ("AutoPublishAlias", LeftOut(NO_ALIAS)),
    ("Definition", Read),
    ("DefinitionSubstitutions", Read),
    ("DefinitionUri", Read),
    ("DeploymentPreference", LeftOut(NO_DEPLOYMENT)),
    ("Events", Read),
    ("Logging", Read),
    ("Name", Read),
    ("PermissionsBoundary", LeftOut(NO_IAM)),
    ("Policies", LeftOut(NO_IAM)),
    ("PropagateTags", NoDifference),
    ("Role", Read),
    ("RolePath", NoDifference),
    ("Tags", NoDifference),
    ("Tracing", NoDifference),
    ("Type", Read),
    ("UseAliasAsEventTarget", LeftOut(NO_ALIAS)),
];

const STATE_MACHINE: &[(&str, Use)] = &[
    ("Definition", Read),
    ("DefinitionS3Location", Read),
    ("DefinitionString", Read),
    ("DefinitionSubstitutions", Read),
    ("EncryptionConfiguration", NoDifference),
    ("LoggingConfiguration", Read),
    ("RoleArn", Read),
    ("StateMachineName", Read),
    ("StateMachineType", Read),
    ("Tags", NoDifference),
    ("TracingConfiguration", NoDifference),
];

const ACTIVITY: &[(&str, Use)] = &[("EncryptionConfiguration", NoDifference), ("Name", Read), ("Tags", NoDifference)];

const HTTP_API: &[(&str, Use)] = &[
    ("AccessLogSettings", NoDifference),
    ("Auth", LeftOut("Callers of the API are not authorized: every request is let in.")),
    ("CorsConfiguration", LeftOut("The API sends no CORS headers.")),
    ("DefaultRouteSettings", LeftOut("Requests are not throttled.")),
    ("DefinitionBody", Read),
    ("DefinitionUri", Read),
    ("Description", NoDifference),
    ("DisableExecuteApiEndpoint", LeftOut("The API has its one address on this machine.")),
    ("Domain", LeftOut("The API has its one address on this machine.")),
    ("FailOnWarnings", NoDifference),
    ("Name", NoDifference),
    ("PropagateTags", NoDifference),
    ("RouteSettings", LeftOut("Requests are not throttled.")),
    ("StageName", Read),
    ("StageVariables", LeftOut("Stage variables are not sent.")),
    ("Tags", NoDifference),
];

const REST_API: &[(&str, Use)] = &[
    ("AccessLogSetting", NoDifference),
    ("AlwaysDeploy", NoDifference),
    ("ApiKeySourceType", LeftOut("Callers of the API are not authorized: every request is let in.")),
    ("Auth", LeftOut("Callers of the API are not authorized: every request is let in.")),
    ("BinaryMediaTypes", LeftOut("A body is sent as text where it is text, and else in Base64.")),
    ("CacheClusterEnabled", NoDifference),
    ("CacheClusterSize", NoDifference),
    ("CanarySetting", LeftOut("The API has its one deployment on this machine.")),
    ("Cors", LeftOut("The API sends no CORS headers.")),
    ("DefinitionBody", Read),
    ("DefinitionUri", Read),
    ("Description", NoDifference),
    ("DisableExecuteApiEndpoint", LeftOut("The API has its one address on this machine.")),
    ("Domain", LeftOut("The API has its one address on this machine.")),
    ("EndpointConfiguration", NoDifference),
    ("FailOnWarnings", NoDifference),
    ("GatewayResponses", LeftOut("The API's own answers are those that it has by default.")),
    ("MergeDefinitions", NoDifference),
    ("MethodSettings", LeftOut("Requests are not throttled.")),
    ("MinimumCompressionSize", NoDifference),
    ("Mode", NoDifference),
    ("Models", LeftOut("Requests are not held to a model.")),
    ("Name", NoDifference),
    ("OpenApiVersion", NoDifference),
    ("Policy", LeftOut(NO_IAM)),
    ("PropagateTags", NoDifference),
    ("SecurityPolicy", NoDifference),
    ("StageName", Read),
    ("Tags", NoDifference),
    ("TracingEnabled", NoDifference),
    ("Variables", LeftOut("Stage variables are not sent.")),
];

const V2_API: &[(&str, Use)] = &[
    ("ApiKeySelectionExpression", NoDifference),
    ("Body", Read),
    ("BodyS3Location", LeftOut("OpenAPI documents are read from the template, or from files beside it.")),
    ("CorsConfiguration", LeftOut("The API sends no CORS headers.")),
    ("Description", NoDifference),
    ("DisableExecuteApiEndpoint", LeftOut("The API has its one address on this machine.")),
    ("FailOnWarnings", NoDifference),
    ("IpAddressType", NoDifference),
    ("Name", NoDifference),
    ("ProtocolType", Read),
    ("RouteSelectionExpression", NoDifference),
    ("Tags", NoDifference),
    ("Version", NoDifference),
];

const V2_ROUTE: &[(&str, Use)] = &[
    ("ApiId", Read),
    ("AuthorizationScopes", LeftOut("Callers of the API are not authorized: every request is let in.")),
    ("AuthorizationType", LeftOut("Callers of the API are not authorized: every request is let in.")),
    ("AuthorizerId", LeftOut("Callers of the API are not authorized: every request is let in.")),
    ("OperationName", NoDifference),
    ("RouteKey", Read),
    ("Target", Read),
];

const V2_INTEGRATION: &[(&str, Use)] = &[
    ("ApiId", NoDifference),
    ("CredentialsArn", LeftOut(NO_IAM)),
    ("Description", NoDifference),
    ("IntegrationMethod", NoDifference),
    ("IntegrationSubtype", Read),
    ("IntegrationType", NoDifference),
    ("IntegrationUri", Read),
    ("PayloadFormatVersion", Read),
    ("RequestParameters", Read),
    ("ResponseParameters", LeftOut("Answers are sent as they are.")),
    ("TimeoutInMillis", LeftOut("A request waits for as long as the function runs.")),
];

const V2_STAGE: &[(&str, Use)] = &[
    ("AccessLogSettings", NoDifference),
    ("ApiId", Read),
    ("AutoDeploy", NoDifference),
    ("DefaultRouteSettings", LeftOut("Requests are not throttled.")),
    ("DeploymentId", NoDifference),
    ("Description", NoDifference),
    ("RouteSettings", LeftOut("Requests are not throttled.")),
    ("StageName", Read),
    ("StageVariables", LeftOut("Stage variables are not sent.")),
    ("Tags", NoDifference),
];

const BUCKET: &[(&str, Use)] = &[
    ("AbacStatus", LeftOut(NO_IAM)),
    ("AccelerateConfiguration", NoDifference),
    ("AccessControl", LeftOut(NO_IAM)),
    ("AnalyticsConfigurations", LeftOut("Buckets are not analysed.")),
    ("BucketEncryption", NoDifference),
    ("BucketName", Read),
    ("CorsConfiguration", LeftOut("Buckets send no CORS headers.")),
    ("IntelligentTieringConfigurations", NoDifference),
    ("InventoryConfigurations", LeftOut("Inventories are not written.")),
    ("LifecycleConfiguration", LeftOut("Objects do not expire.")),
    ("LoggingConfiguration", LeftOut("Access to buckets is not logged.")),
    ("MetricsConfigurations", NoDifference),
    ("NotificationConfiguration", Read),
    ("ObjectLockConfiguration", LeftOut("Objects are not locked.")),
    ("ObjectLockEnabled", LeftOut("Objects are not locked.")),
    ("OwnershipControls", NoDifference),
    ("PublicAccessBlockConfiguration", NoDifference),
    ("ReplicationConfiguration", LeftOut("Objects are not replicated.")),
    ("Tags", NoDifference),
    ("VersioningConfiguration", Read),
    ("WebsiteConfiguration", LeftOut("Buckets do not serve web sites.")),
];

const TABLE: &[(&str, Use)] = &[
    ("AttributeDefinitions", Read),
    ("BillingMode", Read),
    ("ContributorInsightsSpecification", NoDifference),
    ("DeletionProtectionEnabled", LeftOut("A table can be deleted.")),
    ("GlobalSecondaryIndexes", Read),
    ("ImportSourceSpecification", LeftOut("A table starts empty.")),
    ("KeySchema", Read),
    ("KinesisStreamSpecification", LeftOut("Changes do not go to Kinesis.")),
    ("LocalSecondaryIndexes", Read),
    ("OnDemandThroughput", NoDifference),
    ("PointInTimeRecoverySpecification", NoDifference),
    ("ProvisionedThroughput", Read),
    ("ResourcePolicy", LeftOut(NO_IAM)),
    ("SSESpecification", NoDifference),
    ("StreamSpecification", Read),
    ("TableClass", NoDifference),
    ("TableName", Read),
    ("Tags", NoDifference),
    ("TimeToLiveSpecification", Read),
    ("WarmThroughput", NoDifference),
];

const SIMPLE_TABLE: &[(&str, Use)] = &[
    ("PointInTimeRecoverySpecification", NoDifference),
    ("PrimaryKey", Read),
    ("ProvisionedThroughput", Read),
    ("SSESpecification", NoDifference),
    ("TableName", Read),
    ("Tags", NoDifference),
];

const RULE: &[(&str, Use)] = &[
    ("Description", NoDifference),
    ("EventBusName", Read),
    ("EventPattern", Read),
    ("Name", Read),
    ("RoleArn", LeftOut(NO_IAM)),
    ("ScheduleExpression", Read),
    ("State", Read),
    ("Tags", NoDifference),
    ("Targets", Read),
];

const QUEUE: &[(&str, Use)] = &[
    ("ContentBasedDeduplication", Read),
    ("DeduplicationScope", Read),
    ("DelaySeconds", Read),
    ("FifoQueue", Read),
    ("FifoThroughputLimit", NoDifference),
    ("KmsDataKeyReusePeriodSeconds", NoDifference),
    ("KmsMasterKeyId", NoDifference),
    ("MaximumMessageSize", Read),
    ("MessageRetentionPeriod", Read),
    ("QueueName", Read),
    ("ReceiveMessageWaitTimeSeconds", Read),
    ("RedriveAllowPolicy", LeftOut(NO_IAM)),
    ("RedrivePolicy", Read),
    ("SqsManagedSseEnabled", NoDifference),
    ("Tags", NoDifference),
    ("VisibilityTimeout", Read),
];

const TOPIC: &[(&str, Use)] = &[
    ("ArchivePolicy", LeftOut("Messages are not kept by topics.")),
    ("ContentBasedDeduplication", Read),
    ("DataProtectionPolicy", LeftOut("Messages are not looked through.")),
    ("DeliveryStatusLogging", LeftOut("Deliveries are not logged to CloudWatch Logs.")),
    ("DisplayName", Read),
    ("FifoThroughputScope", NoDifference),
    ("FifoTopic", Read),
    ("KmsMasterKeyId", NoDifference),
    ("SignatureVersion", NoDifference),
    ("Subscription", Read),
    ("Tags", NoDifference),
    ("TopicName", Read),
    ("TracingConfig", NoDifference),
];

const SUBSCRIPTION: &[(&str, Use)] = &[
    ("DeliveryPolicy", LeftOut("What can't be delivered goes to the dead-letter queue at once.")),
    ("Endpoint", Read),
    ("FilterPolicy", Read),
    ("FilterPolicyScope", Read),
    ("Protocol", Read),
    ("RawMessageDelivery", Read),
    ("RedrivePolicy", Read),
    ("Region", NoDifference),
    ("ReplayPolicy", LeftOut("Messages are not kept by topics.")),
    ("SubscriptionRoleArn", LeftOut(NO_IAM)),
    ("TopicArn", Read),
];

const MAPPING: &[(&str, Use)] = &[
    ("BatchSize", Read),
    ("BisectBatchOnFunctionError", Read),
    ("DestinationConfig", Read),
    ("Enabled", Read),
    ("EventSourceArn", Read),
    ("FilterCriteria", Read),
    ("FunctionName", Read),
    ("FunctionResponseTypes", Read),
    ("KmsKeyArn", NoDifference),
    ("MaximumBatchingWindowInSeconds", Read),
    ("MaximumRecordAgeInSeconds", Read),
    ("MaximumRetryAttempts", Read),
    ("MetricsConfig", NoDifference),
    ("ParallelizationFactor", Read),
    ("ProvisionedPollerConfig", Read),
    ("ScalingConfig", Read),
    ("StartingPosition", Read),
    ("StartingPositionTimestamp", Read),
    ("Tags", NoDifference),
    ("TumblingWindowInSeconds", Read),
];

const SCHEDULE: &[(&str, Use)] = &[
    ("Description", NoDifference),
    ("EndDate", Read),
    ("FlexibleTimeWindow", NoDifference),
    ("GroupName", Read),
    ("KmsKeyArn", NoDifference),
    ("Name", Read),
    ("ScheduleExpression", Read),
    ("ScheduleExpressionTimezone", Read),
    ("StartDate", Read),
    ("State", Read),
    ("Target", Read),
];

const LAMBDA_VERSION: &[(&str, Use)] = &[
    ("CodeSha256", NoDifference),
    ("Description", NoDifference),
    ("FunctionName", Read),
    ("ProvisionedConcurrencyConfig", LeftOut(NO_CAPACITY)),
    ("RuntimePolicy", NoDifference),
];

const LAMBDA_ALIAS: &[(&str, Use)] = &[
    ("Description", NoDifference),
    ("FunctionName", Read),
    ("FunctionVersion", NoDifference),
    ("Name", Read),
    ("ProvisionedConcurrencyConfig", LeftOut(NO_CAPACITY)),
    ("RoutingConfig", LeftOut(NO_ALIAS)),
];

const MACHINE_VERSION: &[(&str, Use)] =
    &[("Description", NoDifference), ("StateMachineArn", Read), ("StateMachineRevisionId", NoDifference)];

const MACHINE_ALIAS: &[(&str, Use)] = &[
    ("DeploymentPreference", Read),
    ("Description", NoDifference),
    ("Name", LeftOut(NO_ALIAS)),
    ("RoutingConfiguration", Read),
];

const SCHEDULE_GROUP: &[(&str, Use)] = &[("Name", Read), ("Tags", NoDifference)];

const PARAMETER: &[(&str, Use)] = &[
    ("AllowedPattern", NoDifference),
    ("DataType", NoDifference),
    ("Description", NoDifference),
    ("Name", Read),
    ("Policies", LeftOut("Parameters do not expire.")),
    ("Tags", NoDifference),
    ("Tier", NoDifference),
    ("Type", Read),
    ("Value", Read),
];

const SECRET: &[(&str, Use)] = &[
    ("Description", NoDifference),
    ("GenerateSecretString", Read),
    ("KmsKeyId", NoDifference),
    ("Name", Read),
    ("ReplicaRegions", NoDifference),
    ("SecretString", Read),
    ("Tags", NoDifference),
];

const EVENT_BUS: &[(&str, Use)] = &[
    ("DeadLetterConfig", LeftOut("What a target can't be given goes to the dead-letter queue of its rule.")),
    ("Description", NoDifference),
    ("EventSourceName", LeftOut("No partner sends events to this machine.")),
    ("KmsKeyIdentifier", NoDifference),
    ("LogConfig", NoDifference),
    ("Name", Read),
    ("Policy", LeftOut(NO_IAM)),
    ("Tags", NoDifference),
];

const LOG_GROUP: &[(&str, Use)] = &[
    ("DataProtectionPolicy", LeftOut("Logs are not looked through.")),
    ("DeletionProtectionEnabled", LeftOut("Logs go with the runner.")),
    ("FieldIndexPolicies", NoDifference),
    ("KmsKeyId", NoDifference),
    ("LogGroupClass", NoDifference),
    ("LogGroupName", Read),
    ("ResourcePolicyDocument", LeftOut(NO_IAM)),
    ("RetentionInDays", NoDifference),
    ("Tags", NoDifference),
];

const LAYER: &[(&str, Use)] = &[
    ("CompatibleArchitectures", NoDifference),
    ("CompatibleRuntimes", NoDifference),
    ("ContentUri", Read),
    ("Description", NoDifference),
    ("LayerName", Read),
    ("LicenseInfo", NoDifference),
    ("PublishLambdaVersion", NoDifference),
    ("RetentionPolicy", NoDifference),
];

const PLAIN_LAYER: &[(&str, Use)] = &[
    ("CompatibleArchitectures", NoDifference),
    ("CompatibleRuntimes", NoDifference),
    ("Content", Read),
    ("Description", NoDifference),
    ("LayerName", Read),
    ("LicenseInfo", NoDifference),
];

/// What the CDK writes for those who count its constructs.
const CDK_METADATA: &[(&str, Use)] = &[("Analytics", NoDifference), ("Modules", NoDifference)];

fn properties_of(kind: &str) -> Option<&'static [(&'static str, Use)]> {
    Some(match kind {
        "AWS::Serverless::Function" => FUNCTION,
        "AWS::Lambda::Function" => PLAIN_FUNCTION,
        "AWS::Serverless::StateMachine" => SAM_STATE_MACHINE,
        "AWS::Serverless::HttpApi" => HTTP_API,
        "AWS::Serverless::Api" => REST_API,
        "AWS::ApiGatewayV2::Api" => V2_API,
        "AWS::ApiGatewayV2::Route" => V2_ROUTE,
        "AWS::ApiGatewayV2::Integration" => V2_INTEGRATION,
        "AWS::ApiGatewayV2::Stage" => V2_STAGE,
        "AWS::Serverless::SimpleTable" => SIMPLE_TABLE,
        "AWS::StepFunctions::StateMachine" => STATE_MACHINE,
        "AWS::StepFunctions::Activity" => ACTIVITY,
        "AWS::S3::Bucket" => BUCKET,
        "AWS::DynamoDB::Table" => TABLE,
        "AWS::Events::EventBus" => EVENT_BUS,
        "AWS::Events::Rule" => RULE,
        "AWS::Logs::LogGroup" => LOG_GROUP,
        "AWS::SQS::Queue" => QUEUE,
        "AWS::SSM::Parameter" => PARAMETER,
        "AWS::SecretsManager::Secret" => SECRET,
        "AWS::SNS::Topic" => TOPIC,
        "AWS::SNS::Subscription" => SUBSCRIPTION,
        "AWS::Lambda::EventSourceMapping" => MAPPING,
        "AWS::Serverless::LayerVersion" => LAYER,
        "AWS::Lambda::LayerVersion" => PLAIN_LAYER,
        "AWS::Lambda::Version" => LAMBDA_VERSION,
        "AWS::Lambda::Alias" => LAMBDA_ALIAS,
        "AWS::StepFunctions::StateMachineVersion" => MACHINE_VERSION,
        "AWS::StepFunctions::StateMachineAlias" => MACHINE_ALIAS,
        "AWS::Scheduler::Schedule" => SCHEDULE,
        "AWS::Scheduler::ScheduleGroup" => SCHEDULE_GROUP,
        "AWS::CDK::Metadata" => CDK_METADATA,
        _ => return None,
    })
}

/// Notes the properties of a resource that are unknown or left out. Whether the resource itself is emulated.
pub(crate) fn resource(properties: &Properties, id: &str, resource: &Resource) -> bool {
    let Some(known) = properties_of(&resource.kind) else {
        if is_misspelt(&resource.kind) {
            properties.template.report_unknown_type("resource", &resource.kind, SERVERLESS, resource.at);
            return false;
        }
        properties.template.leave_out(format!("Resources/{id}"), &resource.kind, why_not_emulated(&resource.kind));
        return false;
    };
    for (name, at) in properties.names() {
        match known.iter().find(|(property, _)| *property == name).map(|(_, use_of_it)| use_of_it) {
            Some(Read | NoDifference) => {}
            Some(LeftOut(reason)) => properties.template.leave_out(properties.place_of(name), &resource.kind, *reason),
            None => {
                let names: Vec<&str> = known.iter().map(|(property, _)| *property).collect();
                properties.template.report_unknown_property(&resource.kind, name, &names, at);
            }
        }
    }
    true
}

/// The types of resources that SAM has.
const SERVERLESS: [&str; 9] = [
    "AWS::Serverless::Api",
    "AWS::Serverless::Application",
    "AWS::Serverless::Connector",
    "AWS::Serverless::Function",
    "AWS::Serverless::GraphQLApi",
    "AWS::Serverless::HttpApi",
    "AWS::Serverless::LayerVersion",
    "AWS::Serverless::SimpleTable",
    "AWS::Serverless::StateMachine",
];

/// Whether one of SAM's types was probably meant. SAM may have others by now.
fn is_misspelt(kind: &str) -> bool {
    kind.starts_with("AWS::Serverless::") && !SERVERLESS.contains(&kind) && closest(kind, SERVERLESS).is_some()
}

/// Why a type of resource is left out.
fn why_not_emulated(kind: &str) -> String {
    match kind {
        "AWS::S3::BucketPolicy"
        | "AWS::SQS::QueuePolicy"
        | "AWS::SNS::TopicPolicy"
        | "AWS::Lambda::LayerVersionPermission"
        | "AWS::Lambda::Permission"
        | "AWS::Serverless::Connector"
        | "AWS::Events::EventBusPolicy" => NO_IAM.to_owned(),
        _ if kind.starts_with("AWS::IAM::") => NO_IAM.to_owned(),
        _ if kind.starts_with("AWS::Logs::") => "Of CloudWatch Logs, log groups are emulated.".to_owned(),
        _ if kind.starts_with("AWS::CloudWatch::") => "Metrics are kept; alarms and dashboards are not.".to_owned(),
        _ if kind.starts_with("AWS::KMS::") => "Nothing is encrypted on this machine.".to_owned(),
        _ => format!("{kind} is not emulated."),
    }
}
