//! Systems Manager's parameters: those of the template, and those that are put.
//!
//! Nothing is encrypted: a `SecureString` is told as it is where its decryption is asked for, and as `****` where it is not.
//! Labels of versions and policies of parameters are refused.

mod filter;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    location::Location,
    named::{Described, Named},
    protocol::{Dialect, Failure, Operations, Parameters, after, done, page},
    states::{Store, StoreError},
    tags::{Refusals, Tag, Tags},
};
use filter::{Filter, Given, OlderGiven};

/// How many parameters a page has at most.
const PAGE: usize = 50;

/// The longest value of a parameter, and of an advanced one, in bytes.
const MAX_VALUE: usize = 4 * 1024;
const MAX_ADVANCED_VALUE: usize = 8 * 1024;

/// How many versions a parameter has at most: the oldest goes.
const MAX_VERSIONS: usize = 100;

/// The tiers of parameters.
const STANDARD: &str = "Standard";
const ADVANCED: &str = "Advanced";

/// What a value is where nothing else is said: not the id of an image.
const PLAIN: &str = "text";

/// What tags are called that are not taken.
const TAGS: Refusals = Refusals { too_many: "TooManyTagsError", invalid: "ValidationException" };

type Answer = Result<Value, Failure>;

/// The parameters.
#[derive(Debug)]
pub struct Ssm {
    location: Location,
    by_name: Named<Parameter>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Parameter {
    #[serde(flatten)]
    latest: Version,
    /// Those before, the oldest first.
    #[serde(default)]
    earlier: Vec<Version>,
    #[serde(default)]
    tags: Tags,
    /// Made by the template, which makes it once more at the next start.
    #[serde(skip)]
    is_of_template: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Version {
    kind: String,
    value: String,
    description: Option<String>,
    /// From 1 on.
    #[serde(rename = "version")]
    number: u64,
    /// Seconds since 1970.
    changed_at: i64,
    #[serde(default = "standard")]
    tier: String,
    #[serde(default = "plain")]
    data_type: String,
    /// The key that a `SecureString` would be encrypted with.
    #[serde(default)]
    key: Option<String>,
}

fn standard() -> String {
    STANDARD.to_owned()
}

fn plain() -> String {
    PLAIN.to_owned()
}

impl Ssm {
    /// The parameters that a file has, and those of the template.
    pub fn open(store: Store, location: Location, application: &sam::Application) -> Result<Self, StoreError> {
        let of_template = application.parameters.iter().map(|described| {
            let latest = Version {
                kind: described.kind.clone(),
                value: described.value.clone(),
                description: None,
                number: 1,
                changed_at: OffsetDateTime::now_utc().unix_timestamp(),
                tier: standard(),
                data_type: plain(),
                key: None,
            };
            let (earlier, tags) = (Vec::new(), Tags::default());
            (described.name.clone(), Parameter { latest, earlier, tags, is_of_template: true })
        });
        Ok(Self { by_name: Named::open(store, of_template)?, location })
    }
}

impl Described for Parameter {
    fn is_of_template(&self) -> bool {
        self.is_of_template
    }
}

impl Operations for Ssm {
    const DIALECT: Dialect = Dialect::json("Systems Manager", 1024 * 1024);

    async fn operate(&self, operation: &str, parameters: Parameters) -> Answer {
        match operation {
            "PutParameter" => self.put(parameters.read()?),
            "GetParameter" => self.get(&parameters.read()?),
            "GetParameters" => Ok(self.get_many(&parameters.read()?)),
            "GetParametersByPath" => Ok(self.get_by_path(&parameters.read()?)),
            "GetParameterHistory" => self.history(&parameters.read()?),
            "DescribeParameters" => self.describe(parameters.read()?),
            "DeleteParameter" => self.delete(&parameters.read()?),
            "DeleteParameters" => self.delete_many(&parameters.read()?),
            "AddTagsToResource" => self.add_tags(parameters.read()?),
            "RemoveTagsFromResource" => self.remove_tags(&parameters.read()?),
            "ListTagsForResource" => self.list_tags(&parameters.read()?),
            other => Err(Failure::no_operation(Self::DIALECT.title, other)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Put {
    name: String,
    value: String,
    #[serde(rename = "Type")]
    kind: Option<String>,
    description: Option<String>,
    #[serde(default)]
    overwrite: bool,
    key_id: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    tier: Option<String>,
    data_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Get {
    name: String,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetMany {
    names: Vec<String>,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetByPath {
    path: String,
    #[serde(default)]
    recursive: bool,
    #[serde(default)]
    with_decryption: bool,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeParameters {
    #[serde(default)]
    parameter_filters: Vec<Given>,
    #[serde(default)]
    filters: Vec<OlderGiven>,
    /// Nothing is shared with other accounts.
    #[serde(default)]
    shared: bool,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct History {
    name: String,
    #[serde(default)]
    with_decryption: bool,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfResource {
    resource_type: String,
    resource_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AddTags {
    resource_type: String,
    resource_id: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RemoveTags {
    resource_type: String,
    resource_id: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfName {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OfNames {
    names: Vec<String>,
}

impl Ssm {
    fn put(&self, request: Put) -> Answer {
        check_name(&request.name)?;
        if request.overwrite && !request.tags.is_empty() {
            let message = "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please \
                           remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
                           RemoveTagsFromResource.";
            return Err(Failure::new("ValidationException", message));
        }
        let tags = Tags::of_new(request.tags, TAGS)?;
        self.by_name.change(|parameters| {
        let before = parameters.get(&request.name);
        if before.is_some() && !request.overwrite {
            let message = "The parameter already exists. To overwrite this value, set the overwrite option in the request \
                           to true.";
            return Err(Failure::new("ParameterAlreadyExists", message));
        }
        let latest = before.map(|before| &before.latest);
        let kind = request.kind.or_else(|| latest.map(|latest| latest.kind.clone())).ok_or_else(|| {
            Failure::new("ValidationException", "A parameter type is required when you create a parameter.")
        })?;
        if !["String", "StringList", "SecureString"].contains(&kind.as_str()) {
            return Err(Failure::new(
                "UnsupportedParameterType",
                format!("The parameter type {kind} is not supported."),
            ));
        }
        let tier = tier(&request.value, request.tier.as_deref().or(latest.map(|latest| latest.tier.as_str())))?;
        let data_type =
            request.data_type.or_else(|| latest.map(|latest| latest.data_type.clone())).unwrap_or_else(plain);
        if ![PLAIN, "aws:ec2:image", "aws:ssm:integration"].contains(&data_type.as_str()) {
            let message = format!("The following data type is not supported: {data_type}");
            return Err(Failure::new("ValidationException", message));
        }
        let number = latest.map_or(1, |latest| latest.number + 1);
        let put = Version {
            kind,
            value: request.value,
            description: request.description.or_else(|| latest?.description.clone()),
            number,
            changed_at: OffsetDateTime::now_utc().unix_timestamp(),
            tier: tier.to_owned(),
            data_type,
            key: request.key_id.or_else(|| latest?.key.clone()),
        };
        match parameters.get_mut(&request.name) {
            Some(parameter) => parameter.put(put),
            None => {
                let made = Parameter { latest: put, earlier: Vec::new(), tags, is_of_template: false };
                parameters.insert(request.name, made);
            }
        }
        Ok(json!({ "Version": number, "Tier": tier }))
        })
    }

    fn get(&self, request: &Get) -> Answer {
        let parameters = self.by_name.all();
        let (name, _, version) = self.find(&parameters, &request.name).ok_or_else(|| not_found(&request.name))?;
        Ok(json!({ "Parameter": self.told(name, version?, request.with_decryption) }))
    }

    fn get_many(&self, request: &GetMany) -> Value {
        let parameters = self.by_name.all();
        let (mut found, mut invalid) = (Vec::new(), Vec::new());
        for name in &request.names {
            match self.find(&parameters, name) {
                Some((name, _, Ok(version))) => found.push(self.told(name, version, request.with_decryption)),
                Some((_, _, Err(_))) | None => invalid.push(name),
            }
        }
        json!({ "Parameters": found, "InvalidParameters": invalid })
    }

    fn get_by_path(&self, request: &GetByPath) -> Value {
        let parameters = self.by_name.all();
        let is_below = |name: &str| is_below(name, &request.path, request.recursive);
        let found = parameters.range(after(request.next_token.as_deref())).filter(|(name, _)| is_below(name));
        let told = found.map(|(name, found)| (name.as_str(), self.told(name, &found.latest, request.with_decryption)));
        page("Parameters", told, request.max_results.unwrap_or(10).min(PAGE))
    }

    fn describe(&self, request: DescribeParameters) -> Answer {
        if !request.parameter_filters.is_empty() && !request.filters.is_empty() {
            let message = "You can use either Filters or ParameterFilters in a single request.";
            return Err(Failure::new("ValidationException", message));
        }
        let older = request.filters.into_iter().map(Filter::read_older);
        let filters = request.parameter_filters.into_iter().map(Filter::read).chain(older);
        let filters = filters.collect::<Result<Vec<_>, _>>()?;
        let parameters = self.by_name.all();
        let is_wanted = |name: &str, parameter: &Parameter| {
            !request.shared && filters.iter().all(|filter| filter.lets_through(name, parameter))
        };
        let found = parameters.range(after(request.next_token.as_deref()));
        let told = found.filter(|(name, parameter)| is_wanted(name, parameter)).map(|(name, parameter)| {
            let mut told = self.metadata(name, &parameter.latest);
            told["ARN"] = json!(self.arn(name));
            (name.as_str(), told)
        });
        Ok(page("Parameters", told, request.max_results.unwrap_or(PAGE).min(PAGE)))
    }

    /// The versions of a parameter, the oldest first. The token of a page is the number of its last version.
    fn history(&self, request: &History) -> Answer {
        let parameters = self.by_name.all();
        let (name, parameter, _) = self.find(&parameters, &request.name).ok_or_else(|| not_found(&request.name))?;
        let last = request.next_token.as_deref().map(str::parse::<u64>).transpose();
        let last = last.map_err(|_| Failure::new("InvalidNextToken", "The specified token isn't valid."))?;
        let versions = parameter.versions().filter(|version| last.is_none_or(|last| version.number > last));
        let told: Vec<(String, Value)> = versions
            .map(|version| {
                let mut told = self.metadata(name, version);
                told["Value"] = json!(version.shown(request.with_decryption));
                told["Labels"] = json!([]);
                (version.number.to_string(), told)
            })
            .collect();
        let told = told.iter().map(|(number, told)| (number.as_str(), told.clone()));
        Ok(page("Parameters", told, request.max_results.unwrap_or(PAGE).min(PAGE)))
    }

    fn delete(&self, request: &OfName) -> Answer {
        self.by_name.change(|parameters| {
            parameters.remove(&request.name).ok_or_else(|| not_found(&request.name))?;
            Ok(done())
        })
    }

    fn delete_many(&self, request: &OfNames) -> Answer {
        self.by_name.change(|parameters| {
            let (deleted, invalid): (Vec<_>, Vec<_>) =
                request.names.iter().partition(|name| parameters.remove(*name).is_some());
            Ok(json!({ "DeletedParameters": deleted, "InvalidParameters": invalid }))
        })
    }

    fn add_tags(&self, request: AddTags) -> Answer {
        self.by_name.change(|parameters| {
            let parameter = parameters.get_mut(tagged(&request.resource_type, &request.resource_id)?);
            parameter.ok_or_else(|| no_resource(&request.resource_id))?.tags.add(request.tags, TAGS)?;
            Ok(done())
        })
    }

    fn remove_tags(&self, request: &RemoveTags) -> Answer {
        self.by_name.change(|parameters| {
            let parameter = parameters.get_mut(tagged(&request.resource_type, &request.resource_id)?);
            parameter.ok_or_else(|| no_resource(&request.resource_id))?.tags.remove(&request.tag_keys);
            Ok(done())
        })
    }

    fn list_tags(&self, request: &OfResource) -> Answer {
        let parameters = self.by_name.all();
        let parameter = parameters.get(tagged(&request.resource_type, &request.resource_id)?);
        let parameter = parameter.ok_or_else(|| no_resource(&request.resource_id))?;
        Ok(json!({ "TagList": parameter.tags.list() }))
    }

    /// A parameter by its name or its ARN, and the version that is meant: the newest, or the one whose number follows.
    fn find<'a>(
        &self,
        parameters: &'a BTreeMap<String, Parameter>,
        name: &str,
    ) -> Option<(&'a String, &'a Parameter, Result<&'a Version, Failure>)> {
        let of_arn = self.location.resource_of("ssm", name).and_then(|resource| resource.strip_prefix("parameter"));
        let name = of_arn.unwrap_or(name);
        let (name, number) = name.split_once(':').map_or((name, None), |(name, number)| (name, Some(number)));
        let found = parameters.get_key_value(name).or_else(|| parameters.get_key_value(name.strip_prefix('/')?));
        let (name, parameter) = found?;
        let version = match number {
            None => Ok(&parameter.latest),
            Some(number) => {
                let message = format!("Systems Manager could not find version {number} of {name}.");
                let mut versions = parameter.versions();
                let found = versions.find(|version| version.number.to_string() == number);
                found.ok_or_else(|| Failure::new("ParameterVersionNotFound", message))
            }
        };
        Some((name, parameter, version))
    }

    fn arn(&self, name: &str) -> String {
        let resource = if name.starts_with('/') { format!("parameter{name}") } else { format!("parameter/{name}") };
        self.location.arn("ssm", &resource)
    }

    fn told(&self, name: &str, version: &Version, with_decryption: bool) -> Value {
        json!({
            "Name": name,
            "Type": version.kind,
            "Value": version.shown(with_decryption),
            "Version": version.number,
            "LastModifiedDate": version.changed_at,
            "ARN": self.arn(name),
            "DataType": version.data_type,
        })
    }

    /// All but the value.
    fn metadata(&self, name: &str, version: &Version) -> Value {
        let mut told = json!({
            "Name": name,
            "Type": version.kind,
            "Version": version.number,
            "LastModifiedDate": version.changed_at,
            "LastModifiedUser": format!("arn:aws:iam::{}:root", self.location.account),
            "Tier": version.tier,
            "DataType": version.data_type,
            "Policies": [],
        });
        if let Some(key) = version.key() {
            told["KeyId"] = json!(key);
        }
        if let Some(description) = &version.description {
            told["Description"] = json!(description);
        }
        told
    }
}

impl Parameter {
    /// Puts a new version. What is put over a parameter of the template is kept, and the template's again at the next start.
    fn put(&mut self, version: Version) {
        self.earlier.push(std::mem::replace(&mut self.latest, version));
        let surplus = (self.earlier.len() + 1).saturating_sub(MAX_VERSIONS);
        self.earlier.drain(..surplus);
        self.is_of_template = false;
    }

    /// The oldest first.
    fn versions(&self) -> impl Iterator<Item = &Version> {
        self.earlier.iter().chain([&self.latest])
    }
}

impl Version {
    fn shown(&self, with_decryption: bool) -> &str {
        if self.kind == "SecureString" && !with_decryption { "****" } else { &self.value }
    }

    /// The key of a `SecureString`: the account's own, where none is named.
    fn key(&self) -> Option<&str> {
        (self.kind == "SecureString").then(|| self.key.as_deref().unwrap_or("alias/aws/ssm"))
    }
}

/// Whether a name is below a path: directly, or at any depth.
fn is_below(name: &str, path: &str, recursive: bool) -> bool {
    let below = name.strip_prefix(path.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
    below.is_some_and(|below| recursive || !below.contains('/'))
}

/// The tier of a value: the one that is asked for, where the value is not too long for it.
fn tier(value: &str, asked: Option<&str>) -> Result<&'static str, Failure> {
    let refused = |message: String| Err(Failure::new("ValidationException", message));
    let (tier, most) = match asked {
        None | Some(STANDARD) => (STANDARD, MAX_VALUE),
        Some(ADVANCED) => (ADVANCED, MAX_ADVANCED_VALUE),
        Some("Intelligent-Tiering") if value.len() <= MAX_VALUE => (STANDARD, MAX_VALUE),
        Some("Intelligent-Tiering") => (ADVANCED, MAX_ADVANCED_VALUE),
        Some(other) => return refused(format!("There is no tier {other}.")),
    };
    if value.is_empty() || value.len() > most {
        return refused(format!("{tier} tier parameters support a maximum parameter value of {most} characters."));
    }
    Ok(tier)
}

/// The name of what is tagged: of all that Systems Manager has, parameters are here.
fn tagged<'a>(kind: &str, name: &'a str) -> Result<&'a str, Failure> {
    if kind == "Parameter" {
        return Ok(name);
    }
    let message = format!("{kind} is not a valid resource type: this runner has parameters.");
    Err(Failure::new("InvalidResourceType", message))
}

fn no_resource(name: &str) -> Failure {
    let message = format!("The resource ID \"{name}\" is not valid. Verify that the ID exists and try again.");
    Failure::new("InvalidResourceId", message)
}

fn check_name(name: &str) -> Result<(), Failure> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
    if name.is_empty() || name.len() > 1011 || !name.bytes().all(is_allowed) {
        let message = "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist \
                       of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the \
                       following 3 symbols .-_";
        return Err(Failure::new("ValidationException", message));
    }
    Ok(())
}

fn not_found(name: &str) -> Failure {
    Failure::new("ParameterNotFound", format!("Parameter {name} not found."))
}
