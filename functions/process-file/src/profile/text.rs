//! Texts of any length in bounded memory.

use std::hash::{Hash, Hasher};

use twox_hash::XxHash3_64;

/// A longer text is kept by its beginning.
const KEPT_BYTES: usize = 256;

/// 64 bits that stand for a text. In a file of a billion different texts two are likely the same somewhere; no count
/// of a frequent one is changed by that.
pub(super) fn hash(text: &str) -> u64 {
    XxHash3_64::oneshot(text.as_bytes())
}

/// A text that is being counted: equal where the hashes of the whole texts are equal.
#[derive(Clone, Debug)]
pub(super) struct TextItem {
    hash: u64,
    beginning: Box<str>,
}

impl TextItem {
    pub(super) fn new(hash: u64, text: &str) -> Self {
        Self { hash, beginning: beginning(text).into() }
    }

    /// The text, or its beginning where it is long.
    pub(super) fn into_text(self) -> String {
        self.beginning.into()
    }
}

impl PartialEq for TextItem {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for TextItem {}

impl Hash for TextItem {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

/// The first and the last text in the order of their bytes, as far as they are kept.
#[derive(Debug, Default)]
pub(super) struct TextRange {
    range: Option<(String, String)>,
}

impl TextRange {
    pub(super) fn add(&mut self, text: &str) {
        let Some((min, max)) = &mut self.range else {
            let kept = beginning(text).to_owned();
            self.range = Some((kept.clone(), kept));
            return;
        };
        if text < min.as_str() {
            beginning(text).clone_into(min);
        } else if text > max.as_str() {
            beginning(text).clone_into(max);
        }
    }

    pub(super) fn get(&self) -> Option<(&str, &str)> {
        self.range.as_ref().map(|(min, max)| (min.as_str(), max.as_str()))
    }
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(KEPT_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_told_apart_beyond_what_is_kept() {
        let long = "ü".repeat(500);
        let longer = format!("{long}!");
        let (one, other) = (TextItem::new(hash(&long), &long), TextItem::new(hash(&longer), &longer));
        assert_ne!(one, other);
        assert_eq!(one.into_text(), "ü".repeat(KEPT_BYTES / 2));
    }

    #[test]
    fn the_range_is_by_bytes() {
        let mut range = TextRange::default();
        assert_eq!(range.get(), None);
        for text in ["b", "", "ü", "Z"] {
            range.add(text);
        }
        assert_eq!(range.get(), Some(("", "ü")));
    }
}
