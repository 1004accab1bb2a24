//! From a place in a definition to a place in a file.

use std::fs;

use crate::{
    Application, SourceLocation, StateMachine, definition,
    intrinsics::function_of,
    source::{Source, Span},
    yaml::{self, Data, Field, Node},
};

/// A state machine's definition as it is written in its file, to find places in.
#[derive(Debug)]
pub struct WrittenDefinition {
    source: Source,
    root: Node,
}

impl Application {
    /// Reads the file of a state machine's definition once more. None where that fails.
    pub fn written_definition(&self, machine: &StateMachine) -> Option<WrittenDefinition> {
        let text = fs::read_to_string(&machine.definition_file).ok()?;
        let source = Source::new(&machine.definition_file, text);
        let file = yaml::parse(&definition::blanked(&source.text)).ok()?;
        let root = if machine.definition_file == self.template && !definition::is_one(&file) {
            let properties = file.get("Resources")?.get(&machine.logical_id)?.get("Properties")?;
            properties.get("Definition").or_else(|| properties.get("DefinitionString"))?.clone()
        } else {
            file
        };
        Some(WrittenDefinition { source, root })
    }
}

impl Application {
    /// Where the template has what is called so: a resource, by its logical id or a name that is made of it, or an event of
    /// one. None where it has no such thing.
    pub fn locate_resource(&self, name: &str) -> Option<SourceLocation> {
        let source = Source::new(&self.template, fs::read_to_string(&self.template).ok()?);
        let root = yaml::parse(&source.text).ok()?;
        let resources = root.get("Resources")?.as_map()?;
        let short = name.strip_prefix(&format!("{}-", self.stack_name)).unwrap_or(name);
        let field = [name, short].into_iter().find_map(|name| resources.get(name)).or_else(|| {
            resources.iter().find_map(|(id, field)| {
                let event = name.strip_prefix(id.as_str())?;
                field.value.get("Properties")?.get("Events")?.as_map()?.get(event)
            })
        });
        Some(source.location(field?.key))
    }
}

impl WrittenDefinition {
    /// The place of a value, as the service tells it: `/States/Check/Catch[0]/Next`. Where it leads further than the
    /// definition, it is the last place that is there.
    pub fn locate(&self, place: &str) -> SourceLocation {
        // A value that goes over several lines, and one that is not written at all, is best shown by its key.
        let shown = |field: &Field| {
            let value = self.source.text.get(field.value.at.start..field.value.at.end).unwrap_or_default().trim_end();
            let is_on_a_line = !value.is_empty() && !value.contains('\n');
            let is_a_function = field.value.as_map().is_some_and(|map| function_of(map).is_some());
            match field.value.data {
                Data::Scalar(_) if !value.is_empty() => field.value.at,
                Data::Map(_) | Data::List(_) if is_on_a_line && (is_a_function || value.starts_with(['{', '['])) => {
                    field.value.at
                }
                _ => field.key,
            }
        };
        self.source.location(find(&self.root, place, shown))
    }

    /// The place of a field's name, as [`WrittenDefinition::locate`] finds that of its value.
    pub fn locate_name(&self, place: &str) -> SourceLocation {
        self.source.location(find(&self.root, place, |field| field.key))
    }
}

fn find(root: &Node, place: &str, shown: impl Fn(&Field) -> Span) -> Span {
    let (mut node, mut span, mut left) = (root, root.at, place);
    loop {
        let next = match &node.data {
            Data::Map(map) => left.strip_prefix('/').and_then(|left| {
                // A name may have in it what stands between names: the longest that fits is meant.
                let ends = left.rmatch_indices(['/', '[']).map(|(end, _)| end);
                let (field, left) = std::iter::once(left.len()).chain(ends).find_map(|end| {
                    let (name, left) = left.split_at(end);
                    Some((map.get(name)?, left))
                })?;
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
