//! `AWS::Serverless::HttpApi`, and the API that SAM makes for events that name none.

use crate::{
    HttpApi, Route,
    names::{IMPLICIT_HTTP_API, api_id},
    problem::ProblemKind,
    properties::Properties,
    template::{Reported, Resource, Template},
};

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> HttpApi {
    let properties = Properties::of(template, id, resource);
    HttpApi {
        logical_id: id.to_owned(),
        stage: properties.text("StageName").unwrap_or_else(|| "$default".to_owned()),
        routes: Vec::new(),
    }
}

/// Adds the route of a function's `HttpApi` event.
pub(crate) fn add_route(apis: &mut Vec<HttpApi>, event: &Properties, function: &str) -> Result<(), Reported> {
    let template = event.template;
    for (name, reason) in [
        ("Auth", "Callers of the API are not authorized: every request is let in."),
        ("TimeoutInMillis", "A request waits for as long as the function runs."),
        ("RouteSettings", "Requests are not throttled."),
        ("Stage", "An API has one stage, that of its resource."),
    ] {
        if event.has(name) {
            template.leave_out(event.place_of(name), "HttpApi", reason);
        }
    }
    if let Some(version) = event.text("PayloadFormatVersion").filter(|version| version != "2.0") {
        let reason = "requests come in payload format 2.0".to_owned();
        let kind = ProblemKind::UnsupportedValue {
            place: event.place_of("PayloadFormatVersion"),
            value: format!("`{version}`"),
            reason,
        };
        template.report(kind, event.at("PayloadFormatVersion"));
    }
    let api = match event.value("ApiId")? {
        None => implicit(apis),
        Some(node) => {
            let id = node.as_text().unwrap_or_default();
            let index = apis.iter().position(|api| api_id(&api.logical_id) == id || api.logical_id == id);
            index.ok_or_else(|| {
                template.report_unknown("HTTP API", id, apis.iter().map(|api| api.logical_id.as_str()), node.at)
            })?
        }
    };
    let (method, path) = match (event.text("Method"), event.text("Path")) {
        (Some(method), Some(path)) => (method.to_uppercase(), path),
        // An event with neither answers whatever no route answers.
        (None, None) => ("ANY".to_owned(), "$default".to_owned()),
        (None, Some(_)) => return Err(event.missing("Method")),
        (Some(_), None) => return Err(event.missing("Path")),
    };
    let method = if method == "X-AMAZON-APIGATEWAY-ANY-METHOD" { "ANY".to_owned() } else { method };
    if let Some(api) = apis.get_mut(api) {
        api.routes.push(Route { method, path, function: function.to_owned() });
    }
    Ok(())
}

/// The index of the API that SAM makes.
fn implicit(apis: &mut Vec<HttpApi>) -> usize {
    apis.iter().position(|api| api.logical_id == IMPLICIT_HTTP_API).unwrap_or_else(|| {
        apis.push(HttpApi {
            logical_id: IMPLICIT_HTTP_API.to_owned(),
            stage: "$default".to_owned(),
            routes: Vec::new(),
        });
        apis.len() - 1
    })
}
