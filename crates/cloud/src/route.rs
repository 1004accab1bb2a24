//! Which service a request is for. AWS gives each service a host of its own; here one port serves all, so the
//! request itself must tell.
//!
//! In order: the host or path of an HTTP API, the `X-Amz-Target` header, the path of a Smithy RPC call, the
//! service named in the signature, the path of the Lambda API, the form of the query protocol. What is left is S3.

use http::{HeaderMap, Method, header, request::Parts};

use crate::wire::Format;

/// The services that can be behind the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceName {
    /// AWS Step Functions.
    States,
    /// AWS Lambda.
    Lambda,
    /// Amazon `DynamoDB` and its streams.
    DynamoDb,
    /// Amazon S3.
    S3,
    /// Amazon `CloudWatch` metrics.
    CloudWatch,
    /// Amazon SQS.
    Sqs,
    /// Amazon SNS.
    Sns,
    /// Amazon `EventBridge`.
    Events,
    /// Amazon `EventBridge` Scheduler.
    Scheduler,
    /// Amazon `CloudWatch` Logs.
    Logs,
    /// The parameters of AWS Systems Manager.
    Ssm,
    /// AWS Secrets Manager.
    Secrets,
    /// AWS STS.
    Sts,
    /// The HTTP APIs of the application (API Gateway, `execute-api`).
    Apis,
}

impl ServiceName {
    /// The service's name as AWS writes it.
    pub fn title(self) -> &'static str {
        match self {
            Self::States => "Step Functions",
            Self::Lambda => "Lambda",
            Self::DynamoDb => "DynamoDB",
            Self::S3 => "S3",
            Self::CloudWatch => "CloudWatch",
            Self::Sqs => "SQS",
            Self::Sns => "SNS",
            Self::Events => "EventBridge",
            Self::Scheduler => "EventBridge Scheduler",
            Self::Logs => "CloudWatch Logs",
            Self::Ssm => "Systems Manager",
            Self::Secrets => "Secrets Manager",
            Self::Sts => "STS",
            Self::Apis => "API Gateway",
        }
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To this service; errors found on the way there are written in this format.
    To(ServiceName, Format),
    /// To a service that is not emulated, by its name.
    NotEmulated(String, Format),
    /// It is a query-protocol call with no signature: only its body tells, see [`query_route`].
    AskBody,
}

impl Route {
    /// The service's name as AWS writes it.
    pub(crate) fn title(&self) -> &str {
        match self {
            Self::To(name, _) => name.title(),
            Self::NotEmulated(title, _) => title,
            Self::AskBody => "the query protocol",
        }
    }
}

/// `X-Amz-Target` prefixes, without the dot.
const TARGETS: &[(&str, Known)] = &[
    ("AWSStepFunctions", Known::Here(ServiceName::States)),
    ("DynamoDB_20120810", Known::Here(ServiceName::DynamoDb)),
    ("DynamoDBStreams_20120810", Known::Here(ServiceName::DynamoDb)),
    ("GraniteServiceVersion20100801", Known::Here(ServiceName::CloudWatch)),
    ("AWSEvents", Known::Here(ServiceName::Events)),
    ("AmazonSQS", Known::Here(ServiceName::Sqs)),
    // Clients of SNS speak the query protocol; this is what calls from inside are known by.
    ("AmazonSimpleNotificationService", Known::Here(ServiceName::Sns)),
    ("Logs_20140328", Known::Here(ServiceName::Logs)),
    ("AmazonSSM", Known::Here(ServiceName::Ssm)),
    ("secretsmanager", Known::Here(ServiceName::Secrets)),
    ("TrentService", Known::Elsewhere("KMS")),
    ("Kinesis_20131202", Known::Elsewhere("Kinesis")),
    ("AmazonAthena", Known::Elsewhere("Athena")),
    ("AWSGlue", Known::Elsewhere("Glue")),
    ("AmazonEC2ContainerServiceV20141113", Known::Elsewhere("ECS")),
];

