//! What `Ref` and `Fn::GetAtt` stand for on this machine: names, ARNs and URLs.

mod published;

use crate::{
    problem::ProblemKind,
    source::Span,
    suggest::closest,
    template::{Reported, Resource, Template},
    yaml::{Data, Map, Node},
};

/// What SAM adds to a template by itself, so that a template may refer to it.
enum Generated<'t> {
    /// `<function>Role` or `<machine>Role`.
    Role,
    /// `ServerlessHttpApi`, of `HttpApi` events that name no API.
    HttpApi,
    /// `ServerlessRestApi`, of `Api` events that name no API.
    RestApi,
    /// `<function>Url`, of a `FunctionUrlConfig`.
    FunctionUrl,
    /// `<function><event>`: the rule of an event.
    Rule,
    /// `<function or machine>.Alias` and its `.Version`.
    Published(&'t str, Published),
}

/// What `AutoPublishAlias` makes.
#[derive(Clone, Copy)]
enum Published {
    Alias,
    Version,
}

/// What a name that begins with `AWS::` stands for.
enum PseudoParameter {
    Value(Node),
    NoValue,
}

/// The one version of a function that there is here.
pub(crate) const LATEST: &str = "$LATEST";

/// What `Fn::GetAtt` can ask for; which of them a resource has is for its type to say.
const ATTRIBUTES: [&str; 13] = [
    "ApiEndpoint",
    "ApiId",
    "Arn",
    "DomainName",
    "FunctionUrl",
    "Id",
    "Name",
    "QueueName",
    "QueueUrl",
    "RegionalDomainName",
    "StreamArn",
    "TopicArn",
    "TopicName",
];

/// The logical id of the HTTP API that SAM makes for events that name none.
pub(crate) const IMPLICIT_HTTP_API: &str = "ServerlessHttpApi";

/// The logical id of the REST API that SAM makes for events that name none.
pub(crate) const IMPLICIT_REST_API: &str = "ServerlessRestApi";

impl Template {
    /// Whether `Ref` or `Fn::GetAtt` may name it.
    pub(crate) fn is_name(&self, name: &str) -> bool {
        self.parameters.contains_key(name)
            || self.is_resource(name)
            || self.pseudo_parameter(name, Span::default()).is_some()
    }

    pub(crate) fn is_resource(&self, name: &str) -> bool {
        self.resources.contains_key(name) || self.generated(name).is_some()
    }

    /// What `Ref` may name, for a suggestion.
    pub(crate) fn known_names(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().chain(self.resources.keys()).map(String::as_str)
    }

    /// The value of `Ref`.
    pub(crate) fn reference(&self, name: &str, at: Span) -> Result<Option<Node>, Reported> {
        match self.pseudo_parameter(name, at) {
            Some(PseudoParameter::Value(value)) => return Ok(Some(value)),
            Some(PseudoParameter::NoValue) => return Ok(None),
            None => {}
        }
        if let Some(value) = self.parameters.get(name) {
            let value = value.as_ref().ok_or(Reported)?;
            return Ok(Some(Node { at, data: value.data.clone() }));
        }
        let value = match (self.resources.get(name), self.generated(name)) {
            (Some(resource), _) => {
                self.check_present(name, resource, at)?;
                self.resource_reference(name, resource, at)?
            }
            (None, Some(Generated::HttpApi | Generated::RestApi)) => api_id(name),
            (None, Some(Generated::Role | Generated::Rule | Generated::FunctionUrl)) => name.to_owned(),
            (None, Some(Generated::Published(id, published))) => self.published(id, published, at)?,
            (None, None) => return Err(self.report_unknown("resource or parameter", name, self.known_names(), at)),
        };
        Ok(Some(Node::text(at, value)))
    }

