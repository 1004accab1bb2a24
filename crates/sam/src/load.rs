//! From a template's file to the application.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use serde_json::Value;

use crate::{
    ACCOUNT, Application, REGION, StateMachine, StateMachineKind, Target, audit, definition,
    problem::{LoadError, Problem, ProblemKind},
    properties::Properties,
    references,
    resources::{
        activity, api, bucket, event, function, layer, mapping, notification, openapi, parameter, queue, rule,
        schedule, state_machine, table, topic,
    },
    source::Span,
    template::{Resource, Template},
    yaml,
};

/// What a template is loaded with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Values of the template's parameters, over their defaults.
    pub parameters: BTreeMap<String, String>,
    /// What `AWS::StackName` stands for.
    pub stack_name: String,
    /// What `AWS::Region` stands for, and the region in every ARN.
    pub region: String,
    /// What `AWS::AccountId` stands for, and the account in every ARN.
    pub account: String,
    /// Where the local cloud listens: what URLs begin with that a client can call.
    pub endpoint: String,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            parameters: BTreeMap::new(),
            stack_name: "stairwell".to_owned(),
            region: REGION.to_owned(),
            account: ACCOUNT.to_owned(),
            endpoint: "http://127.0.0.1:4566".to_owned(),
        }
    }
}

/// Reads a template and everything that it leads to: definitions, and the manifests of the functions' packages. A definition
/// stands for a template of one state machine, where it needs no substitutions.
///
/// # Errors
/// Everything that is wrong, not the first thing only.
pub fn load(template: &Path, options: &LoadOptions) -> Result<Application, LoadError> {
    if let Some(application) = load_definition(template, options) {
        let application = application?;
        let problems = definition::without_template(template);
        return if problems.is_empty() { Ok(application) } else { Err(in_definition(template, problems)) };
    }
    let template = Template::read(template, options)?;
    let mut application = Application {
        template: template.source.path.to_path_buf(),
        stack_name: options.stack_name.clone(),
        ..Application::default()
    };
    references::check(&template);
    for (name, field) in &template.conditions {
        // What is wrong has been noted.
        let _ = template.condition(name, field.key);
    }
    read_resources(&template, &mut application);
    for (id, resource) in template.resources_of("AWS::SNS::Topic") {
        // What is wrong has been noted.
        let _ = topic::read(&template, id, resource, &mut application);
    }
    // Events and rules lead to functions and state machines, so they come after all of these.
    read_events(&template, &mut application);
    check_names(&template, &application);
    check_calls(&template, &application);
    application.outputs = outputs(&template);
    let machines = template.present().filter(|(_, resource)| is_state_machine(resource)).map(|(id, _)| id);
    let is_read = |id: &&str| application.state_machines.iter().any(|machine| machine.logical_id == *id);
    let unread = machines.filter(|id| !is_read(id)).map(str::to_owned).collect();
    match template.finish() {
        Ok(left_out) => Ok(Application { left_out, ..application }),
        Err(problems) => {
            let template = application.template.clone();
            Err(LoadError { template, problems, unread, read: Some(Box::new(application)) })
        }
    }
}

/// Reads a definition that has no template into an application of one state machine, which is called as the file is. Each
/// `${Name}` is kept as it is, and what it calls is not there. None where the file is no definition.
///
/// # Errors
/// What is wrong with the file's syntax.
pub fn load_definition(file: &Path, options: &LoadOptions) -> Option<Result<Application, LoadError>> {
    let text = fs::read_to_string(file).ok()?;
    let is_definition = match yaml::parse(&definition::blanked(&text)) {
        Ok(root) => definition::is_one(&root),
        // A file of JSON that is broken is told in the words of JSON, whatever it would have been.
        Err(_) => file.extension().is_some_and(|extension| extension == "json") && definition::alone(file).is_err(),
    };
    is_definition.then(|| match definition::alone(file) {
        Ok(definition) => Ok(of_definition(file, definition, options)),
        Err(problem) => Err(in_definition(file, vec![*problem])),
    })
}

fn of_definition(file: &Path, definition: Value, options: &LoadOptions) -> Application {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.split('.').next().unwrap_or_default();
    let name = name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_', "-");
    let machine = StateMachine {
        arn: format!("arn:aws:states:{}:{}:stateMachine:{name}", options.region, options.account),
        logical_id: name.clone(),
        name,
        kind: StateMachineKind::Standard,
        definition,
        definition_file: file.to_owned(),
        role_arn: String::new(),
        logging: None,
    };
    Application {
        template: file.to_owned(),
        stack_name: options.stack_name.clone(),
        state_machines: vec![machine],
        ..Application::default()
    }
}