/// Service names as signatures carry them.
const SIGNING_NAMES: &[(&str, Known)] = &[
    ("states", Known::Here(ServiceName::States)),
    ("lambda", Known::Here(ServiceName::Lambda)),
    ("dynamodb", Known::Here(ServiceName::DynamoDb)),
    ("s3", Known::Here(ServiceName::S3)),
    ("monitoring", Known::Here(ServiceName::CloudWatch)),
    ("execute-api", Known::Here(ServiceName::Apis)),
    ("sqs", Known::Here(ServiceName::Sqs)),
    ("sns", Known::Here(ServiceName::Sns)),
    ("events", Known::Here(ServiceName::Events)),
    ("scheduler", Known::Here(ServiceName::Scheduler)),
    ("logs", Known::Here(ServiceName::Logs)),
    ("ssm", Known::Here(ServiceName::Ssm)),
    ("secretsmanager", Known::Here(ServiceName::Secrets)),
    ("kms", Known::Elsewhere("KMS")),
    ("kinesis", Known::Elsewhere("Kinesis")),
    ("iam", Known::Elsewhere("IAM")),
    ("sts", Known::Here(ServiceName::Sts)),
    ("cloudformation", Known::Elsewhere("CloudFormation")),
    ("ses", Known::Elsewhere("SES")),
    ("bedrock", Known::Elsewhere("Bedrock")),
    ("apigateway", Known::Elsewhere("the API Gateway control plane")),
];

/// `Version` parameters of the query protocol.
const QUERY_VERSIONS: &[(&str, Known)] = &[
    ("2010-08-01", Known::Here(ServiceName::CloudWatch)),
    ("2012-11-05", Known::Here(ServiceName::Sqs)),
    ("2010-03-31", Known::Here(ServiceName::Sns)),
    ("2010-05-08", Known::Elsewhere("IAM")),
    ("2011-06-15", Known::Here(ServiceName::Sts)),
    ("2010-05-15", Known::Elsewhere("CloudFormation")),
    ("2010-12-01", Known::Elsewhere("SES")),
];

/// The path prefix under which the HTTP APIs of the application answer: `/_api/<logical id>/…`.
const API_PATH: &str = "/_api/";

#[derive(Clone, Copy)]
enum Known {
    Here(ServiceName),
    Elsewhere(&'static str),
}

/// Whether the service with this name in signatures can be behind the port.
pub(crate) fn is_here(signing_name: &str) -> bool {
    SIGNING_NAMES.iter().any(|(name, known)| *name == signing_name && matches!(known, Known::Here(_)))
}

/// Decides by the head of a request.
pub(crate) fn route(parts: &Parts) -> Route {
    let path = parts.uri.path();
    if path.starts_with(API_PATH) || path == "/_api" || is_api_host(host(parts)) {
        return Route::To(ServiceName::Apis, Format::Json);
    }
    if let Some(target) = text(&parts.headers, "x-amz-target") {
        let prefix = target.rsplit_once('.').map_or(target, |(prefix, _)| prefix);
        return look_up(TARGETS, prefix, Format::Json);
    }
    if let Some((service, _)) = path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/")) {
        return look_up(TARGETS, service, Format::Json);
    }
    if let Some(service) = signing_name(parts) {
        let format = match service {
            "s3" => Format::S3Xml,
            _ if is_form(parts) => Format::QueryXml,
            _ => Format::Json,
        };
        return look_up(SIGNING_NAMES, service, format);
    }
    if is_lambda_path(path) {
        return Route::To(ServiceName::Lambda, Format::Json);
    }
    if path == "/" && is_form(parts) {
        return Route::AskBody;
    }
    Route::To(ServiceName::S3, Format::S3Xml)
}

/// Whether a request went to S3 because nothing in it says where it belongs: it may be anybody's mistake.
pub(crate) fn is_guessed(parts: &Parts) -> bool {
    signing_name(parts).is_none() && matches!(route(parts), Route::To(ServiceName::S3, _))
}

