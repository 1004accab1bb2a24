//! APIs: `AWS::Serverless::HttpApi`, `AWS::Serverless::Api` and the ones that SAM makes for events that name none, those of
//! `AWS::ApiGatewayV2`, and the URLs of functions.

use std::collections::BTreeMap;

use crate::{
    Api, ApiKind, Application, Integration, PayloadFormat, Route, StateMachineAction, Target,
    names::{IMPLICIT_HTTP_API, IMPLICIT_REST_API, api_id},
    properties::Properties,
    template::{Reported, Resource, Template},
};

/// The stage of the REST API that SAM makes.
const REST_STAGE: &str = "Prod";

pub(crate) const NOT_AUTHORIZED: &str = "Callers of the API are not authorized: every request is let in.";

pub(crate) fn read_http(template: &Template, id: &str, resource: &Resource) -> Api {
    let stage = Properties::of(template, id, resource).text("StageName");
    let stage = stage.unwrap_or_else(|| "$default".to_owned());
    Api { logical_id: id.to_owned(), kind: ApiKind::Http, stage, routes: Vec::new() }
}

pub(crate) fn read_rest(template: &Template, id: &str, resource: &Resource) -> Result<Api, Reported> {
    let stage = Properties::of(template, id, resource).required_text("StageName").ok_or(Reported)?;
    Ok(Api { logical_id: id.to_owned(), kind: ApiKind::Rest, stage, routes: Vec::new() })
}

/// `AWS::ApiGatewayV2::Api`, of the protocol HTTP.
pub(crate) fn read_v2(template: &Template, id: &str, resource: &Resource) -> Result<Option<Api>, Reported> {
    let properties = Properties::of(template, id, resource);
    if properties.required_text("ProtocolType").ok_or(Reported)? != "HTTP" {
        template.leave_out(properties.place_of("ProtocolType"), &resource.kind, "WebSocket APIs are not emulated.");
        return Ok(None);
    }
    let stages = template.resources_of("AWS::ApiGatewayV2::Stage");
    let mut stages = stages.map(|(id, resource)| Properties::of(template, id, resource));
    let own = stages.find(|stage| stage.text("ApiId").is_some_and(|api| api == api_id(id)));
    let stage = own.and_then(|stage| stage.text("StageName")).unwrap_or_else(|| "$default".to_owned());
    Ok(Some(Api { logical_id: id.to_owned(), kind: ApiKind::Http, stage, routes: Vec::new() }))
}

/// `AWS::ApiGatewayV2::Route`, with its integration.
pub(crate) fn read_v2_route(
    template: &Template,
    id: &str,
    resource: &Resource,
    application: &mut Application,
) -> Result<(), Reported> {
    let properties = Properties::of(template, id, resource);
    let api = properties.required_text("ApiId").ok_or(Reported)?;
    let key = properties.required_text("RouteKey").ok_or(Reported)?;
    let target = properties.required_text("Target").ok_or(Reported)?;
    let api = find(&properties, "ApiId", &api, application)?;
    let wanted = target.strip_prefix("integrations/").unwrap_or(&target);
    let found = template.resources_of("AWS::ApiGatewayV2::Integration").find(|(other, resource)| {
        template.quietly(|| template.physical_name(other, resource, resource.at)).is_ok_and(|name| name == wanted)
    });
    let Some((integration_id, integration)) = found else {
        return Err(template.report_unknown("integration", wanted, [], properties.at("Target")));
    };
    let described = Properties::of(template, integration_id, integration);
    let Some(integration) = integration_of(&described, &INTEGRATION_IN_RESOURCE, application) else { return Ok(()) };
    let (method, path) = key.split_once(' ').unwrap_or(("ANY", "$default"));
    add(api, method, path, integration, application);
    Ok(())
}

