//! Systems Manager's parameters: those of the template, and those that are put.
//!
//! A parameter has its newest version alone. Nothing is encrypted: a `SecureString` is told as it is where its decryption is
//! asked for, and as `****` where it is not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    location::Location,
    named::{Described, Named},
    protocol::{Dialect, Failure, Operations, Parameters, after, done, page},
    states::{Store, StoreError},
};

/// How many parameters a page has at most.
const PAGE: usize = 50;

/// The longest value, in bytes: that of an advanced parameter.
const MAX_VALUE: usize = 8 * 1024;

type Answer = Result<Value, Failure>;

/// The parameters.
#[derive(Debug)]
pub struct Ssm {
    location: Location,
    by_name: Named<Parameter>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Parameter {
    kind: String,
    value: String,
    description: Option<String>,
    version: u64,
    /// Seconds since 1970.
    changed_at: i64,
    /// Made by the template, which makes it once more at the next start.
    #[serde(skip)]
    is_of_template: bool,
}

impl Ssm {
    /// The parameters that a file has, and those of the template.
    pub fn open(store: Store, location: Location, application: &sam::Application) -> Result<Self, StoreError> {
        let of_template = application.parameters.iter().map(|described| {
            let parameter = Parameter {
                kind: described.kind.clone(),
                value: described.value.clone(),
                description: None,
                version: 1,
                changed_at: OffsetDateTime::now_utc().unix_timestamp(),
                is_of_template: true,
            };
            (described.name.clone(), parameter)
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
            "DescribeParameters" => Ok(self.describe(&parameters.read()?)),
            "DeleteParameter" => self.delete(&parameters.read()?),
            "DeleteParameters" => self.delete_many(&parameters.read()?),
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
    /// Keys, tags, tiers and data types make no difference here.
    #[serde(rename = "KeyId")]
    _key: Option<String>,
    #[serde(rename = "Tags")]
    _tags: Option<Value>,
    #[serde(rename = "Tier")]
    _tier: Option<String>,
    #[serde(rename = "DataType")]
    _data_type: Option<String>,
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
    max_results: Option<usize>,
    next_token: Option<String>,
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
        if request.value.is_empty() || request.value.len() > MAX_VALUE {
            let message = "Standard tier parameters support a maximum parameter value of 4096 characters.";
            return Err(Failure::new("ValidationException", message));
        }
        self.by_name.change(|parameters| {
        let before = parameters.get(&request.name);
        if before.is_some() && !request.overwrite {
            let message = "The parameter already exists. To overwrite this value, set the overwrite option in the request \
                           to true.";
            return Err(Failure::new("ParameterAlreadyExists", message));
        }
        let kind = request.kind.or_else(|| before.map(|before| before.kind.clone())).ok_or_else(|| {
            Failure::new("ValidationException", "A parameter type is required when you create a parameter.")
        })?;
        if !["String", "StringList", "SecureString"].contains(&kind.as_str()) {
            return Err(Failure::new(
                "UnsupportedParameterType",
                format!("The parameter type {kind} is not supported."),
            ));
        }
        let version = before.map_or(1, |before| before.version + 1);
        let parameter = Parameter {
            kind,
            value: request.value,
            description: request.description.or_else(|| before?.description.clone()),
            version,
            changed_at: OffsetDateTime::now_utc().unix_timestamp(),
            is_of_template: false,
        };
        parameters.insert(request.name, parameter);
        Ok(json!({ "Version": version, "Tier": "Standard" }))
        })
    }

    fn get(&self, request: &Get) -> Answer {
        let parameters = self.by_name.all();
        let (name, parameter) = self.find(&parameters, &request.name).ok_or_else(|| not_found(&request.name))?;
        Ok(json!({ "Parameter": self.told(name, parameter, request.with_decryption) }))
    }

    fn get_many(&self, request: &GetMany) -> Value {
        let parameters = self.by_name.all();
        let (mut found, mut invalid) = (Vec::new(), Vec::new());
        for name in &request.names {
            match self.find(&parameters, name) {
                Some((name, parameter)) => found.push(self.told(name, parameter, request.with_decryption)),
                None => invalid.push(name),
            }
        }
        json!({ "Parameters": found, "InvalidParameters": invalid })
    }

    fn get_by_path(&self, request: &GetByPath) -> Value {
        let parameters = self.by_name.all();
        let path = request.path.trim_end_matches('/');
        let is_below = |name: &str| {
            let below = name.strip_prefix(path).and_then(|rest| rest.strip_prefix('/'));
            below.is_some_and(|below| request.recursive || !below.contains('/'))
        };
        let found = parameters.range(after(request.next_token.as_deref())).filter(|(name, _)| is_below(name));
        let told = found.map(|(name, parameter)| (name.as_str(), self.told(name, parameter, request.with_decryption)));
        page("Parameters", told, request.max_results.unwrap_or(10).min(PAGE))
    }

    fn describe(&self, request: &DescribeParameters) -> Value {
        let parameters = self.by_name.all();
        let told = parameters.range(after(request.next_token.as_deref())).map(|(name, parameter)| {
            let mut told = self.told(name, parameter, false);
            if let Value::Object(fields) = &mut told {
                fields.shift_remove("Value");
                fields.extend(parameter.description.as_ref().map(|text| ("Description".to_owned(), json!(text))));
            }
            (name.as_str(), told)
        });
        page("Parameters", told, request.max_results.unwrap_or(PAGE).min(PAGE))
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

    /// A parameter by its name or its ARN; a version may follow, which must be the one there is.
    fn find<'a>(&self, parameters: &'a BTreeMap<String, Parameter>, name: &str) -> Option<(&'a String, &'a Parameter)> {
        let of_arn = self.location.resource_of("ssm", name).and_then(|resource| resource.strip_prefix("parameter"));
        let name = of_arn.unwrap_or(name);
        let (name, version) = name.split_once(':').map_or((name, None), |(name, version)| (name, Some(version)));
        let found = parameters.get_key_value(name).or_else(|| parameters.get_key_value(name.strip_prefix('/')?));
        found.filter(|(_, parameter)| version.is_none_or(|version| version == parameter.version.to_string()))
    }

    fn told(&self, name: &str, parameter: &Parameter, with_decryption: bool) -> Value {
        let is_hidden = parameter.kind == "SecureString" && !with_decryption;
        let resource = if name.starts_with('/') { format!("parameter{name}") } else { format!("parameter/{name}") };
        json!({
            "Name": name,
            "Type": parameter.kind,
            "Value": if is_hidden { "****" } else { &parameter.value },
            "Version": parameter.version,
            "LastModifiedDate": parameter.changed_at,
            "ARN": self.location.arn("ssm", &resource),
            "DataType": "text",
        })
    }
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
