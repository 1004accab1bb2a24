//! What the Lambda functions of the Images workflow share: pictures that are read within limits, and what is made of them.
//!
//! - [`Store`] reads a picture's file, the one that was found and no other, and writes what is made of it.
//! - [`Stored::decode`] makes pixels of a file. Its size is looked at before, in the file's own header. Every way in which a
//!   file can be no picture is a [`PictureError`] with a name.
//! - [`Picture`] is upright, in sRGB, and without metadata. It is scaled, and [`encode`](Picture::encode)d as a [`Target`].
//! - [`Fingerprint`] tells pictures that look alike.
//! - [`Analysis`] is what is found in a picture.
//! - `testing`, a feature, has pictures to test with.
//! - [`compute`] does such work beside the calls of the function, and ends in time.

mod analysis;
mod colour;
mod compute;
mod decode;
mod encode;
mod error;
mod fingerprint;
mod format;
pub mod limits;
mod picture;
mod scale;
mod store;
#[cfg(any(test, feature = "testing"))]
#[expect(clippy::expect_used, reason = "what fails here fails the test that uses it")]
pub mod testing;
#[cfg(test)]
mod tests;
mod whole;

pub use analysis::{Analysis, Colour, NearDuplicate};
pub use compute::compute;
pub use decode::Stored;
pub use encode::Target;
pub use error::{Error, PictureError};
pub use fingerprint::{Fingerprint, NotAFingerprint};
pub use format::Format;
pub use picture::{Picture, Size};
pub use store::{Object, Pictures, Store, Written};
