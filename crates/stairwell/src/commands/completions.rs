//! `stairwell completions`

use clap::Args;
use clap_complete::Shell;

use crate::terminal::print;

/// Write a completion script for a shell to standard output
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
  stairwell completions bash > ~/.local/share/bash-completion/completions/stairwell
  stairwell completions fish > ~/.config/fish/completions/stairwell.fish

Exit status: 0 when the script was written, 2 when not.")]
pub struct CompletionsArgs {
    /// The shell that the script is for
    shell: Shell,
}

/// Runs the command.
pub fn run(args: &CompletionsArgs, command: &mut clap::Command) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "stairwell", &mut script);
    print(String::from_utf8_lossy(&script).trim_end());
}
