//! The best count of passed cases by category, in a file that only ever gets better.

use std::{collections::BTreeMap, path::Path};

use super::{ReplayError, Summary};

/// The first line of the file.
const HEADING: &str =
    "# The most recorded cases of each category that have passed: `stairwell replay PATH… --best FILE --update`.\n";

/// The categories whose passes are fewer than the file says, each as a sentence.
///
/// The file has a line for each category: its name, a blank, the count. Empty lines and those that begin with `#` are
/// left out.
pub fn fallen_below(path: &Path, summary: &Summary) -> Result<Vec<String>, ReplayError> {
    let text = std::fs::read_to_string(path).map_err(|source| ReplayError::Read { path: path.into(), source })?;
    let best = parse(&text).map_err(|line| ReplayError::Best { path: path.into(), line })?;
    let fallen = best.iter().filter_map(|(category, best)| {
        let passed = summary.categories.get(category).map_or(0, |counts| counts.passed);
        (passed < *best).then(|| format!("{category}: {passed} passed, the best so far is {best}"))
    });
    Ok(fallen.collect())
}

/// Writes the counts of a summary to such a file.
pub fn write(path: &Path, summary: &Summary) -> Result<(), ReplayError> {
    let heading = std::iter::once(HEADING.to_owned());
    let lines = summary.categories.iter().map(|(category, counts)| format!("{category} {}\n", counts.passed));
    std::fs::write(path, heading.chain(lines).collect::<String>())
        .map_err(|source| ReplayError::Write { path: path.into(), source })
}

fn parse(text: &str) -> Result<BTreeMap<String, usize>, String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (category, count) = line.split_once(' ').ok_or(line)?;
            Ok((category.to_owned(), count.trim().parse().map_err(|_| line)?))
        })
        .collect::<Result<_, &str>>()
        .map_err(str::to_owned)
}