    /// The value of `Fn::GetAtt`.
    pub(crate) fn attribute(&self, id: &str, attribute: &str, at: Span) -> Result<String, Reported> {
        let unknown = |kind: &str| {
            let known = ATTRIBUTES.into_iter().filter(|known| self.attribute_of(kind, id, known).is_some());
            let kind = ProblemKind::UnknownAttribute {
                name: id.to_owned(),
                resource_type: kind.to_owned(),
                attribute: attribute.to_owned(),
                suggestion: closest(attribute, known),
            };
            self.report(kind, at)
        };
        let Some(resource) = self.resources.get(id) else {
            let (kind, name) = match self.generated(id) {
                Some(Generated::Role) => ("AWS::IAM::Role", id.to_owned()),
                Some(Generated::Rule) => ("AWS::Events::Rule", id.to_owned()),
                Some(Generated::HttpApi) => ("AWS::ApiGatewayV2::Api", api_id(id)),
                Some(Generated::RestApi) => ("AWS::Serverless::Api", api_id(id)),
                Some(Generated::FunctionUrl) => ("AWS::Lambda::Url", id.to_owned()),
                Some(Generated::Published(id, published)) => {
                    return match (published, attribute) {
                        (Published::Alias, "AliasArn") | (Published::Version, "FunctionArn") => {
                            self.published(id, published, at)
                        }
                        (Published::Version, "Version") => Ok(LATEST.to_owned()),
                        (Published::Alias, _) => Err(unknown("an alias")),
                        (Published::Version, _) => Err(unknown("a version")),
                    };
                }
                None => return Err(self.report_unknown("resource", id, self.resources.keys().map(String::as_str), at)),
            };
            return self.attribute_of(kind, &name, attribute).ok_or_else(|| unknown(kind));
        };
        self.check_present(id, resource, at)?;
        if let Some(published) = published::of(resource) {
            return match attribute {
                "Version" if resource.kind == "AWS::Lambda::Version" => Ok(LATEST.to_owned()),
                _ if attribute == published.attribute => self.published_arn(id, resource, &published, at),
                _ => Err(unknown(&resource.kind)),
            };
        }
        let name = self.physical_name(id, resource, at)?;
        self.attribute_of(&resource.kind, &name, attribute).ok_or_else(|| unknown(&resource.kind))
    }

    fn check_present(&self, name: &str, resource: &Resource, at: Span) -> Result<(), Reported> {
        match &resource.condition {
            Some(condition) if !self.quietly(|| self.condition(condition, resource.at))? => {
                let kind = ProblemKind::ConditionalResource { name: name.to_owned(), condition: condition.clone() };
                Err(self.report(kind, at))
            }
            _ => Ok(()),
        }
    }

    /// The value of a pseudo parameter.
    fn pseudo_parameter(&self, name: &str, at: Span) -> Option<PseudoParameter> {
        let options = &self.options;
        let text = match name {
            "AWS::AccountId" => options.account.clone(),
            "AWS::Region" => options.region.clone(),
            "AWS::StackName" => options.stack_name.clone(),
            "AWS::StackId" => format!(
                "arn:aws:cloudformation:{}:{}:stack/{}/local",
                options.region, options.account, options.stack_name
            ),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::NoValue" => return Some(PseudoParameter::NoValue),
            "AWS::NotificationARNs" => return Some(PseudoParameter::Value(Node { at, data: Data::List(Vec::new()) })),
            _ => return None,
        };
        Some(PseudoParameter::Value(Node::text(at, text)))
    }

