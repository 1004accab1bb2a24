//! Settings of buckets that are the same for all of them here: clients that manage buckets look at each, and learn what is so.
//! None can be changed.

use http::StatusCode;
#[allow(clippy::wildcard_imports, reason = "an input and an output for every operation")]
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::{ACCOUNT, Operations, refuse::other_owner};

/// Writes functions that look for the bucket and then answer in the same way for every one.
macro_rules! same_for_all {
    ($($operation:ident ( $input:ident ) -> $output:ident = $answer:expr;)+) => {
        $(
            pub(super) async fn $operation(
                operations: &Operations,
                request: S3Request<$input>,
            ) -> S3Result<S3Response<$output>> {
                other_owner(request.input.expected_bucket_owner.as_ref())?;
                operations.store.with_bucket(&request.input.bucket, |_| Ok(()))?;
                let answer: S3Result<$output> = $answer;
                answer.map(S3Response::new)
            }
        )+
    };
}

same_for_all! {
    get_bucket_acl(GetBucketAclInput) -> GetBucketAclOutput = Ok(owners_alone());
    get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput =
        Err(s3_error!(NoSuchBucketPolicy, "The bucket policy does not exist"));
    get_bucket_cors(GetBucketCorsInput) -> GetBucketCorsOutput =
        Err(s3_error!(NoSuchCORSConfiguration, "The CORS configuration does not exist"));
    get_bucket_website(GetBucketWebsiteInput) -> GetBucketWebsiteOutput =
        Err(s3_error!(NoSuchWebsiteConfiguration, "The specified bucket does not have a website configuration"));
    get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput =
        Err(s3_error!(NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist"));
    get_bucket_replication(GetBucketReplicationInput) -> GetBucketReplicationOutput =
        Err(s3_error!(ReplicationConfigurationNotFoundError, "The replication configuration was not found"));
    get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput =
        Err(s3_error!(ObjectLockConfigurationNotFoundError, "Object Lock configuration does not exist for this bucket"));
    get_public_access_block(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput =
        Err(no_access_block());
    get_bucket_accelerate_configuration(GetBucketAccelerateConfigurationInput) -> GetBucketAccelerateConfigurationOutput =
        Ok(GetBucketAccelerateConfigurationOutput::default());
    get_bucket_logging(GetBucketLoggingInput) -> GetBucketLoggingOutput = Ok(GetBucketLoggingOutput::default());
    get_bucket_request_payment(GetBucketRequestPaymentInput) -> GetBucketRequestPaymentOutput =
        Ok(GetBucketRequestPaymentOutput { payer: Some(Payer::from_static(Payer::BUCKET_OWNER)) });
    get_bucket_ownership_controls(GetBucketOwnershipControlsInput) -> GetBucketOwnershipControlsOutput =
        Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules: vec![owned()] }) });
    get_bucket_encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput =
        Ok(GetBucketEncryptionOutput {
            server_side_encryption_configuration: Some(ServerSideEncryptionConfiguration { rules: vec![encrypted()] }),
        });
}

fn no_access_block() -> S3Error {
    let code = S3ErrorCode::Custom("NoSuchPublicAccessBlockConfiguration".into());
    let mut error = S3Error::with_message(code, "The public access block configuration was not found");
    error.set_status_code(StatusCode::NOT_FOUND);
    error
}

/// What the access list of a private bucket says.
fn owners_alone() -> GetBucketAclOutput {
    let owner = Owner { id: Some(ACCOUNT.to_owned()), ..Default::default() };
    let grantee = Grantee {
        id: owner.id.clone(),
        type_: Type::from_static(Type::CANONICAL_USER),
        display_name: None,
        email_address: None,
        uri: None,
    };
    let permission = Some(Permission::from_static(Permission::FULL_CONTROL));
    GetBucketAclOutput { grants: Some(vec![Grant { grantee: Some(grantee), permission }]), owner: Some(owner) }
}

fn owned() -> OwnershipControlsRule {
    OwnershipControlsRule { object_ownership: ObjectOwnership::from_static(ObjectOwnership::BUCKET_OWNER_ENFORCED) }
}

/// What the service does where nobody asks for more.
fn encrypted() -> ServerSideEncryptionRule {
    let algorithm = ServerSideEncryption::from_static(ServerSideEncryption::AES256);
    let by_default = ServerSideEncryptionByDefault { sse_algorithm: algorithm, kms_master_key_id: None };
    ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(by_default),
        bucket_key_enabled: Some(false),
    }
}
