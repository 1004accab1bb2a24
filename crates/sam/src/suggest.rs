//! The name that was probably meant.

/// The known name that is nearest to `name`, where one is near enough to be a slip of the hand, or else one that it begins
/// with, or that begins with it: `Definition` for `DefinitionString`.
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
        let begins = |one: &str, other: &str| one.len() >= SHORTEST_BEGINNING && other.starts_with(one);
        let alike = known.iter().filter(|(_, lower)| begins(lower, &name) || begins(&name, lower));
        alike.min_by_key(|(_, lower)| lower.len().abs_diff(name.len())).map(|(candidate, _)| candidate)
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
        assert_eq!(meant("Defini").as_deref(), Some("Definition"));
        // A short name begins too much.
        assert_eq!(meant("NameOfTheMachine"), None);
        assert_eq!(meant("Tags"), None);
    }
}
