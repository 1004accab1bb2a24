//! The resolutions of the settings.

use std::str::FromStr;

use image_kit::limits::MAX_SIDE;

/// Longer sides in pixels: at least one, each once, the largest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolutions(Vec<u32>);

/// A text that names no [`Resolutions`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no number of pixels from 1 to {MAX_SIDE}")]
pub struct NotResolutions(String);

impl Resolutions {
    /// Those that a picture whose longer side this is is scaled to, the largest first.
    pub(crate) fn below(&self, longest: u32) -> impl Iterator<Item = u32> {
        let smallest = self.0.last().copied();
        self.0.iter().copied().filter(move |resolution| *resolution < longest || Some(*resolution) == smallest)
    }
}

impl Default for Resolutions {
    fn default() -> Self {
        Self(vec![1920, 1280, 640, 320])
    }
}

impl FromStr for Resolutions {
    type Err = NotResolutions;

    fn from_str(text: &str) -> Result<Self, NotResolutions> {
        let read = |part: &str| match part.trim().parse() {
            Ok(pixels) if (1..=MAX_SIDE).contains(&pixels) => Ok(pixels),
            _ => Err(NotResolutions(part.to_owned())),
        };
        let mut resolutions = text.split(',').map(read).collect::<Result<Vec<u32>, _>>()?;
        resolutions.sort_unstable_by(|one, other| other.cmp(one));
        resolutions.dedup();
        Ok(Self(resolutions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_are_read() {
        let resolutions: Resolutions = "100, 300,200,100".parse().unwrap();
        assert_eq!(resolutions, Resolutions(vec![300, 200, 100]));
        for bad in ["", "0", "16384", "100,", "a", "-1", "1.5"] {
            assert!(bad.parse::<Resolutions>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_picture_is_never_scaled_up() {
        let resolutions: Resolutions = "100,200,300".parse().unwrap();
        for (longest, below) in
            [(301, vec![300, 200, 100]), (300, vec![200, 100]), (101, vec![100]), (100, vec![100]), (5, vec![100])]
        {
            assert_eq!(resolutions.below(longest).collect::<Vec<_>>(), below, "{longest}");
        }
    }
}
