//! Which operation of Lambda's API a request asks for.

use http::Method;
use percent_encoding::percent_decode_str;

/// An operation that is answered here, or the name of one that is not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Invoke(String),
    ListFunctions,
    GetFunction(String),
    GetFunctionConfiguration(String),
    Unsupported(String),
}

impl Operation {
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let decoded: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
        match (method.as_str(), segments.as_slice()) {
            ("POST", ["2015-03-31", "functions", name, "invocations"]) => Self::Invoke((*name).to_owned()),
            ("GET", ["2015-03-31", "functions"]) => Self::ListFunctions,
            ("GET", ["2015-03-31", "functions", name]) => Self::GetFunction((*name).to_owned()),
            ("GET", ["2015-03-31", "functions", name, "configuration"]) => {
                Self::GetFunctionConfiguration((*name).to_owned())
            }
            (method, segments) => Self::Unsupported(
                unsupported(method, segments).map_or_else(|| format!("{method} {path}"), str::to_owned),
            ),
        }
    }
}

/// The names of the operations that a client may try. Functions are changed in their template, not by calls.
fn unsupported(method: &str, segments: &[&str]) -> Option<&'static str> {
    let name = match (method, segments) {
        ("POST", ["2015-03-31", "functions"]) => "CreateFunction",
        ("DELETE", ["2015-03-31", "functions", _]) => "DeleteFunction",
        ("PUT", ["2015-03-31", "functions", _, "code"]) => "UpdateFunctionCode",
        ("PUT", ["2015-03-31", "functions", _, "configuration"]) => "UpdateFunctionConfiguration",
        ("GET", ["2015-03-31", "functions", _, "versions"]) => "ListVersionsByFunction",
        ("POST", ["2015-03-31", "functions", _, "versions"]) => "PublishVersion",
        ("GET", ["2015-03-31", "functions", _, "aliases"]) => "ListAliases",
        ("POST", ["2015-03-31", "functions", _, "aliases"]) => "CreateAlias",
        ("GET", ["2015-03-31", "functions", _, "aliases", _]) => "GetAlias",
        ("PUT", ["2015-03-31", "functions", _, "aliases", _]) => "UpdateAlias",
        ("DELETE", ["2015-03-31", "functions", _, "aliases", _]) => "DeleteAlias",
        ("GET", ["2015-03-31", "functions", _, "policy"]) => "GetPolicy",
        ("POST", ["2015-03-31", "functions", _, "policy"]) => "AddPermission",
        ("DELETE", ["2015-03-31", "functions", _, "policy", _]) => "RemovePermission",
        ("POST", ["2014-11-13", "functions", _, "invoke-async"]) => "InvokeAsync",
        ("POST", ["2021-11-15", "functions", _, "response-streaming-invocations"]) => "InvokeWithResponseStream",
        ("GET", ["2015-03-31", "event-source-mappings"]) => "ListEventSourceMappings",
        ("POST", ["2015-03-31", "event-source-mappings"]) => "CreateEventSourceMapping",
        ("GET", ["2015-03-31", "event-source-mappings", _]) => "GetEventSourceMapping",
        ("PUT", ["2015-03-31", "event-source-mappings", _]) => "UpdateEventSourceMapping",
        ("DELETE", ["2015-03-31", "event-source-mappings", _]) => "DeleteEventSourceMapping",
        ("PUT", ["2017-10-31", "functions", _, "concurrency"]) => "PutFunctionConcurrency",
        ("GET", ["2019-09-30", "functions", _, "concurrency"]) => "GetFunctionConcurrency",
        ("PUT", ["2019-09-25", "functions", _, "event-invoke-config"]) => "PutFunctionEventInvokeConfig",
        ("GET", ["2019-09-25", "functions", _, "event-invoke-config"]) => "GetFunctionEventInvokeConfig",
        ("GET", ["2021-10-31", "functions", _, "url"]) => "GetFunctionUrlConfig",
        ("POST", ["2021-10-31", "functions", _, "url"]) => "CreateFunctionUrlConfig",
        ("GET", ["2018-10-31", "layers"]) => "ListLayers",
        ("GET", ["2017-03-31", "tags", _]) => "ListTags",
        ("GET", ["2016-08-19", "account-settings"]) => "GetAccountSettings",
        _ => return None,
    };
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_told_by_its_method_and_path() {
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:Check";
        let encoded = arn.replace(':', "%3A");
        let cases = [
            (Method::POST, "/2015-03-31/functions/Check/invocations".to_owned(), Operation::Invoke("Check".to_owned())),
            (Method::POST, format!("/2015-03-31/functions/{encoded}/invocations"), Operation::Invoke(arn.to_owned())),
            (Method::GET, "/2015-03-31/functions/".to_owned(), Operation::ListFunctions),
            (Method::GET, "/2015-03-31/functions/Check".to_owned(), Operation::GetFunction("Check".to_owned())),
            (
                Method::GET,
                "/2015-03-31/functions/Check/configuration".to_owned(),
                Operation::GetFunctionConfiguration("Check".to_owned()),
            ),
            (
                Method::PUT,
                "/2015-03-31/functions/Check/code".to_owned(),
                Operation::Unsupported("UpdateFunctionCode".to_owned()),
            ),
            (Method::PATCH, "/elsewhere".to_owned(), Operation::Unsupported("PATCH /elsewhere".to_owned())),
        ];
        for (method, path, operation) in cases {
            assert_eq!(Operation::of(&method, &path), operation, "{method} {path}");
        }
    }
}
