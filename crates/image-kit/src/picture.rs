//! A picture that is ready to be written.

use std::fmt;

use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView};
use serde::{Deserialize, Serialize};

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// The width.
    pub width: u32,
    /// The height.
    pub height: u32,
}

impl Size {
    pub(crate) fn of(pixels: &DynamicImage) -> Self {
        let (width, height) = pixels.dimensions();
        Self { width, height }
    }

    /// The longer side.
    pub fn longest(self) -> u32 {
        self.width.max(self.height)
    }

    /// This size, scaled down until no side is longer than that. No side becomes nothing.
    #[must_use]
    pub fn fitted(self, longest: u32) -> Self {
        let own = u64::from(self.longest());
        if own <= u64::from(longest) {
            return self;
        }
        // Rounded to the nearest.
        let scale = |side: u32| {
            let scaled = (u64::from(side) * u64::from(longest) + own / 2) / own;
            u32::try_from(scaled).unwrap_or(longest).max(1)
        };
        Self { width: scale(self.width), height: scale(self.height) }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.width, self.height)
    }
}

/// A picture that is upright, in sRGB with eight bits for each channel, and has no metadata.
#[derive(Debug, Clone)]
pub struct Picture {
    /// RGB or RGBA.
    pixels: DynamicImage,
}

impl Picture {
    pub(crate) fn upright(mut pixels: DynamicImage, orientation: Orientation) -> Self {
        pixels.apply_orientation(orientation);
        Self { pixels }
    }

    /// Its size.
    pub fn size(&self) -> Size {
        Size::of(&self.pixels)
    }

    /// The picture scaled down until no side is longer than this. A smaller one keeps its size.
    #[must_use]
    pub fn scaled(&self, longest: u32) -> Self {
        Self { pixels: crate::scale::fit(&self.pixels, longest) }
    }

    /// Its pixels, with eight bits for each channel.
    pub fn pixels(&self) -> &DynamicImage {
        &self.pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_scaled_down_and_never_up() {
        let size = |width, height| Size { width, height };
        for (own, longest, fitted) in [
            (size(4000, 3000), 1000, size(1000, 750)),
            (size(3000, 4000), 1000, size(750, 1000)),
            (size(1000, 667), 320, size(320, 213)),
            (size(320, 200), 320, size(320, 200)),
            (size(10, 10), 320, size(10, 10)),
            (size(16_383, 1), 320, size(320, 1)),
        ] {
            assert_eq!(own.fitted(longest), fitted, "{own}");
        }
    }
}