    fn generated<'n>(&self, name: &'n str) -> Option<Generated<'n>> {
        let has_events = |id: &str| self.resources.get(id).and_then(|resource| resource.properties.get("Events"));
        let is_sam = |id: &str| {
            self.resources
                .get(id)
                .is_some_and(|resource| is_function_or_machine(resource) && !resource.properties.contains_key("Role"))
        };
        let published = match name.split_once('.') {
            Some((id, "Alias")) => Some((id, Published::Alias)),
            Some((id, "Version")) => Some((id, Published::Version)),
            _ => None,
        };
        if let Some((id, published)) = published {
            return has_alias(self.resources.get(id)?).then_some(Generated::Published(id, published));
        }
        if name.strip_suffix("Role").is_some_and(is_sam) {
            return Some(Generated::Role);
        }
        if name == IMPLICIT_HTTP_API && self.has_implicit_api("HttpApi", "ApiId") {
            return Some(Generated::HttpApi);
        }
        if name == IMPLICIT_REST_API && self.has_implicit_api("Api", "RestApiId") {
            return Some(Generated::RestApi);
        }
        let has_url = |id: &str| {
            self.resources.get(id).is_some_and(|resource| resource.properties.contains_key("FunctionUrlConfig"))
        };
        if name.strip_suffix("Url").is_some_and(has_url) {
            return Some(Generated::FunctionUrl);
        }
        let is_event = |(at, _): (usize, char)| {
            let (resource, event) = name.split_at(at);
            has_events(resource).is_some_and(|events| events.value.get(event).is_some())
        };
        name.char_indices().any(is_event).then_some(Generated::Rule)
    }

    /// Whether an event of a type names no API, so that SAM makes one.
    fn has_implicit_api(&self, kind: &str, api_property: &str) -> bool {
        let events = self.resources.values().filter_map(|resource| resource.properties.get("Events")?.value.as_map());
        let is_http = |event: &Node| event.get("Type").and_then(Node::as_text) == Some(kind);
        let names_api =
            |event: &Node| event.get("Properties").is_some_and(|properties| properties.get(api_property).is_some());
        events.flat_map(Map::values).any(|event| is_http(&event.value) && !names_api(&event.value))
    }

    /// The ARN of an alias or a version that SAM publishes. A function has the one version `$LATEST` here, and an alias
    /// for it; a state machine is named as it is.
    fn published(&self, id: &str, published: Published, at: Span) -> Result<String, Reported> {
        let arn = self.attribute(id, "Arn", at)?;
        let alias = self.resources.get(id).filter(|resource| resource.kind == "AWS::Serverless::Function");
        let Some(field) = alias.and_then(|function| function.properties.get("AutoPublishAlias")) else {
            return Ok(arn);
        };
        match published {
            Published::Version => Ok(format!("{arn}:{LATEST}")),
            Published::Alias => {
                let alias = self.guarded(&format!("{id}.Alias"), id, at, || {
                    self.resolve_text(&field.value, "AutoPublishAlias", "the name of an alias")
                })?;
                Ok(format!("{arn}:{alias}"))
            }
        }
    }

    /// The name of a state machine or an activity, which Step Functions takes.
    pub(crate) fn states_name(&self, id: &str, resource: &Resource) -> Result<String, Reported> {
        let name = self.physical_name(id, resource, resource.at)?;
        if is_states_name(&name) {
            return Ok(name);
        }
        let property = name_property(&resource.kind).unwrap_or_default();
        let kind = ProblemKind::UnsupportedValue {
            place: format!("Resources/{id}/Properties/{property}"),
            value: format!("`{name}`"),
            reason: "a name has 1 to 80 characters, and none of blanks, control characters and <>[]?*\"#%\\^|~`$&,;:/"
                .to_owned(),
        };
        Err(self.report(kind, resource.properties.get(property).map_or(resource.at, |field| field.value.at)))
    }

    /// The name that a resource has in its service.
    pub(crate) fn physical_name(&self, id: &str, resource: &Resource, at: Span) -> Result<String, Reported> {
        let given = name_property(&resource.kind).and_then(|property| resource.properties.get(property));
        if let Some(field) = given {
            let name = self.guarded(&format!("Resources/{id}"), id, at, || self.resolve(&field.value))?;
            if let Some(name) = name {
                let place = format!("Resources/{id}/Properties/{}", name_property(&resource.kind).unwrap_or_default());
                let wrong = ProblemKind::WrongType { place, expected: "a text", found: name.describe() };
                return name.as_text().map(str::to_owned).ok_or_else(|| self.report(wrong, field.key));
            }
        }
        Ok(match resource.kind.as_str() {
            "AWS::Serverless::Function"
            | "AWS::Serverless::StateMachine"
            | "AWS::StepFunctions::StateMachine"
            | "AWS::DynamoDB::Table"
            | "AWS::Serverless::SimpleTable"
            | "AWS::Serverless::LayerVersion"
            | "AWS::Lambda::LayerVersion" => id.to_owned(),
            "AWS::S3::Bucket" => format!("{}-{id}-{}", self.options.stack_name, self.options.account).to_lowercase(),
            "AWS::Serverless::HttpApi" | "AWS::Serverless::Api" | "AWS::ApiGatewayV2::Api" => api_id(id),
            "AWS::SQS::Queue" | "AWS::SNS::Topic" if is_fifo(resource) => {
                format!("{}-{id}.fifo", self.options.stack_name)
            }
            _ => format!("{}-{id}", self.options.stack_name),
        })
    }

    fn resource_reference(&self, id: &str, resource: &Resource, at: Span) -> Result<String, Reported> {
        if let Some(published) = published::of(resource) {
            return self.published_arn(id, resource, &published, at);
        }
        let name = self.physical_name(id, resource, at)?;
        let attribute = match resource.kind.as_str() {
            "AWS::Serverless::StateMachine"
            | "AWS::StepFunctions::StateMachine"
            | "AWS::StepFunctions::Activity"
            | "AWS::SNS::Topic" => "Arn",
            "AWS::Serverless::LayerVersion" | "AWS::Lambda::LayerVersion" => "LayerVersionArn",
            "AWS::SQS::Queue" => "QueueUrl",
            "AWS::SecretsManager::Secret" => "Id",
            _ => return Ok(name),
        };
        Ok(self.attribute_of(&resource.kind, &name, attribute).unwrap_or(name))
    }

    /// One of [`ATTRIBUTES`].
    fn attribute_of(&self, kind: &str, name: &str, attribute: &str) -> Option<String> {
        let (region, account) = (&self.options.region, &self.options.account);
        let value = match (kind, attribute) {
            ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => {
                format!("arn:aws:lambda:{region}:{account}:function:{name}")
            }
            ("AWS::Serverless::StateMachine" | "AWS::StepFunctions::StateMachine", "Arn") => {
                format!("arn:aws:states:{region}:{account}:stateMachine:{name}")
            }
            ("AWS::Serverless::LayerVersion" | "AWS::Lambda::LayerVersion", "LayerVersionArn" | "Arn") => {
                format!("arn:aws:lambda:{region}:{account}:layer:{name}:1")
            }
            ("AWS::StepFunctions::Activity", "Arn") => format!("arn:aws:states:{region}:{account}:activity:{name}"),
            (
                "AWS::Serverless::StateMachine"
                | "AWS::StepFunctions::StateMachine"
                | "AWS::StepFunctions::Activity"
                | "AWS::Events::EventBus",
                "Name",
            )
            | ("AWS::Serverless::HttpApi" | "AWS::ApiGatewayV2::Api", "ApiId")
            | ("AWS::SQS::Queue", "QueueName")
            | ("AWS::SNS::Topic", "TopicName") => name.to_owned(),
            ("AWS::S3::Bucket", "Arn") => format!("arn:aws:s3:::{name}"),
            ("AWS::S3::Bucket", "DomainName") => format!("{name}.s3.amazonaws.com"),
            ("AWS::S3::Bucket", "RegionalDomainName") => format!("{name}.s3.{region}.amazonaws.com"),
            ("AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable", "Arn") => {
                format!("arn:aws:dynamodb:{region}:{account}:table/{name}")
            }
            ("AWS::Serverless::HttpApi" | "AWS::ApiGatewayV2::Api", "ApiEndpoint") => {
                format!("https://{name}.execute-api.{region}.amazonaws.com")
            }
            // The label is the stream's own, which is made with the table.
            ("AWS::DynamoDB::Table", "StreamArn") => {
                format!("arn:aws:dynamodb:{region}:{account}:table/{name}/stream/latest")
            }
            ("AWS::Lambda::Url", "FunctionUrl") => format!("{}/_api/{name}/", self.options.endpoint),
            ("AWS::SQS::Queue", "Arn") => format!("arn:aws:sqs:{region}:{account}:{name}"),
            ("AWS::SQS::Queue", "QueueUrl") => format!("{}/{account}/{name}", self.options.endpoint),
            ("AWS::SNS::Topic", "Arn" | "TopicArn") => format!("arn:aws:sns:{region}:{account}:{name}"),
            ("AWS::Events::Rule", "Arn") => format!("arn:aws:events:{region}:{account}:rule/{name}"),
            ("AWS::Events::EventBus", "Arn") => format!("arn:aws:events:{region}:{account}:event-bus/{name}"),
            ("AWS::Scheduler::ScheduleGroup", "Arn") => {
                format!("arn:aws:scheduler:{region}:{account}:schedule-group/{name}")
            }
            ("AWS::SecretsManager::Secret", "Id") => {
                format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-{}", suffix(name))
            }
            ("AWS::IAM::Role", "Arn") => self.role_arn(name),
            ("AWS::Logs::LogGroup", "Arn") => format!("arn:aws:logs:{region}:{account}:log-group:{name}:*"),
            _ => return None,
        };
        Some(value)
    }

    pub(crate) fn role_arn(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.options.account)
    }
}

