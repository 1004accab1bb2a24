//! What a request may ask for that is not there. It is refused, never ignored.

use s3s::{
    S3Error, S3Result,
    dto::{ObjectCannedACL, ServerSideEncryption, StorageClass},
    s3_error,
};

use super::ACCOUNT;

/// Refuses a request that sets one of these fields of its input.
macro_rules! refuse {
    ($input:expr; $($field:ident),+ $(,)?) => {
        $(
            if $input.$field.is_some() {
                return Err($crate::s3::operations::refuse::unsupported(stringify!($field)));
            }
        )+
    };
}
pub(super) use refuse;

/// The error for a parameter that is not emulated, by its name.
pub(super) fn unsupported(parameter: &str) -> S3Error {
    s3_error!(NotImplemented, "The parameter {parameter} is not emulated.")
}

/// Objects are private to their account; only access lists that say just that are taken.
pub(super) fn acl(acl: Option<&ObjectCannedACL>) -> S3Result<()> {
    match acl.map(ObjectCannedACL::as_str) {
        None | Some(ObjectCannedACL::PRIVATE | ObjectCannedACL::BUCKET_OWNER_FULL_CONTROL) => Ok(()),
        Some(other) => Err(unsupported(&format!("acl with the value {other}"))),
    }
}

/// `AES256` is what the service does anyway; keys of KMS are not emulated.
pub(super) fn encryption(encryption: Option<&ServerSideEncryption>) -> S3Result<()> {
    match encryption.map(ServerSideEncryption::as_str) {
        None | Some(ServerSideEncryption::AES256) => Ok(()),
        Some(other) => Err(unsupported(&format!("server_side_encryption with the value {other}"))),
    }
}

/// Classes from which objects are read at once are kept as a word; the archives are not emulated.
pub(super) fn storage_class(class: Option<&StorageClass>) -> S3Result<()> {
    match class.map(StorageClass::as_str) {
        None
        | Some(
            StorageClass::STANDARD
            | StorageClass::STANDARD_IA
            | StorageClass::ONEZONE_IA
            | StorageClass::INTELLIGENT_TIERING
            | StorageClass::GLACIER_IR
            | StorageClass::REDUCED_REDUNDANCY,
        ) => Ok(()),
        Some(other) => Err(unsupported(&format!("storage_class with the value {other}"))),
    }
}

/// All buckets belong to one account.
pub(super) fn other_owner(expected: Option<&String>) -> S3Result<()> {
    match expected {
        Some(account) if account != ACCOUNT => Err(s3_error!(AccessDenied, "The bucket belongs to account {ACCOUNT}")),
        _ => Ok(()),
    }
}
