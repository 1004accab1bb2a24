//! Functions that are built when they are called first: a command that needs one function does not build all of them.

use std::{
    fmt,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{invocation::InvokeError, kept_build::KeptBuild};

/// The executable of a function, or why it can't be built.
type Building = Pin<Box<dyn Future<Output = Result<PathBuf, String>> + Send>>;

/// Builds a function of a template.
#[derive(Clone)]
pub struct Builder(Arc<dyn Fn(sam::Function) -> Building + Send + Sync>);

impl Builder {
    /// One that builds so. A build that is not needed any more is dropped.
    pub fn new<F>(build: impl Fn(sam::Function) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<PathBuf, String>> + Send + 'static,
    {
        Self(Arc::new(move |function| Box::pin(build(function))))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

/// A build that is made when somebody asks for it. It is made once, also where it fails.
#[derive(Debug)]
pub(crate) struct LateBuild {
    function: sam::Function,
    builder: Builder,
    built: OnceCell<Result<Built, String>>,
}

#[derive(Debug)]
struct Built {
    executable: PathBuf,
    kept: Option<KeptBuild>,
}

impl LateBuild {
    pub(crate) fn new(function: sam::Function, builder: Builder) -> Self {
        Self { function, builder, built: OnceCell::new() }
    }

    /// What it comes to. Whoever asks while it is made waits for its end, or for a shutdown.
    pub(crate) async fn executable(&self, shutdown: &CancellationToken) -> Result<&Path, InvokeError> {
        let build = async {
            tokio::select! {
                () = shutdown.cancelled() => Err(InvokeError::ShuttingDown),
                built = (self.builder.0)(self.function.clone()) => Ok(built.map(Built::new)),
            }
        };
        match self.built.get_or_try_init(|| build).await? {
            Ok(Built { kept: Some(kept), .. }) => Ok(kept.path()),
            Ok(Built { executable, .. }) => Ok(executable),
            Err(reason) => Err(InvokeError::NotBuilt { function: self.function.name.clone(), reason: reason.clone() }),
        }
    }
}

impl Built {
    /// Where the file system has no second names, the first one has to do.
    fn new(executable: PathBuf) -> Self {
        Self { kept: KeptBuild::of(&executable).ok(), executable }
    }
}
