//! Names that clients give.

use super::ApiError;

/// The longest name, in characters.
const MAX_NAME: usize = 80;

/// Checks the name of a state machine, an execution or an activity.
///
/// The service's documents forbid braces too; the service itself takes them.
pub(super) fn check(name: &str) -> Result<&str, ApiError> {
    let forbidden = |c: char| {
        c.is_control()
            || c.is_whitespace()
            || "<>[]?*\"#%\\^|~`$&,;:/".contains(c)
            || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{10ffff}')
    };
    if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(forbidden) {
        return Err(ApiError::new("InvalidName", format!("Invalid Name: '{name}'")));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_the_services_rules() {
        for (name, valid) in [
            ("order-1_2.x+y@z=(a)'!{}", true),
            (&"x".repeat(80), true),
            (&"x".repeat(81), false),
            ("", false),
            ("a b", false),
            ("a/b", false),
            ("a:b", false),
            ("a\u{7f}", false),
            ("a\u{ffff}", false),
        ] {
            assert_eq!(check(name).is_ok(), valid, "{name}");
        }
    }
}
