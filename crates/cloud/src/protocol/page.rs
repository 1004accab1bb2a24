//! Pages of long answers, whose token is the name of the last thing that they tell.

use std::ops::Bound;

use serde_json::{Map, Value};

/// What comes after a page with this token, as a range of names.
pub(crate) fn after(token: Option<&str>) -> (Bound<String>, Bound<String>) {
    (token.map_or(Bound::Unbounded, |token| Bound::Excluded(token.to_owned())), Bound::Unbounded)
}

/// The first of some things by their names, at most so many, as a list under `key`; with a token where there are more.
pub(crate) fn page<'a>(key: &str, told: impl Iterator<Item = (&'a str, Value)>, most: usize) -> Value {
    let mut told = told.peekable();
    let (mut items, mut last) = (Vec::new(), None);
    while let Some((name, item)) = told.next_if(|_| items.len() < most.max(1)) {
        items.push(item);
        last = Some(name);
    }
    let mut answer = Map::from_iter([(key.to_owned(), Value::from(items))]);
    if let (Some(_), Some(last)) = (told.peek(), last) {
        answer.insert("NextToken".to_owned(), last.into());
    }
    answer.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn each_page_leads_on_to_the_next() {
        let names: BTreeMap<String, u32> =
            ["a", "b", "c"].into_iter().zip(1..).map(|(name, at)| (name.to_owned(), at)).collect();
        let read = |token: Option<&str>, most| {
            page("Items", names.range(after(token)).map(|(name, at)| (name.as_str(), json!(at))), most)
        };
        assert_eq!(read(None, 2), json!({ "Items": [1, 2], "NextToken": "b" }));
        assert_eq!(read(Some("b"), 2), json!({ "Items": [3] }));
        assert_eq!(read(Some("c"), 2), json!({ "Items": [] }));
        assert_eq!(read(None, 0), json!({ "Items": [1], "NextToken": "a" }));
    }
}
