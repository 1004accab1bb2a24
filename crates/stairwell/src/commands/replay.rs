//! `stairwell replay`

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::replay::{ReplayError, Verdict, best, replay};
use crate::terminal::print;

/// Replay recorded cases through the interpreter and compare what comes out
///
/// A recorded case is a JSON file: a definition, an input, the answers of the outside world, and the history that is
/// expected. Tasks get their recorded answers, waits are skipped on a virtual clock, nothing outside is called.
///
/// In a case of the category `mocked`, a mock configuration answers instead: its `mock` has a `config`, in the format of
/// Step Functions Local's `MockConfigFile.json`, and the name of one `test_case` in it.
///
/// Prints a line for each case that fails, with its first difference, then the counts of each category, then those of
/// all. A case that needs what is not emulated is counted as skipped.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell replay tests/cases
  stairwell replay tests/cases/retry-then-catch.json --verbose
  stairwell replay recordings --best tests/recorded-best.txt

Exit status: 0 when no case failed and none is missing of --best, 1 when one did, 2 when the cases could not be read.")]
pub struct ReplayArgs {
    /// Cases, or folders with cases (.json files) anywhere below them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Fail if fewer cases of a category pass than this file says
    ///
    /// The file has a line for each category: its name, a blank, the count.
    #[arg(long, value_name = "FILE")]
    best: Option<PathBuf>,

    /// Write the counts of this run to the file of --best, where no category has fallen below it
    #[arg(long, requires = "best")]
    update: bool,

    /// Also name the cases that passed or were skipped, the latter with what they need
    #[arg(short, long)]
    verbose: bool,
}

/// Runs the command.
pub fn run(args: &ReplayArgs) -> Result<ExitCode, ReplayError> {
    let summary = replay(&args.paths, |case, verdict| match verdict {
        Verdict::Failed(difference) => print(format_args!("FAILED {}: {difference}", case.name)),
        Verdict::Skipped(what) if args.verbose => print(format_args!("skipped {}: {what}", case.name)),
        Verdict::Passed if args.verbose => print(format_args!("passed {}", case.name)),
        _ => {}
    })?;
    let fallen = args.best.as_ref().map(|path| best::fallen_below(path, &summary)).transpose()?.unwrap_or_default();
    for category in &fallen {
        print(format_args!("FEWER {category}"));
    }
    if let (Some(path), true, true) = (&args.best, args.update, fallen.is_empty()) {
        best::write(path, &summary)?;
    }
    for (category, counts) in &summary.categories {
        print(format_args!("{category}: {counts}"));
    }
    print(summary.total);
    Ok(if summary.total.failed == 0 && fallen.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
