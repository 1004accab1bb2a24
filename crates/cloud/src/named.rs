//! Things by their names, of which a file keeps what the API has made: what the template describes is made at each start.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    protocol::Failure,
    states::{Store, StoreError},
};

/// What the template may have described.
pub(crate) trait Described {
    /// Whether it did.
    fn is_of_template(&self) -> bool;
}

/// Things by their names.
#[derive(Debug)]
pub(crate) struct Named<T> {
    store: Store,
    by_name: Mutex<BTreeMap<String, T>>,
}

/// Changes something, once what becomes of it is kept: what can't be kept has not happened.
pub(crate) fn change<V: Clone, R, E>(
    there: &mut V,
    change: impl FnOnce(&mut V) -> Result<R, E>,
    keep: impl FnOnce(&V) -> Result<(), E>,
) -> Result<R, E> {
    let mut changed = there.clone();
    let done = change(&mut changed)?;
    keep(&changed)?;
    *there = changed;
    Ok(done)
}

impl<T: Clone + Described + Serialize + DeserializeOwned> Named<T> {
    /// What the file has, and what the template describes, which stands over it.
    pub(crate) fn open(store: Store, of_template: impl IntoIterator<Item = (String, T)>) -> Result<Self, StoreError> {
        let mut by_name: BTreeMap<String, T> = store.read()?;
        by_name.extend(of_template);
        Ok(Self { store, by_name: Mutex::new(by_name) })
    }

    /// All of them, as they are for as long as this lives.
    pub(crate) fn all(&self) -> impl Deref<Target = BTreeMap<String, T>> {
        self.lock()
    }

    /// Changes them, once those that are not the template's are kept.
    pub(crate) fn change<R>(
        &self,
        run: impl FnOnce(&mut BTreeMap<String, T>) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        change(&mut *self.lock(), run, |all| {
            let kept: BTreeMap<_, _> = all.iter().filter(|(_, one)| !one.is_of_template()).collect();
            self.store.write(&kept).map_err(|error| Failure::internal(&error))
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, T>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    impl Described for String {
        fn is_of_template(&self) -> bool {
            self.is_empty()
        }
    }

    #[test]
    fn what_cannot_be_kept_has_not_happened() {
        let folder = tempfile::tempdir().unwrap();
        let (file, away) = (folder.path().join("named.json"), folder.path().join("away.json"));
        let named: Named<String> = Named::open(Store::at(file.clone()), [("t".to_owned(), String::new())]).unwrap();
        let put = |value: &str| named.change(|all| Ok(all.insert("a".to_owned(), value.to_owned())));
        put("1").unwrap();
        // Nothing can be written over a folder.
        fs::rename(&file, &away).unwrap();
        fs::create_dir(&file).unwrap();
        assert_eq!(put("2").unwrap_err().code, "InternalFailure");
        assert_eq!(named.all()["a"], "1");
        fs::remove_dir(&file).unwrap();
        fs::rename(&away, &file).unwrap();
        assert_eq!(put("3").unwrap().as_deref(), Some("1"));
        // One that is refused changes nothing either.
        let refused: Result<(), Failure> = named.change(|all| {
            all.clear();
            Err(Failure::new("Refused", "no"))
        });
        assert_eq!((refused.unwrap_err().code, named.all().len()), ("Refused", 2));
        let kept: BTreeMap<String, String> = Store::at(file).read().unwrap();
        assert_eq!(kept, BTreeMap::from([("a".to_owned(), "3".to_owned())]));
    }
}
