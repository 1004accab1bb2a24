//! The handler.

use function_kit::aws::SdkConfig;
use function_kit::{Environment, SettingError, time_left};
use image_kit::{Analysis, Error, Fingerprint, NearDuplicate, Object, Store, Stored, compute};
use lambda_runtime::LambdaEvent;

use crate::colours;
use crate::hashes::{Hashes, Known};
use crate::sharpness::sharpness;

/// How many near duplicates are told at most.
const MAX_NEAR: usize = 10;

/// The longer side of the picture in which edges are looked at: so sharpnesses can be compared.
const EDGES: u32 = 1024;

/// The longer side of the picture in which colours are counted.
const COLOURS: u32 = 128;

/// What is made once, at the start of the process.
pub struct AnalyzeImage {
    store: Store,
    hashes: Hashes,
}

impl AnalyzeImage {
    /// Reads the settings and makes the clients.
    pub fn new(environment: &Environment, aws: &SdkConfig) -> Result<Self, SettingError> {
        let table = environment.text("HASHES_TABLE", "the name of the table of hashes")?;
        let client = aws_sdk_dynamodb::Client::new(aws);
        Ok(Self { store: Store::new(environment, aws), hashes: Hashes { client, table } })
    }

    /// Those that are still what they were when their hashes were written.
    async fn still_there(&self, near: Vec<Known>) -> Result<Vec<NearDuplicate>, Error> {
        let mut there = Vec::new();
        for Known { object, distance } in near {
            if there.len() == MAX_NEAR {
                break;
            }
            if self.store.is_there(&object).await? {
                there.push(NearDuplicate { bucket: object.bucket, key: object.key, distance });
            }
        }
        Ok(there)
    }
}

/// Analyses one picture.
pub async fn handle(function: &AnalyzeImage, event: LambdaEvent<Object>) -> Result<Analysis, Error> {
    let LambdaEvent { payload: object, context } = event;
    object.check()?;
    let content = function.store.read(&object).await?;
    let key = object.key.clone();
    let alone = compute(time_left(&context), move || look(&key, &content)).await?;
    // Written first: of two like pictures that come at once, the later one finds the other.
    function.hashes.write(&object, alone.hash).await?;
    let near = function.hashes.near(&object, alone.hash).await?;
    let analysis = Analysis { near_duplicates: function.still_there(near).await?, ..alone };
    let Analysis { sharpness, hash, near_duplicates, .. } = &analysis;
    tracing::info!(sharpness, %hash, near_duplicates = near_duplicates.len(), "analysed {}", object.key);
    Ok(analysis)
}

/// What the picture looks like by itself.
fn look(key: &str, content: &[u8]) -> Result<Analysis, Error> {
    let stored = Stored::decode(key, content)?;
    // All is seen in a small one.
    let picture = stored.scaled(EDGES);
    let colours = colours::dominant(&picture.scaled(COLOURS).pixels().to_rgba8());
    let sharpness = sharpness(&picture.pixels().to_luma8());
    Ok(Analysis {
        format: stored.format(),
        size: stored.size(),
        bytes: content.len() as u64,
        turned: stored.is_turned(),
        transparent: picture.pixels().color().has_alpha(),
        colours,
        sharpness: (sharpness * 10.0).round() / 10.0,
        hash: Fingerprint::of(&picture),
        near_duplicates: Vec::new(),
    })
}
