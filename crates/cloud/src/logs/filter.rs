//! The terms by which log events are looked for.
//!
//! Source: the CloudWatch Logs User Guide, "Filter pattern syntax", for unstructured log events.

/// Words that a message has, or has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    required: Vec<String>,
    /// One of these at least.
    optional: Vec<String>,
    excluded: Vec<String>,
}

impl Filter {
    /// Reads a pattern; none for one of JSON or of fields, which the runner does not have.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        let mut rest = pattern.trim();
        if rest.starts_with(['{', '[', '%']) {
            return None;
        }
        let mut filter = Self::default();
        while !rest.is_empty() {
            let (terms, after) = match rest.split_at_checked(1)? {
                ("?", after) => (&mut filter.optional, after),
                ("-", after) => (&mut filter.excluded, after),
                _ => (&mut filter.required, rest),
            };
            let (term, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            terms.push(term.to_owned());
            rest = after.trim_start();
        }
        Some(filter)
    }

    pub(super) fn lets_through(&self, message: &str) -> bool {
        let has = |term: &String| message.contains(term.as_str());
        // With other terms beside them, optional ones make no difference.
        let is_one_there = self.optional.is_empty() || !self.required.is_empty() || self.optional.iter().any(has);
        self.required.iter().all(has) && is_one_there && !self.excluded.iter().any(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_looked_for_as_documented() {
        let message = "[ERROR] 419 - Missing Arguments";
        for (pattern, expected) in [
            ("", true),
            ("ERROR", true),
            ("ERROR Arguments", true),
            ("ERROR Exiting", false),
            ("\"Missing Arguments\"", true),
            ("\"Arguments Missing\"", false),
            ("?Exiting ?ERROR", true),
            ("?Exiting ?Done", false),
            ("ERROR -Exiting", true),
            ("ERROR -Missing", false),
            ("error", false),
        ] {
            assert_eq!(Filter::parse(pattern).unwrap().lets_through(message), expected, "{pattern}");
        }
        for pattern in ["{ $.level = \"ERROR\" }", "[ip, user]", "%x%", "\"open"] {
            assert_eq!(Filter::parse(pattern), None, "{pattern}");
        }
    }
}
