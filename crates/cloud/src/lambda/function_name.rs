//! The ways to name a function: its name, its ARN, or a part of the ARN, each with an optional qualifier.

/// A function as a caller names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FunctionReference<'a> {
    pub(crate) region: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    pub(crate) name: &'a str,
    pub(crate) qualifier: Option<&'a str>,
}

impl<'a> FunctionReference<'a> {
    /// Reads `name`, `account:function:name` or `arn:aws:lambda:region:account:function:name`, each with `:qualifier`
    /// or without.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account, rest) = match parts.as_slice() {
            ["arn", _partition, "lambda", region, account, "function", rest @ ..] => {
                (Some(*region), Some(*account), rest)
            }
            [account, "function", rest @ ..] => (None, Some(*account), rest),
            rest => (None, None, rest),
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => return None,
        };
        (!name.is_empty()).then_some(Self { region, account, name, qualifier })
    }

    /// Whether it can be a function of this region and account.
    pub(crate) fn is_local(&self, region: &str, account: &str) -> bool {
        self.region.is_none_or(|own| own == region) && self.account.is_none_or(|own| own == account)
    }

    /// Whether its qualifier, if it has one, is one that the template gives this function: `$LATEST`, or its alias.
    pub(crate) fn is_qualifier_of(&self, function: &sam::Function) -> bool {
        self.qualifier.is_none_or(|qualifier| qualifier == "$LATEST" || function.alias.as_deref() == Some(qualifier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_a_function_is_read() {
        let cases = [
            ("Check", (None, None, "Check", None)),
            ("Check:$LATEST", (None, None, "Check", Some("$LATEST"))),
            ("123456789012:function:Check", (None, Some("123456789012"), "Check", None)),
            (
                "arn:aws:lambda:eu-west-1:123456789012:function:Check",
                (Some("eu-west-1"), Some("123456789012"), "Check", None),
            ),
            (
                "arn:aws:lambda:eu-west-1:123456789012:function:Check:live",
                (Some("eu-west-1"), Some("123456789012"), "Check", Some("live")),
            ),
        ];
        for (text, (region, account, name, qualifier)) in cases {
            let expected = FunctionReference { region, account, name, qualifier };
            assert_eq!(FunctionReference::parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_names_no_function_is_refused() {
        for text in ["", ":", "a:b:c", "arn:aws:s3:::bucket", "arn:aws:lambda:r:a:function:"] {
            assert_eq!(FunctionReference::parse(text), None, "{text}");
        }
    }
}
