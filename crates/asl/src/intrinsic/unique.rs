//! `States.ArrayUnique`, whose order is that of a hash set of Java's: by the places of the hashes in its table.

use std::collections::HashMap;

use crate::value::{Number, Value};

/// The places of the smallest table.
const PLACES: usize = 16;

/// Every value once, in the table's order: `true` stands behind `false`, and small numbers are sorted.
pub(super) fn unique(values: &[Value]) -> Vec<Value> {
    let mut seen: HashMap<i32, Vec<&Value>> = HashMap::new();
    let mut unique = Vec::new();
    for value in values {
        let hash = hash(value);
        let alike = seen.entry(hash).or_default();
        if !alike.contains(&value) {
            alike.push(value);
            unique.push((hash.cast_unsigned(), value));
        }
    }
    let mut places = PLACES;
    while unique.len() > places / 4 * 3 {
        places *= 2;
    }
    // Those of one place keep the order they came in.
    unique.sort_by_key(|(hash, _)| (hash ^ (hash >> 16)) as usize & (places - 1));
    unique.into_iter().map(|(_, value)| value.clone()).collect()
}

/// The hash code that Java gives the value.
fn hash(value: &Value) -> i32 {
    match value {
        Value::Null => 0,
        Value::Bool(true) => 1231,
        Value::Bool(false) => 1237,
        Value::Number(number) => number_hash(number),
        Value::String(text) => text_hash(text),
        Value::Array(items) => chained(1, items.iter().map(hash)),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| text_hash(name) ^ hash(value)).fold(0, i32::wrapping_add)
        }
    }
}

fn number_hash(number: &Number) -> i32 {
    if let Some(number) = number.as_i64() {
        return i32::try_from(number).unwrap_or_else(|_| folded(number.cast_unsigned()));
    }
    number.as_f64().map_or(0, |number| folded(number.to_bits()))
}

/// Both halves of 64 bits in one.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
fn folded(bits: u64) -> i32 {
    ((bits ^ (bits >> 32)) as u32).cast_signed()
}

fn text_hash(text: &str) -> i32 {
    chained(0, text.encode_utf16().map(i32::from))
}

fn chained(first: i32, hashes: impl Iterator<Item = i32>) -> i32 {
    hashes.fold(first, |sum, hash| sum.wrapping_mul(31).wrapping_add(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_table() {
        for (values, expected) in [
            ("[4,3,3,1]", "[1,3,4]"),
            ("[true,false,true]", "[false,true]"),
            (r#"[1,"1",1,"01",null]"#, r#"[null,1,"1","01"]"#),
            ("[[1,2],[1,2],[2,1]]", "[[2,1],[1,2]]"),
            (r#"[{"a":1,"b":2},{"b":2,"a":1}]"#, r#"[{"a":1,"b":2}]"#),
            ("[1,1.0,17,16]", "[1.0,16,1,17]"),
            ("[17,16,1,2,3,4,5,6,7,8,9,10,11]", "[1,2,3,4,5,6,7,8,9,10,11,16,17]"),
            ("[]", "[]"),
        ] {
            let values = Value::parse(values).unwrap();
            assert_eq!(Value::from(unique(values.as_array().unwrap())).to_string(), expected);
        }
    }

    #[test]
    fn hashes_are_those_of_java() {
        for (value, expected) in [
            ("1.1", -1_503_133_693),
            ("4294967296", 1),
            ("-1", -1),
            (r#""polygenelubricants""#, i32::MIN),
            ("[]", 1),
            (r#"{"a":1}"#, 96),
        ] {
            assert_eq!(hash(&Value::parse(value).unwrap()), expected, "{value}");
        }
    }
}
