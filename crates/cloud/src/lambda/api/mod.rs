//! Lambda's HTTP API.

mod configuration;
mod error;
mod functions;
mod invoke;
mod limits;
mod operation;
mod permissions;
mod request;
mod settings;
mod tags;
mod versions;

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    io,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use axum::body::Body;
use http::{StatusCode, request::Parts};
use uuid::Uuid;

pub(crate) use self::permissions::Policies;
use self::{
    error::ApiError,
    operation::{Managed, Operation},
};
use super::{
    archive::CodeFolder,
    config::ConfigError,
    deployed::{Archive, Deployed},
    pool::Pool,
    registry::{Entry, Registry},
    saved::SavedFunction,
    service::Lambda,
};
use crate::{
    front::{BodyRefused, collect},
    service::{Request, Response, Service},
    states::{Store, StoreError},
};

/// The largest body of a request that is no invocation: an archive in base 64, and the parameters with it.
const MAX_BODY: usize = 70 * 1024 * 1024;

/// Where the objects of buckets are, by bucket and key: code may be in one.
pub type Objects = Arc<dyn Fn(&str, &str) -> Option<PathBuf> + Send + Sync>;

/// What Lambda's API works with beside the functions.
pub struct ApiConfig {
    /// Keeps the functions that it makes.
    pub store: Store,
    /// Where their code is kept; none keeps it for as long as this runs.
    pub code: Option<PathBuf>,
    /// The objects of the local S3.
    pub objects: Objects,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self { store: Store::default(), code: None, objects: Arc::new(|_, _| None) }
    }
}

impl fmt::Debug for ApiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiConfig").field("store", &self.store).field("code", &self.code).finish_non_exhaustive()
    }
}

/// Why functions that were made by the API are not there again.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file that has them can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of their code can't be used.
    #[error("cannot use the folder of the functions' code")]
    Code(#[from] io::Error),
    /// One of them can't be set up.
    #[error(transparent)]
    Function(#[from] ConfigError),
}

/// Lambda as its clients see it.
pub struct FrontEnd {
    lambda: Arc<Lambda>,
    management: Arc<Management>,
}

/// What changes functions.
struct Management {
    lambda: Arc<Lambda>,
    config: ApiConfig,
    code: CodeFolder,
    /// One change at a time: each reads what is there and puts something else in its place.
    changing: Mutex<()>,
    /// The code that functions had, for as long as processes may run it.
    leaving: Mutex<Vec<(Archive, Weak<Pool>)>>,
}

impl FrontEnd {
    /// Puts Lambda's API in front of `lambda`, with the functions that it has made before.
    pub fn open(lambda: Arc<Lambda>, config: ApiConfig) -> Result<Self, RestoreError> {
        let code = CodeFolder::open(config.code.clone())?;
        let saved: Vec<SavedFunction> = config.store.read()?;
        let registry = lambda.registry();
        let archives: Vec<_> = saved.iter().flat_map(SavedFunction::archives).collect();
        code.keep_only(&archives)?;
        for function in saved {
            if registry.read().contains_key(&function.name) {
                tracing::warn!(
                    function = function.name,
                    "the template has a function of the name of one that was created"
                );
                continue;
            }
            function.restore(registry, &code)?;
        }
        let management = Management {
            lambda: Arc::clone(&lambda),
            config,
            code,
            changing: Mutex::default(),
            leaving: Mutex::default(),
        };
        Ok(Self { lambda, management: Arc::new(management) })
    }

    async fn manage(&self, operation: Managed, parts: Parts, body: Body) -> Result<Response, ApiError> {
        let body = collect(body, MAX_BODY).await.map_err(|refused| match refused {
            BodyRefused::TooLarge => {
                ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", "Request too large")
            }
            BodyRefused::Broken => ApiError::invalid_parameter("The request body ended too early."),
        })?;
        let management = Arc::clone(&self.management);
        // Archives are unpacked, and interpreters asked.
        tokio::task::spawn_blocking(move || management.answer(&operation, &parts, &body))
            .await
            .unwrap_or_else(|error| Err(ApiError::service(error.to_string())))
    }
}

impl Service for FrontEnd {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let answer = match Operation::of(&parts.method, parts.uri.path()) {
                Operation::Invoke(name) => invoke::invoke(&self.lambda, &name, &parts, body).await,
                Operation::Manage(operation) => self.manage(operation, parts, body).await,
                Operation::Unsupported(operation) => Err(ApiError::new(
                    StatusCode::NOT_IMPLEMENTED,
                    "NotImplementedException",
                    format!("{operation} is not emulated"),
                )),
            };
            answer.unwrap_or_else(|error| error.into_response(&Uuid::new_v4().to_string()))
        })
    }
}

