//! Which operation of Lambda's API a request asks for.

use http::Method;
use percent_encoding::percent_decode_str;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `Invoke` of this function.
    Invoke(String),
    Manage(Managed),
    /// One that is not answered here, by its name.
    Unsupported(String),
}

/// An operation that tells of functions or changes them, with what its path names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Managed {
    CreateFunction,
    ListFunctions,
    GetFunction(String),
    GetFunctionConfiguration(String),
    UpdateFunctionCode(String),
    UpdateFunctionConfiguration(String),
    DeleteFunction(String),
    PublishVersion(String),
    ListVersionsByFunction(String),
    CreateAlias(String),
    ListAliases(String),
    GetAlias(String, String),
    UpdateAlias(String, String),
    DeleteAlias(String, String),
    PutFunctionConcurrency(String),
    GetFunctionConcurrency(String),
    DeleteFunctionConcurrency(String),
    GetAccountSettings,
    AddPermission(String),
    GetPolicy(String),
    RemovePermission(String, String),
    GetFunctionCodeSigningConfig(String),
    /// Of the function with this ARN.
    ListTags(String),
    TagResource(String),
    UntagResource(String),
}

impl Operation {
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let decoded: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let method = method.as_str();
        if let ("POST", ["2015-03-31", "functions", name, "invocations"]) = (method, segments.as_slice()) {
            return Self::Invoke((*name).to_owned());
        }
        Managed::of(method, &segments).map_or_else(
            || {
                let name = unsupported(method, &segments);
                Self::Unsupported(name.map_or_else(|| format!("{method} {path}"), str::to_owned))
            },
            Self::Manage,
        )
    }
}

impl Managed {
    fn of(method: &str, segments: &[&str]) -> Option<Self> {
        let of = |name: &str| name.to_owned();
        Some(match (method, segments) {
            ("PUT", ["2017-10-31", "functions", name, "concurrency"]) => Self::PutFunctionConcurrency(of(name)),
            ("DELETE", ["2017-10-31", "functions", name, "concurrency"]) => Self::DeleteFunctionConcurrency(of(name)),
            ("GET", ["2019-09-30", "functions", name, "concurrency"]) => Self::GetFunctionConcurrency(of(name)),
            ("GET", ["2016-08-19", "account-settings"]) => Self::GetAccountSettings,
            ("GET", ["2020-06-30", "functions", name, "code-signing-config"]) => {
                Self::GetFunctionCodeSigningConfig(of(name))
            }
            ("GET", ["2017-03-31", "tags", arn]) => Self::ListTags(of(arn)),
            ("POST", ["2017-03-31", "tags", arn]) => Self::TagResource(of(arn)),
            ("DELETE", ["2017-03-31", "tags", arn]) => Self::UntagResource(of(arn)),
            (_, ["2015-03-31", "functions", rest @ ..]) => return Self::of_functions(method, rest),
            _ => return None,
        })
    }

    /// What is below `/2015-03-31/functions`.
    fn of_functions(method: &str, rest: &[&str]) -> Option<Self> {
        let of = |name: &str| name.to_owned();
        Some(match (method, rest) {
            ("POST", []) => Self::CreateFunction,
            ("GET", []) => Self::ListFunctions,
            ("GET", [name]) => Self::GetFunction(of(name)),
            ("DELETE", [name]) => Self::DeleteFunction(of(name)),
            ("PUT", [name, "code"]) => Self::UpdateFunctionCode(of(name)),
            ("GET", [name, "configuration"]) => Self::GetFunctionConfiguration(of(name)),
            ("PUT", [name, "configuration"]) => Self::UpdateFunctionConfiguration(of(name)),
            ("POST", [name, "policy"]) => Self::AddPermission(of(name)),
            ("GET", [name, "policy"]) => Self::GetPolicy(of(name)),
            ("DELETE", [name, "policy", id]) => Self::RemovePermission(of(name), of(id)),
            ("POST", [name, "versions"]) => Self::PublishVersion(of(name)),
            ("GET", [name, "versions"]) => Self::ListVersionsByFunction(of(name)),
            ("POST", [name, "aliases"]) => Self::CreateAlias(of(name)),
            ("GET", [name, "aliases"]) => Self::ListAliases(of(name)),
            ("GET", [name, "aliases", alias]) => Self::GetAlias(of(name), of(alias)),
            ("PUT", [name, "aliases", alias]) => Self::UpdateAlias(of(name), of(alias)),
            ("DELETE", [name, "aliases", alias]) => Self::DeleteAlias(of(name), of(alias)),
            _ => return None,
        })
    }
}

/// The names of the operations that a client may try and that are not here.
fn unsupported(method: &str, segments: &[&str]) -> Option<&'static str> {
    let name = match (method, segments) {
        ("POST", ["2014-11-13", "functions", _, "invoke-async"]) => "InvokeAsync",
        ("POST", ["2021-11-15", "functions", _, "response-streaming-invocations"]) => "InvokeWithResponseStream",
        ("PUT", ["2019-09-25", "functions", _, "event-invoke-config"]) => "PutFunctionEventInvokeConfig",
        ("GET", ["2019-09-25", "functions", _, "event-invoke-config"]) => "GetFunctionEventInvokeConfig",
        ("GET", ["2021-10-31", "functions", _, "url"]) => "GetFunctionUrlConfig",
        ("POST", ["2021-10-31", "functions", _, "url"]) => "CreateFunctionUrlConfig",
        ("GET", ["2018-10-31", "layers"]) => "ListLayers",
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
        let check = || "Check".to_owned();
        let cases = [
            (Method::POST, "/2015-03-31/functions/Check/invocations".to_owned(), Operation::Invoke(check())),
            (Method::POST, format!("/2015-03-31/functions/{encoded}/invocations"), Operation::Invoke(arn.to_owned())),
            (Method::GET, "/2015-03-31/functions/".to_owned(), Operation::Manage(Managed::ListFunctions)),
            (Method::GET, "/2015-03-31/functions/Check".to_owned(), Operation::Manage(Managed::GetFunction(check()))),
            (
                Method::GET,
                "/2015-03-31/functions/Check/configuration".to_owned(),
                Operation::Manage(Managed::GetFunctionConfiguration(check())),
            ),
            (
                Method::PUT,
                "/2015-03-31/functions/Check/code".to_owned(),
                Operation::Manage(Managed::UpdateFunctionCode(check())),
            ),
            (
                Method::DELETE,
                "/2015-03-31/functions/Check/aliases/live".to_owned(),
                Operation::Manage(Managed::DeleteAlias(check(), "live".to_owned())),
            ),
            (
                Method::DELETE,
                "/2017-10-31/functions/Check/concurrency".to_owned(),
                Operation::Manage(Managed::DeleteFunctionConcurrency(check())),
            ),
            (
                Method::GET,
                "/2021-10-31/functions/Check/url".to_owned(),
                Operation::Unsupported("GetFunctionUrlConfig".to_owned()),
            ),
            (Method::PATCH, "/elsewhere".to_owned(), Operation::Unsupported("PATCH /elsewhere".to_owned())),
        ];
        for (method, path, operation) in cases {
            assert_eq!(Operation::of(&method, &path), operation, "{method} {path}");
        }
    }
}
