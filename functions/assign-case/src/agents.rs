//! The agents, in the order in which they are given cases.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use function_kit::{Name, NotAName};

/// As many items as one request reads.
const MOST: usize = 100;

/// The agents: at least one, and each once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Agents(Vec<Name>);

/// A text that names no [`Agents`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAgents {
    #[error(transparent)]
    Name(#[from] NotAName),
    #[error("{0} is there twice")]
    Twice(Name),
    #[error("{0} names are more than {MOST}")]
    TooMany(usize),
}

impl FromStr for Agents {
    type Err = NotAgents;

    fn from_str(text: &str) -> Result<Self, NotAgents> {
        let agents: Vec<Name> = text.split(',').map(|name| Name::try_from(name.trim())).collect::<Result<_, _>>()?;
        let mut seen = HashSet::new();
        if let Some(twice) = agents.iter().find(|agent| !seen.insert(*agent)) {
            return Err(NotAgents::Twice(twice.clone()));
        }
        if agents.len() > MOST { Err(NotAgents::TooMany(agents.len())) } else { Ok(Self(agents)) }
    }
}

impl Agents {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Name> {
        self.0.iter()
    }

    /// The agent with the fewest open cases, of several the first one, with the number of them. Who is not in `open_cases` has
    /// none.
    pub(crate) fn least_busy<'a>(&'a self, open_cases: &HashMap<String, u64>) -> Option<(&'a Name, u64)> {
        let busy = |agent: &'a Name| (agent, open_cases.get(agent.as_str()).copied().unwrap_or(0));
        self.0.iter().map(busy).min_by_key(|(_, open)| *open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_told_from_other_text() {
        let names = |agents: Agents| agents.iter().map(Name::to_string).collect::<Vec<_>>();
        assert_eq!(names("grace, ada,linus".parse().unwrap()), ["grace", "ada", "linus"]);
        let many = |count: usize| (0..count).map(|number| format!("a{number}")).collect::<Vec<_>>().join(",");
        assert_eq!(names(many(100).parse().unwrap()).len(), 100);
        for (text, said) in [
            ("", "\"\" is no name"),
            ("ada,,grace", "\"\" is no name"),
            ("ada,grace,ada", "ada is there twice"),
            (&many(101), "101 names are more than 100"),
        ] {
            let error = text.parse::<Agents>().unwrap_err().to_string();
            assert!(error.starts_with(said), "{text}: {error}");
        }
    }

    #[test]
    fn the_first_of_the_least_busy_agents_is_next() {
        let agents: Agents = "grace,ada,linus".parse().unwrap();
        for (open, next) in [
            (vec![], ("grace", 0)),
            (vec![("grace", 1)], ("ada", 0)),
            (vec![("grace", 2), ("ada", 1), ("linus", 1)], ("ada", 1)),
            (vec![("grace", 1), ("ada", 1), ("linus", 1)], ("grace", 1)),
            (vec![("grace", 3), ("ada", 2), ("linus", 1), ("mary", 0)], ("linus", 1)),
        ] {
            let open = open.into_iter().map(|(agent, open)| (agent.to_owned(), open)).collect();
            let (agent, count) = agents.least_busy(&open).unwrap();
            assert_eq!((agent.as_str(), count), next);
        }
    }
}
