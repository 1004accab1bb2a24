//! Names that clients give.

use super::ApiError;

/// Checks the name of a state machine, an execution or an activity.
pub(super) fn check(name: &str) -> Result<&str, ApiError> {
    if sam::is_states_name(name) {
        Ok(name)
    } else {
        Err(ApiError::new("InvalidName", format!("Invalid Name: '{name}'")))
    }
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
