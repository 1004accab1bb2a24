//! Versions that are published, and the aliases that stand for them.

use std::{collections::BTreeMap, sync::Arc};

use http::{StatusCode, request::Parts};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Management,
    configuration::{arn_of, base64_of, configuration},
    error::ApiError,
    functions::listed,
    request::{empty, page, parameters, query},
};
use crate::{
    lambda::{
        deployed::{About, Deployed},
        registry::Entry,
        saved::SavedVersion,
        version::{Alias, Version},
    },
    service::Response,
    wire,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Publish {
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateAlias {
    name: String,
    function_version: String,
    #[serde(default)]
    description: String,
    routing_config: Option<RoutingConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UpdateAlias {
    function_version: Option<String>,
    description: Option<String>,
    routing_config: Option<RoutingConfig>,
    revision_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RoutingConfig {
    #[serde(default)]
    additional_version_weights: BTreeMap<String, f64>,
}

impl Management {
    pub(super) fn publish_version(&self, name: &str, body: &[u8]) -> Result<Response, ApiError> {
        let Publish { code_sha256, description, revision_id } = parameters(body)?;
        let latest = self.latest(name, revision_id.as_deref())?;
        let own = latest.code.archive.as_ref().map(|archive| base64_of(&archive.sha256));
        if let (Some(expected), Some(own)) = (&code_sha256, &own)
            && expected != own
        {
            return Err(ApiError::invalid_parameter(format!(
                "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({own}). Please try again with the \
                 CodeSHA256 in $LATEST."
            )));
        }
        let version = self.publish(name, description)?;
        Ok(wire::json(StatusCode::CREATED, &configuration(&version, &arn_of(&version))))
    }

    /// Publishes the latest version, or gives the one that was published last if it is the same.
    pub(super) fn publish(&self, name: &str, description: Option<String>) -> Result<Arc<Deployed>, ApiError> {
        let latest = self.latest(name, None)?;
        let Some(content) = SavedVersion::of(&latest) else {
            return Err(ApiError::invalid_parameter(
                "The code of a function of the template is in its folder, and changes with it: no version of it is published \
                 here. Its AutoPublishAlias stands for it as it is.",
            ));
        };
        self.change(name, |entry| {
            let last = entry.versions.get(&entry.last_version);
            if let Some(last) = last.filter(|last| SavedVersion::of(last).is_some_and(|last| last.is_same(&content))) {
                return Ok(Arc::clone(last));
            }
            let number = entry.last_version + 1;
            let about = About {
                description: description.unwrap_or_else(|| latest.about.description.clone()),
                ..latest.about.clone()
            };
            let (function, archive) = (latest.function.clone(), latest.code.archive.clone());
            let version = self.registry().version(function, Version::Published(number), about, archive, None)?;
            entry.versions.insert(number, Arc::clone(&version));
            entry.last_version = number;
            Ok(version)
        })
    }

    pub(super) fn list_versions(&self, name: &str, parts: &Parts) -> Result<Response, ApiError> {
        let (versions, next) = self.with(name, |entry| {
            let latest = &entry.latest;
            let latest = ("$LATEST".to_owned(), configuration(latest, &format!("{}:$LATEST", latest.function.arn)));
            let versions = entry.versions.iter();
            let versions =
                versions.map(|(number, version)| (format!("{number:020}"), configuration(version, &arn_of(version))));
            page(parts, [latest].into_iter().chain(versions))
        })?;
        Ok(wire::json(StatusCode::OK, &listed("Versions", versions, next)))
    }

    /// Removes a version that no alias stands for.
    pub(super) fn delete_version(&self, name: &str, qualifier: &str) -> Result<(), ApiError> {
        let number = match Version::parse(qualifier) {
            Some(Version::Published(number)) => number,
            Some(Version::Latest) => {
                let message = "$LATEST version cannot be deleted without deleting the function.";
                return Err(ApiError::invalid_parameter(message));
            }
            None => return Err(ApiError::invalid_parameter("Deletion of aliases is not currently supported.")),
        };
        self.change(name, |entry| {
            let pointing =
                |alias: &Alias| alias.version == Version::Published(number) || alias.weights.contains_key(&number);
            let pointing: Vec<&str> =
                entry.aliases.iter().filter(|(_, alias)| pointing(alias)).map(|(name, _)| name.as_str()).collect();
            if !pointing.is_empty() {
                let (arn, aliases) = (&entry.latest.function.arn, pointing.join(", "));
                return Err(ApiError::conflict(format!(
                    "Version {arn}:{number} is referenced by the aliases {aliases}. Delete them first."
                )));
            }
            // What is not there is gone, as on Lambda.
            entry.versions.remove(&number);
            Ok(())
        })
    }

    pub(super) fn create_alias(&self, name: &str, body: &[u8]) -> Result<Response, ApiError> {
        let CreateAlias { name: alias, function_version, description, routing_config } = parameters(body)?;
        let is_allowed = alias.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !is_allowed || alias.is_empty() || alias.len() > 128 || alias.chars().all(|c| c.is_ascii_digit()) {
            return Err(ApiError::invalid_parameter(format!(
                "1 validation error detected: Value '{alias}' at 'name' failed to satisfy constraint: Member must satisfy \
                 regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
            )));
        }
        let told = self.change(name, |entry| {
            if entry.aliases.contains_key(&alias) {
                let arn = &entry.latest.function.arn;
                return Err(ApiError::conflict(format!("Alias already exists: {arn}:{alias}")));
            }
            let version = existing(entry, &function_version)?;
            let weights = routing_config.map(|routing| weights(entry, routing)).transpose()?.unwrap_or_default();
            let made = Alias { description, weights, ..Alias::of(version) };
            let told = described(entry, &alias, &made);
            entry.aliases.insert(alias, made);
            Ok(told)
        })?;
        Ok(wire::json(StatusCode::CREATED, &told))
    }

    pub(super) fn update_alias(&self, name: &str, alias: &str, body: &[u8]) -> Result<Response, ApiError> {
        let UpdateAlias { function_version, description, routing_config, revision_id } = parameters(body)?;
        let told = self.change(name, |entry| {
            let mut changed = entry.aliases.get(alias).cloned().ok_or_else(|| no_alias(entry, alias))?;
            if revision_id.is_some_and(|revision| revision != changed.revision) {
                return Err(ApiError::other_revision());
            }
            if let Some(version) = function_version {
                changed.version = existing(entry, &version)?;
            }
            if let Some(routing) = routing_config {
                changed.weights = weights(entry, routing)?;
            }
            if let Some(description) = description {
                changed.description = description;
            }
            changed.revision = Uuid::new_v4().to_string();
            let told = described(entry, alias, &changed);
            entry.aliases.insert(alias.to_owned(), changed);
            Ok(told)
        })?;
        Ok(wire::json(StatusCode::OK, &told))
    }

    pub(super) fn get_alias(&self, name: &str, alias: &str) -> Result<Response, ApiError> {
        let told = self.with(name, |entry| {
            let found = entry.aliases.get(alias).ok_or_else(|| no_alias(entry, alias))?;
            Ok(described(entry, alias, found))
        })?;
        Ok(wire::json(StatusCode::OK, &told))
    }

    pub(super) fn list_aliases(&self, name: &str, parts: &Parts) -> Result<Response, ApiError> {
        let version = query(parts, "FunctionVersion").and_then(|version| Version::parse(&version));
        let (aliases, next) = self.with(name, |entry| {
            let aliases =
                entry.aliases.iter().filter(|(_, alias)| version.is_none_or(|wanted| alias.version == wanted));
            page(parts, aliases.map(|(name, alias)| (name.clone(), described(entry, name, alias))))
        })?;
        Ok(wire::json(StatusCode::OK, &listed("Aliases", aliases, next)))
    }

    pub(super) fn delete_alias(&self, name: &str, alias: &str) -> Result<Response, ApiError> {
        self.change(name, |entry| {
            // What is not there is gone, as on Lambda.
            entry.aliases.remove(alias);
            Ok(())
        })?;
        Ok(empty(StatusCode::NO_CONTENT, &Uuid::new_v4().to_string()))
    }
}

/// A version that the function has.
fn existing(entry: &Entry, text: &str) -> Result<Version, ApiError> {
    let version = Version::parse(text).filter(|version| entry.version(*version).is_some());
    version.ok_or_else(|| ApiError::not_found(format!("Function not found: {}:{text}", entry.latest.function.arn)))
}

/// The parts of the invocations that other versions get.
fn weights(entry: &Entry, routing: RoutingConfig) -> Result<BTreeMap<u64, f64>, ApiError> {
    let weights = routing.additional_version_weights.into_iter().map(|(version, weight)| {
        if !(0.0..=1.0).contains(&weight) {
            return Err(ApiError::invalid_parameter(format!("The weight of version {version} is not from 0 to 1.")));
        }
        match existing(entry, &version)? {
            Version::Published(number) => Ok((number, weight)),
            Version::Latest => Err(ApiError::invalid_parameter("$LATEST is not supported for an alias with weights.")),
        }
    });
    let weights: BTreeMap<u64, f64> = weights.collect::<Result<_, _>>()?;
    if weights.len() > 1 {
        return Err(ApiError::invalid_parameter("An alias has one additional version at most."));
    }
    Ok(weights)
}

fn no_alias(entry: &Entry, alias: &str) -> ApiError {
    ApiError::not_found(format!("Cannot find alias arn: {}:{alias}", entry.latest.function.arn))
}

fn described(entry: &Entry, name: &str, alias: &Alias) -> Value {
    let mut told = json!({
        "AliasArn": format!("{}:{name}", entry.latest.function.arn),
        "Name": name,
        "FunctionVersion": alias.version.to_string(),
        "Description": alias.description,
        "RevisionId": alias.revision,
    });
    if !alias.weights.is_empty() {
        told["RoutingConfig"] = json!({ "AdditionalVersionWeights": alias.weights });
    }
    told
}
