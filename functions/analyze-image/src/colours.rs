//! The colours that stand for all of a picture.

use std::collections::BTreeMap;
use std::fmt;

use image::RgbaImage;
use image_kit::Colour;

/// How many colours are told at most.
const COLOURS: usize = 5;

/// How often the clusters are adjusted at most. They settle long before.
const ROUNDS: usize = 50;

/// Clusters whose centres are nearer than this in `OKLab` are told as one: hardly anybody tells the two apart.
const ALIKE: f32 = 0.05;

/// What is less opaque does not count.
const OPAQUE: u8 = 128;

/// A colour in `OKLab`, where distances are as large as they look (Björn Ottosson, 2020).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Lab([f32; 3]);

/// Colours of one kind, and how many pixels they have.
#[derive(Debug, Clone, Copy)]
struct Cluster {
    centre: Lab,
    pixels: f32,
}

/// The colours that stand for all of a small picture, the one with the largest share first. None where nothing is opaque.
pub(crate) fn dominant(picture: &RgbaImage) -> Vec<Colour> {
    let points = points(picture);
    let mut clusters = settle(&points, first_centres(&points));
    clusters.sort_by(|one, other| other.pixels.total_cmp(&one.pixels));
    let all: f32 = clusters.iter().map(|cluster| cluster.pixels).sum();
    let mut told: Vec<Cluster> = Vec::new();
    for cluster in clusters {
        match told.iter_mut().find(|larger| larger.centre.distance(cluster.centre) < ALIKE) {
            Some(larger) => larger.pixels += cluster.pixels,
            None => told.push(cluster),
        }
    }
    let share = |cluster: &Cluster| (f64::from(cluster.pixels / all) * 100.0).round() / 100.0;
    told.iter().map(|cluster| Colour { rgb: cluster.centre.to_string(), share: share(cluster) }).collect()
}

/// The pixels, put together where they are nearly alike: with four bits for each channel.
fn points(picture: &RgbaImage) -> Vec<Cluster> {
    let mut sums: BTreeMap<[u8; 3], (Lab, f32)> = BTreeMap::new();
    for pixel in picture.pixels() {
        let [red, green, blue, alpha] = pixel.0;
        if alpha < OPAQUE {
            continue;
        }
        let (sum, pixels) = sums.entry([red, green, blue].map(|channel| channel >> 4)).or_insert((Lab([0.0; 3]), 0.0));
        *sum = sum.plus(Lab::of([red, green, blue]), 1.0);
        *pixels += 1.0;
    }
    sums.into_values().map(|(sum, pixels)| Cluster { centre: sum.over(pixels), pixels }).collect()
}

/// The point with the most pixels, then each time the one that is farthest from those before and has many pixels.
fn first_centres(points: &[Cluster]) -> Vec<Lab> {
    let mut centres: Vec<Lab> = Vec::new();
    while centres.len() < COLOURS {
        let worth = |point: &Cluster| {
            let nearest = centres.iter().map(|centre| point.centre.distance(*centre)).fold(1.0, f32::min);
            point.pixels * nearest * nearest
        };
        let next = points.iter().max_by(|one, other| worth(one).total_cmp(&worth(other)));
        match next.filter(|point| worth(point) > 0.0) {
            Some(point) => centres.push(point.centre),
            None => break,
        }
    }
    centres
}

/// Lloyd's algorithm: each point goes to the nearest centre, and each centre to the middle of its points.
fn settle(points: &[Cluster], mut centres: Vec<Lab>) -> Vec<Cluster> {
    let mut clusters = Vec::new();
    for _ in 0..ROUNDS {
        let mut sums = vec![(Lab([0.0; 3]), 0.0); centres.len()];
        for point in points {
            let near = |(_, centre): &(usize, &Lab)| point.centre.distance(**centre);
            let nearest = centres.iter().enumerate().min_by(|one, other| near(one).total_cmp(&near(other)));
            if let Some((sum, pixels)) = nearest.and_then(|(at, _)| sums.get_mut(at)) {
                *sum = sum.plus(point.centre, point.pixels);
                *pixels += point.pixels;
            }
        }
        sums.retain(|(_, pixels)| *pixels > 0.0);
        clusters = sums.into_iter().map(|(sum, pixels)| Cluster { centre: sum.over(pixels), pixels }).collect();
        let moved: Vec<Lab> = clusters.iter().map(|cluster| cluster.centre).collect();
        if moved == centres {
            break;
        }
        centres = moved;
    }
    clusters
}

