//! Draws pictures: `draw samples <folder>` those of `samples/`, `draw picture <megapixels> <file>` one to measure with, as JPEG.

use std::error::Error;
use std::fs;
use std::path::Path;

use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image_kit::testing::{black_png, harbour, turned_jpeg};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["samples", folder] => samples(Path::new(folder)),
        ["picture", megapixels, file] => picture(megapixels.parse()?, Path::new(file)),
        _ => Err("usage: draw samples <folder> | draw picture <megapixels> <file>".into()),
    }
}

fn samples(folder: &Path) -> Result<(), Box<dyn Error>> {
    let large = harbour(2048, 1536);
    fs::write(folder.join("harbour.jpg"), turned_jpeg(&large, 85))?;
    let small = resize(&large, 800, 600, FilterType::Triangle);
    let small = webp::Encoder::from_rgb(&small, 800, 600).encode(60.0);
    fs::write(folder.join("harbour-small.webp"), &*small)?;
    fs::write(folder.join("bomb.png"), black_png(30_000, 30_000))?;
    Ok(())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the side of a picture")]
fn picture(megapixels: f64, file: &Path) -> Result<(), Box<dyn Error>> {
    let height = (megapixels * 1e6 * 3.0 / 4.0).sqrt().round() as u32;
    let mut picture = harbour(height * 4 / 3, height);
    grain(&mut picture);
    let mut content = Vec::new();
    JpegEncoder::new_with_quality(&mut content, 92).encode_image(&picture)?;
    fs::write(file, content)?;
    Ok(())
}

/// The noise of a sensor, a few steps in every sample: without it a drawn picture compresses too well to measure with.
fn grain(picture: &mut RgbImage) {
    let mut state = 1_u32;
    for sample in picture.iter_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [.., noise] = state.to_le_bytes();
        *sample = sample.saturating_add(noise % 13).saturating_sub(6);
    }
}
