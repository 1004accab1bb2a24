//! `AWS::Serverless::LayerVersion` and `AWS::Lambda::LayerVersion`, and the layers of functions.

use std::path::PathBuf;

use crate::{
    Code, Layer,
    problem::ProblemKind,
    properties::Properties,
    resources::{
        asset::{self, Asset},
        code::BUILT,
    },
    template::{Resource, Template},
    yaml::Node,
};

const KINDS: [&str; 2] = ["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"];

/// What is at the place that a layer names.
enum Content {
    Folder(PathBuf),
    /// What the runner can't use, with the reason.
    Unusable(String),
    /// Nothing.
    Missing(PathBuf),
}

/// Notes what is wrong with a layer, or can't be had of it here.
pub(crate) fn check(template: &Template, id: &str, resource: &Resource) {
    let properties = Properties::of(template, id, resource);
    let name = property_of_content(&properties);
    match content(&properties, id, resource.metadata.as_ref()) {
        Some(Content::Folder(folder)) if folder.join("extensions").is_dir() => {
            template.leave_out(properties.place_of(name), &resource.kind, "Extensions do not run.");
        }
        Some(Content::Folder(_)) | None => {}
        Some(Content::Unusable(reason)) => template.leave_out(properties.place_of(name), &resource.kind, reason),
        Some(Content::Missing(folder)) => {
            let reason = format!("{} is not a folder", folder.display());
            template.report(ProblemKind::MissingCode { function: id.to_owned(), reason }, properties.at(name));
        }
    }
}

/// The layers of a function: those of the template. Others are not on this machine.
pub(crate) fn of_function(properties: &Properties, kind: &str, code: Option<&Code>) -> Vec<Layer> {
    let Ok(Some(list)) = properties.value("Layers") else { return Vec::new() };
    let mut layers = Vec::new();
    for given in list.as_list().unwrap_or(std::slice::from_ref(&list)) {
        let Some(arn) = given.as_text() else {
            properties.wrong_type("Layers", "a list of texts", given);
            continue;
        };
        match find(properties.template, arn) {
            Found::Folder(folder) => layers.push(Layer { arn: arn.to_owned(), folder }),
            // What it lacks is told at the layer.
            Found::Unusable => {}
            Found::Nothing => {
                let reason = format!("The layer {arn} is not on this machine: install what the function needs of it.");
                properties.template.leave_out(properties.place_of("Layers"), kind, reason);
            }
        }
    }
    if !layers.is_empty() && matches!(code, Some(Code::Cargo { .. } | Code::Bootstrap { .. })) {
        let reason = "Programs and libraries of a layer are found by PATH and LD_LIBRARY_PATH; nothing is at /opt.";
        properties.template.leave_out(properties.place_of("Layers"), kind, reason);
    }
    layers
}

/// What the template has by an ARN.
enum Found {
    Folder(PathBuf),
    /// A layer that has no folder here.
    Unusable,
    Nothing,
}

/// The layer of the template with this ARN.
fn find(template: &Template, arn: &str) -> Found {
    let layers = KINDS.iter().flat_map(|kind| template.resources_of(kind));
    for (id, resource) in layers {
        let reference = template.quietly(|| template.reference(id, resource.at)).ok().flatten();
        if reference.as_ref().and_then(Node::as_text) == Some(arn) {
            let properties = Properties::of(template, id, resource);
            return match template.quietly(|| content(&properties, id, resource.metadata.as_ref())) {
                Some(Content::Folder(folder)) => Found::Folder(folder),
                _ => Found::Unusable,
            };
        }
    }
    Found::Nothing
}

/// Where its content is; none where that is not said, which has been noted.
fn content(properties: &Properties, id: &str, metadata: Option<&Node>) -> Option<Content> {
    const NOT_HERE: &str = "Its content is in a bucket of AWS, and the runner has the path of a folder.";
    const ARCHIVE: &str = "It is an archive, and the runner has the path of a folder.";
    let name = property_of_content(properties);
    let built = properties.template.folder().join(BUILT).join(id);
    if built.is_dir() {
        return Some(Content::Folder(built));
    }
    if properties.raw(name).is_some_and(|content| content.as_map().is_some()) {
        return Some(match asset::of(properties.template, metadata, name) {
            Some(Asset::Folder(folder)) => Content::Folder(folder),
            Some(Asset::File(_)) => Content::Unusable(ARCHIVE.to_owned()),
            Some(Asset::Missing(path)) => Content::Missing(path),
            None => Content::Unusable(NOT_HERE.to_owned()),
        });
    }
    let text = properties.required_text(name)?;
    if text.starts_with("s3://") || text.starts_with("https://") {
        return Some(Content::Unusable(NOT_HERE.to_owned()));
    }
    let method = metadata.and_then(|metadata| metadata.get("BuildMethod")).and_then(Node::as_text);
    if let Some(method) = method {
        return Some(Content::Unusable(format!("Its build method is `{method}`: run `sam build` first.")));
    }
    let folder = properties.template.folder().join(text.trim_end_matches('/'));
    Some(match (folder.is_dir(), folder.is_file()) {
        (true, _) => Content::Folder(folder),
        (false, true) => Content::Unusable(ARCHIVE.to_owned()),
        (false, false) => Content::Missing(folder),
    })
}

/// The property that says where its content is.
fn property_of_content(properties: &Properties) -> &'static str {
    if properties.has("Content") { "Content" } else { "ContentUri" }
}
