//! The `OpenAPI` document of an API: its paths, each with its `x-amazon-apigateway-integration`.
//!
//! Source: the API Gateway Developer Guide, "`OpenAPI` extensions for API Gateway".

use std::fs;

use crate::{
    ApiKind, Application,
    problem::ProblemKind,
    properties::Properties,
    resources::api::{self, INTEGRATION_IN_OPENAPI, NOT_AUTHORIZED},
    source::Span,
    template::{Reported, Resource, Template},
    yaml::{self, Data, Map, Node},
};

const INTEGRATION: &str = "x-amazon-apigateway-integration";

/// The method that stands for all of them.
const ANY_METHOD: &str = "x-amazon-apigateway-any-method";

const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", ANY_METHOD];

/// The properties of an API that can have its document, or its file's name.
const BODIES: [&str; 2] = ["DefinitionBody", "Body"];
const URI: &str = "DefinitionUri";

/// Adds the routes of an API's document, where it has one.
pub(crate) fn add_routes(
    template: &Template,
    id: &str,
    resource: &Resource,
    application: &mut Application,
) -> Result<(), Reported> {
    let properties = Properties::of(template, id, resource);
    let Some((property, document)) = document(&properties)? else { return Ok(()) };
    let Some(index) = application.apis.iter().position(|api| api.logical_id == id) else { return Ok(()) };
    let kind = application.apis.get(index).map_or(ApiKind::Http, |api| api.kind);
    if document.get("security").is_some() {
        template.leave_out(format!("{}/security", properties.place_of(property)), &resource.kind, NOT_AUTHORIZED);
    }
    let paths_place = format!("{}/paths", properties.place_of(property));
    let Some(paths) = document.get("paths").and_then(|paths| template.map_or_nothing(paths, &paths_place)) else {
        return Ok(());
    };
    for (path, item) in paths {
        let operations = item.value.as_map().into_iter().flatten();
        for (method, operation) in operations.filter(|(method, _)| METHODS.contains(&method.as_str())) {
            let place = format!("{paths_place}/{path}/{method}");
            let Some(map) = operation.value.get(INTEGRATION).and_then(Node::as_map) else {
                template.leave_out(place, &resource.kind, format!("It has no {INTEGRATION}."));
                continue;
            };
            let described = Properties::over(template, format!("{place}/{INTEGRATION}"), operation.key, map);
            // A REST API's other integrations write requests and answers by templates.
            if kind == ApiKind::Rest
                && described.text("type").is_none_or(|kind| !kind.eq_ignore_ascii_case("aws_proxy"))
            {
                let reason = "Of the integrations of a REST API, `aws_proxy` is emulated.";
                template.leave_out(described.place.clone(), &resource.kind, reason);
                continue;
            }
            let found = api::integration_of(&described, &INTEGRATION_IN_OPENAPI, application);
            if let Some(integration) = found {
                let path = if path.trim_start_matches('/') == "$default" { "$default" } else { path };
                api::add(index, method, path, integration, application);
            }
        }
    }
    Ok(())
}

/// The document and the property that has it.
fn document(properties: &Properties) -> Result<Option<(&'static str, Node)>, Reported> {
    if let Some((property, node)) = BODIES.into_iter().find_map(|name| Some((name, properties.raw(name)?))) {
        return match included(node) {
            Some(location) => {
                let location = properties.template.resolve_text(location, "AWS::Include", "the place of a file")?;
                file(properties, property, &location).map(|document| Some((property, document)))
            }
            None => Ok(Some((property, node.clone()))),
        };
    }
    if !properties.has(URI) {
        return Ok(None);
    }
    let location = properties.text(URI).ok_or(Reported)?;
    file(properties, URI, &location).map(|document| Some((URI, document)))
}

/// The place of the file that stands for all of a node: `Fn::Transform: {Name: AWS::Include, Parameters: {Location: …}}`.
fn included(node: &Node) -> Option<&Node> {
    let transform = node.get("Fn::Transform")?;
    transform.get("Name").and_then(Node::as_text).filter(|name| *name == "AWS::Include")?;
    transform.get("Parameters")?.get("Location")
}

/// A file beside the template, with everything in it at the place of the property that names it.
fn file(properties: &Properties, property: &str, location: &str) -> Result<Node, Reported> {
    let (template, at) = (properties.template, properties.at(property));
    if location.starts_with("s3://") {
        let reason = "the runner reads documents from files beside the template";
        return Err(properties.refuse(property, location, reason));
    }
    let path = template.folder().join(location);
    let unreadable = |reason: String| template.report(ProblemKind::UnreadableFile { path: path.clone(), reason }, at);
    let text = fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))?;
    // JSON is YAML as well.
    let node = yaml::parse(&text).map_err(|error| unreadable(error.message))?;
    Ok(placed(node, at))
}

fn placed(node: Node, at: Span) -> Node {
    let data = match node.data {
        Data::Scalar(scalar) => Data::Scalar(scalar),
        Data::List(items) => Data::List(items.into_iter().map(|item| placed(item, at)).collect()),
        Data::Map(map) => {
            let fields = map.into_iter().map(|(name, field)| {
                let value = placed(field.value, at);
                (name, yaml::Field { key: at, value })
            });
            Data::Map(fields.collect::<Map>())
        }
    };
    Node { at, data }
}
