//! From files to files.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, GrayImage, ImageEncoder, ImageFormat, Rgb, RgbImage, RgbaImage};
use moxcms::ColorProfile;

use crate::testing::{black_png, harbour, turned_jpeg};
use crate::{Fingerprint, Format, Picture, PictureError, Size, Stored, Target};

const SIZE: Size = Size { width: 320, height: 240 };

fn picture() -> RgbImage {
    harbour(SIZE.width, SIZE.height)
}

/// The picture as a file of each format that is read.
fn files() -> [(&'static str, Vec<u8>); 4] {
    let picture = DynamicImage::ImageRgb8(picture());
    let written = |format| {
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, format).unwrap();
        file.into_inner()
    };
    let mut gif = Vec::new();
    GifEncoder::new(&mut gif).encode(picture.as_bytes(), SIZE.width, SIZE.height, picture.color().into()).unwrap();
    [
        ("a.jpg", written(ImageFormat::Jpeg)),
        ("a.png", written(ImageFormat::Png)),
        ("a.webp", written(ImageFormat::WebP)),
        ("a.gif", gif),
    ]
}

fn png(pixels: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    pixels.into().write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

fn decoded(key: &str, file: &[u8]) -> Picture {
    Stored::decode(key, file).unwrap().into_picture()
}

fn failure(key: &str, file: &[u8]) -> PictureError {
    Stored::decode(key, file).unwrap_err()
}

fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    picture.pixels().to_rgb8().get_pixel(x, y).0
}

/// How much two pictures differ on average, in steps of 255.
fn difference(one: &Picture, other: &Picture) -> f64 {
    let (one, other) = (one.pixels().to_rgb8(), other.pixels().to_rgb8());
    assert_eq!(one.dimensions(), other.dimensions());
    let sum: u64 = one.iter().zip(other.iter()).map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
    #[expect(clippy::cast_precision_loss, reason = "a small picture")]
    let mean = sum as f64 / one.len() as f64;
    mean
}

#[test]
fn every_format_is_read_and_written() {
    let original = decoded("a.png", &png(picture()));
    for (key, file) in files() {
        let stored = Stored::decode(key, &file).unwrap();
        assert_eq!(stored.format().extension(), key.trim_start_matches("a."));
        assert_eq!((stored.size(), stored.is_turned()), (SIZE, false), "{key}");
        let read = stored.into_picture();
        for target in Target::ALL {
            let written = read.encode(target).unwrap();
            let again = decoded(&format!("b.{}", target.format().extension()), &written);
            assert_eq!(again.size(), SIZE);
            let differs = difference(&original, &again);
            assert!(differs < 8.0, "{key} as {target:?}: {differs}");
        }
    }
}

#[test]
fn a_picture_is_upright_and_keeps_no_metadata() {
    let file = turned_jpeg(&picture(), 95);
    let has = |file: &[u8], text: &[u8]| file.windows(text.len()).any(|window| window == text);
    assert!(has(&file, b"Exif") && has(&file, b"Stairwell Optics"));
    let stored = Stored::decode("a.jpg", &file).unwrap();
    assert_eq!((stored.size(), stored.is_turned()), (SIZE, true));
    let small = stored.scaled(160);
    assert_eq!(small.size(), Size { width: 160, height: 120 });
    let whole = stored.into_picture();
    let original = decoded("a.png", &png(picture()));
    assert!(difference(&original, &whole) < 4.0);
    // Scaled and then turned is turned and then scaled.
    assert!(difference(&original.scaled(160), &small) < 4.0);
    for target in Target::ALL {
        let written = whole.encode(target).unwrap();
        assert!(!has(&written, b"Exif") && !has(&written, b"Stairwell"), "{target:?}");
    }
}

