//! The functions that there are, each with its versions and aliases.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    api::Policies,
    concurrency::Concurrency,
    config::ConfigError,
    deployed::{About, Archive, CodeFacts, Deployed},
    function_name::FunctionReference,
    invocation::InvokeError,
    pool::Pool,
    program::Programs,
    version::{Alias, Version},
};

/// The functions, by their names.
pub(crate) struct Registry {
    pub(crate) programs: Programs,
    pub(crate) concurrency: Arc<Concurrency>,
    functions: RwLock<BTreeMap<String, Entry>>,
}

/// A function with its versions and aliases.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) latest: Arc<Deployed>,
    pub(crate) versions: BTreeMap<u64, Arc<Deployed>>,
    pub(crate) aliases: BTreeMap<String, Alias>,
    /// What the API has been told of who may call it.
    pub(crate) policies: Policies,
    /// The number of the last version that was published; a number is not used twice.
    pub(crate) last_version: u64,
    /// Whether it was made by the API: then it is kept, where one of a template is made anew from it.
    pub(crate) is_created: bool,
}

impl Entry {
    /// A function that nothing has been published of.
    pub(crate) fn new(latest: Arc<Deployed>, is_created: bool) -> Self {
        let alias = latest.function.alias.clone();
        let aliases = alias.into_iter().map(|name| (name, Alias::of(Version::Latest))).collect();
        Self { latest, versions: BTreeMap::new(), aliases, policies: Policies::new(), last_version: 0, is_created }
    }

    /// A version, where it is there.
    pub(crate) fn version(&self, version: Version) -> Option<&Arc<Deployed>> {
        match version {
            Version::Latest => Some(&self.latest),
            Version::Published(number) => self.versions.get(&number),
        }
    }

    /// What a qualifier names, or the latest version where there is none.
    fn qualified(&self, qualifier: Option<&str>) -> Option<&Arc<Deployed>> {
        let Some(qualifier) = qualifier else { return Some(&self.latest) };
        let version = Version::parse(qualifier).or_else(|| Some(self.aliases.get(qualifier)?.route()))?;
        self.version(version)
    }

    /// All that can be invoked.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Deployed>> {
        [&self.latest].into_iter().chain(self.versions.values())
    }
}

impl Registry {
    /// The functions of the settings.
    pub(crate) fn new(programs: Programs) -> Result<Self, ConfigError> {
        let registry = Self { programs, concurrency: Arc::default(), functions: RwLock::default() };
        let config = &registry.programs.config;
        for function in &config.functions {
            let built = config.executables.get(&function.name);
            let latest = registry.deploy(function.clone(), built.map(|path| &**path))?;
            if registry.write().insert(function.name.clone(), Entry::new(latest, false)).is_some() {
                return Err(ConfigError::DuplicateName(function.name.clone()));
            }
            if let Some(reserved) = function.reserved_concurrency {
                registry
                    .concurrency
                    .reserve(&function.name, Some(reserved))
                    .map_err(|_| ConfigError::Reserved { function: function.name.clone(), reserved })?;
            }
        }
        Ok(registry)
    }

    /// A template's function, as its latest version.
    pub(crate) fn deploy(&self, function: sam::Function, built: Option<&Path>) -> Result<Arc<Deployed>, ConfigError> {
        self.version(function, Version::Latest, About::default(), None, built)
    }

    /// A version of a function, ready to be invoked.
    pub(crate) fn version(
        &self,
        function: sam::Function,
        version: Version,
        about: About,
        archive: Option<Archive>,
        built: Option<&Path>,
    ) -> Result<Arc<Deployed>, ConfigError> {
        let program = self.programs.of(&function, version, built)?;
        let location = program.code.clone();
        let modified = location.metadata().and_then(|metadata| metadata.modified()).ok();
        let modified =
            modified.filter(|_| archive.is_none()).map_or_else(OffsetDateTime::now_utc, OffsetDateTime::from);
        let code = CodeFacts { location, archive, modified };
        let pool = Arc::new(Pool::new(program, function.memory_mb, self.programs.config.max_processes));
        Ok(Arc::new(Deployed { function, version, about, code, revision: Uuid::new_v4().to_string(), pool }))
    }

    /// What `reference` names: a function by its name or ARN, its latest version, or what its qualifier names.
    pub(crate) fn find(&self, reference: &str) -> Result<Arc<Deployed>, InvokeError> {
        let not_found = || self.not_found(reference);
        let parsed = self.parse(reference)?;
        let functions = self.read();
        let entry = functions.get(parsed.name).ok_or_else(not_found)?;
        entry.qualified(parsed.qualifier).cloned().ok_or_else(not_found)
    }

    /// The parts of a function's name, which has to be one of this region and account.
    pub(crate) fn parse<'a>(&self, reference: &'a str) -> Result<FunctionReference<'a>, InvokeError> {
        let config = &self.programs.config;
        FunctionReference::parse(reference)
            .filter(|parsed| parsed.is_local(&config.region, &config.account))
            .ok_or_else(|| self.not_found(reference))
    }

    /// That there is no such function, or no such version of it.
    pub(crate) fn not_found(&self, reference: &str) -> InvokeError {
        let config = &self.programs.config;
        let arn = if reference.starts_with("arn:") {
            reference.to_owned()
        } else {
            let name = reference.strip_prefix(&format!("{}:function:", config.account)).unwrap_or(reference);
            self.arn(name)
        };
        InvokeError::ResourceNotFound { arn }
    }

    /// The ARN of a function of this region and account.
    pub(crate) fn arn(&self, name: &str) -> String {
        let config = &self.programs.config;
        format!("arn:aws:lambda:{}:{}:function:{name}", config.region, config.account)
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Entry>> {
        self.functions.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Entry>> {
        self.functions.write().unwrap_or_else(PoisonError::into_inner)
    }
}
