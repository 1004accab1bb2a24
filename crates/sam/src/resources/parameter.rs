//! `AWS::SSM::Parameter` and `AWS::SecretsManager::Secret`.

use serde_json::{Value, json};

use crate::{
    Parameter, Secret,
    properties::Properties,
    template::{Reported, Resource, Template},
};

/// How long a generated secret is where the template does not say.
const LENGTH: u32 = 32;

pub(crate) fn read(template: &Template, id: &str, resource: &Resource) -> Result<Parameter, Reported> {
    let properties = Properties::of(template, id, resource);
    let (kind, value) = (properties.required_text("Type"), properties.required_text("Value"));
    Ok(Parameter {
        logical_id: id.to_owned(),
        name: template.physical_name(id, resource, resource.at)?,
        kind: kind.ok_or(Reported)?,
        value: value.ok_or(Reported)?,
    })
}

pub(crate) fn read_secret(template: &Template, id: &str, resource: &Resource) -> Result<Secret, Reported> {
    let properties = Properties::of(template, id, resource);
    Ok(Secret {
        logical_id: id.to_owned(),
        name: template.physical_name(id, resource, resource.at)?,
        arn: template.attribute(id, "Id", resource.at)?,
        value: secret_value(&properties, id).ok_or(Reported)?,
    })
}

/// What a secret says. What is generated is the same at each start, so that what was made with it stays of use, and it
/// shows what it is.
pub(crate) fn secret_value(properties: &Properties, id: &str) -> Option<String> {
    if let Some(given) = properties.text("SecretString") {
        return Some(given);
    }
    let Some(generate) = properties.inner("GenerateSecretString") else { return Some(String::new()) };
    let length = generate.whole_number("PasswordLength").unwrap_or(LENGTH);
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(4096);
    let password: String = format!("{id}-made-up-by-stairwell-").chars().cycle().take(length).collect();
    let Some(key) = generate.text("GenerateStringKey") else { return Some(password) };
    let template = generate.text("SecretStringTemplate").unwrap_or_else(|| "{}".to_owned());
    let mut fields: Value = serde_json::from_str(&template).ok().filter(Value::is_object).or_else(|| {
        let found = crate::yaml::Node::text(generate.at("SecretStringTemplate"), template);
        generate.wrong_type("SecretStringTemplate", "a JSON object in a text", &found);
        None
    })?;
    fields[key] = json!(password);
    Some(fields.to_string())
}
