//! Folders that are watched: which files in them have changed, once it is quiet.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{MetadataKind, ModifyKind},
};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

/// How long nothing has to change before a change is told: an editor writes a file in several steps, a checkout many files.
const QUIET: Duration = Duration::from_millis(150);
/// How long a change is held back at most.
const LONGEST: Duration = Duration::from_secs(3);

/// What no source is in: what is built, what is installed, and what a tool keeps for itself.
const LEFT_OUT: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// Watched folders and files.
pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    changes: mpsc::UnboundedReceiver<PathBuf>,
    roots: Vec<PathBuf>,
}

impl Watch {
    /// Watches folders, with all that is below them and may be a source, and files.
    pub(crate) fn of(roots: Vec<PathBuf>) -> notify::Result<Self> {
        let (sender, changes) = mpsc::unbounded_channel();
        let all = roots.clone();
        let watcher = notify::recommended_watcher(move |event| {
            for path in changed_by(event, &all) {
                // Nobody listens only when the watch is about to end.
                drop(sender.send(path));
            }
        })?;
        let mut watch = Self { watcher, changes, roots };
        watch.watch_all()?;
        Ok(watch)
    }

    /// The files that have changed, once it is quiet again.
    pub(crate) async fn changed(&mut self) -> BTreeSet<PathBuf> {
        loop {
            let mut changed = BTreeSet::new();
            let Some(first) = self.changes.recv().await else { return std::future::pending().await };
            changed.insert(first);
            let latest = Instant::now() + LONGEST;
            while let Ok(Some(next)) = timeout_at(latest.min(Instant::now() + QUIET), self.changes.recv()).await {
                changed.insert(next);
            }
            changed.retain(|path| self.is_source(path));
            if changed.iter().any(|path| path.is_dir())
                && let Err(error) = self.watch_all()
            {
                tracing::warn!(%error, "a new folder is not watched");
            }
            if !changed.is_empty() {
                return changed;
            }
        }
    }

    /// Watches each folder by itself, so that none is watched that holds no sources: those of a compiler are many.
    fn watch_all(&mut self) -> notify::Result<()> {
        let mut folders = BTreeSet::new();
        for root in &self.roots {
            if root.is_dir() {
                folders_of(root, &mut folders);
            } else if let Some(parent) = root.parent() {
                // An editor may put another file in its place.
                folders.insert(parent.to_owned());
            }
        }
        folders.iter().try_for_each(|folder| self.watcher.watch(folder, RecursiveMode::NonRecursive))
    }

    fn is_source(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| path.strip_prefix(root).is_ok_and(|below| !below.iter().any(is_left_out)))
    }
}

/// The paths that have changed. Where the system can't tell which, for too much has changed at once, all may have.
fn changed_by(event: notify::Result<Event>, roots: &[PathBuf]) -> Vec<PathBuf> {
    match event {
        Ok(event) if event.need_rescan() => roots.to_vec(),
        Ok(Event { kind, paths, .. }) => {
            if is_change(kind) {
                paths
            } else {
                Vec::new()
            }
        }
        Err(error) => {
            tracing::warn!(%error, "the system does not tell what has changed of the sources: all are looked at");
            roots.to_vec()
        }
    }
}

fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Modify(ModifyKind::Metadata(kind)) => matches!(kind, MetadataKind::WriteTime | MetadataKind::Any),
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) => true,
        EventKind::Access(_) | EventKind::Any | EventKind::Other => false,
    }
}

fn is_left_out(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| LEFT_OUT.contains(&name) || (name.starts_with('.') && name != ".cargo"))
}

/// A folder and those below it that may hold sources. A link is not followed: it may lead anywhere.
fn folders_of(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    found.insert(folder.to_owned());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_left_out(&entry.file_name()) {
            folders_of(&entry.path(), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use notify::{
        Error,
        event::{AccessKind, CreateKind, Flag},
    };

    use super::*;

    #[test]
    fn where_the_system_lost_count_everything_may_have_changed() {
        let roots = [PathBuf::from("a"), PathBuf::from("b")];
        let made = Event::new(EventKind::Create(CreateKind::File)).add_path("a/file".into());
        assert_eq!(changed_by(Ok(made), &roots), [Path::new("a/file")]);
        let read = Event::new(EventKind::Access(AccessKind::Read)).add_path("a/file".into());
        assert!(changed_by(Ok(read), &roots).is_empty());
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(changed_by(Ok(overflow), &roots), roots);
        assert_eq!(changed_by(Err(Error::generic("no more events")), &roots), roots);
    }
}
