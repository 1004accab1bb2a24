//! The handler.

use std::sync::Arc;

use function_kit::aws::SdkConfig;
use function_kit::{Environment, SettingError, time_left};
use image_kit::{Error, Object, Pictures, Store, Stored, Target, compute};
use lambda_runtime::LambdaEvent;

/// What is made once, at the start of the process.
pub struct ConvertImage {
    store: Store,
}

impl ConvertImage {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        Ok(Self { store: Store::new(environment, aws) })
    }
}

/// Converts one picture, a format after the other: of the large ones, one at a time fits into the memory.
pub async fn handle(function: &ConvertImage, event: LambdaEvent<Object>) -> Result<Pictures, Error> {
    let LambdaEvent { payload: object, context } = event;
    object.check()?;
    let content = function.store.read(&object).await?;
    let key = object.key.clone();
    let decode = move || {
        let stored = Stored::decode(&key, &content)?;
        Ok((stored.format(), stored.into_picture()))
    };
    let (format, picture) = compute(time_left(&context), decode).await?;
    let (size, picture) = (picture.size(), Arc::new(picture));
    let mut pictures = Vec::new();
    for target in Target::ALL {
        let written_as = target.format();
        if written_as == format {
            continue;
        }
        let picture = Arc::clone(&picture);
        let file = compute(time_left(&context), move || picture.encode(target)).await?;
        let name = format!("full.{}", written_as.extension());
        pictures.push(function.store.write_picture(&object, &name, written_as, size, file).await?);
    }
    tracing::info!(%format, %size, "converted {} into {} formats", object.key, pictures.len());
    Ok(Pictures { format, size, pictures })
}
