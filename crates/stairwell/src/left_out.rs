//! What of a template is not there when it runs here.

use std::collections::BTreeMap;

use sam::LeftOut;

use crate::terminal::{DIM, YELLOW, painted};

/// Tells all of it, by the reason.
pub fn tell<'a>(left_out: impl Iterator<Item = &'a LeftOut>) {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for left_out in left_out {
        let place = left_out.place.strip_prefix("Resources/").unwrap_or(&left_out.place);
        by_reason.entry(&left_out.reason).or_default().push(place);
    }
    for (reason, places) in by_reason {
        anstream::eprintln!("  {} {reason}", painted(YELLOW, "left out"));
        anstream::eprintln!("           {}", painted(DIM, places.join(", ")));
    }
}

/// Tells how much it is, and who tells the rest.
pub fn tell_count(count: usize) {
    match count {
        0 => {}
        1 => anstream::eprintln!(
            "{}",
            painted(DIM, "  1 thing of the template is left out here: `stairwell validate` tells which")
        ),
        _ => anstream::eprintln!(
            "{}",
            painted(
                DIM,
                format_args!("  {count} things of the template are left out here: `stairwell validate` tells which")
            )
        ),
    }
}