/// Decides by the body of a query-protocol call, or by the query of its address; [`Route::AskBody`] where it does not tell
/// either.
pub(crate) fn query_route(form: &str) -> Route {
    let version = form.split('&').find_map(|pair| pair.strip_prefix("Version="));
    version.map_or(Route::AskBody, |version| look_up(QUERY_VERSIONS, version, Format::QueryXml))
}

fn look_up(table: &[(&str, Known)], name: &str, format: Format) -> Route {
    let known = table.iter().find(|(known, _)| *known == name).map(|(_, known)| *known);
    match known {
        Some(Known::Here(service)) => Route::To(service, format),
        Some(Known::Elsewhere(title)) => Route::NotEmulated(title.to_owned(), format),
        None => Route::NotEmulated(format!("the service {name:?}"), format),
    }
}

fn host(parts: &Parts) -> &str {
    parts.uri.host().or_else(|| text(&parts.headers, header::HOST.as_str())).unwrap_or_default()
}

fn is_api_host(host: &str) -> bool {
    host.split_once('.').is_some_and(|(_, rest)| rest.starts_with("execute-api."))
}

/// Every REST path of Lambda starts with the date of an API version, such as `/2015-03-31/functions/`.
fn is_lambda_path(path: &str) -> bool {
    let Some((date, _)) = path.strip_prefix('/').and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    date.len() == 10
        && date.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn is_form(parts: &Parts) -> bool {
    parts.method == Method::POST
        && text(&parts.headers, "content-type")
            .is_some_and(|content_type| content_type.starts_with("application/x-www-form-urlencoded"))
}

/// The service of `Credential=<key>/<date>/<region>/<service>/aws4_request`, from the header or a presigned address.
pub(crate) fn signing_name(parts: &Parts) -> Option<&str> {
    let from_header = || {
        let authorization = text(&parts.headers, "authorization")?;
        let (_, credential) = authorization.split_once("Credential=")?;
        Some((credential.split(',').next()?, "/"))
    };
    let from_query = || {
        let credential = parts.uri.query()?.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
        Some((credential, if credential.contains('/') { "/" } else { "%2F" }))
    };
    let (credential, separator) = from_header().or_else(from_query)?;
    credential.split(separator).nth(3)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED_BY: &str = "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/SERVICE/aws4_request, \
                             SignedHeaders=host, Signature=0";

    /// Routes a request written as `METHOD address`, then a header a line. `sign: x` stands for a signature.
    fn routed(request: &str) -> Route {
        let mut lines = request.lines().map(str::trim);
        let (method, address) = lines.next().and_then(|line| line.split_once(' ')).unwrap();
        let mut builder = http::Request::builder().method(method).uri(address);
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            builder = match name {
                "sign" => builder.header("authorization", SIGNED_BY.replace("SERVICE", value)),
                _ => builder.header(name, value),
            };
        }
        route(&builder.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn emulated_services_are_found() {
        let cases = [
            ("POST /\nx-amz-target: AWSStepFunctions.StartExecution", ServiceName::States),
            ("POST /\nx-amz-target: DynamoDB_20120810.GetItem\nsign: dynamodb", ServiceName::DynamoDb),
            ("POST /\nx-amz-target: DynamoDBStreams_20120810.GetRecords", ServiceName::DynamoDb),
            ("POST /\nx-amz-target: GraniteServiceVersion20100801.PutMetricData", ServiceName::CloudWatch),
            ("POST /service/GraniteServiceVersion20100801/operation/PutMetricData", ServiceName::CloudWatch),
            ("POST /\ncontent-type: application/x-www-form-urlencoded\nsign: monitoring", ServiceName::CloudWatch),
            ("POST /2015-03-31/functions/F/invocations", ServiceName::Lambda),
            ("GET /2015-03-31/functions/\nsign: lambda", ServiceName::Lambda),
            ("GET /2021-10-31/functions/F/url", ServiceName::Lambda),
            ("GET /_api/HttpApi/start", ServiceName::Apis),
            ("GET /start\nhost: abc123.execute-api.us-east-1.localhost:4566", ServiceName::Apis),
            ("GET /start\nauthorization: Bearer x\nhost: abc.execute-api.localhost", ServiceName::Apis),
            ("GET /start\nsign: execute-api", ServiceName::Apis),
            ("POST /\nx-amz-target: AmazonSQS.SendMessage", ServiceName::Sqs),
            ("POST /0/queue\ncontent-type: application/x-www-form-urlencoded\nsign: sqs", ServiceName::Sqs),
            ("POST /\nx-amz-target: AWSEvents.PutEvents\nsign: events", ServiceName::Events),
            ("POST /\ncontent-type: application/x-www-form-urlencoded\nsign: sns", ServiceName::Sns),
            ("GET /schedules/nightly?groupName=a\nsign: scheduler", ServiceName::Scheduler),
            ("POST /\nx-amz-target: Logs_20140328.PutLogEvents", ServiceName::Logs),
            ("POST /\nx-amz-target: AmazonSSM.GetParameter\nsign: ssm", ServiceName::Ssm),
            ("POST /\nx-amz-target: secretsmanager.GetSecretValue", ServiceName::Secrets),
            ("POST /\ncontent-type: application/x-www-form-urlencoded\nsign: sts", ServiceName::Sts),
            ("GET /", ServiceName::S3),
            ("GET /bucket/key\nsign: s3", ServiceName::S3),
            ("GET /bucket/key?X-Amz-Credential=A%2F20260101%2Fus-east-1%2Fs3%2Faws4_request", ServiceName::S3),
            ("GET /key?X-Amz-Credential=A/20260101/us-east-1/lambda/aws4_request", ServiceName::Lambda),
            ("GET /key\nhost: bucket.s3.localhost:4566", ServiceName::S3),
            ("GET /2015-03-31/notes\nsign: s3", ServiceName::S3),
            ("GET /2015-03-311/notes", ServiceName::S3),
            ("GET /_api", ServiceName::Apis),
            ("GET /_apis", ServiceName::S3),
            ("POST /bucket\ncontent-type: application/x-www-form-urlencoded", ServiceName::S3),
        ];
        for (request, expected) in cases {
            assert!(
                matches!(routed(request), Route::To(service, _) if service == expected),
                "{request} went to {:?}",
                routed(request),
            );
        }
    }

    #[test]
    fn other_services_are_refused_by_name_in_their_own_format() {
        let cases = [
            ("POST /\nx-amz-target: TrentService.Encrypt", "KMS", Format::Json),
            ("POST /\nx-amz-target: Unheard_1.Of", "the service \"Unheard_1\"", Format::Json),
            ("POST /\ncontent-type: application/x-www-form-urlencoded\nsign: iam", "IAM", Format::QueryXml),
            ("POST /identity\nsign: ses", "SES", Format::Json),
            ("GET /x\nsign: unheard-of", "the service \"unheard-of\"", Format::Json),
        ];
        for (request, name, format) in cases {
            assert_eq!(routed(request), Route::NotEmulated(name.to_owned(), format), "{request}");
        }
    }

    #[test]
    fn an_unsigned_query_call_is_decided_by_its_body() {
        let request = "POST /\ncontent-type: application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(routed(request), Route::AskBody);
        let cases = [
            ("Action=ListMetrics&Version=2010-08-01", Route::To(ServiceName::CloudWatch, Format::QueryXml)),
            ("Version=2010-03-31&Action=Publish", Route::To(ServiceName::Sns, Format::QueryXml)),
            ("a=b", Route::AskBody),
        ];
        for (form, expected) in cases {
            assert_eq!(query_route(form), expected, "{form}");
        }
    }
}
