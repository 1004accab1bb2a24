//! What keeps web pages away from the port.
//!
//! Whoever can send requests to the port may do everything, for no signature is checked; and a browser sends requests to
//! loopback for any page that asks it to. Two ways are closed here. A page elsewhere says so itself: the browser adds `Origin`
//! or `Sec-Fetch-Site` ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/)). And a page whose own name was made to lead
//! to this machine (DNS rebinding) asks for a `Host` that is no name of this machine.
//!
//! Pages of this machine may do what AWS clients may. HTTP APIs are made for pages: those of all hosts reach them.

use std::net::IpAddr;

use http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts};

use crate::{
    route::{Route, ServiceName, route},
    service::Response,
    wire::{self, Format},
};

/// Who sent a request that is not answered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stranger {
    /// It was sent to a name that is not known to be this machine.
    #[error(
        "The request asks for the host {0}, which is no name of this machine. Use http://127.0.0.1 or http://localhost, \
         with the same port."
    )]
    Host(String),
    /// A web page had it sent.
    #[error(
        "The request comes from a web page of another host. Only pages of localhost may use the local AWS; the HTTP APIs of \
         the template, below /_api/, are there for all."
    )]
    Page,
}

impl Stranger {
    /// The answer to its request.
    pub(crate) fn response(&self, parts: &Parts) -> Response {
        let format = match route(parts) {
            Route::To(_, format) | Route::NotEmulated(_, format) => format,
            Route::AskBody => Format::QueryXml,
        };
        wire::error(format, StatusCode::FORBIDDEN, "AccessDenied", &self.to_string())
    }
}

/// Lets a request to the port pass, or says who sent it.
pub(crate) fn check(parts: &Parts) -> Result<(), Stranger> {
    let to = route(parts);
    check_host(parts)?;
    let is_for_all = match to {
        Route::To(ServiceName::Apis, _) => true,
        // What a page shows of S3 it can't read.
        Route::To(ServiceName::S3, _) => {
            matches!(parts.method, Method::GET | Method::HEAD) && !parts.headers.contains_key(header::ORIGIN)
        }
        _ => false,
    };
    if is_for_all || !is_of_a_page_elsewhere(&parts.headers) { Ok(()) } else { Err(Stranger::Page) }
}

/// Lets a request to something that no page needs pass, or says who sent it.
pub(crate) fn check_process(parts: &Parts) -> Result<(), Stranger> {
    check_host(parts)?;
    let is_of_a_page = [header::ORIGIN.as_str(), SEC_FETCH_SITE].iter().any(|name| parts.headers.contains_key(*name));
    if is_of_a_page { Err(Stranger::Page) } else { Ok(()) }
}

const SEC_FETCH_SITE: &str = "sec-fetch-site";

fn check_host(parts: &Parts) -> Result<(), Stranger> {
    let from_header = || text(&parts.headers, header::HOST.as_str());
    let Some(host) = parts.uri.authority().map(http::uri::Authority::as_str).or_else(from_header) else {
        return Ok(());
    };
    let name = host.parse::<http::uri::Authority>().ok();
    match name {
        Some(authority) if is_this_machine(authority.host()) || is_of_aws(authority.host()) => Ok(()),
        _ => Err(Stranger::Host(host.to_owned())),
    }
}

fn is_of_a_page_elsewhere(headers: &HeaderMap) -> bool {
    if let Some(origin) = headers.get(header::ORIGIN) {
        // `null` and the pages of extensions have no host of this machine.
        let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
        return !origin.is_some_and(|origin| origin.host().is_some_and(is_this_machine));
    }
    // The site of a request to this machine is this machine.
    text(headers, SEC_FETCH_SITE) == Some("cross-site")
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        Err(_) => is_below(host, "localhost"),
    }
}

/// Nobody but AWS says where these names lead.
fn is_of_aws(host: &str) -> bool {
    is_below(host, "amazonaws.com")
}

/// Whether a name is `domain` or below it.
fn is_below(name: &str, domain: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a request written as `METHOD address`, then a header a line.
    fn head(request: &str) -> Parts {
        let mut lines = request.lines().map(str::trim);
        let (method, address) = lines.next().and_then(|line| line.split_once(' ')).unwrap();
        let request = http::Request::builder().method(method).uri(address);
        let request = lines
            .filter_map(|line| line.split_once(": "))
            .fold(request, |request, (name, value)| request.header(name, value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn clients_and_pages_of_this_machine_pass() {
        for request in [
            "POST /",
            "POST /\nhost: 127.0.0.1:4566",
            "POST /\nhost: [::1]:4566",
            "POST /\nhost: localhost:4566",
            "PUT /key\nhost: bucket.localhost:4566",
            "POST /\nhost: states.us-east-1.amazonaws.com",
            "POST /2015-03-31/functions\nhost: localhost:4566\norigin: http://localhost:3000\nsec-fetch-site: same-site",
            "POST /2015-03-31/functions\nhost: 127.0.0.1:4566\norigin: http://[::1]:3000\nsec-fetch-site: cross-site",
            "GET /\nhost: localhost:4566\nsec-fetch-site: none",
        ] {
            assert_eq!(check(&head(request)), Ok(()), "{request}");
        }
    }

    #[test]
    fn pages_of_other_hosts_do_not() {
        for request in [
            "POST /2015-03-31/functions\norigin: https://elsewhere.example",
            "POST /2015-03-31/functions\norigin: null",
            "POST /2015-03-31/functions\nsec-fetch-site: cross-site",
            "POST /\ncontent-type: application/x-www-form-urlencoded\norigin: http://localhost.elsewhere.example",
            "PUT /bucket/key\norigin: https://elsewhere.example",
            "GET /bucket/key\norigin: https://elsewhere.example",
            "GET /?X-Amz-Credential=a/b/c/rekognition/aws4_request\nsec-fetch-site: cross-site",
            "GET /2015-03-31/functions\nsec-fetch-site: cross-site",
        ] {
            assert_eq!(check(&head(request)), Err(Stranger::Page), "{request}");
        }
    }

    #[test]
    fn pages_of_other_hosts_may_call_http_apis_and_show_objects() {
        for request in [
            "POST /_api/Api/executions\norigin: https://elsewhere.example\nsec-fetch-site: cross-site",
            "GET /bucket/picture.png\nsec-fetch-site: cross-site\nsec-fetch-mode: no-cors",
        ] {
            assert_eq!(check(&head(request)), Ok(()), "{request}");
        }
    }

    #[test]
    fn names_that_may_lead_anywhere_are_refused() {
        for host in ["elsewhere.example:4566", "localhost.elsewhere.example", "notlocalhost", "10.0.0.1", "a b"] {
            for path in ["/", "/_api/Api/executions"] {
                let refused = check(&head(&format!("GET {path}\nhost: {host}")));
                assert_eq!(refused, Err(Stranger::Host(host.to_owned())), "{path}");
            }
        }
    }

    #[test]
    fn no_page_speaks_to_what_is_for_processes() {
        let next = "GET /2018-06-01/runtime/invocation/next\nhost: 127.0.0.1:4000";
        assert_eq!(check_process(&head(next)), Ok(()));
        assert_eq!(check_process(&head(&format!("{next}\norigin: http://localhost:3000"))), Err(Stranger::Page));
        assert_eq!(check_process(&head(&format!("{next}\nsec-fetch-site: cross-site"))), Err(Stranger::Page));
    }
}
