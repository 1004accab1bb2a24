//! Things by their names, of which a file keeps what the API has made: what the template describes is made at each start.

use std::{
    collections::BTreeMap,
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

impl<T: Described + Serialize + DeserializeOwned> Named<T> {
    /// What the file has, and what the template describes, which stands over it.
    pub(crate) fn open(store: Store, of_template: impl IntoIterator<Item = (String, T)>) -> Result<Self, StoreError> {
        let mut by_name: BTreeMap<String, T> = store.read()?;
        by_name.extend(of_template);
        Ok(Self { store, by_name: Mutex::new(by_name) })
    }

    /// All of them. Who changes them has them kept before the lock goes.
    pub(crate) fn all(&self) -> MutexGuard<'_, BTreeMap<String, T>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes those that are not the template's.
    pub(crate) fn keep(&self, all: &BTreeMap<String, T>) -> Result<(), Failure> {
        let kept: BTreeMap<_, _> = all.iter().filter(|(_, one)| !one.is_of_template()).collect();
        self.store.write(&kept).map_err(|error| Failure::internal(&error))
    }
}