fn in_definition(file: &Path, problems: Vec<Problem>) -> LoadError {
    LoadError { template: file.to_owned(), problems, unread: Vec::new(), read: None }
}

fn is_state_machine(resource: &Resource) -> bool {
    matches!(resource.kind.as_str(), "AWS::Serverless::StateMachine" | "AWS::StepFunctions::StateMachine")
}

fn read_resources(template: &Template, application: &mut Application) {
    for (id, resource) in template.present() {
        if !audit::resource(&Properties::of(template, id, resource), id, resource) {
            continue;
        }
        // What is wrong has been noted; the other resources are read all the same.
        match resource.kind.as_str() {
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => {
                application.functions.extend(function::read(template, id, resource));
            }
            "AWS::Serverless::StateMachine" | "AWS::StepFunctions::StateMachine" => {
                application.state_machines.extend(state_machine::read(template, id, resource));
            }
            "AWS::StepFunctions::Activity" => application.activities.extend(activity::read(template, id, resource)),
            "AWS::S3::Bucket" => application.buckets.extend(bucket::read(template, id, resource)),
            "AWS::DynamoDB::Table" => application.tables.extend(table::read(template, id, resource)),
            "AWS::Serverless::SimpleTable" => application.tables.extend(table::read_simple(template, id, resource)),
            "AWS::Events::EventBus" => {
                application.event_buses.extend(template.physical_name(id, resource, resource.at));
            }
            "AWS::Serverless::LayerVersion" | "AWS::Lambda::LayerVersion" => layer::check(template, id, resource),
            "AWS::Logs::LogGroup" => {
                application.log_groups.extend(template.physical_name(id, resource, resource.at));
            }
            "AWS::SSM::Parameter" => application.parameters.extend(parameter::read(template, id, resource)),
            "AWS::SecretsManager::Secret" => application.secrets.extend(parameter::read_secret(template, id, resource)),
            "AWS::SQS::Queue" => application.queues.extend(queue::read(template, id, resource)),
            "AWS::Serverless::HttpApi" => application.apis.push(api::read_http(template, id, resource)),
            "AWS::Serverless::Api" => application.apis.extend(api::read_rest(template, id, resource)),
            "AWS::ApiGatewayV2::Api" => {
                application.apis.extend(api::read_v2(template, id, resource).ok().flatten());
            }
            "AWS::Scheduler::ScheduleGroup" => {
                application.schedule_groups.extend(template.physical_name(id, resource, resource.at));
            }
            _ => {}
        }
    }
}

fn read_events(template: &Template, application: &mut Application) {
    for (id, resource) in template.present() {
        // One that could not be read has a problem of its own, and its events may have more.
        let target = match resource.kind.as_str() {
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => {
                let function = application.functions.iter().find(|function| function.logical_id == id);
                Target::Function(function.map_or(id, |function| &function.name).to_owned())
            }
            "AWS::Serverless::StateMachine" => {
                let machine = application.state_machines.iter().find(|machine| machine.logical_id == id);
                Target::StateMachine(machine.map_or(id, |machine| &machine.arn).to_owned())
            }
            _ => continue,
        };
        if let Target::Function(function) = &target {
            let event_invoke = function::read_event_invoke(template, id, resource, application);
            if let Some(function) = application.functions.iter_mut().find(|one| one.name == *function) {
                function.event_invoke = event_invoke;
            }
            api::add_function_url(template, id, resource, function, application);
        }
        event::read(template, id, resource, &target, application);
    }
    for (id, resource) in template.present() {
        // What is wrong has been noted; the others are read all the same.
        let _ = match resource.kind.as_str() {
            "AWS::Serverless::HttpApi" | "AWS::Serverless::Api" | "AWS::ApiGatewayV2::Api" => {
                openapi::add_routes(template, id, resource, application)
            }
            "AWS::Lambda::Alias" => function::read_alias(template, id, resource, application),
            "AWS::ApiGatewayV2::Route" => api::read_v2_route(template, id, resource, application),
            "AWS::Events::Rule" => rule::read(template, id, resource, application),
            "AWS::Lambda::EventSourceMapping" => mapping::read_resource(template, id, resource, application),
            "AWS::S3::Bucket" => {
                notification::read(template, id, resource, application);
                Ok(())
            }
            "AWS::SNS::Subscription" => topic::read_subscription(template, id, resource, application),
            "AWS::Scheduler::Schedule" => schedule::read_resource(template, id, resource, application),
            _ => Ok(()),
        };
    }
}

