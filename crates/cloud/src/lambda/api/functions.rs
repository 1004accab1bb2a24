//! Functions made, changed, listed and deleted.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{StatusCode, request::Parts};
use sam::{EventInvoke, LogFormat};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Management,
    configuration::{arn_of, configuration},
    error::ApiError,
    request::{empty, page, parameters, qualified, query},
    settings::{Others, Settings, check_runtime},
};
use crate::{
    lambda::{
        archive::{ArchiveError, MAX_ARCHIVE},
        deployed::{About, Archive, Deployed},
        registry::Entry,
        saved::code_of,
        version::Version,
    },
    service::Response,
    wire,
};

/// The longest name of a function.
const MAX_NAME: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    function_name: String,
    code: Code,
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    package_type: PackageType,
    #[serde(flatten)]
    settings: Settings,
    #[serde(flatten)]
    others: Others,
}

/// How a function's code is packed. Images are not run here.
#[derive(Deserialize, Default)]
enum PackageType {
    #[default]
    Zip,
}

/// Where code comes from.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Code {
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateCode {
    #[serde(flatten)]
    code: Code,
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    dry_run: bool,
    revision_id: Option<String>,
    #[serde(flatten)]
    others: Others,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateConfiguration {
    revision_id: Option<String>,
    #[serde(flatten)]
    settings: Settings,
    #[serde(flatten)]
    others: Others,
}

impl Management {
    pub(super) fn create_function(&self, body: &[u8]) -> Result<Response, ApiError> {
        let Create { function_name, code, publish, tags, package_type: PackageType::Zip, settings, others } =
            parameters(body)?;
        others.check()?;
        let registry = self.registry();
        let name = registry.parse(&function_name)?.name.to_owned();
        check_name(&name)?;
        if registry.read().contains_key(&name) {
            return Err(ApiError::conflict(format!("Function already exist: {name}")));
        }
        for (given, field) in [(&settings.runtime, "Runtime"), (&settings.handler, "Handler"), (&settings.role, "Role")]
        {
            if given.is_none() {
                return Err(ApiError::invalid_parameter(format!(
                    "{field} is mandatory for functions created with a .zip file"
                )));
            }
        }
        let runtime = settings.runtime.clone().unwrap_or_default();
        check_runtime(&runtime)?;
        let archive = self.unpack(&code)?;
        let mut function = sam::Function {
            logical_id: name.clone(),
            arn: registry.arn(&name),
            code: code_of(&runtime, &archive, &self.code),
            handler: String::new(),
            runtime,
            timeout: Duration::from_secs(3),
            memory_mb: 128,
            environment: BTreeMap::new(),
            log_group: format!("/aws/lambda/{name}"),
            log_format: LogFormat::Text,
            reserved_concurrency: None,
            alias: None,
            event_invoke: EventInvoke::default(),
            layers: Vec::new(),
            name: name.clone(),
        };
        let mut about = About { tags, ..About::default() };
        settings.apply(&mut function, &mut about)?;
        let latest = registry.version(function, Version::Latest, about, Some(archive), None)?;
        self.put(&mut registry.write(), &name, Some(Entry::new(Arc::clone(&latest), true)))?;
        let deployed = if publish { self.publish(&name, None)? } else { latest };
        Ok(wire::json(StatusCode::CREATED, &configuration(&deployed, &arn_of(&deployed))))
    }

    pub(super) fn update_code(&self, name: &str, body: &[u8]) -> Result<Response, ApiError> {
        let UpdateCode { code, publish, dry_run, revision_id, others } = parameters(body)?;
        others.check()?;
        let latest = self.latest(name, revision_id.as_deref())?;
        let archive = self.unpack(&code)?;
        let function =
            sam::Function { code: code_of(&latest.function.runtime, &archive, &self.code), ..latest.function.clone() };
        let about = latest.about.clone();
        let new = self.registry().version(function, Version::Latest, about, Some(archive), None)?;
        let deployed = if dry_run { new } else { self.replace(name, new, publish)? };
        Ok(wire::json(StatusCode::OK, &configuration(&deployed, &arn_of(&deployed))))
    }

    pub(super) fn update_configuration(&self, name: &str, body: &[u8]) -> Result<Response, ApiError> {
        let UpdateConfiguration { revision_id, settings, others } = parameters(body)?;
        others.check()?;
        let latest = self.latest(name, revision_id.as_deref())?;
        let (mut function, mut about) = (latest.function.clone(), latest.about.clone());
        settings.apply(&mut function, &mut about)?;
        let archive = latest.code.archive.clone();
        if let Some(archive) = &archive {
            function.code = code_of(&function.runtime, archive, &self.code);
        } else if function.runtime != latest.function.runtime {
            let message = "The runtime of a function of the template is changed in the template.";
            return Err(ApiError::invalid_parameter(message));
        }
        let built = matches!(function.code, sam::Code::Cargo { .. }).then_some(&*latest.code.location);
        let new = self.registry().version(function, Version::Latest, about, archive, built)?;
        let deployed = self.replace(name, new, false)?;
        Ok(wire::json(StatusCode::OK, &configuration(&deployed, &arn_of(&deployed))))
    }

    pub(super) fn get_function(&self, name: &str, parts: &Parts) -> Result<Response, ApiError> {
        let (deployed, arn) = self.described(name, parts)?;
        let location = format!("file://{}", deployed.code.location.display());
        let mut answer = json!({
            "Configuration": configuration(&deployed, &arn),
            "Code": { "RepositoryType": "local", "Location": location },
        });
        if !deployed.about.tags.is_empty() {
            answer["Tags"] = json!(deployed.about.tags);
        }
        if let Some(reserved) = self.registry().concurrency.reserved(&deployed.function.name) {
            answer["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
        }
        Ok(wire::json(StatusCode::OK, &answer))
    }

    pub(super) fn get_configuration(&self, name: &str, parts: &Parts) -> Result<Response, ApiError> {
        let (deployed, arn) = self.described(name, parts)?;
        Ok(wire::json(StatusCode::OK, &configuration(&deployed, &arn)))
    }

    /// No code is signed here.
    pub(super) fn code_signing(&self, name: &str) -> Result<Response, ApiError> {
        let name = self.with(name, |entry| Ok(entry.latest.function.name.clone()))?;
        Ok(wire::json(StatusCode::OK, &json!({ "FunctionName": name })))
    }

    pub(super) fn list_functions(&self, parts: &Parts) -> Result<Response, ApiError> {
        let with_versions = match query(parts, "FunctionVersion").as_deref() {
            None => false,
            Some("ALL") => true,
            Some(_) => return Err(ApiError::invalid_parameter("FunctionVersion is ALL, or is not given")),
        };
        let functions = self.registry().read();
        let all = functions.iter().flat_map(|(name, entry)| {
            let latest = (name.clone(), configuration(&entry.latest, &entry.latest.function.arn));
            let versions = entry.versions.iter().filter(move |_| with_versions).map(move |(number, version)| {
                // After the latest version and in the order of the numbers, and before the next name: `-` and digits come later.
                (format!("{name}\u{1}{number:020}"), configuration(version, &arn_of(version)))
            });
            [latest].into_iter().chain(versions)
        });
        let (functions, next) = page(parts, all)?;
        Ok(wire::json(StatusCode::OK, &listed("Functions", functions, next)))
    }

    pub(super) fn delete_function(&self, name: &str, parts: &Parts) -> Result<Response, ApiError> {
        let reference = qualified(name, parts)?;
        let parsed = self.registry().parse(&reference)?;
        match parsed.qualifier {
            Some(qualifier) => self.delete_version(parsed.name, qualifier)?,
            None => {
                let registry = self.registry();
                let mut functions = registry.write();
                if !functions.contains_key(parsed.name) {
                    return Err(registry.not_found(parsed.name).into());
                }
                self.put(&mut functions, parsed.name, None)?;
                registry.concurrency.forget(parsed.name);
            }
        }
        Ok(empty(StatusCode::NO_CONTENT, &uuid::Uuid::new_v4().to_string()))
    }

    /// What the name and the query name, and its ARN as it was asked for.
    fn described(&self, name: &str, parts: &Parts) -> Result<(Arc<Deployed>, String), ApiError> {
        let reference = qualified(name, parts)?;
        let registry = self.registry();
        let deployed = registry.find(&reference)?;
        let qualifier = registry.parse(&reference)?.qualifier;
        let arn = &deployed.function.arn;
        let arn = qualifier.map_or_else(|| arn.clone(), |qualifier| format!("{arn}:{qualifier}"));
        Ok((deployed, arn))
    }

    /// The latest version, which has to be of a revision where one is given.
    pub(super) fn latest(&self, name: &str, revision: Option<&str>) -> Result<Arc<Deployed>, ApiError> {
        let latest = self.with(name, |entry| Ok(Arc::clone(&entry.latest)))?;
        match revision {
            Some(revision) if latest.revision != revision => Err(ApiError::other_revision()),
            _ => Ok(latest),
        }
    }

    /// Puts another latest version in place of the one that there is.
    fn replace(&self, name: &str, new: Arc<Deployed>, publish: bool) -> Result<Arc<Deployed>, ApiError> {
        let latest = self.change(name, |entry| {
            entry.latest = Arc::clone(&new);
            Ok(new)
        })?;
        if publish { self.publish(name, None) } else { Ok(latest) }
    }

    fn unpack(&self, code: &Code) -> Result<Archive, ApiError> {
        let bytes = match (&code.zip_file, &code.s3_bucket, &code.s3_key) {
            (Some(encoded), None, None) => BASE64_STANDARD
                .decode(encoded)
                .map_err(|error| ApiError::invalid_parameter(format!("ZipFile is not base 64: {error}")))?,
            (None, Some(bucket), Some(key)) => self.object(bucket, key)?,
            _ => return Err(ApiError::invalid_parameter("Please provide a source for function code.")),
        };
        Ok(self.code.unpack(&bytes)?)
    }

    /// An archive in a bucket.
    fn object(&self, bucket: &str, key: &str) -> Result<Vec<u8>, ApiError> {
        let not_there = || {
            let message = "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does \
                           not exist.";
            ApiError::invalid_parameter(message)
        };
        let file = (self.config.objects)(bucket, key).ok_or_else(not_there)?;
        let size = file.metadata().map_err(ArchiveError::Io)?.len();
        // One in a bucket may be larger than one in a request, as long as it unpacks to what is allowed.
        if size > 5 * MAX_ARCHIVE {
            return Err(ApiError::invalid_parameter(format!("The archive has {size} bytes, more than code may have.")));
        }
        Ok(fs::read(file).map_err(ArchiveError::Io)?)
    }
}

/// An answer with a list, and where the next page begins.
pub(super) fn listed(name: &str, items: Vec<Value>, next: Option<String>) -> Value {
    let next = next.map(|next| ("NextMarker".to_owned(), Value::String(next)));
    [(name.to_owned(), Value::Array(items))].into_iter().chain(next).collect()
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let is_allowed = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_allowed && name.len() <= MAX_NAME {
        return Ok(());
    }
    Err(ApiError::invalid_parameter(format!(
        "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [a-zA-Z0-9-_]+, with at most {MAX_NAME} characters"
    )))
}
