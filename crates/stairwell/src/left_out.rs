//! What of a template is not there when it runs here.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use sam::LeftOut;

use crate::terminal::{DIM, YELLOW, counted, lines, painted};

/// Tells all of it, by the reason.
pub fn tell<'a>(left_out: impl Iterator<Item = &'a LeftOut>) {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for left_out in left_out {
        let place = left_out.place.strip_prefix("Resources/").unwrap_or(&left_out.place);
        by_reason.entry(&left_out.reason).or_default().push(place);
    }
    for (reason, places) in by_reason {
        crate::tell!("  {} {reason}", painted(YELLOW, "not emulated"));
        for line in lines(places) {
            crate::tell!("               {}", painted(DIM, line));
        }
    }
}

/// Tells it in short: a line for each type of resource, and one for each reason why something else is left out.
pub fn tell_types<'a>(left_out: impl Iterator<Item = &'a LeftOut>) {
    let (of_types, others): (Vec<_>, Vec<_>) = left_out.partition(|left_out| left_out.what.starts_with("AWS::"));
    for line in types(of_types.into_iter()).into_iter().chain(reasons(&others)) {
        crate::tell!("  {} {line}", painted(YELLOW, "not emulated"));
    }
}

/// `NightlySync/Events/Nightly/RetryPolicy: What a target can't be given is not tried again.`
fn reasons(left_out: &[&LeftOut]) -> Vec<String> {
    let mut by_reason: IndexMap<&str, Vec<String>> = IndexMap::new();
    for LeftOut { place, reason, .. } in left_out {
        let place = place.strip_prefix("Resources/").unwrap_or(place).replace("/Properties/", "/");
        by_reason.entry(reason).or_default().push(place);
    }
    by_reason.into_iter().map(|(reason, places)| format!("{}: {reason}", places.join(", "))).collect()
}

/// `AWS::CloudWatch::Alarm (7)`, or the properties of resources that are there: `AWS::S3::Bucket: CorsConfiguration (2)`.
fn types<'a>(left_out: impl Iterator<Item = &'a LeftOut>) -> Vec<String> {
    let mut types: IndexMap<&str, IndexMap<Option<&str>, usize>> = IndexMap::new();
    for LeftOut { place, what, .. } in left_out {
        let property = place.split_once("/Properties/").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
        *types.entry(what).or_default().entry(property).or_default() += 1;
    }
    let line = |(what, properties): (&str, IndexMap<Option<&str>, usize>)| {
        let counts = properties.iter().filter_map(|(property, count)| Some(format!("{} ({count})", (*property)?)));
        let counts = counts.collect::<Vec<_>>().join(", ");
        match properties.get(&None) {
            Some(whole) if counts.is_empty() => format!("{what} ({whole})"),
            Some(whole) => format!("{what} ({whole}), and of others: {counts}"),
            None => format!("{what}: {counts}"),
        }
    };
    types.into_iter().map(line).collect()
}

/// Tells how much it is, and who tells the rest.
pub fn tell_count(count: usize) {
    if count > 0 {
        let what = counted(count, "thing");
        let is = if count == 1 { "is" } else { "are" };
        let text = format!("  {what} of the template {is} not emulated: `stairwell validate` tells which");
        crate::tell!("{}", painted(DIM, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_of_resource_has_a_line() {
        let left_out =
            |place: &str, what: &str| LeftOut { place: place.into(), what: what.into(), reason: "no".into() };
        let all = [
            left_out("Resources/A", "Alarm"),
            left_out("Resources/F/Properties/Policies", "Function"),
            left_out("Resources/B", "Alarm"),
            left_out("Resources/G/Properties/Policies/0", "Function"),
            left_out("Resources/G/Properties/Layers", "Function"),
            left_out("Parameters/P/AllowedPattern", "AllowedPattern"),
        ];
        assert_eq!(types(all.iter()), ["Alarm (2)", "Function: Policies (2), Layers (1)", "AllowedPattern (1)"]);
        let others = [
            left_out("Resources/M/Properties/Events/E/Properties/RetryPolicy", "a target"),
            left_out("Parameters/P/AllowedPattern", "AllowedPattern"),
        ];
        let others: Vec<&LeftOut> = others.iter().collect();
        assert_eq!(reasons(&others), ["M/Events/E/RetryPolicy, Parameters/P/AllowedPattern: no"]);
    }
}