/// Two functions, say, cannot have one name.
fn check_names(template: &Template, application: &Application) {
    let at = |id: &str| template.resources.get(id).map_or(Span::default(), |resource: &Resource| resource.at);
    let check = |names: Vec<(&str, &str)>| {
        let mut seen = HashMap::new();
        for (id, name) in names {
            if let Some(first) = seen.insert(name, id) {
                let kind = ProblemKind::DuplicateName {
                    name: name.to_owned(),
                    first: first.to_owned(),
                    second: id.to_owned(),
                };
                template.report(kind, at(id));
            }
        }
    };
    check(
        application.functions.iter().map(|function| (function.logical_id.as_str(), function.name.as_str())).collect(),
    );
    check(
        application.state_machines.iter().map(|machine| (machine.logical_id.as_str(), machine.name.as_str())).collect(),
    );
    check(
        application.activities.iter().map(|activity| (activity.logical_id.as_str(), activity.name.as_str())).collect(),
    );
    check(application.buckets.iter().map(|bucket| (bucket.logical_id.as_str(), bucket.name.as_str())).collect());
    check(application.queues.iter().map(|queue| (queue.logical_id.as_str(), queue.name.as_str())).collect());
    check(application.tables.iter().map(|table| (table.logical_id.as_str(), table.name.as_str())).collect());
}

/// Every Lambda function of this account that a definition names must be one of the template's.
fn check_calls(template: &Template, application: &Application) {
    let prefix = format!("arn:aws:lambda:{}:{}:function:", template.options.region, template.options.account);
    for machine in &application.state_machines {
        let mut calls = Vec::new();
        collect_texts(&machine.definition, &mut String::new(), &mut calls);
        let mut written = None;
        for (place, text) in calls {
            // A qualifier may follow the name.
            let name = text.strip_prefix(&prefix).and_then(|rest| rest.split(':').next());
            // A function that could not be read has a problem of its own.
            let is_there = |name: &str| {
                application.functions.iter().any(|function| function.name == name)
                    || ["AWS::Serverless::Function", "AWS::Lambda::Function"].iter().any(|kind| {
                        template.resources_of(kind).any(|(id, resource)| {
                            template
                                .quietly(|| template.physical_name(id, resource, resource.at))
                                .is_ok_and(|other| other == name)
                        })
                    })
            };
            if let Some(name) = name.filter(|name| !is_there(name)) {
                let at = template.resources.get(&machine.logical_id).map_or(Span::default(), |resource| resource.at);
                let written = written.get_or_insert_with(|| application.written_definition(machine));
                let location =
                    written.as_ref().map_or_else(|| template.source.location(at), |written| written.locate(&place));
                template.report_at(ProblemKind::UnknownFunction { name: name.to_owned() }, Some(location), at);
            }
        }
    }
}

/// All texts of a definition, with their places as [`crate::WrittenDefinition::locate`] takes them.
fn collect_texts<'v>(value: &'v Value, place: &mut String, texts: &mut Vec<(String, &'v str)>) {
    let length = place.len();
    match value {
        Value::String(text) => texts.push((place.clone(), text)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                place.push('[');
                place.push_str(&index.to_string());
                place.push(']');
                collect_texts(item, place, texts);
                place.truncate(length);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                place.push('/');
                place.push_str(key);
                collect_texts(item, place, texts);
                place.truncate(length);
            }
        }
        _ => {}
    }
}

/// The outputs that have a value on this machine; the others are left out.
fn outputs(template: &Template) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    for (name, field) in &template.outputs {
        let place = format!("Outputs/{name}");
        let Some(map) = template.map_or_nothing(&field.value, &place) else {
            continue;
        };
        let output = Properties::over(template, place.clone(), field.key, map);
        let condition = output.raw("Condition").and_then(|node| Some((node.as_text()?, node.at)));
        if condition.is_some_and(|(name, at)| !template.condition(name, at).unwrap_or(false)) {
            continue;
        }
        if !output.has("Value") {
            output.missing("Value");
        }
        match template.quietly(|| output.value("Value")) {
            Ok(Some(value)) => {
                let text = value.as_text().map_or_else(|| value.to_json().to_string(), str::to_owned);
                outputs.insert(name.clone(), text);
            }
            Ok(None) => {}
            Err(_) => template.leave_out(place, "an output", "Its value is not known on this machine."),
        }
    }
    outputs
}
