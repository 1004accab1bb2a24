//! Functions that were made by the API, as they are kept between two runs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sam::{Code, EventInvoke, Language, LogFormat};
use serde::{Deserialize, Serialize};

use super::{
    api::Policies,
    archive::CodeFolder,
    config::ConfigError,
    deployed::{About, Archive, Deployed},
    registry::{Entry, Registry},
    version::{Alias, Version},
};

/// A function that was made by the API.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedFunction {
    pub(crate) name: String,
    latest: SavedVersion,
    versions: BTreeMap<u64, SavedVersion>,
    aliases: BTreeMap<String, Alias>,
    #[serde(default)]
    policies: Policies,
    last_version: u64,
    reserved_concurrency: Option<u32>,
}

/// One version of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedVersion {
    runtime: String,
    handler: String,
    timeout_seconds: u64,
    memory_mb: u32,
    environment: BTreeMap<String, String>,
    log_group: String,
    /// Of a log in JSON.
    log_level: Option<String>,
    archive: Archive,
    about: About,
}

impl SavedFunction {
    /// What is kept of a function; nothing of one whose code came by no archive.
    pub(crate) fn of(name: &str, entry: &Entry, reserved_concurrency: Option<u32>) -> Option<Self> {
        let versions = entry.versions.iter();
        Some(Self {
            name: name.to_owned(),
            latest: SavedVersion::of(&entry.latest)?,
            versions: versions.filter_map(|(number, one)| Some((*number, SavedVersion::of(one)?))).collect(),
            aliases: entry.aliases.clone(),
            policies: entry.policies.clone(),
            last_version: entry.last_version,
            reserved_concurrency,
        })
    }

    /// The archives that it needs.
    pub(crate) fn archives(&self) -> impl Iterator<Item = Archive> {
        [&self.latest].into_iter().chain(self.versions.values()).map(|version| version.archive.clone())
    }

    /// Puts it among the functions.
    pub(crate) fn restore(self, registry: &Registry, code: &CodeFolder) -> Result<(), ConfigError> {
        let Self { name, latest, versions, aliases, policies, last_version, reserved_concurrency } = self;
        let latest = latest.deploy(&name, Version::Latest, registry, code)?;
        let versions = versions
            .into_iter()
            .map(|(number, version)| Ok((number, version.deploy(&name, Version::Published(number), registry, code)?)));
        let versions = versions.collect::<Result<_, ConfigError>>()?;
        if let Some(reserved) = reserved_concurrency
            && registry.concurrency.reserve(&name, Some(reserved)).is_err()
        {
            return Err(ConfigError::Reserved { function: name, reserved });
        }
        registry.write().insert(name, Entry { latest, versions, aliases, policies, last_version, is_created: true });
        Ok(())
    }
}

impl SavedVersion {
    /// Whether it does the same as another one, whatever is said about the two.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let Self { runtime, handler, timeout_seconds, memory_mb, environment, log_group, log_level, archive, about: _ } =
            self;
        (runtime, handler, timeout_seconds, memory_mb)
            == (&other.runtime, &other.handler, &other.timeout_seconds, &other.memory_mb)
            && (environment, log_group, log_level, archive)
                == (&other.environment, &other.log_group, &other.log_level, &other.archive)
    }

    pub(crate) fn of(deployed: &Deployed) -> Option<Self> {
        let function = &deployed.function;
        Some(Self {
            runtime: function.runtime.clone(),
            handler: function.handler.clone(),
            timeout_seconds: function.timeout.as_secs(),
            memory_mb: function.memory_mb,
            environment: function.environment.clone(),
            log_group: function.log_group.clone(),
            log_level: match &function.log_format {
                LogFormat::Text => None,
                LogFormat::Json { level } => Some(level.clone()),
            },
            archive: deployed.code.archive.clone()?,
            about: deployed.about.clone(),
        })
    }

    fn deploy(
        self,
        name: &str,
        version: Version,
        registry: &Registry,
        code: &CodeFolder,
    ) -> Result<Arc<Deployed>, ConfigError> {
        let function = sam::Function {
            logical_id: name.to_owned(),
            name: name.to_owned(),
            arn: registry.arn(name),
            code: code_of(&self.runtime, &self.archive, code),
            handler: self.handler,
            runtime: self.runtime,
            timeout: Duration::from_secs(self.timeout_seconds),
            memory_mb: self.memory_mb,
            environment: self.environment,
            log_group: self.log_group,
            log_format: self.log_level.map_or(LogFormat::Text, |level| LogFormat::Json { level }),
            reserved_concurrency: None,
            alias: None,
            event_invoke: EventInvoke::default(),
            layers: Vec::new(),
        };
        registry.version(function, version, self.about, Some(self.archive), None)
    }
}

/// The code of a function that came in an archive.
pub(crate) fn code_of(runtime: &str, archive: &Archive, code: &CodeFolder) -> Code {
    let folder = code.of(archive);
    match Language::of_runtime(runtime) {
        Some(language) => Code::Scripts { language, folder, packages: None },
        None => Code::Bootstrap { path: folder.join("bootstrap") },
    }
}
