//! The name that was probably meant.

/// The known name that is nearest to `name`, where one is near enough to be a slip of the hand, or else the longest that it
/// begins with: `Definition` for `DefinitionString`.
pub fn closest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    const SHORTEST_BEGINNING: usize = 5;
    let name = name.to_lowercase();
    let limit = (name.chars().count() / 3).min(3);
    let known: Vec<_> = known.into_iter().map(|candidate| (candidate, candidate.to_lowercase())).collect();
    let near = known
        .iter()
        .map(|(candidate, lower)| (strsim::damerau_levenshtein(&name, lower), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate);
    let begins = || {
        let begins = known.iter().filter(|(_, lower)| lower.len() >= SHORTEST_BEGINNING && name.starts_with(lower));
        begins.max_by_key(|(_, lower)| lower.len()).map(|(candidate, _)| candidate)
    };
    near.or_else(begins).map(|candidate| (*candidate).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_near_or_the_beginning() {
        let meant = |name| closest(name, ["Definition", "DefinitionUri", "Name", "Role"]);
        assert_eq!(meant("DefinitoinUri").as_deref(), Some("DefinitionUri"));
        assert_eq!(meant("DefinitionString").as_deref(), Some("Definition"));
        assert_eq!(meant("roel").as_deref(), Some("Role"));
        // A short name begins too much.
        assert_eq!(meant("NameOfTheMachine"), None);
        assert_eq!(meant("Tags"), None);
    }
}
