//! Where one execution is shown: in a tree, as lines, or as JSON.

use std::{collections::HashSet, sync::Arc};

use asl::Value;
use cloud::{function_logs::StateLine, lambda::LogKind};
use engine::{
    Event, Outcome,
    core::rests::{Rest, Until},
    history,
    run::Running,
};

use super::{
    Plain,
    family::Shared,
    print, rest,
    style::{DIM, painted},
    watch::{Display, Settings},
};

/// One execution's place.
pub(super) struct View {
    arn: Arc<str>,
    settings: Settings,
    kind: Kind,
    /// The rests that were told: the event of the state's entry, and what it waits for.
    rests: HashSet<(u64, Until)>,
}

enum Kind {
    Tree(Shared),
    Plain(Box<Plain>),
    Json,
}

impl View {
    /// By itself: as lines, unless JSON is asked for.
    pub(super) fn alone(settings: &Settings, running: &Running, title: &str) -> Self {
        let kind = match settings.display {
            Display::Json => Kind::Json,
            Display::Plain | Display::Tree => {
                Kind::Plain(Box::new(Plain::new(title, settings.clock.clone()).named(&running.identity().name)))
            }
        };
        let arn = running.identity().arn.clone();
        Self { arn, settings: settings.clone(), kind, rests: HashSet::new() }
    }

    /// As one of a family. The first of it is the one that is watched; the lines of the others stand further in.
    pub(super) fn of_family(settings: &Settings, running: &Running, title: &str, family: &Shared) -> Self {
        let mut members = family.lock();
        let indented = if members.members.is_empty() { title.to_owned() } else { format!("  {title}") };
        members.add(running.identity(), title, &settings.clock);
        drop(members);
        match settings.display {
            Display::Tree => Self { kind: Kind::Tree(family.clone()), ..Self::alone(settings, running, title) },
            Display::Plain | Display::Json => Self::alone(settings, running, &indented),
        }
    }

    /// What an earlier runner has told is not told again.
    pub(super) fn goes_on(&mut self, earlier: &[Event]) {
        if let Kind::Plain(plain) = &mut self.kind {
            crate::tell!("{}", plain.goes_on(earlier));
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        match &mut self.kind {
            Kind::Tree(family) => {
                if let Some(member) = family.lock().members.get_mut(&self.arn) {
                    member.progress.apply(event);
                }
            }
            Kind::Plain(plain) => plain.event(event).iter().for_each(|line| crate::tell!("{line}")),
            Kind::Json => print(self.json([("event", history::to_json(event, true))])),
        }
    }

    /// Tells what the execution rests at now, each once.
    pub(super) fn rests(&mut self, rests: &[Rest]) {
        if let Kind::Tree(family) = &self.kind
            && let Some(member) = family.lock().members.get_mut(&self.arn)
        {
            member.progress.rest(rests);
        }
        // Where somebody is to answer, a virtual clock skips nothing meanwhile.
        let is_waited = !self.settings.clock.is_virtual() || rests.iter().any(|rest| !rest.until.is_time());
        let is_told = |rest: &&Rest| is_waited || !rest.until.is_time();
        for rest in rests.iter().filter(is_told) {
            if self.rests.insert((rest.entered_event, rest.until.clone())) {
                self.rest(rest);
            }
        }
    }

    fn rest(&mut self, rest: &Rest) {
        let hint = self.settings.endpoint_url.as_deref().and_then(|url| rest::hint(&rest.until, url));
        let hint = hint.map(|hint| format!("  {}", painted(DIM, hint)));
        match &mut self.kind {
            Kind::Tree(family) => family.lock().notes.extend(hint),
            Kind::Plain(plain) => {
                crate::tell!("{}", plain.rest(rest));
                if let Some(hint) = hint {
                    crate::tell!("{hint}");
                }
            }
            Kind::Json => {
                print(self.json([("state", rest.state.clone().into()), ("waitsFor", rest::to_json(&rest.until))]));
            }
        }
    }

    pub(super) fn log(&mut self, StateLine { state, line }: &StateLine) {
        if line.kind != LogKind::Function {
            return;
        }
        match &mut self.kind {
            Kind::Tree(family) => {
                if let Some(member) = family.lock().members.get_mut(&self.arn) {
                    member.progress.log(state, &line.line);
                }
            }
            Kind::Plain(plain) => {
                if let Some(line) = plain.log(state, &line.line) {
                    crate::tell!("{line}");
                }
            }
            Kind::Json => print(self.json([("state", state.clone().into()), ("log", line.line.as_str().into())])),
        }
    }

    pub(super) fn end(&self, outcome: &Outcome) {
        if let Kind::Json = self.kind {
            print(self.ended(outcome));
        }
    }

    /// A JSON line about the execution.
    fn json<const N: usize>(&self, fields: [(&str, Value); N]) -> Value {
        let arn = ("executionArn".into(), Value::from(self.arn.clone()));
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value));
        std::iter::once(arn).chain(fields).collect::<asl::value::Object>().into()
    }

    /// The last line of JSON output.
    fn ended(&self, outcome: &Outcome) -> Value {
        let (status, output, fault) = match outcome {
            Outcome::Succeeded(output) => ("SUCCEEDED", Some(output.clone()), None),
            Outcome::Failed(fault) => ("FAILED", None, Some(fault)),
            Outcome::TimedOut(fault) => ("TIMED_OUT", None, Some(fault)),
            Outcome::Aborted(fault) => ("ABORTED", None, Some(fault)),
        };
        let part = |part: Option<Arc<str>>| part.map_or(Value::Null, Value::from);
        self.json([
            ("status", status.into()),
            ("output", output.unwrap_or_default()),
            ("error", part(fault.and_then(|fault| fault.error.clone()))),
            ("cause", part(fault.and_then(|fault| fault.cause.clone()))),
        ])
    }
}
