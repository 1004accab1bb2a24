//! What is found in a picture.

use serde::{Deserialize, Serialize};

use crate::{Fingerprint, Format, Size};

/// What is found in a picture. All but `turned` is of the upright picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a JSON object")]
pub struct Analysis {
    /// The format of the file.
    pub format: Format,
    /// The size of the picture.
    #[serde(flatten)]
    pub size: Size,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// Whether it is turned or mirrored when it is shown, as its EXIF orientation says.
    pub turned: bool,
    /// Whether some pixels are not opaque.
    pub transparent: bool,
    /// The colours that stand for all, the one with the largest share first.
    pub colours: Vec<Colour>,
    /// The variance of the Laplacian of the brightness at 1024 pixels. Below about 100 a picture looks blurred.
    pub sharpness: f64,
    /// The perceptual hash.
    pub hash: Fingerprint,
    /// Other objects that look alike, the nearest first.
    pub near_duplicates: Vec<NearDuplicate>,
}

/// A colour, and how much of the picture it stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "a JSON object")]
pub struct Colour {
    /// `#rrggbb`.
    pub rgb: String,
    /// Its share of the pixels, to two digits.
    pub share: f64,
}

/// An object that looks alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "a JSON object")]
pub struct NearDuplicate {
    /// Its bucket.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// In how many of 64 bits the hashes differ.
    pub distance: u32,
}
