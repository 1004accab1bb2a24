//! A template's sections, read but not yet resolved.

use std::{
    cell::{Cell, RefCell},
    fs,
    path::Path,
};

use indexmap::IndexMap;

use crate::{
    LeftOut, LoadOptions, SourceLocation, globals, parameters,
    problem::{LoadError, Problem, ProblemKind},
    source::{Source, Span},
    suggest::closest,
    yaml::{self, Map, Node},
};

/// A problem has been noted, so there is no value; nothing more is to be said about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported;

/// A template in memory. Values are resolved where they are asked for.
pub(crate) struct Template {
    pub(crate) source: Source,
    /// The whole file, as it is written.
    pub(crate) root: Node,
    pub(crate) options: LoadOptions,
    /// None for one that has a problem: what needs its value has no problem of its own.
    pub(crate) parameters: IndexMap<String, Option<Node>>,
    pub(crate) mappings: Map,
    pub(crate) conditions: Map,
    pub(crate) resources: IndexMap<String, Resource>,
    pub(crate) outputs: Map,
    /// The names that are being resolved now: one that comes twice is defined by itself.
    pub(crate) resolving: RefCell<Vec<String>>,
    problems: RefCell<Vec<(Span, Problem)>>,
    left_out: RefCell<Vec<LeftOut>>,
    /// While set, nothing is noted: the caller asks whether a value can be had.
    quiet: Cell<bool>,
}

/// An entry of `Resources`, with the template's `Globals` in its properties.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) at: Span,
    pub(crate) kind: String,
    pub(crate) properties: Map,
    pub(crate) metadata: Option<Node>,
    pub(crate) condition: Option<String>,
}

const SECTIONS: [&str; 12] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

