//! Items of a JSON text, and of lines of JSON. One item at a time is taken out of the data.

use std::{fmt, io::BufRead};

use asl::Value;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Items, ReadError, Stop, input::Data};
use asl::distributed::dataset::JsonPointer;

/// Reads the elements of the array that a file is; with a pointer, of the array or the object that is there.
///
/// An object that is the whole file is not iterated over: this was seen on the service, which allows objects with a
/// pointer only.
pub(super) fn read(data: Data, pointer: Option<&JsonPointer>, items: &mut Items) -> Result<(), Stop> {
    let mut json = serde_json::Deserializer::from_reader(data);
    let mut reading = Reading { items, stop: None, is_found: false, is_pointed: pointer.is_some() };
    let at = At { reading: &mut reading, path: pointer.map(JsonPointer::tokens).unwrap_or_default() };
    let result = at.deserialize(&mut json).and_then(|()| json.end());
    let Reading { items, stop, is_found, .. } = reading;
    match (stop, result) {
        (Some(stop), _) => Err(stop),
        (None, Err(error)) => Err(items.malformed(&error).into()),
        (None, Ok(())) if !is_found => Err(ReadError::NotIterable.into()),
        (None, Ok(())) => Ok(()),
    }
}

/// Reads an item from each line that is not blank.
pub(super) fn read_lines(mut data: Data, items: &mut Items) -> Result<(), Stop> {
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if data.read_until(b'\n', &mut line).map_err(|error| items.malformed(&error))? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let value = serde_json::from_slice(&line);
        items.push(value.map_err(|error| items.malformed(&format!("line {number}: {error}")))?)?;
    }
    Ok(())
}

struct Reading<'a> {
    items: &'a mut Items,
    /// Why reading ended in the middle.
    stop: Option<Stop>,
    /// Whether the place was there.
    is_found: bool,
    /// Whether a pointer said where to look.
    is_pointed: bool,
}

impl Reading<'_> {
    /// Ends the reading. The error itself tells nothing.
    fn end<E: serde::de::Error>(&mut self, stop: impl Into<Stop>) -> E {
        self.stop = Some(stop.into());
        E::custom("ended")
    }
}

/// A place on the way to the items.
struct At<'a, 'b> {
    reading: &'a mut Reading<'b>,
    /// The rest of the way.
    path: &'a [String],
}

impl<'de> DeserializeSeed<'de> for At<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Everything that can't be iterated over.
macro_rules! not_iterable {
    ($($visit:ident($($type:ty)?);)+) => {
        $(fn $visit<E: serde::de::Error>(self, $(_: $type)?) -> Result<(), E> {
            Err(self.reading.end(ReadError::NotIterable))
        })+
    };
}

impl<'de> Visitor<'de> for At<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or an object")
    }

    not_iterable! {
        visit_unit();
        visit_bool(bool);
        visit_i64(i64);
        visit_u64(u64);
        visit_f64(f64);
        visit_str(&str);
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Self { reading, path } = self;
        let Some((token, rest)) = path.split_first() else {
            reading.is_found = true;
            while let Some(value) = elements.next_element::<Value>()? {
                reading.items.push(value).map_err(|stop| reading.end::<A::Error>(stop))?;
            }
            return Ok(());
        };
        let wanted: Option<usize> = token.parse().ok();
        for index in 0.. {
            let found = if wanted == Some(index) {
                elements.next_element_seed(At { reading, path: rest })?
            } else {
                elements.next_element::<IgnoredAny>()?.map(|_| ())
            };
            if found.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self { reading, path } = self;
        let Some((token, rest)) = path.split_first() else {
            if !reading.is_pointed {
                return Err(reading.end(ReadError::NotIterable));
            }
            reading.is_found = true;
            while let Some((key, value)) = fields.next_entry::<String, Value>()? {
                reading.items.add(Some(key.into()), value).map_err(|stop| reading.end::<A::Error>(stop))?;
            }
            return Ok(());
        };
        while let Some(key) = fields.next_key::<String>()? {
            if key == *token {
                fields.next_value_seed(At { reading, path: rest })?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