/// Whether Step Functions takes it as the name of a state machine, an execution or an activity.
///
/// The service's documents forbid braces too; the service itself takes them.
pub fn is_states_name(name: &str) -> bool {
    const LONGEST: usize = 80;
    let forbidden = |c: char| {
        c.is_control()
            || c.is_whitespace()
            || "<>[]?*\"#%\\^|~`$&,;:/".contains(c)
            || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{10ffff}')
    };
    !name.is_empty() && name.chars().count() <= LONGEST && !name.contains(forbidden)
}

/// The id that API Gateway would make up.
pub(crate) fn api_id(logical_id: &str) -> String {
    logical_id.to_lowercase()
}

fn is_function_or_machine(resource: &Resource) -> bool {
    matches!(resource.kind.as_str(), "AWS::Serverless::Function" | "AWS::Serverless::StateMachine")
}

/// The six characters at the end of a secret's ARN: the same at each start.
fn suffix(name: &str) -> String {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{:06x}", hash & 0xff_ffff)
}

fn is_fifo(resource: &Resource) -> bool {
    ["FifoQueue", "FifoTopic"]
        .iter()
        .any(|name| resource.properties.get(*name).and_then(|field| field.value.as_bool()).unwrap_or(false))
}

fn has_alias(resource: &Resource) -> bool {
    resource.properties.contains_key("AutoPublishAlias")
}

fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => "FunctionName",
        "AWS::Serverless::StateMachine"
        | "AWS::StepFunctions::Activity"
        | "AWS::Events::Rule"
        | "AWS::Events::EventBus"
        | "AWS::Scheduler::Schedule"
        | "AWS::Scheduler::ScheduleGroup"
        | "AWS::Lambda::Alias"
        | "AWS::SSM::Parameter"
        | "AWS::SecretsManager::Secret" => "Name",
        "AWS::StepFunctions::StateMachine" => "StateMachineName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::Serverless::LayerVersion" | "AWS::Lambda::LayerVersion" => "LayerName",
        "AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable" => "TableName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::IAM::Role" => "RoleName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        _ => return None,
    })
}