/// Adds the route of a function's `HttpApi` event.
pub(crate) fn add_http_event(
    event: &Properties,
    function: &str,
    application: &mut Application,
) -> Result<(), Reported> {
    let template = event.template;
    for (name, reason) in [
        ("Auth", NOT_AUTHORIZED),
        ("TimeoutInMillis", "A request waits for as long as the function runs."),
        ("RouteSettings", "Requests are not throttled."),
        ("Stage", "An API has one stage, that of its resource."),
    ] {
        if event.has(name) {
            template.leave_out(event.place_of(name), "HttpApi", reason);
        }
    }
    let payload = payload_format(event, "PayloadFormatVersion", PayloadFormat::V2)?;
    let api = match event.text("ApiId") {
        None => implicit(ApiKind::Http, application),
        Some(id) => find(event, "ApiId", &id, application)?,
    };
    let (method, path) = match (event.text("Method"), event.text("Path")) {
        (Some(method), Some(path)) => (method, path),
        // An event with neither answers whatever no route answers.
        (None, None) => ("ANY".to_owned(), "$default".to_owned()),
        (None, Some(_)) => return Err(event.missing("Method")),
        (Some(_), None) => return Err(event.missing("Path")),
    };
    check_route(event, &method, &path)?;
    let integration = Integration::Function { name: function.to_owned(), payload };
    add(api, &method, &path, integration, application);
    Ok(())
}

/// Adds the route of the `Api` event of a function or a state machine.
pub(crate) fn add_rest_event(
    event: &Properties,
    target: &Target,
    application: &mut Application,
) -> Result<(), Reported> {
    for (name, reason) in [
        ("Auth", NOT_AUTHORIZED),
        ("RequestModel", "Requests are not held to a model."),
        ("RequestParameters", "Requests are not held to their parameters."),
        ("ResponseTransferMode", "Answers are sent whole."),
        ("TimeoutInMillis", "A request waits for as long as the function runs."),
    ] {
        if event.has(name) {
            event.template.leave_out(event.place_of(name), "Api", reason);
        }
    }
    let (method, path) = (event.required_text("Method"), event.required_text("Path"));
    let (method, path) = (method.ok_or(Reported)?, path.ok_or(Reported)?);
    check_route(event, &method, &path)?;
    let api = match event.text("RestApiId") {
        None => implicit(ApiKind::Rest, application),
        Some(id) => find(event, "RestApiId", &id, application)?,
    };
    let integration = match target {
        Target::Function(name) => Integration::Function { name: name.clone(), payload: PayloadFormat::V1 },
        // As SAM writes it.
        _ => Integration::StateMachine {
            action: StateMachineAction::Start,
            parameters: match target {
                Target::StateMachine(arn) => [("StateMachineArn", arn.as_str()), ("Input", "$request.body")],
                _ => return Ok(()),
            }
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        },
    };
    add(api, &method, &path, integration, application);
    Ok(())
}

/// Notes a route that no request could take.
fn check_route(event: &Properties, method: &str, path: &str) -> Result<(), Reported> {
    const METHODS: [&str; 9] =
        ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "X-AMAZON-APIGATEWAY-ANY-METHOD"];
    if !METHODS.contains(&method.to_uppercase().as_str()) {
        return Err(event.refuse("Method", method, format!("a method is one of {}", METHODS[..8].join(", "))));
    }
    if !path.starts_with('/') && path != "$default" {
        return Err(event.refuse("Path", path, "a path begins with a slash"));
    }
    Ok(())
}

/// `FunctionUrlConfig`: an API with one route.
pub(crate) fn add_function_url(
    template: &Template,
    id: &str,
    resource: &Resource,
    function: &str,
    application: &mut Application,
) {
    let Some(config) = Properties::of(template, id, resource).inner("FunctionUrlConfig") else { return };
    config.check_names("FunctionUrlConfig", &["AuthType", "Cors", "InvokeMode"]);
    if config.text("AuthType").is_some_and(|kind| kind != "NONE") {
        template.leave_out(config.place_of("AuthType"), &resource.kind, "Callers of the URL are not authorized.");
    }
    if config.has("Cors") {
        template.leave_out(config.place_of("Cors"), &resource.kind, "The URL sends no CORS headers.");
    }
    if config.text("InvokeMode").is_some_and(|mode| mode != "BUFFERED") {
        template.leave_out(config.place_of("InvokeMode"), &resource.kind, "Answers are sent whole.");
    }
    let integration = Integration::Function { name: function.to_owned(), payload: PayloadFormat::V2 };
    let route = Route { method: "ANY".to_owned(), path: "$default".to_owned(), integration };
    application.apis.push(Api {
        logical_id: format!("{id}Url"),
        kind: ApiKind::FunctionUrl,
        stage: "$default".to_owned(),
        routes: vec![route],
    });
}

