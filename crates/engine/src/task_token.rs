//! Task tokens: what a callback says to name the task that it ends.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// How many bytes of a token are random; the others tell that it is one.
const RANDOM: usize = 16;

/// The token that these random bytes make.
pub fn make(random: [u8; RANDOM]) -> String {
    STANDARD.encode([&random[..], &Sha256::digest(random)[..]].concat())
}

/// Whether a text is a token that [`make`] made, for a task that waits or is over.
pub fn is_one(text: &str) -> bool {
    let Ok(bytes) = STANDARD.decode(text) else { return false };
    bytes.split_at_checked(RANDOM).is_some_and(|(random, check)| *check == Sha256::digest(random)[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_from_another_text() {
        let token = make([1; RANDOM]);
        assert!(is_one(&token));
        assert_ne!(token, make([2; RANDOM]));
        for other in ["", "AAAA", "no base64!", &token[1..], &token.replace('A', "B")] {
            assert!(!is_one(other), "{other}");
        }
    }
}
