//! The handler.

use function_kit::aws::SdkConfig;
use function_kit::{Environment, ServiceErrorKind, SettingError, time_left};
use image_kit::{Analysis, Fingerprint, Object, Pictures, Size, Store, Stored, Target, Written, compute};
use lambda_runtime::{Context, LambdaEvent};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::sheet::{Sheet, Shown};

/// So many bits of a result's hash may be others than those of the picture.
const MAX_DISTANCE: u32 = 16;

/// The longer side of the small pictures of the contact sheet.
const SMALL: u32 = 240;

/// What is made once, at the start of the process.
pub struct CheckImages {
    store: Store,
}

/// A picture, and what was made of it.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a JSON object")]
pub struct Input {
    #[serde(flatten)]
    object: Object,
    converted: Pictures,
    scaled: Pictures,
    analysis: Analysis,
    #[serde(default)]
    labels: Vec<Label>,
}

/// What is to be seen in a picture, as Rekognition says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "a JSON object")]
pub struct Label {
    /// Its name, such as `Harbor`.
    pub name: String,
    /// How sure that is, in percent.
    pub confidence: f64,
}

/// What was checked and written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// How many pictures were checked.
    checked: usize,
    contact_sheet: ContactSheet,
}

/// The contact sheet as an object.
#[derive(Debug, Serialize)]
pub struct ContactSheet {
    bucket: String,
    key: String,
    bytes: usize,
}

impl CheckImages {
    /// Reads the settings and makes the client.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        Ok(Self { store: Store::new(environment, aws) })
    }

    /// Checks one result. Gives it as a small picture, in a file.
    async fn check(&self, written: &Written, hash: Fingerprint, context: &Context) -> Result<Vec<u8>, Error> {
        let Written { bucket, key, e_tag, .. } = written;
        let not_usable = |reason: String| Error::ResultNotUsable { bucket: bucket.clone(), key: key.clone(), reason };
        let told = |error| match error {
            image_kit::Error::Picture(error) => not_usable(error.to_string()),
            image_kit::Error::ObjectChanged { .. } => not_usable("it was replaced".to_owned()),
            image_kit::Error::Service(error) if error.kind == ServiceErrorKind::ObjectNotFound => {
                not_usable("it is not there".to_owned())
            }
            other => other.into(),
        };
        let object = Object { bucket: bucket.clone(), key: key.clone(), version_id: None, e_tag: e_tag.clone() };
        let content = self.store.read(&object).await.map_err(told)?;
        let bytes = content.len() as u64;
        let look = move || {
            let stored = Stored::decode(&object.key, &content)?;
            let (size, format) = (stored.size(), stored.format());
            let picture = stored.scaled(SMALL);
            Ok((size, format, Fingerprint::of(&picture), picture.encode(Target::WebP)?))
        };
        let (size, format, looks, small) = compute(time_left(context), look).await.map_err(told)?;
        if (size, format, bytes) != (written.size, written.format, written.bytes) {
            let Written { size: told_size, format: told_format, bytes: told_bytes, .. } = written;
            let told = format!("told was a {told_format} picture of {told_size} in {told_bytes} bytes");
            return Err(not_usable(format!("it is a {format} picture of {size} in {bytes} bytes; {told}")));
        }
        let distance = looks.distance(hash);
        if distance > MAX_DISTANCE {
            return Err(not_usable(format!("it is another picture: {distance} of 64 bits of its hash differ")));
        }
        Ok(small)
    }
}

/// Checks all results, and writes the contact sheet.
pub async fn handle(function: &CheckImages, event: LambdaEvent<Input>) -> Result<Output, Error> {
    let LambdaEvent { payload: Input { object, converted, scaled, analysis, labels }, context } = event;
    object.check()?;
    agree(&converted, &scaled, &analysis)?;
    let mut shown = Vec::new();
    // One after the other: of the large ones, one at a time fits into the memory.
    for written in scaled.pictures.iter().rev().chain(&converted.pictures) {
        let small = function.check(written, analysis.hash, &context).await?;
        shown.push(Shown { written, small });
    }
    let page = Sheet { object: &object, analysis: &analysis, labels: &labels, shown: &shown }.to_string();
    let bytes = page.len();
    let written = function.store.write(&object, "contact-sheet.html", "text/html; charset=utf-8", page.into_bytes());
    let (bucket, key, _) = written.await.map_err(image_kit::Error::from)?;
    tracing::info!(checked = shown.len(), "{} is done, with a contact sheet", object.key);
    Ok(Output { checked: shown.len(), contact_sheet: ContactSheet { bucket, key, bytes } })
}

/// Whether the three have seen the same picture.
fn agree(converted: &Pictures, scaled: &Pictures, analysis: &Analysis) -> Result<(), Error> {
    let seen = [(converted.size, converted.format), (scaled.size, scaled.format), (analysis.size, analysis.format)];
    if seen.windows(2).all(|two| two.first() == two.last()) {
        return Ok(());
    }
    let [converted, scaled, analysed] = seen.map(|(size, format): (Size, _)| format!("{size} as {format}"));
    Err(Error::ResultsDiffer { converted, scaled, analysed })
}
