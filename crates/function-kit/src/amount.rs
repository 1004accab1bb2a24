//! Numbers that come from outside.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Number;

const LARGEST: f64 = 1e15;
const SMALLEST: f64 = 1e-15;

/// A score or a time: zero, or a number whose size is from 10^-15 to 10^15.
///
/// It keeps its value, not its spelling: `1e2` is written as `100.0` and `1.10` as `1.1`, in a form that DynamoDB takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Number", into = "Number")]
pub struct Amount(Number);

/// A number that is no [`Amount`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is too large or too close to zero: 10^15 and 10^-15 are the limits")]
pub struct NotAnAmount(Number);

impl Amount {
    /// The number, to 15 digits.
    pub fn as_f64(&self) -> f64 {
        self.0.as_f64().unwrap_or_default()
    }
}

impl TryFrom<Number> for Amount {
    type Error = NotAnAmount;

    fn try_from(number: Number) -> Result<Self, NotAnAmount> {
        match number.as_f64().map(f64::abs) {
            Some(size) if size == 0.0 || (SMALLEST..=LARGEST).contains(&size) => Ok(Self(number)),
            _ => Err(NotAnAmount(number)),
        }
    }
}

impl From<Amount> for Number {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_from_other_numbers() {
        for good in ["0", "-3", "9885983982", "10.5", "0.0", "1000000000000000"] {
            let amount: Amount = serde_json::from_str(good).unwrap();
            assert_eq!(amount.to_string(), good);
        }
        for (read, written) in [("1e2", "100.0"), ("1.10", "1.1")] {
            assert_eq!(serde_json::from_str::<Amount>(read).unwrap().to_string(), written);
        }
        for bad in ["1e300", "-1e16", "1e-200", "18446744073709551615", "\"3\"", "null"] {
            assert!(serde_json::from_str::<Amount>(bad).is_err(), "{bad}");
        }
    }
}
