//! The environment of a function's process: Lambda's variables, the template's, and nothing of the user's own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use sam::{Code, Language};

use super::{
    config::{ConfigError, LambdaConfig},
    version::Version,
};

/// Where things are that functions look for.
pub(crate) struct Directories<'a> {
    /// The function's code: `LAMBDA_TASK_ROOT`.
    pub(crate) task_root: &'a Path,
    /// What functions have for a home.
    pub(crate) home: &'a Path,
    /// The runtime clients: `LAMBDA_RUNTIME_DIR`.
    pub(crate) runtime: &'a Path,
}

/// What is the same in every process of a function.
///
/// In order, the later winning: Lambda's defaults, the template's variables, the runner's additions, Lambda's reserved
/// variables, and the fence that keeps AWS clients inside the local cloud.
pub(crate) fn variables(
    function: &sam::Function,
    version: Version,
    directories: &Directories<'_>,
    config: &LambdaConfig,
) -> Result<BTreeMap<String, String>, ConfigError> {
    if let Some(variable) = function.environment.keys().find(|name| sam::RESERVED_VARIABLES.contains(&name.as_str())) {
        return Err(ConfigError::ReservedVariable { function: function.name.clone(), variable: variable.clone() });
    }
    let path =
        joined(["/usr/local/bin", "/usr/bin", "/bin", "/opt/bin"].map(PathBuf::from), in_layers(function, "bin"));
    let defaults = [("LANG", "en_US.UTF-8"), ("PATH", &path), ("TZ", ":UTC")];
    let mut variables: BTreeMap<String, String> = owned(defaults).collect();
    variables.extend(of_layers(function));
    variables.extend(function.environment.clone());
    variables.extend(config.environment.clone());
    variables.extend(owned([
        ("_HANDLER", function.handler.as_str()),
        ("AWS_ACCESS_KEY_ID", &config.credentials.access_key_id),
        ("AWS_DEFAULT_REGION", &config.region),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", &version.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &function.log_group),
        ("AWS_REGION", &config.region),
        ("AWS_SECRET_ACCESS_KEY", &config.credentials.secret_access_key),
        ("AWS_SESSION_TOKEN", &config.credentials.session_token),
        ("LAMBDA_RUNTIME_DIR", &directories.runtime.to_string_lossy()),
        ("LAMBDA_TASK_ROOT", &directories.task_root.to_string_lossy()),
    ]));
    variables.extend(owned([
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL", config.endpoint_url.as_str()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("HOME", &directories.home.to_string_lossy()),
    ]));
    variables.extend(of_the_language(function));
    variables.extend(match &function.log_format {
        sam::LogFormat::Text => vec![("AWS_LAMBDA_LOG_FORMAT".to_owned(), "Text".to_owned())],
        sam::LogFormat::Json { level } => vec![
            ("AWS_LAMBDA_LOG_FORMAT".to_owned(), "JSON".to_owned()),
            ("AWS_LAMBDA_LOG_LEVEL".to_owned(), level.clone()),
        ],
    });
    // A profile names credentials that are not here; a client that looks for it would fail on its start.
    variables.remove("AWS_PROFILE");
    Ok(variables)
}

/// What Lambda's own runtimes have beside. Python writes no compiled modules: they would be among somebody's sources, and one
/// that is changed twice in a second would be taken for the first change.
fn of_the_language(function: &sam::Function) -> Vec<(String, String)> {
    let (Code::Scripts { language, .. } | Code::Inline { language, .. }) = &function.code else { return Vec::new() };
    let mut variables = vec![("AWS_EXECUTION_ENV".to_owned(), format!("AWS_Lambda_{}", language.runtime()))];
    if let Language::Python { .. } = language {
        variables.push(("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()));
    }
    variables
}

/// Where a function finds the libraries and modules of its layers, and modules that were built beside it. Python is told by the
/// runtime client.
fn of_layers(function: &sam::Function) -> Vec<(String, String)> {
    let libraries = joined([], in_layers(function, "lib"));
    let mut variables = vec![("LD_LIBRARY_PATH".to_owned(), libraries)];
    if let Code::Scripts { language: Language::Node { major }, packages, .. } = &function.code {
        let built = packages.iter().filter_map(|packages| packages.join("node_modules").canonicalize().ok());
        let mut modules: Vec<PathBuf> = in_layers(function, &format!("nodejs/node{major}/node_modules")).collect();
        modules.extend(in_layers(function, "nodejs/node_modules"));
        variables.push(("NODE_PATH".to_owned(), joined(built, modules)));
    }
    if let Code::Inline { language: Language::Node { .. }, .. } = &function.code {
        variables.push(("NODE_PATH".to_owned(), joined([], in_layers(function, "nodejs/node_modules"))));
    }
    variables.retain(|(_, paths)| !paths.is_empty());
    variables
}

/// A folder of each layer that has it. What a later layer has comes first, for on Lambda it replaces what an earlier one has.
pub(crate) fn in_layers(function: &sam::Function, folder: &str) -> impl Iterator<Item = PathBuf> {
    function.layers.iter().rev().filter_map(move |layer| layer.folder.join(folder).canonicalize().ok())
}

fn joined(first: impl IntoIterator<Item = PathBuf>, then: impl IntoIterator<Item = PathBuf>) -> String {
    let paths: Vec<String> = first.into_iter().chain(then).map(|path| path.to_string_lossy().into_owned()).collect();
    paths.join(":")
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> impl Iterator<Item = (String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter()
}
