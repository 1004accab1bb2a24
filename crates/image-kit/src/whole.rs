//! Whether a file has its end.
//!
//! Decoders are lenient where they can be: of a JPEG file that stops in the middle the rest becomes grey, and that is a success.

use crate::Format;

/// Whether the file goes on to where it says it ends. PNG and GIF need no look: their decoders are strict.
pub(crate) fn has_its_end(format: Format, content: &[u8]) -> bool {
    match format {
        Format::Jpeg => jpeg(content),
        Format::WebP => riff(content),
        Format::Png | Format::Gif => true,
    }
}

/// Follows the markers of a JPEG file, segment by segment, to the end of the image. What comes behind is of no interest:
/// cameras append previews and films.
fn jpeg(content: &[u8]) -> bool {
    const STUFFED: u8 = 0x00;
    const FILL: u8 = 0xff;
    let mut rest = content.get(2..).unwrap_or_default();
    while let Some(at) = memchr::memchr(0xff, rest) {
        let Some((marker, after)) = rest[at + 1..].split_first() else { return false };
        rest = match marker {
            // TEM and the restart markers stand alone, and a byte 0xff of the data has a zero behind it.
            &STUFFED | 0x01 | 0xd0..=0xd7 => after,
            &FILL => &rest[at + 1..],
            0xd9 => return true,
            // A segment: its length counts its own two bytes.
            _ => {
                let length = match after {
                    [high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
                    _ => return false,
                };
                after.get(length..).unwrap_or_default()
            }
        };
    }
    false
}

/// Whether the file is as long as its RIFF header says.
fn riff(content: &[u8]) -> bool {
    let Some((b"RIFF", rest)) = content.split_first_chunk() else { return false };
    let Some((length, rest)) = rest.split_first_chunk() else { return false };
    u32::from_le_bytes(*length) as usize <= rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_jpeg_file_is_not_taken_from_inside_a_segment() {
        // A segment with an end marker in it, a scan with a stuffed byte, a restart and fill bytes, then the end.
        let whole =
            b"\xff\xd8\xff\xe1\x00\x06\xff\xd8\xff\xd9\xff\xda\x00\x03\x01\x12\xff\x00\x34\xff\xd0\x56\xff\xff\xd9";
        assert!(jpeg(whole));
        assert!(jpeg(&[whole.as_slice(), b"a film"].concat()));
        for end in 0..whole.len() {
            assert!(!jpeg(&whole[..end]), "{end}");
        }
    }

    #[test]
    fn a_riff_file_has_the_length_that_it_says() {
        let whole = b"RIFF\x04\0\0\0WEBP";
        assert!(riff(whole));
        for end in 0..whole.len() {
            assert!(!riff(&whole[..end]), "{end}");
        }
    }
}
