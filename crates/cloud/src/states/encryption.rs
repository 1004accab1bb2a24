//! Encryption at rest: with a key of the service's own, and no other.

use serde::Deserialize;

use super::ApiError;

/// `encryptionConfiguration` of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EncryptionConfiguration {
    #[serde(rename = "type")]
    kind: Kind,
    kms_key_id: Option<String>,
    kms_data_key_reuse_period_seconds: Option<u32>,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    AwsOwnedKey,
    CustomerManagedKmsKey,
}

impl EncryptionConfiguration {
    /// Fails for what is no configuration, and for keys of KMS, which is not there.
    pub(super) fn accept(self) -> Result<(), ApiError> {
        let has_key = self.kms_key_id.is_some() || self.kms_data_key_reuse_period_seconds.is_some();
        match self.kind {
            Kind::AwsOwnedKey if has_key => Err(refused("AWS_OWNED_KEY takes no key and no period.")),
            Kind::AwsOwnedKey => Ok(()),
            Kind::CustomerManagedKmsKey if self.kms_key_id.is_none() => {
                Err(refused("CUSTOMER_MANAGED_KMS_KEY needs a kmsKeyId."))
            }
            Kind::CustomerManagedKmsKey => Err(refused("The local cloud has no KMS: use AWS_OWNED_KEY.")),
        }
    }
}

fn refused(why: &str) -> ApiError {
    ApiError::new("InvalidEncryptionConfiguration", format!("Invalid Encryption Configuration: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_other_key_than_the_services_own() {
        for (configuration, taken) in [
            (r#"{"type":"AWS_OWNED_KEY"}"#, true),
            (r#"{"type":"AWS_OWNED_KEY","kmsKeyId":"k"}"#, false),
            (r#"{"type":"CUSTOMER_MANAGED_KMS_KEY"}"#, false),
            (r#"{"type":"CUSTOMER_MANAGED_KMS_KEY","kmsKeyId":"k","kmsDataKeyReusePeriodSeconds":60}"#, false),
        ] {
            let configuration: EncryptionConfiguration = serde_json::from_str(configuration).unwrap();
            let text = format!("{configuration:?}");
            assert_eq!(configuration.accept().is_ok(), taken, "{text}");
        }
    }
}