impl Lab {
    fn of(rgb: [u8; 3]) -> Self {
        let linear = |channel: u8| {
            let value = f32::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = rgb.map(linear);
        let cone = |weights: [f32; 3]| (weights[0] * red + weights[1] * green + weights[2] * blue).cbrt();
        let long = cone([0.412_221_47, 0.536_332_55, 0.051_445_995]);
        let medium = cone([0.211_903_5, 0.680_699_5, 0.107_396_96]);
        let short = cone([0.088_302_46, 0.281_718_85, 0.629_978_7]);
        Self([
            0.210_454_26 * long + 0.793_617_8 * medium - 0.004_072_047 * short,
            1.977_998_5 * long - 2.428_592_2 * medium + 0.450_593_7 * short,
            0.025_904_037 * long + 0.782_771_77 * medium - 0.808_675_77 * short,
        ])
    }

    fn rgb(self) -> [u8; 3] {
        let Self([light, green_red, blue_yellow]) = self;
        let cone = |weights: [f32; 2]| (light + weights[0] * green_red + weights[1] * blue_yellow).powi(3);
        let long = cone([0.396_337_78, 0.215_803_76]);
        let medium = cone([-0.105_561_346, -0.063_854_17]);
        let short = cone([-0.089_484_18, -1.291_485_5]);
        let channel = |weights: [f32; 3]| {
            let linear = weights[0] * long + weights[1] * medium + weights[2] * short;
            let value = if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 255")]
            let rounded = (value.clamp(0.0, 1.0) * 255.0).round() as u8;
            rounded
        };
        [
            channel([4.076_741_7, -3.307_711_6, 0.230_969_93]),
            channel([-1.268_438, 2.609_757_4, -0.341_319_4]),
            channel([-0.004_196_086_3, -0.703_418_6, 1.707_614_7]),
        ]
    }

    fn distance(self, other: Self) -> f32 {
        let squares = self.0.iter().zip(other.0).map(|(one, other)| (one - other).powi(2));
        squares.sum::<f32>().sqrt()
    }

    fn plus(self, other: Self, weight: f32) -> Self {
        Self([0, 1, 2].map(|channel| self.0[channel] + other.0[channel] * weight))
    }

    fn over(self, count: f32) -> Self {
        Self(self.0.map(|sum| sum / count))
    }
}

impl fmt::Display for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.rgb();
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(picture: &RgbaImage) -> Vec<(String, f64)> {
        dominant(picture).into_iter().map(|colour| (colour.rgb, colour.share)).collect()
    }

    #[test]
    fn the_colours_of_a_flag_are_found_with_their_shares() {
        let flag = RgbaImage::from_fn(100, 10, |x, _| match x {
            0..60 => [0, 85, 164, 255].into(),
            60..90 => [255, 255, 255, 255].into(),
            _ => [239, 65, 53, 255].into(),
        });
        let expected = [("#0055a4", 0.6), ("#ffffff", 0.3), ("#ef4135", 0.1)];
        assert_eq!(found(&flag), expected.map(|(rgb, share)| (rgb.to_owned(), share)));
    }

    #[test]
    fn colours_that_nobody_tells_apart_are_one() {
        let noise = RgbaImage::from_fn(64, 64, |x, y| {
            let offset = u8::try_from((x * 7 + y * 13) % 5).unwrap();
            [100 + offset, 150 - offset, 90, 255].into()
        });
        assert_eq!(found(&noise).len(), 1);
    }

    #[test]
    fn many_colours_become_five() {
        let rainbow = RgbaImage::from_fn(256, 64, |x, y| {
            [u8::try_from(x).unwrap(), u8::try_from(y * 4).unwrap(), u8::try_from(255 - x).unwrap(), 255].into()
        });
        let colours = found(&rainbow);
        assert_eq!(colours.len(), COLOURS);
        let all: f64 = colours.iter().map(|(_, share)| share).sum();
        assert!((all - 1.0).abs() < 0.03, "{colours:?}");
        assert!(colours.is_sorted_by(|one, other| one.1 >= other.1), "{colours:?}");
    }

    #[test]
    fn what_is_transparent_does_not_count() {
        let half = RgbaImage::from_fn(10, 10, |x, _| [255, 0, 0, if x < 5 { 0 } else { 255 }].into());
        assert_eq!(found(&half), [("#ff0000".to_owned(), 1.0)]);
        assert_eq!(found(&RgbaImage::new(10, 10)), []);
    }

    #[test]
    fn a_colour_survives_the_way_to_oklab_and_back() {
        for rgb in [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [12, 200, 99], [128, 128, 128]] {
            assert_eq!(Lab::of(rgb).rgb(), rgb);
        }
    }
}
