//! A perceptual hash: pictures that look alike have hashes of which few bits differ.

use std::f32::consts::PI;
use std::fmt;
use std::str::FromStr;

use image::DynamicImage;
use image::imageops::FilterType;
use serde::{Deserialize, Serialize};

use crate::Picture;
use crate::encode::on_white;

/// The picture is looked at with so many pixels on each side.
const SIDE: usize = 32;

/// So many of the lowest frequencies count, in each direction.
const FREQUENCIES: usize = 8;

/// A frequency is above the median by as much, or it does not count: so the noise of a compression makes no pattern of a plain
/// area. It is what a difference of a sixteenth of a step of brightness makes in every pixel.
const NOISE: f32 = 64.0;

/// The DCT hash of a picture in 64 bits: of each of its 64 lowest frequencies whether it is above their median.
///
/// Scaling, another format and another quality change few bits; turning and cutting change many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(u64);

/// A text that is no [`Fingerprint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 16 hexadecimal digits; this is {0:?}")]
pub struct NotAFingerprint(String);

impl Fingerprint {
    /// The hash of a picture.
    pub fn of(picture: &Picture) -> Self {
        // In two steps: the first is quick, the second exact.
        let small = picture.scaled(8 * u32::try_from(SIDE).unwrap_or(u32::MAX));
        let opaque = match small.pixels() {
            DynamicImage::ImageRgba8(rgba) => on_white(rgba),
            opaque => opaque.clone(),
        };
        let side = u32::try_from(SIDE).unwrap_or(u32::MAX);
        let grey = opaque.resize_exact(side, side, FilterType::Triangle).into_luma8();
        let samples: Vec<f32> = grey.iter().copied().map(f32::from).collect();
        let frequencies = lowest_frequencies(&samples);
        let mut sorted = frequencies;
        sorted.sort_by(f32::total_cmp);
        let (low, high) = (sorted[sorted.len() / 2 - 1], sorted[sorted.len() / 2]);
        let median = f32::midpoint(low, high);
        Self(frequencies.iter().fold(0, |bits, frequency| bits << 1 | u64::from(*frequency > median + NOISE)))
    }

    /// In how many of the 64 bits two hashes differ.
    pub fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }

    /// The bits.
    pub fn bits(self) -> u64 {
        self.0
    }
}

/// The lowest frequencies of the two-dimensional DCT of a square, row by row.
fn lowest_frequencies(samples: &[f32]) -> [f32; FREQUENCIES * FREQUENCIES] {
    // By rows, then by columns of what came of it.
    let mut rows = [[0.0; FREQUENCIES]; SIDE];
    for (row, samples) in rows.iter_mut().zip(samples.chunks_exact(SIDE)) {
        *row = dct(samples.iter().copied());
    }
    let mut lowest = [0.0; FREQUENCIES * FREQUENCIES];
    for column in 0..FREQUENCIES {
        for (row, frequency) in dct(rows.iter().map(|row| row[column])).into_iter().enumerate() {
            lowest[row * FREQUENCIES + column] = frequency;
        }
    }
    lowest
}

/// The lowest frequencies of a DCT (of the second kind, without its scale).
#[expect(clippy::cast_precision_loss, reason = "indices below 32")]
fn dct(samples: impl Iterator<Item = f32>) -> [f32; FREQUENCIES] {
    let mut frequencies = [0.0; FREQUENCIES];
    for (at, sample) in samples.enumerate() {
        for (number, frequency) in frequencies.iter_mut().enumerate() {
            *frequency += sample * (PI / SIDE as f32 * (at as f32 + 0.5) * number as f32).cos();
        }
    }
    frequencies
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        match u64::from_str_radix(text, 16) {
            Ok(bits) if text.len() == 16 && !text.starts_with('+') => Ok(Self(bits)),
            _ => Err(NotAFingerprint(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = NotAFingerprint;

    fn try_from(text: String) -> Result<Self, NotAFingerprint> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}
