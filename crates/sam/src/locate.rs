//! From a place in a definition to a place in a file.

use std::fs;

use crate::{
    Application, SourceLocation, StateMachine, definition,
    intrinsics::function_of,
    source::{Source, Span},
    yaml::{self, Data, Field, Node},
};

impl Application {
    /// The place in its file of a value of a state machine's definition, as the service tells it:
    /// `/States/Check/Catch[0]/Next`. Where it leads further than the definition, it is the last place that is there.
    ///
    /// None where the file cannot be read.
    pub fn locate(&self, machine: &StateMachine, place: &str) -> Option<SourceLocation> {
        // A value that goes over several lines, and one that is not written at all, is best shown by its key.
        self.find(machine, place, |source, field| {
            let value = source.text.get(field.value.at.start..field.value.at.end).unwrap_or_default().trim_end();
            let is_on_a_line = !value.is_empty() && !value.contains('\n');
            let is_a_function = field.value.as_map().is_some_and(|map| function_of(map).is_some());
            match field.value.data {
                Data::Scalar(_) if !value.is_empty() => field.value.at,
                Data::Map(_) | Data::List(_) if is_on_a_line && (is_a_function || value.starts_with(['{', '['])) => {
                    field.value.at
                }
                _ => field.key,
            }
        })
    }

    /// The place in its file of a field's name, as [`Application::locate`] finds that of its value.
    pub fn locate_name(&self, machine: &StateMachine, place: &str) -> Option<SourceLocation> {
        self.find(machine, place, |_, field| field.key)
    }

    fn find(
        &self,
        machine: &StateMachine,
        place: &str,
        shown: impl Fn(&Source, &Field) -> Span,
    ) -> Option<SourceLocation> {
        let text = fs::read_to_string(&machine.definition_file).ok()?;
        let source = Source::new(&machine.definition_file, text);
        let shown = |field: &Field| shown(&source, field);
        let root = yaml::parse(&definition::blanked(&source.text)).ok()?;
        let span = if machine.definition_file == self.template {
            let definition = root.get("Resources")?.get(&machine.logical_id)?.get("Properties")?;
            find(definition.get("Definition").or_else(|| definition.get("DefinitionString"))?, place, shown)
        } else {
            find(&root, place, shown)
        };
        Some(source.location(span))
    }
}

fn find(root: &Node, place: &str, shown: impl Fn(&Field) -> Span) -> Span {
    let (mut node, mut span, mut left) = (root, root.at, place);
    loop {
        let next = match &node.data {
            Data::Map(map) => left.strip_prefix('/').and_then(|left| {
                // A name may have in it what stands between names: the longest that fits is meant.
                let fits =
                    |name: &str| left.strip_prefix(name).filter(|left| left.is_empty() || left.starts_with(['/', '[']));
                let fitting = map.iter().filter_map(|(name, field)| Some((name.len(), field, fits(name)?)));
                let (_, field, left) = fitting.max_by_key(|(length, ..)| *length)?;
                Some((&field.value, shown(field), left))
            }),
            Data::List(items) => left.strip_prefix('[').and_then(|left| {
                let (index, left) = left.split_once(']')?;
                let item = items.get(index.parse::<usize>().ok()?)?;
                Some((item, item.at, left))
            }),
            Data::Scalar(_) => None,
        };
        let Some(next) = next else { return span };
        (node, span, left) = next;
    }
}