#[test]
fn colours_of_a_profile_become_srgb() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let with_profile = |colour: [u8; 3], profile: Vec<u8>| {
        let pixels = RgbImage::from_pixel(8, 8, Rgb(colour));
        let mut file = Vec::new();
        let mut encoder = PngEncoder::new(&mut file);
        encoder.set_icc_profile(profile).unwrap();
        encoder.write_image(pixels.as_raw(), 8, 8, image::ExtendedColorType::Rgb8).unwrap();
        file
    };
    // By the matrices of the two colour spaces.
    for (p3, srgb) in [([180, 120, 60], [190, 117, 45]), ([90, 160, 200], [61, 162, 204]), ([128; 3], [128; 3])] {
        let file = with_profile(p3, profile.clone());
        let stored = Stored::decode("a.png", &file).unwrap();
        for found in [pixel(&stored.scaled(4), 1, 1), pixel(&stored.into_picture(), 3, 3)] {
            let near = found.iter().zip(srgb).all(|(found, expected): (&u8, u8)| found.abs_diff(expected) <= 2);
            assert!(near, "{p3:?}: {found:?} {srgb:?}");
        }
    }
    // One that can't be read, and one for another kind of colours, are left aside.
    let damaged = b"not a profile".to_vec();
    let grey = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
    for other in [damaged, grey] {
        assert_eq!(pixel(&decoded("a.png", &with_profile([180, 120, 60], other)), 1, 1), [180, 120, 60]);
    }
}

#[test]
fn what_is_not_opaque_lies_on_white_where_it_must() {
    let pixels = RgbaImage::from_fn(32, 32, |x, _| [255, 0, 0, if x < 16 { 0 } else { 255 }].into());
    let picture = decoded("a.png", &png(pixels));
    for (target, left) in [(Target::Jpeg, [255; 4]), (Target::Png, [255, 0, 0, 0]), (Target::WebP, [0; 4])] {
        let written = picture.encode(target).unwrap();
        let again = decoded(&format!("a.{}", target.format().extension()), &written).pixels().to_rgba8();
        let near = |one: [u8; 4], other: [u8; 4]| one.iter().zip(other).all(|(one, other)| one.abs_diff(other) < 12);
        let [found, right] = [again.get_pixel(4, 9).0, again.get_pixel(28, 9).0];
        // What cannot be seen has any colour.
        let same = if left[3] == 0 { found[3] == 0 } else { near(found, left) };
        assert!(same && near(right, [255, 0, 0, 255]), "{target:?}: {found:?} {right:?}");
    }
    let opaque = RgbaImage::from_pixel(4, 4, [1, 2, 3, 255].into());
    assert!(!decoded("a.png", &png(opaque)).pixels().color().has_alpha());
}

#[test]
fn other_kinds_of_pixels_are_read() {
    let grey = GrayImage::from_pixel(9, 5, [77].into());
    let deep = DynamicImage::ImageRgb8(RgbImage::from_pixel(9, 5, Rgb([77; 3])));
    for file in [png(grey), png(deep.to_rgb16()), png(deep.to_rgba16()), png(deep.to_luma_alpha8())] {
        let picture = decoded("a.png", &file);
        assert_eq!((picture.size(), pixel(&picture, 8, 4)), (Size { width: 9, height: 5 }, [77; 3]));
    }
}

#[test]
fn the_name_must_say_what_the_content_is() {
    let [(_, jpeg), (_, png), ..] = files();
    for key in ["a.jpg", "a.JPEG", "folder.png/a.b.jpg"] {
        assert_eq!(Format::of(key, &jpeg).unwrap(), Format::Jpeg, "{key}");
    }
    for key in ["a.png", "a", "jpg", "a.jpg/b", "a.jpg.exe", ".jpg/"] {
        assert_eq!(failure(key, &jpeg).name(), "WrongExtension", "{key}");
    }
    let error = failure("photos/a.jpg", &png).to_string();
    assert_eq!(error, "a.jpg is a PNG picture by its content; such a name ends in .png");
    for (content, said) in [
        (b"This is no picture.".as_slice(), "what is no picture can't be read"),
        (b"II*\0\x08\0\0\0", "Tiff can't be read"),
        (b"\xff\xd8", "what is no picture can't be read"),
    ] {
        let error = failure("a.jpg", content);
        assert_eq!(error.name(), "UnsupportedFormat");
        assert!(error.to_string().starts_with(said), "{error}");
    }
    assert_eq!(failure("a.jpg", b"").name(), "EmptyFile");
}

/// A PNG file that has a header and the first few bytes of its pixels.
fn png_header(width: u32, height: u32, color: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_chunk(png::chunk::IDAT, b"x\x9c").unwrap();
    file
}

