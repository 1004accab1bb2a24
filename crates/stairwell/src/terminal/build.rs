//! How far a build is.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use cloud::lambda::BuildEvent;

use super::{
    Spinner,
    print::counted,
    style::{DIM, GREEN, painted},
};

/// How often a line is written where nothing is redrawn.
const PAUSE: Duration = Duration::from_secs(10);

/// Tells of a build: on a terminal by a line that is redrawn, elsewhere by a line now and then.
pub struct BuildProgress {
    /// None where something else is redrawn on the terminal.
    spinner: Option<Spinner>,
    is_terminal: bool,
    started: Instant,
    functions: Vec<String>,
    told: Option<Instant>,
    compiled: usize,
    /// What Cargo says of the lock that it waits for, which it may say several times.
    waits_for: String,
}

impl BuildProgress {
    /// A build that is about to begin.
    pub fn new() -> Self {
        let spinner = Some(Spinner::turning("Building the functions"));
        Self { spinner, is_terminal: std::io::stderr().is_terminal(), ..Self::of_a_call() }
    }

    /// One of a function that is called already. It is told of where there is something to build.
    pub fn of_a_call() -> Self {
        Self {
            spinner: None,
            is_terminal: false,
            started: Instant::now(),
            functions: Vec::new(),
            told: None,
            compiled: 0,
            waits_for: String::new(),
        }
    }

    /// Takes what the build tells.
    pub fn take(&mut self, event: BuildEvent) {
        match event {
            BuildEvent::Started { functions, .. } => {
                self.show(format!("Building {}", counted(functions.len(), "function")));
                (self.started, self.functions, self.compiled, self.told) = (Instant::now(), functions, 0, None);
            }
            BuildEvent::Compiled { package, count } => {
                self.compiled = count;
                self.show(format!("Building the functions: {count} targets compiled, last {package}"));
                self.compiled_line(&package);
            }
            BuildEvent::Message(line) => {
                // A lock that another build holds: nothing else would come for long.
                if !self.is_terminal && line.trim_start().starts_with("Blocking") && self.waits_for != line {
                    self.begin();
                    crate::tell!("  {}", line.trim());
                    self.waits_for.clone_from(&line);
                }
                self.show(line.trim().to_owned());
            }
            BuildEvent::Finished { took, .. } => {
                if let Some(spinner) = &self.spinner {
                    spinner.clear();
                }
                let took = painted(DIM, format_args!("in {:.1} s", took.as_secs_f64()));
                let what = match (self.compiled, self.functions.as_slice()) {
                    (0, _) if self.spinner.is_none() => return,
                    (0, [function]) => format!("{function} is up to date"),
                    (0, _) => "The functions are up to date".to_owned(),
                    (count, [function]) => format!("Built {function}, {}", counted(count, "target")),
                    (count, _) => format!("Built the functions, {}", counted(count, "target")),
                };
                crate::tell!("{} {what} {took}", painted(GREEN, "✓"));
            }
        }
    }

    fn show(&self, text: String) {
        if let Some(spinner) = &self.spinner {
            spinner.show(text);
        }
    }

    /// The first line, once there is something to build.
    fn begin(&mut self) {
        if self.told.is_none() {
            let functions = counted(self.functions.len(), "function");
            crate::tell!("Building {functions}: {}", self.functions.join(", "));
            self.told = Some(Instant::now());
        }
    }

    fn compiled_line(&mut self, package: &str) {
        if self.is_terminal {
            return;
        }
        self.begin();
        if self.told.is_some_and(|told| told.elapsed() >= PAUSE) {
            let (count, seconds) = (self.compiled, self.started.elapsed().as_secs());
            crate::tell!("  {} compiled after {seconds} s, last {package}", counted(count, "target"));
            self.told = Some(Instant::now());
        }
    }
}

impl Default for BuildProgress {
    fn default() -> Self {
        Self::new()
    }
}
