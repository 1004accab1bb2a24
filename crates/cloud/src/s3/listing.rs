//! One page of a listing, from keys in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

/// The service's page.
pub(super) const PAGE: usize = 1000;

/// What to list.
#[derive(Debug, Default)]
pub(super) struct Query<'a> {
    pub(super) prefix: &'a str,
    /// Keys that go on after it behind the prefix are given once, as a common prefix.
    pub(super) delimiter: Option<&'a str>,
    /// Listing goes on behind this key or common prefix.
    pub(super) after: Option<&'a str>,
    pub(super) limit: usize,
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) common_prefixes: BTreeSet<String>,
    /// The last key or common prefix, when there is more behind it.
    pub(super) next: Option<String>,
}

/// Lists a page. `show` gives the item for a key, or nothing for a key that is not to be seen.
pub(super) fn list<'k, V, T>(
    keys: &'k BTreeMap<String, V>,
    query: &Query<'_>,
    mut show: impl FnMut(&'k str, &'k V) -> Option<T>,
) -> Page<T> {
    let mut page = Page { items: Vec::new(), common_prefixes: BTreeSet::new(), next: None };
    let mut last: Option<String> = None;
    let mut from = start(query);
    while let Some((key, value)) = keys.range::<str, _>((as_bound(&from), Bound::Unbounded)).next() {
        if !key.starts_with(query.prefix) {
            break;
        }
        from = Bound::Excluded(key.clone());
        let Some(item) = show(key, value) else {
            continue;
        };
        if page.items.len() + page.common_prefixes.len() >= query.limit {
            page.next = last.filter(|_| query.limit > 0);
            break;
        }
        if let Some(common) = common_prefix(key, query) {
            from = Bound::Excluded(behind(common));
            last = Some(common.to_owned());
            page.common_prefixes.insert(common.to_owned());
        } else {
            last = Some(key.clone());
            page.items.push(item);
        }
    }
    page
}

fn start(query: &Query<'_>) -> Bound<String> {
    let Some(after) = query.after.filter(|after| *after >= query.prefix) else {
        return Bound::Included(query.prefix.to_owned());
    };
    match common_prefix(after, query) {
        // The page before ended with this common prefix: nothing in it is listed again.
        Some(common) if common == after => Bound::Excluded(behind(common)),
        _ => Bound::Excluded(after.to_owned()),
    }
}

fn common_prefix<'k>(key: &'k str, query: &Query<'_>) -> Option<&'k str> {
    let delimiter = query.delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let rest = key.strip_prefix(query.prefix)?;
    let end = query.prefix.len() + rest.find(delimiter)? + delimiter.len();
    key.get(..end)
}

/// A text behind all keys that start with this one.
fn behind(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

fn as_bound(from: &Bound<String>) -> Bound<&str> {
    from.as_ref().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(keys: &[&str], query: &Query<'_>) -> (Vec<String>, Vec<String>, Option<String>) {
        let keys: BTreeMap<String, usize> = keys.iter().map(|key| ((*key).to_owned(), key.len())).collect();
        let page = list(&keys, query, |key, _| (key != "hidden").then(|| key.to_owned()));
        (page.items, page.common_prefixes.into_iter().collect(), page.next)
    }

    const KEYS: &[&str] = &["a", "a/1", "a/2", "a/b/3", "b", "hidden", "é/x"];

    /// A query; the items, the common prefixes and where to go on.
    type Case<'a> = (Query<'a>, &'a [&'a str], &'a [&'a str], Option<&'a str>);

    #[test]
    fn pages() {
        let query = |prefix, delimiter, after, limit| Query { prefix, delimiter, after, limit };
        let cases: &[Case<'_>] = &[
            (query("", None, None, 9), &["a", "a/1", "a/2", "a/b/3", "b", "é/x"], &[], None),
            (query("", None, None, 2), &["a", "a/1"], &[], Some("a/1")),
            (query("", None, Some("a/1"), 2), &["a/2", "a/b/3"], &[], Some("a/b/3")),
            (query("", None, Some("b"), 1), &["é/x"], &[], None),
            (query("", Some("/"), None, 9), &["a", "b"], &["a/", "é/"], None),
            (query("", Some("/"), None, 2), &["a"], &["a/"], Some("a/")),
            (query("", Some("/"), Some("a/"), 2), &["b"], &["é/"], None),
            (query("a/", Some("/"), None, 9), &["a/1", "a/2"], &["a/b/"], None),
            (query("a/", None, Some("Z"), 9), &["a/1", "a/2", "a/b/3"], &[], None),
            (query("", None, None, 0), &[], &[], None),
            (query("zz", None, None, 9), &[], &[], None),
        ];
        for (query, items, prefixes, next) in cases {
            let expected = (
                items.iter().map(|item| (*item).to_owned()).collect(),
                prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
                next.map(str::to_owned),
            );
            assert_eq!(names(KEYS, query), expected, "{query:?}");
        }
    }
}