#[test]
fn a_picture_that_is_too_large_is_not_decoded() {
    use png::{BitDepth, ColorType};
    let [(_, mut jpeg), _, _, (_, mut gif)] = files();
    let sides = jpeg.windows(2).position(|marker| marker == b"\xff\xc0").unwrap() + 5;
    jpeg[sides..sides + 4].copy_from_slice(&[0xff; 4]);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    for (key, file) in [
        ("a.png", black_png(20_000, 20_000)),
        ("wide.png", png_header(16_384, 1, ColorType::Grayscale, BitDepth::One)),
        ("high.png", png_header(1, 20_000, ColorType::Rgb, BitDepth::Eight)),
        ("many.png", png_header(8001, 8000, ColorType::Rgb, BitDepth::Eight)),
        ("deep.png", png_header(7000, 7000, ColorType::Rgba, BitDepth::Sixteen)),
        ("a.jpg", jpeg),
        ("a.gif", gif),
    ] {
        let error = failure(key, &file);
        assert_eq!(error.name(), "PictureTooLarge", "{key}: {error}");
    }
}

#[test]
fn a_picture_with_transparency_may_have_half_as_many_pixels() {
    let one_colour = |transparency: &[u8]| {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 6400, 5001);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::One);
        encoder.set_palette(vec![9, 9, 9]);
        encoder.set_trns(transparency.to_vec());
        encoder.write_header().unwrap().write_image_data(&vec![0; 6400 / 8 * 5001]).unwrap();
        file
    };
    let error = failure("a.png", &one_colour(&[0]));
    assert_eq!(error.name(), "PictureTooLarge");
    assert!(error.to_string().contains("with transparency"), "{error}");
    // A channel that is opaque everywhere is none.
    assert!(!decoded("a.png", &one_colour(&[255])).pixels().color().has_alpha());
}

#[test]
fn a_file_that_is_cut_off_is_truncated() {
    for (key, file) in files() {
        // The end of a PNG or GIF file has no pixels.
        for length in (64..file.len() - 16).step_by(file.len() / 50) {
            let error = failure(key, &file[..length]);
            assert_eq!(error.name(), "TruncatedFile", "{key} at {length} of {}: {error}", file.len());
        }
    }
}

#[test]
fn a_file_that_is_damaged_is_an_error_or_another_picture() {
    let mut corrupt = 0;
    for (key, file) in files() {
        for at in (0..file.len()).step_by(file.len() / 100) {
            let mut damaged = file.clone();
            for byte in damaged.iter_mut().skip(at).take(3) {
                *byte = byte.wrapping_mul(31).wrapping_add(113);
            }
            if let Err(error) = Stored::decode(key, &damaged) {
                corrupt += usize::from(error.name() == "CorruptFile");
            }
        }
    }
    assert!(corrupt > 50, "{corrupt}");
}

#[test]
fn pictures_that_look_alike_have_hashes_that_are_near() {
    let original = decoded("a.png", &png(harbour(640, 480)));
    let hash = Fingerprint::of(&original);
    let mut rough = Vec::new();
    JpegEncoder::new_with_quality(&mut rough, 20).encode_image(original.pixels()).unwrap();
    let mut lossless = Vec::new();
    original.pixels().write_with_encoder(WebPEncoder::new_lossless(&mut lossless)).unwrap();
    let brighter = DynamicImage::ImageRgb8(original.pixels().brighten(20).to_rgb8());
    for (other, most) in [
        (decoded("a.webp", &lossless), 0),
        (original.scaled(100), 5),
        (decoded("a.jpg", &rough), 5),
        (decoded("a.png", &png(brighter)), 5),
    ] {
        let distance = hash.distance(Fingerprint::of(&other));
        assert!(distance <= most, "{distance} > {most}");
    }
    let mirrored = decoded("a.png", &png(original.pixels().fliph().to_rgb8()));
    assert!(hash.distance(Fingerprint::of(&mirrored)) > 16);
    assert_eq!(hash.to_string().parse(), Ok(hash));
    for bad in ["", "1", "+123456789abcdef", "0123456789abcdefg", "0123456789abcdeg"] {
        assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
    }
}

#[test]
fn a_plain_picture_has_one_hash_whatever_the_format() {
    for colour in [[0; 3], [128, 60, 200], [255; 3]] {
        let picture = decoded("a.png", &png(RgbImage::from_pixel(300, 200, Rgb(colour))));
        let hash = Fingerprint::of(&picture);
        for target in Target::ALL {
            let file = picture.encode(target).unwrap();
            let again = decoded(&format!("a.{}", target.format().extension()), &file);
            assert_eq!(Fingerprint::of(&again), hash, "{colour:?} as {target:?}");
        }
    }
}
