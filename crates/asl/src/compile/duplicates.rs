//! States of one graph with the same name: JSON text can have them, a JSON value can't.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::diagnostic::{Diagnostic, Findings, Pointer};

/// Finds the states in a definition's text whose names stand in front of another state too.
pub(super) fn find(text: &str) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    let scan = Scan { level: Level::Graph, at: Pointer::root(), findings: &mut findings };
    // What is no JSON is told by those who need it.
    let _ = scan.deserialize(&mut serde_json::Deserializer::from_str(text));
    findings.into_diagnostics()
}

/// What a value of a definition is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// A machine, a branch or a processor.
    Graph,
    /// `States`
    States,
    State,
    /// `Branches`
    Branches,
    /// What has no states inside.
    Other,
}

struct Scan<'f> {
    level: Level,
    at: Pointer,
    findings: &'f mut Findings,
}

impl Scan<'_> {
    fn level_of(&self, name: &str) -> Level {
        match (self.level, name) {
            (Level::Graph, "States") => Level::States,
            (Level::States, _) => Level::State,
            (Level::State, "Branches") => Level::Branches,
            (Level::State, "ItemProcessor" | "Iterator") => Level::Graph,
            _ => Level::Other,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Scan<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.level {
            Level::Other => deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ()),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Scan<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            let (level, at) = (self.level_of(&name), self.at.child(&name));
            if level == Level::State && names.contains(&name) {
                self.findings.duplicate_state(&name, &at);
            }
            names.insert(name);
            entries.next_value_seed(Scan { level, at, findings: &mut *self.findings })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let level = if self.level == Level::Branches { Level::Graph } else { Level::Other };
        let mut index = 0;
        while items
            .next_element_seed(Scan { level, at: self.at.element(index), findings: &mut *self.findings })?
            .is_some()
        {
            index += 1;
        }
        Ok(())
    }
}
