//! Pictures that are drawn, and so nobody's.

use std::f32::consts::TAU;
use std::io::Write;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageEncoder, RgbImage};

/// A harbour at dawn: hills, the sun, boats on the sea. The same in every size, but for the detail.
pub fn harbour(width: u32, height: u32) -> RgbImage {
    #[expect(clippy::cast_precision_loss, reason = "sides of pictures")]
    let at = |side: u32, length: u32| side as f32 / length as f32;
    RgbImage::from_fn(width, height, |x, y| colour(at(x, width), at(y, height)).into())
}

/// The colour at a place, both from 0 to 1.
fn colour(x: f32, y: f32) -> [u8; 3] {
    let horizon = 0.52;
    let ridge = horizon - 0.10 - 0.06 * wave(x, 1.3, 0.1) - 0.03 * wave(x, 3.7, 0.6) - 0.008 * wave(x, 17.0, 0.3);
    let sun = ((x - 0.68).powi(2) * 1.8 + (y - 0.30).powi(2)).sqrt();
    let land = if sun < 0.06 {
        [255.0, 236.0, 186.0]
    } else if y < ridge {
        let glow = (1.0 - sun * 2.2).max(0.0);
        mix(mix([44.0, 82.0, 140.0], [242.0, 176.0, 132.0], y / horizon), [255.0, 222.0, 160.0], glow)
    } else if y < horizon {
        let trees = 14.0 * grain(x * 90.0, y * 90.0);
        [46.0 + trees, 66.0 + trees, 70.0 + trees * 0.6]
    } else {
        let depth = (y - horizon) / (1.0 - horizon);
        let ripple = wave(x + 0.05 * wave(y, 9.0, 0.2), 8.0 + 60.0 * (1.0 - depth), depth * 40.0);
        let path = (1.0 - (x - 0.68).abs() * 5.0).max(0.0) * (0.55 + 0.45 * ripple);
        let sea = mix([150.0, 140.0, 150.0], [20.0, 52.0, 88.0], depth.sqrt());
        mix(sea.map(|channel| channel + 12.0 * ripple), [255.0, 214.0, 150.0], path * (1.0 - depth) * 0.9)
    };
    let land = boats().into_iter().fold(land, |behind, boat| boat.over(behind, x, y));
    // The grain of a film, for what is compressed to be something.
    let film = 5.0 * (grain(x * 1400.0, y * 1400.0) - 0.5);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 255")]
    let byte = |channel: f32| (channel + film).clamp(0.0, 255.0).round() as u8;
    land.map(byte)
}

/// A boat: a hull and a sail.
struct Boat {
    x: f32,
    y: f32,
    size: f32,
    sail: [f32; 3],
}

fn boats() -> [Boat; 3] {
    [
        Boat { x: 0.22, y: 0.60, size: 0.07, sail: [232.0, 226.0, 214.0] },
        Boat { x: 0.43, y: 0.78, size: 0.15, sail: [196.0, 62.0, 48.0] },
        Boat { x: 0.86, y: 0.66, size: 0.09, sail: [240.0, 204.0, 92.0] },
    ]
}

impl Boat {
    fn over(&self, behind: [f32; 3], x: f32, y: f32) -> [f32; 3] {
        let (across, down) = ((x - self.x) / self.size, (y - self.y) / self.size);
        if (0.0..0.18).contains(&down) && across.abs() < 0.5 - down {
            [58.0, 40.0, 34.0]
        } else if (-1.3..-0.05).contains(&down) && across > -0.05 && across < (down + 1.3) * 0.36 - 0.04 {
            self.sail
        } else {
            behind
        }
    }
}

fn wave(at: f32, frequency: f32, phase: f32) -> f32 {
    (TAU * (at * frequency + phase)).sin()
}

fn mix(one: [f32; 3], other: [f32; 3], share: f32) -> [f32; 3] {
    let share = share.clamp(0.0, 1.0);
    [0, 1, 2].map(|channel| one[channel] + (other[channel] - one[channel]) * share)
}

/// Smooth noise from 0 to 1: random at whole numbers, and in between what lies between.
fn grain(x: f32, y: f32) -> f32 {
    let corner = |dx: f32, dy: f32| {
        #[expect(clippy::cast_possible_truncation, reason = "a few thousand at most")]
        let (x, y) = ((x + dx).floor() as i32, (y + dy).floor() as i32);
        let mut bits = x.cast_unsigned().wrapping_mul(0x9e37_79b9) ^ y.cast_unsigned().wrapping_mul(0x85eb_ca6b);
        bits ^= bits >> 15;
        bits = bits.wrapping_mul(0x2c1b_3c6d);
        bits ^= bits >> 12;
        f32::from((bits & 0xffff) as u16) / f32::from(u16::MAX)
    };
    let (right, down) = (x - x.floor(), y - y.floor());
    let top = corner(0.0, 0.0) * (1.0 - right) + corner(1.0, 0.0) * right;
    let bottom = corner(0.0, 1.0) * (1.0 - right) + corner(1.0, 1.0) * right;
    top * (1.0 - down) + bottom * down
}

/// A JPEG file as a camera writes it that was held on its side: turned by 90°, with EXIF data that say so, and who made it.
///
/// # Panics
///
/// When the picture has a side of more than 65,535 pixels.
pub fn turned_jpeg(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut stored = DynamicImage::ImageRgb8(picture.clone());
    stored.apply_orientation(Orientation::Rotate270);
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
    encoder.set_exif_metadata(exif()).expect("JPEG has EXIF data");
    stored.write_with_encoder(encoder).expect("a picture that can be written");
    file
}

/// EXIF data: the orientation 6 (to be shown turned by 90°), and a maker.
fn exif() -> Vec<u8> {
    let maker = b"Stairwell Optics\0";
    let mut exif = b"II*\0\x08\0\0\0\x02\0".to_vec();
    // 0x010f Make: text, its length, its place behind the entries. 0x0112 Orientation: one short number.
    exif.extend_from_slice(b"\x0f\x01\x02\0\x11\0\0\0\x26\0\0\0");
    exif.extend_from_slice(b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0");
    exif.extend_from_slice(&[0; 4]);
    exif.extend_from_slice(maker);
    exif
}

/// A PNG file that is small, and as a picture large: black, with a bit for each pixel.
///
/// # Panics
///
/// When a side is 0.
pub fn black_png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("a header");
    let mut pixels = writer.stream_writer().expect("a file without pixels yet");
    let row = vec![0; width.div_ceil(8) as usize];
    (0..height).for_each(|_| pixels.write_all(&row).expect("a row"));
    pixels.finish().expect("all rows");
    writer.finish().expect("an end");
    file
}
