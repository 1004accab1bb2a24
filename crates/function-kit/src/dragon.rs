//! What the functions of the dragons workflow share.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Somebody has seen a dragon: the payload of every function of the workflow.
///
/// ```json
/// {
///   "dragon_name_str": "George",
///   "description_str": "Seen above the harbour at dawn.",
///   "family_str": "green",
///   "location_city_str": "seattle",
///   "location_country_str": "usa",
///   "location_state_str": "washington",
///   "location_neighborhood_str": "ballard",
///   "reportingPhoneNumber": "+12065550100",
///   "confirmationRequired": true,
///   "execution": "arn:aws:states:eu-central-1:000000000000:execution:Dragons:sample"
/// }
/// ```
///
/// Other fields are not read. The functions share the type, so that what one of them refuses, none of them writes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(expecting = "a JSON object")]
pub struct DragonReport {
    /// The dragon's name. No two dragons have the same one.
    #[serde(rename = "dragon_name_str")]
    pub dragon_name: Text,
    /// What it looks like.
    #[serde(rename = "description_str")]
    pub description: Text,
    /// Its family.
    #[serde(rename = "family_str")]
    pub family: Text,
    /// Where it was seen: the city.
    #[serde(rename = "location_city_str")]
    pub city: Text,
    /// The country.
    #[serde(rename = "location_country_str")]
    pub country: Text,
    /// The state of the country.
    #[serde(rename = "location_state_str")]
    pub state: Text,
    /// The neighbourhood.
    #[serde(rename = "location_neighborhood_str")]
    pub neighborhood: Text,
    /// Who is told how the report went. No function uses it; all of them refuse what cannot be told.
    #[serde(rename = "reportingPhoneNumber")]
    pub reporting_phone_number: PhoneNumber,
    /// Whether the reporter is told of a dragon that was added.
    #[serde(rename = "confirmationRequired")]
    pub confirmation_required: bool,
    /// The ARN of the execution that asks. By it a repeated write is told from a second report.
    pub execution: Text,
}

/// 1 to 500 characters, not all of them blank.
///
/// So it is safe as a DynamoDB key, as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(String);

/// A text that is no [`Text`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a text of 1 to 500 characters is expected, and this has {0}")]
pub struct NotAText(usize);

impl TryFrom<String> for Text {
    type Error = NotAText;

    fn try_from(text: String) -> Result<Self, NotAText> {
        let length = if text.trim().is_empty() { 0 } else { text.chars().count() };
        if (1..=500).contains(&length) { Ok(Self(text)) } else { Err(NotAText(length)) }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A phone number as E.164 writes it: `+`, then 7 to 15 digits, of which the first is not zero.
///
/// It is a person's, so neither errors nor debug output show it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PhoneNumber(String);

/// A text that is no [`PhoneNumber`]. It does not say which.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no phone number as E.164 writes it, such as +12065550100")]
pub struct NotAPhoneNumber;

impl TryFrom<String> for PhoneNumber {
    type Error = NotAPhoneNumber;

    fn try_from(text: String) -> Result<Self, NotAPhoneNumber> {
        let Some(digits) = text.strip_prefix('+') else { return Err(NotAPhoneNumber) };
        let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
        let good = plain && (7..=15).contains(&digits.len()) && !digits.starts_with('0');
        if good { Ok(Self(text)) } else { Err(NotAPhoneNumber) }
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(..)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn report() -> Value {
        json!({
            "dragon_name_str": "George", "description_str": "large", "family_str": "green",
            "location_city_str": "seattle", "location_country_str": "usa", "location_state_str": "washington",
            "location_neighborhood_str": "ballard", "reportingPhoneNumber": "+12065550100",
            "confirmationRequired": true, "execution": "arn", "more": 1,
        })
    }

    fn read(report: Value) -> Result<DragonReport, serde_path_to_error::Error<serde_json::Error>> {
        serde_path_to_error::deserialize(report)
    }

    #[test]
    fn every_field_must_be_there() {
        assert_eq!(read(report()).unwrap().dragon_name.to_string(), "George");
        for field in report().as_object().unwrap().keys().filter(|field| *field != "more") {
            let mut report = report();
            report.as_object_mut().unwrap().remove(field);
            assert_eq!(read(report).unwrap_err().inner().to_string(), format!("missing field `{field}`"));
        }
    }

    #[test]
    fn a_field_that_is_not_what_it_should_be_is_refused_by_its_name() {
        for (field, value) in [
            ("dragon_name_str", json!("")),
            ("dragon_name_str", json!(" \n")),
            ("dragon_name_str", json!("ß".repeat(501))),
            ("description_str", json!(7)),
            ("family_str", json!(null)),
            ("location_city_str", json!([])),
            ("reportingPhoneNumber", json!("12065550100")),
            ("reportingPhoneNumber", json!("+0206555010")),
            ("reportingPhoneNumber", json!("+1 206 555 0100")),
            ("reportingPhoneNumber", json!("+123456")),
            ("reportingPhoneNumber", json!("+1234567890123456")),
            ("confirmationRequired", json!("true")),
            ("execution", json!("")),
        ] {
            let mut report = report();
            report[field] = value;
            assert_eq!(read(report.clone()).unwrap_err().path().to_string(), field, "{report}");
        }
        assert!(read(json!([])).is_err());
    }

    #[test]
    fn a_phone_number_is_not_shown() {
        let shown = format!("{:?}", read(report()).unwrap());
        assert!(shown.contains("George") && !shown.contains("2065550100"), "{shown}");
        let mut bad = report();
        bad["reportingPhoneNumber"] = "+4917012345x".into();
        let error = read(bad).unwrap_err().to_string();
        assert!(!error.contains("17012345"), "{error}");
    }
}