const RESOURCE_ATTRIBUTES: [&str; 11] = [
    "Condition",
    "Connectors",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "IgnoreGlobals",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

const SAM_TRANSFORM: &str = "AWS::Serverless-2016-10-31";

impl Template {
    /// Reads a template's file. What stops here is a file that is no YAML map; everything else is noted.
    pub(crate) fn read(path: &Path, options: &LoadOptions) -> Result<Self, LoadError> {
        let alone = |kind, location| LoadError {
            template: path.to_path_buf(),
            problems: vec![Problem { kind, location }],
            unread: Vec::new(),
            read: None,
        };
        let text = fs::read_to_string(path).map_err(|error| {
            alone(ProblemKind::UnreadableFile { path: path.to_path_buf(), reason: error.to_string() }, None)
        })?;
        let source = Source::new(path, text);
        let root = yaml::parse(&source.text)
            .map_err(|error| alone(ProblemKind::Syntax { message: error.message }, Some(source.location(error.at))))?;
        let Some(sections) = root.as_map().cloned() else {
            let kind =
                ProblemKind::WrongType { place: "the template".to_owned(), expected: "a map", found: root.describe() };
            return Err(alone(kind, Some(source.location(root.at))));
        };
        let mut template = Self {
            source,
            root,
            options: options.clone(),
            parameters: IndexMap::new(),
            mappings: Map::new(),
            conditions: Map::new(),
            resources: IndexMap::new(),
            outputs: Map::new(),
            resolving: RefCell::default(),
            problems: RefCell::default(),
            left_out: RefCell::default(),
            quiet: Cell::new(false),
        };
        template.read_sections(&sections);
        Ok(template)
    }

    fn read_sections(&mut self, sections: &Map) {
        for (name, field) in sections {
            if !SECTIONS.contains(&name.as_str()) {
                self.report(ProblemKind::UnknownSection { name: name.clone() }, field.key);
            }
            if matches!(name.as_str(), "Rules" | "Hooks") {
                self.leave_out(name, name, "CloudFormation checks it when a stack is deployed.");
            }
        }
        let section = |name: &str| self.section(sections, name);
        let (mappings, conditions, outputs) = (section("Mappings"), section("Conditions"), section("Outputs"));
        (self.mappings, self.conditions, self.outputs) = (mappings, conditions, outputs);
        self.parameters = parameters::read(self, &self.section(sections, "Parameters"));
        self.read_resources(sections);
        self.check_transform(sections.get("Transform").map(|field| &field.value));
    }

    fn section(&self, sections: &Map, name: &str) -> Map {
        sections.get(name).and_then(|field| self.map_or_nothing(&field.value, name)).cloned().unwrap_or_default()
    }

    /// A map; an empty value is none, and anything else is noted.
    pub(crate) fn map_or_nothing<'n>(&self, node: &'n Node, place: &str) -> Option<&'n Map> {
        if node.as_map().is_none() && !node.is_null() {
            self.report(
                ProblemKind::WrongType { place: place.to_owned(), expected: "a map", found: node.describe() },
                node.at,
            );
        }
        node.as_map()
    }

    fn read_resources(&mut self, sections: &Map) {
        if !sections.contains_key("Resources") {
            self.report(
                ProblemKind::MissingProperty { place: "the template".to_owned(), property: "Resources" },
                Span::default(),
            );
        }
        let globals = self.section(sections, "Globals");
        for (name, field) in globals.iter().filter(|(name, _)| !globals::SECTIONS.contains(&name.as_str())) {
            self.report_unknown_property("Globals", name, &globals::SECTIONS, field.key);
        }
        let mut resources = IndexMap::new();
        for (id, field) in &self.section(sections, "Resources") {
            if id.starts_with("Fn::") {
                let reason = "loops over resources are written out before the runner reads them";
                self.report(ProblemKind::UnsupportedFunction { function: id.clone(), reason }, field.key);
            } else if let Some(resource) = self.read_resource(id, &field.value, field.key, &globals) {
                resources.insert(id.clone(), resource);
            }
        }
        self.resources = resources;
    }

    fn read_resource(&self, id: &str, node: &Node, at: Span, globals: &Map) -> Option<Resource> {
        let place = format!("Resources/{id}");
        let map = self.map_or_nothing(node, &place);
        let Some((map, kind)) = map.and_then(|map| Some((map, map.get("Type")?.value.as_text()?))) else {
            self.report(ProblemKind::MissingProperty { place, property: "Type" }, at);
            return None;
        };
        let own =
            map.get("Properties").and_then(|field| self.map_or_nothing(&field.value, &format!("{place}/Properties")));
        for (name, field) in map.iter().filter(|(name, _)| !RESOURCE_ATTRIBUTES.contains(&name.as_str())) {
            self.report_unknown_property("a resource", name, &RESOURCE_ATTRIBUTES, field.key);
        }
        if map.contains_key("Connectors") {
            self.leave_out(format!("{place}/Connectors"), kind, "IAM is not emulated: every call is allowed.");
        }
        let ignored = map.get("IgnoreGlobals").map(|field| &field.value);
        Some(Resource {
            at,
            kind: kind.to_owned(),
            properties: globals::apply(globals, kind, own.cloned().unwrap_or_default(), ignored),
            metadata: map.get("Metadata").map(|field| field.value.clone()),
            condition: map.get("Condition").and_then(|field| field.value.as_text()).map(str::to_owned),
        })
    }

    fn check_transform(&self, transform: Option<&Node>) {
        let one = transform.map(std::slice::from_ref).unwrap_or_default();
        let transforms = transform.and_then(Node::as_list).unwrap_or(one);
        for macro_name in transforms.iter().filter_map(Node::as_text) {
            if macro_name != SAM_TRANSFORM && macro_name != "AWS::LanguageExtensions" {
                self.leave_out("Transform", macro_name, "Macros run in an account.");
            }
        }
        let is_sam = transforms.iter().any(|name| name.as_text() == Some(SAM_TRANSFORM));
        if let Some(resource) =
            self.resources.values().find(|resource| resource.kind.starts_with("AWS::Serverless::") && !is_sam)
        {
            self.report(ProblemKind::MissingTransform, resource.at);
        }
    }

    /// The folder that relative paths of the template start from.
    pub(crate) fn folder(&self) -> &Path {
        self.source.path.parent().unwrap_or(Path::new(""))
    }

    /// The resources of a type that their conditions leave in.
    pub(crate) fn resources_of<'t>(&'t self, kind: &'t str) -> impl Iterator<Item = (&'t str, &'t Resource)> {
        self.present().filter(move |(_, resource)| resource.kind == kind)
    }

    /// The resources that their conditions leave in.
    pub(crate) fn present(&self) -> impl Iterator<Item = (&str, &Resource)> {
        self.resources
            .iter()
            .filter(|(_, resource)| self.is_present(resource))
            .map(|(id, resource)| (id.as_str(), resource))
    }

    pub(crate) fn is_present(&self, resource: &Resource) -> bool {
        // Every condition is looked at by itself, so a wrong one has been noted.
        let holds = |name: &String| self.quietly(|| self.condition(name, resource.at)).unwrap_or(false);
        resource.condition.as_ref().is_none_or(holds)
    }

    /// Notes a problem of the template's own file.
    pub(crate) fn report(&self, kind: ProblemKind, at: Span) -> Reported {
        self.report_at(kind, Some(self.source.location(at)), at)
    }

    /// Notes a problem of another file; `at` is the place in the template that leads there, by which problems are ordered.
    pub(crate) fn report_at(&self, kind: ProblemKind, location: Option<SourceLocation>, at: Span) -> Reported {
        let problem = Problem { kind, location };
        let mut problems = self.problems.borrow_mut();
        // A value is resolved each time it is asked for, so the same problem can come again.
        if !self.quiet.get() && !problems.iter().any(|(_, noted)| *noted == problem) {
            problems.push((at, problem));
        }
        Reported
    }

    /// Notes a name that is not there, with the one that was probably meant.
    pub(crate) fn report_unknown<'n>(
        &self,
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
        at: Span,
    ) -> Reported {
        let kind = ProblemKind::UnknownReference { what, name: name.to_owned(), suggestion: closest(name, known) };
        self.report(kind, at)
    }

    /// Notes a type that there is not, with the one that was probably meant.
    pub(crate) fn report_unknown_type<'n>(
        &self,
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
        at: Span,
    ) -> Reported {
        let kind = ProblemKind::UnknownType { what, name: name.to_owned(), suggestion: closest(name, known) };
        self.report(kind, at)
    }

    /// Notes a property that its owner does not have, with the one that was probably meant.
    pub(crate) fn report_unknown_property(&self, owner: &str, name: &str, known: &[&str], at: Span) -> Reported {
        let suggestion = closest(name, known.iter().copied());
        let kind =
            ProblemKind::UnknownProperty { resource_type: owner.to_owned(), property: name.to_owned(), suggestion };
        self.report(kind, at)
    }

    /// Runs `ask` with nothing noted.
    pub(crate) fn quietly<T>(&self, ask: impl FnOnce() -> T) -> T {
        let before = self.quiet.replace(true);
        let answer = ask();
        self.quiet.set(before);
        answer
    }

    pub(crate) fn leave_out(&self, place: impl Into<String>, what: &str, reason: impl Into<String>) {
        let left_out = LeftOut { place: place.into(), what: what.to_owned(), reason: reason.into() };
        let mut list = self.left_out.borrow_mut();
        if !list.contains(&left_out) {
            list.push(left_out);
        }
    }

    /// What has been noted: all problems in the template's order, or else what is left out.
    pub(crate) fn finish(self) -> Result<Vec<LeftOut>, Vec<Problem>> {
        let mut problems = self.problems.into_inner();
        if problems.is_empty() {
            return Ok(self.left_out.into_inner());
        }
        problems.sort_by_key(|(at, _)| at.start);
        Err(problems.into_iter().map(|(_, problem)| problem).collect())
    }
}
