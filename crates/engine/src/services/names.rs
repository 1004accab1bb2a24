//! What Step Functions calls the parts of a service: members, errors.
//!
//! SDK integrations have the names of the AWS SDK for Java 2, which writes acronyms at the beginning of a name as words
//! (`DbInstanceIdentifier` for `DBInstanceIdentifier`). Optimised integrations have the service's own names. Both begin with
//! a capital letter.

/// How an integration writes names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `aws-sdk:…`
    Sdk,
    /// An optimised integration.
    Optimised,
}

impl Style {
    /// The name of a member: `SSEKMSKeyId` is `SsekmsKeyId` in an SDK integration, and itself in an optimised one.
    pub fn member(self, name: &str) -> String {
        let leading = match self {
            // A word of Java can't be a method there.
            Self::Sdk if name == "NULL" => return "Nul".to_owned(),
            Self::Sdk => leading_capitals(name),
            Self::Optimised => 0,
        };
        let letters = name.chars().enumerate().map(|(index, letter)| match index {
            0 => letter.to_ascii_uppercase(),
            _ if index < leading => letter.to_ascii_lowercase(),
            _ => letter,
        });
        letters.collect()
    }
}

/// How many letters at the beginning are one word: a capital that a small letter follows begins the next one.
fn leading_capitals(name: &str) -> usize {
    let letters: Vec<char> = name.chars().collect();
    let is_upper = |index: usize| letters.get(index).is_some_and(|letter| letter.is_ascii_uppercase());
    let is_lower = |index: usize| letters.get(index).is_some_and(|letter| letter.is_ascii_lowercase());
    (1..letters.len()).find(|index| !is_upper(*index) || is_lower(index + 1)).unwrap_or(letters.len())
}

/// The class of an error's shape in the AWS SDK for Java 2: `NoSuchKeyException` for `NoSuchKey`, `KmsDisabledException` for
/// `KMSDisabledException`.
pub fn exception(shape: &str) -> String {
    let base = ["Exception", "Fault"].into_iter().find_map(|ending| shape.strip_suffix(ending)).unwrap_or(shape);
    let capitalized = words(base).into_iter().map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect::<String>()
    });
    format!("{}Exception", capitalized.collect::<String>())
}

/// The words of a name in camel case. An acronym is a word, and so is what follows a digit.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (index, letter) in letters.iter().copied().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before)).copied().unwrap_or(letter);
        let is_before_small = letters.get(index + 1).is_some_and(|next| next.is_ascii_lowercase());
        let begins = letter.is_ascii_uppercase()
            && (before.is_ascii_lowercase() || (before.is_ascii_uppercase() && is_before_small))
            || letter.is_ascii_alphabetic() && before.is_ascii_digit();
        if !letter.is_ascii_alphanumeric() || begins {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        if letter.is_ascii_alphanumeric() {
            word.push(letter);
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_the_names_of_their_integration() {
        for (name, sdk, optimised) in [
            ("stateMachineArn", "StateMachineArn", "StateMachineArn"),
            ("Bucket", "Bucket", "Bucket"),
            ("ETag", "ETag", "ETag"),
            ("ChecksumCRC32", "ChecksumCRC32", "ChecksumCRC32"),
            ("DBInstanceIdentifier", "DbInstanceIdentifier", "DBInstanceIdentifier"),
            ("MD5OfMessageBody", "Md5OfMessageBody", "MD5OfMessageBody"),
            ("ACL", "Acl", "ACL"),
            ("S", "S", "S"),
            ("SS", "Ss", "SS"),
            ("BOOL", "Bool", "BOOL"),
            ("NULL", "Nul", "NULL"),
        ] {
            assert_eq!((&*Style::Sdk.member(name), &*Style::Optimised.member(name)), (sdk, optimised));
        }
    }

    #[test]
    fn errors_have_the_names_of_their_classes() {
        for (shape, expected) in [
            ("NoSuchKey", "NoSuchKeyException"),
            ("InvalidToken", "InvalidTokenException"),
            ("ResourceNotFoundException", "ResourceNotFoundException"),
            ("KMSDisabledException", "KmsDisabledException"),
            ("EC2ThrottledException", "Ec2ThrottledException"),
            ("DBInstanceNotFoundFault", "DbInstanceNotFoundException"),
            ("QueueDoesNotExist", "QueueDoesNotExistException"),
        ] {
            assert_eq!(exception(shape), expected);
        }
    }
}