impl Management {
    fn answer(&self, operation: &Managed, parts: &Parts, body: &[u8]) -> Result<Response, ApiError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.remove_code();
        match operation {
            Managed::CreateFunction => self.create_function(body),
            Managed::ListFunctions => self.list_functions(parts),
            Managed::GetFunction(name) => self.get_function(name, parts),
            Managed::GetFunctionConfiguration(name) => self.get_configuration(name, parts),
            Managed::UpdateFunctionCode(name) => self.update_code(name, body),
            Managed::UpdateFunctionConfiguration(name) => self.update_configuration(name, body),
            Managed::DeleteFunction(name) => self.delete_function(name, parts),
            Managed::PublishVersion(name) => self.publish_version(name, body),
            Managed::ListVersionsByFunction(name) => self.list_versions(name, parts),
            Managed::CreateAlias(name) => self.create_alias(name, body),
            Managed::ListAliases(name) => self.list_aliases(name, parts),
            Managed::GetAlias(name, alias) => self.get_alias(name, alias),
            Managed::UpdateAlias(name, alias) => self.update_alias(name, alias, body),
            Managed::DeleteAlias(name, alias) => self.delete_alias(name, alias),
            Managed::PutFunctionConcurrency(name) => self.put_concurrency(name, body),
            Managed::GetFunctionConcurrency(name) => self.get_concurrency(name),
            Managed::DeleteFunctionConcurrency(name) => self.delete_concurrency(name),
            Managed::GetAccountSettings => Ok(self.account_settings()),
            Managed::AddPermission(name) => self.add_permission(name, parts, body),
            Managed::GetPolicy(name) => self.get_policy(name, parts),
            Managed::RemovePermission(name, id) => self.remove_permission(name, id, parts),
            Managed::GetFunctionCodeSigningConfig(name) => self.code_signing(name),
            Managed::ListTags(arn) => self.list_tags(arn),
            Managed::TagResource(arn) => self.tag(arn, body),
            Managed::UntagResource(arn) => self.untag(arn, parts),
        }
    }

    fn registry(&self) -> &Registry {
        self.lambda.registry()
    }

    /// Does something with a function that has to be there.
    fn with<T>(&self, name: &str, run: impl FnOnce(&Entry) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let registry = self.registry();
        let parsed = registry.parse(name)?;
        let functions = registry.read();
        let entry = functions.get(parsed.name).ok_or_else(|| registry.not_found(parsed.name))?;
        run(entry)
    }

    /// Changes a function that has to be there, once what comes of it is kept. Processes of what is in use no more end with
    /// what they do.
    fn change<T>(&self, name: &str, run: impl FnOnce(&mut Entry) -> Result<T, ApiError>) -> Result<T, ApiError> {
        let registry = self.registry();
        let parsed = registry.parse(name)?;
        let mut functions = registry.write();
        let mut entry = functions.get(parsed.name).cloned().ok_or_else(|| registry.not_found(parsed.name))?;
        let done = run(&mut entry)?;
        self.put(&mut functions, parsed.name, Some(entry))?;
        Ok(done)
    }

    /// Puts a function into its place, or takes it away, once that is kept: what can't be kept has not happened.
    fn put(&self, functions: &mut BTreeMap<String, Entry>, name: &str, entry: Option<Entry>) -> Result<(), ApiError> {
        let before = match entry {
            Some(entry) => functions.insert(name.to_owned(), entry),
            None => functions.remove(name),
        };
        if let Err(error) = self.keep(functions) {
            match before {
                Some(before) => functions.insert(name.to_owned(), before),
                None => functions.remove(name),
            };
            return Err(error);
        }
        let now: Vec<_> = functions.get(name).into_iter().flat_map(Entry::all).collect();
        let is_used = |one: &Deployed| now.iter().any(|now| Arc::ptr_eq(&now.pool, &one.pool));
        for one in before.iter().flat_map(Entry::all).filter(|one| !is_used(one)) {
            one.pool.retire();
            let archive = one.code.archive.iter().cloned();
            self.leaving().extend(archive.map(|archive| (archive, Arc::downgrade(&one.pool))));
        }
        Ok(())
    }

    /// Removes code that functions had and that nothing runs any more.
    fn remove_code(&self) {
        let mut leaving = self.leaving();
        let before = leaving.len();
        leaving.retain(|(_, pool)| pool.strong_count() > 0);
        if leaving.len() == before {
            return;
        }
        let functions = self.registry().read();
        let used = functions.values().flat_map(Entry::all).filter_map(|one| one.code.archive.clone());
        let kept: Vec<_> = used.chain(leaving.iter().map(|(archive, _)| archive.clone())).collect();
        drop(functions);
        if let Err(error) = self.code.keep_only(&kept) {
            tracing::warn!(%error, "code that no function has any more can't be removed");
        }
    }

    fn leaving(&self) -> MutexGuard<'_, Vec<(Archive, Weak<Pool>)>> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the functions that the API has made. Those of the template are made of it once more at the next start.
    fn keep(&self, functions: &BTreeMap<String, Entry>) -> Result<(), ApiError> {
        let registry = self.registry();
        let created = functions.iter().filter(|(_, entry)| entry.is_created);
        let saved: Vec<SavedFunction> = created
            .filter_map(|(name, entry)| SavedFunction::of(name, entry, registry.concurrency.reserved(name)))
            .collect();
        Ok(self.config.store.write(&saved)?)
    }
}

impl fmt::Debug for FrontEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrontEnd").field("lambda", &self.lambda).finish_non_exhaustive()
    }
}
