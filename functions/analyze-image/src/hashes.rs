//! The table of hashes, in which pictures that look alike are found.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use function_kit::ServiceError;
use futures::future::try_join_all;
use image_kit::{Fingerprint, Object};

/// So many bits may differ.
const MAX_DISTANCE: u32 = 5;

/// The bits of each band, 64 in all. One band more than bits may differ: so one at least has no bit that differs.
const BANDS: [u32; MAX_DISTANCE as usize + 1] = [11, 11, 11, 11, 10, 10];

/// An object of the table.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) object: Object,
    pub(crate) distance: u32,
}

/// The table.
pub(crate) struct Hashes {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Hashes {
    /// Writes the hash of an object, an item for each band. The same again changes nothing.
    pub(crate) async fn write(&self, object: &Object, hash: Fingerprint) -> Result<(), ServiceError> {
        let text = |text: String| AttributeValue::S(text);
        let put = |band| {
            let request = self.client.put_item().table_name(&self.table);
            let request = request
                .item("band", text(band))
                .item("object", text(format!("{}/{}", object.bucket, object.key)))
                .item("bucket", text(object.bucket.clone()))
                .item("key", text(object.key.clone()))
                .item("e_tag", text(object.e_tag.clone()))
                .item("hash", text(hash.to_string()));
            async { request.send().await.map(drop).map_err(|error| ServiceError::new("PutItem", &error)) }
        };
        try_join_all(bands(hash).map(put)).await.map(drop)
    }

    /// The other objects whose hashes are near, the nearest first.
    pub(crate) async fn near(&self, own: &Object, hash: Fingerprint) -> Result<Vec<Known>, ServiceError> {
        let found = try_join_all(bands(hash).map(|band| self.band(band))).await?;
        let mut near = BTreeMap::new();
        for (object, other) in found.into_iter().flatten() {
            let distance = hash.distance(other);
            let is_own = object.bucket == own.bucket && object.key == own.key;
            if distance <= MAX_DISTANCE && !is_own {
                // In several bands, or of several versions: those that are gone are told apart later, by their entity tags.
                near.insert((distance, object.bucket.clone(), object.key.clone(), object.e_tag.clone()), object);
            }
        }
        Ok(near.into_iter().map(|((distance, ..), object)| Known { object, distance }).collect())
    }

    /// The objects of a band: those of the first page, which has up to 1 MB. An item that is not as this function writes it is passed over.
    async fn band(&self, band: String) -> Result<Vec<(Object, Fingerprint)>, ServiceError> {
        let request = self.client.query().table_name(&self.table).key_condition_expression("band = :band");
        let request = request.expression_attribute_values(":band", AttributeValue::S(band));
        let answer = request.consistent_read(true).send().await;
        let answer = answer.map_err(|error| ServiceError::new("Query", &error))?;
        Ok(answer.items.unwrap_or_default().iter().filter_map(read).collect())
    }
}

fn read(item: &std::collections::HashMap<String, AttributeValue>) -> Option<(Object, Fingerprint)> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    let object = Object { bucket: text("bucket")?, key: text("key")?, version_id: None, e_tag: text("e_tag")? };
    Some((object, text("hash")?.parse().ok()?))
}

/// The values of the partition key for a hash.
fn bands(hash: Fingerprint) -> [String; BANDS.len()] {
    let mut bits = hash.bits();
    let mut number = 0;
    BANDS.map(|width| {
        let band = format!("{number}:{:03x}", bits & ((1 << width) - 1));
        bits >>= width;
        number += 1;
        band
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_are_near_share_a_band() {
        assert_eq!(BANDS.iter().sum::<u32>(), u64::BITS);
        let hash: Fingerprint = "c3d0b5e1961e2c3d".parse().unwrap();
        let own = bands(hash);
        // The worst case: five bits, each in another band.
        for spared in 0..BANDS.len() {
            let mut bits = hash.bits();
            let mut lowest = 0;
            for (number, width) in BANDS.into_iter().enumerate() {
                if number != spared {
                    bits ^= 1 << lowest;
                }
                lowest += width;
            }
            let other: Fingerprint = format!("{bits:016x}").parse().unwrap();
            assert_eq!(hash.distance(other), MAX_DISTANCE);
            let shared: Vec<_> = bands(other).into_iter().filter(|band| own.contains(band)).collect();
            assert_eq!(shared, [own[spared].clone()]);
        }
    }
}
