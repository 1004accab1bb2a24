//! The binary, run once.

use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    process::{self, Stdio},
};

use serde_json::Value;

use crate::{binary, project};

/// A command line that is still to be run, in the project's folder.
pub struct Command {
    command: process::Command,
    input: Option<String>,
}

/// What a command came to.
#[derive(Debug)]
pub struct Finished {
    /// The exit status.
    pub status: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Command {
    /// `stairwell` with these arguments, and none of the environment's wishes for colours.
    pub fn new<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Self {
        Self::of(process::Command::new(binary::stairwell()), arguments)
    }

    /// The same, for tests that send it signals: it hears a hangup even where the tests run under `nohup`, which what they
    /// start would inherit and respect.
    pub fn hearing_hangups<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Self {
        let mut command = process::Command::new("env");
        command.arg("--default-signal=HUP").arg(binary::stairwell());
        Self::of(command, arguments)
    }

    fn of<I: AsRef<OsStr>>(mut command: process::Command, arguments: impl IntoIterator<Item = I>) -> Self {
        command.args(arguments).current_dir(project());
        for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "STAIRWELL_LOG", "STAIRWELL_PORT"] {
            command.env_remove(variable);
        }
        Self { command, input: None }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// The folder that it runs in.
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// A process that a limit on the size of its files does not end: what is beyond it can't be written, as on a full disk.
    #[must_use]
    pub fn bearing_file_limits(self) -> Self {
        let mut command = process::Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(self.command.get_program());
        command.args(self.command.get_args()).current_dir(self.command.get_current_dir().unwrap_or(project()));
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Self { command, ..self }
    }

    /// What it reads from standard input.
    #[must_use]
    pub fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Finished {
        let mut child = self.spawn_piped();
        if let Some(text) = child.1 {
            child.0.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        }
        let output = child.0.wait_with_output().unwrap();
        Finished {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts it, with its output to be read.
    pub fn spawn(self) -> process::Child {
        self.spawn_piped().0
    }

    fn spawn_piped(mut self) -> (process::Child, Option<String>) {
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let child = self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        (child.unwrap(), self.input)
    }
}

impl Finished {
    /// Fails the test unless the status is this one.
    #[track_caller]
    #[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "often the status is all")]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "standard output:\n{}\nstandard error:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// Standard output as JSON Lines.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}
