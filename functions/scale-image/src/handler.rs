//! The handler.

use function_kit::aws::SdkConfig;
use function_kit::{Environment, SettingError, time_left};
use image_kit::{Error, Format, Object, Picture, Pictures, Size, Store, Stored, Target, compute};
use lambda_runtime::LambdaEvent;

use crate::Resolutions;

/// What is made once, at the start of the process.
pub struct ScaleImage {
    store: Store,
    resolutions: Resolutions,
}

impl ScaleImage {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        let expected = "numbers of pixels, separated by commas, such as 320,640";
        let resolutions = environment.optional_value("RESOLUTIONS", expected)?.unwrap_or_default();
        Ok(Self { store: Store::new(environment, aws), resolutions })
    }
}

/// A scaled picture as a file.
struct Scaled {
    name: String,
    size: Size,
    file: Vec<u8>,
}

/// Scales one picture to all resolutions.
pub async fn handle(function: &ScaleImage, event: LambdaEvent<Object>) -> Result<Pictures, Error> {
    let LambdaEvent { payload: object, context } = event;
    object.check()?;
    let content = function.store.read(&object).await?;
    let (key, resolutions) = (object.key.clone(), function.resolutions.clone());
    let scale = move || scale(&key, &content, &resolutions);
    let (format, size, all) = compute(time_left(&context), scale).await?;
    let mut pictures = Vec::new();
    for Scaled { name, size, file } in all {
        pictures.push(function.store.write_picture(&object, &name, Format::WebP, size, file).await?);
    }
    tracing::info!(%format, %size, "scaled {} to {} resolutions", object.key, pictures.len());
    Ok(Pictures { format, size, pictures })
}

/// Each resolution is made of the next larger one, which is quicker than of the whole picture and looks the same.
fn scale(key: &str, content: &[u8], resolutions: &Resolutions) -> Result<(Format, Size, Vec<Scaled>), Error> {
    let stored = Stored::decode(key, content)?;
    let (format, size) = (stored.format(), stored.size());
    let mut larger = None;
    let mut all = Vec::new();
    for resolution in resolutions.below(size.longest()) {
        let picture = match &larger {
            None => stored.scaled(resolution),
            Some(larger) => Picture::scaled(larger, resolution),
        };
        let file = picture.encode(Target::WebP)?;
        all.push(Scaled { name: format!("{resolution}.webp"), size: picture.size(), file });
        larger = Some(picture);
    }
    Ok((format, size, all))
}