fn payload_format(properties: &Properties, name: &str, default: PayloadFormat) -> Result<PayloadFormat, Reported> {
    match properties.text(name).as_deref() {
        None => Ok(default),
        Some("1.0") => Ok(PayloadFormat::V1),
        Some("2.0") => Ok(PayloadFormat::V2),
        Some(other) => Err(properties.refuse(name, other, "the versions are 1.0 and 2.0")),
    }
}

/// What the parts of an integration are called where it stands.
pub(crate) struct IntegrationNames {
    subtype: &'static str,
    uri: &'static str,
    payload_format: &'static str,
    parameters: &'static str,
}

const INTEGRATION_IN_RESOURCE: IntegrationNames = IntegrationNames {
    subtype: "IntegrationSubtype",
    uri: "IntegrationUri",
    payload_format: "PayloadFormatVersion",
    parameters: "RequestParameters",
};

pub(crate) const INTEGRATION_IN_OPENAPI: IntegrationNames = IntegrationNames {
    subtype: "integrationSubtype",
    uri: "uri",
    payload_format: "payloadFormatVersion",
    parameters: "requestParameters",
};

/// What an integration does; none for what the runner leaves out.
pub(crate) fn integration_of(
    described: &Properties,
    names: &IntegrationNames,
    application: &Application,
) -> Option<Integration> {
    let leave_out = |what: &str, reason: &str| {
        described.template.leave_out(described.place.clone(), what, reason);
        None
    };
    if let Some(subtype) = described.text(names.subtype) {
        let action = match subtype.as_str() {
            "StepFunctions-StartExecution" => StateMachineAction::Start,
            "StepFunctions-StartSyncExecution" => StateMachineAction::StartSync,
            "StepFunctions-StopExecution" => StateMachineAction::Stop,
            other => return leave_out(other, "A route calls functions, and starts and stops executions."),
        };
        let parameters: BTreeMap<String, String> = described.texts(names.parameters);
        return Some(Integration::StateMachine { action, parameters });
    }
    let uri = described.required_text(names.uri)?;
    // The ARN itself, or the path of its invocation.
    let arn = uri.split_once("/functions/").map_or(uri.as_str(), |(_, rest)| rest.trim_end_matches("/invocations"));
    let function = application.functions.iter().find(|function| function.arn == arn);
    let Some(function) = function else { return leave_out(&uri, "It is no function of the template.") };
    let payload = payload_format(described, names.payload_format, PayloadFormat::V1).ok()?;
    Some(Integration::Function { name: function.name.clone(), payload })
}

fn find(owner: &Properties, property: &str, id: &str, application: &Application) -> Result<usize, Reported> {
    let apis = &application.apis;
    let index = apis.iter().position(|api| api_id(&api.logical_id) == id || api.logical_id == id);
    index.ok_or_else(|| {
        let known = apis.iter().map(|api| api.logical_id.as_str());
        owner.template.report_unknown("API", id, known, owner.at(property))
    })
}

pub(crate) fn add(api: usize, method: &str, path: &str, integration: Integration, application: &mut Application) {
    let method = method.to_uppercase();
    let is_any = method == "X-AMAZON-APIGATEWAY-ANY-METHOD";
    let method = if is_any { "ANY".to_owned() } else { method };
    if let Some(api) = application.apis.get_mut(api) {
        api.routes.push(Route { method, path: path.to_owned(), integration });
    }
}

/// The index of the API that SAM makes.
fn implicit(kind: ApiKind, application: &mut Application) -> usize {
    let (logical_id, stage) = match kind {
        ApiKind::Rest => (IMPLICIT_REST_API, REST_STAGE),
        ApiKind::Http | ApiKind::FunctionUrl => (IMPLICIT_HTTP_API, "$default"),
    };
    let apis = &mut application.apis;
    apis.iter().position(|api| api.logical_id == logical_id).unwrap_or_else(|| {
        let (logical_id, stage) = (logical_id.to_owned(), stage.to_owned());
        apis.push(Api { logical_id, kind, stage, routes: Vec::new() });
        apis.len() - 1
    })
}
