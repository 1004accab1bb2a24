//! The hashes that definitions can ask for.

use std::fmt::Write;

use sha2::Digest;

/// The hexadecimal digits of a text's hash; nothing where there is no algorithm of that name.
pub(crate) fn hexadecimal(text: &str, algorithm: &str) -> Option<String> {
    Some(match algorithm {
        "MD5" => digits(&md5::Md5::digest(text)),
        "SHA-1" => digits(&sha1::Sha1::digest(text)),
        "SHA-256" => digits(&sha2::Sha256::digest(text)),
        "SHA-384" => digits(&sha2::Sha384::digest(text)),
        "SHA-512" => digits(&sha2::Sha512::digest(text)),
        _ => return None,
    })
}

fn digits(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String can't fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
