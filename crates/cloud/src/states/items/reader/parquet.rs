//! Rows of a Parquet file.

use std::panic::{AssertUnwindSafe, catch_unwind};

use asl::{Value, value::Object};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use parquet::{
    errors::ParquetError,
    file::reader::{FileReader as _, SerializedFileReader},
    record::{Field, Row},
};
use serde_json::Number;
use time::{Date, Duration, OffsetDateTime, Time, macros::format_description};

use super::{Items, ReadError, Stop, input::Data};

/// Reads the rows of a file: an object for each, with the names of the columns.
///
/// What JSON has no type for becomes a string: dates and times as in ISO 8601, decimals as they are written, bytes in
/// base64.
pub(super) fn read(data: Data, items: &mut Items) -> Result<(), Stop> {
    let meter = data.meter();
    let whole = Bytes::from(data.whole().map_err(|error| items.malformed(&error))?);
    let most = usize::try_from(super::MAX_BYTES).unwrap_or(usize::MAX);
    let read = |items: &mut Items| {
        let file = SerializedFileReader::new(whole).map_err(|error| items.malformed(&error))?;
        for group in file.metadata().row_groups() {
            // What it says may not be true, so rows are counted once more below.
            let size = u64::try_from(group.total_byte_size()).unwrap_or(u64::MAX);
            meter(size).map_err(|error| items.malformed(&error))?;
        }
        for row in file.get_row_iter(None).map_err(|error| items.malformed(&error))? {
            let row = row.and_then(object).map_err(|error| items.malformed(&error))?;
            meter(row.text_len(most) as u64).map_err(|error| items.malformed(&error))?;
            items.push(row)?;
        }
        Ok(())
    };
    // The reader panics on some files that are damaged.
    catch_unwind(AssertUnwindSafe(|| read(items))).unwrap_or_else(|_| {
        let error: ReadError = items.malformed(&"it is damaged");
        Err(error.into())
    })
}

fn object(row: Row) -> Result<Value, ParquetError> {
    let fields = row.into_columns().into_iter().map(|(name, field)| Ok((name.into(), value(field)?)));
    fields.collect::<Result<Object, _>>().map(Value::from)
}

fn value(field: Field) -> Result<Value, ParquetError> {
    Ok(match field {
        Field::Null => Value::Null,
        Field::Bool(flag) => flag.into(),
        Field::Byte(number) => i64::from(number).into(),
        Field::Short(number) => i64::from(number).into(),
        Field::Int(number) => i64::from(number).into(),
        Field::Long(number) => number.into(),
        Field::UByte(number) => u64::from(number).into(),
        Field::UShort(number) => u64::from(number).into(),
        Field::UInt(number) => u64::from(number).into(),
        Field::ULong(number) => number.into(),
        Field::Float16(number) => float(f64::from(number)),
        Field::Float(number) => float(f64::from(number)),
        Field::Double(number) => float(number),
        Field::Str(text) => text.into(),
        Field::Bytes(bytes) => BASE64_STANDARD.encode(bytes.data()).into(),
        decimal @ Field::Decimal(_) => decimal.to_string().into(),
        Field::Date(days) => date(days)?,
        Field::TimeMillis(milliseconds) => time_of_day(i64::from(milliseconds).saturating_mul(1000))?,
        Field::TimeMicros(microseconds) => time_of_day(microseconds)?,
        Field::TimestampMillis(milliseconds) => timestamp(milliseconds.saturating_mul(1000))?,
        Field::TimestampMicros(microseconds) => timestamp(microseconds)?,
        Field::Group(row) => object(row)?,
        Field::ListInternal(list) => list.elements().iter().cloned().map(value).collect::<Result<Vec<_>, _>>()?.into(),
        Field::MapInternal(map) => {
            let fields = map.entries().iter().map(|(key, field)| {
                let key = match value(key.clone())? {
                    Value::String(text) => text,
                    other => other.to_string().into(),
                };
                Ok((key, value(field.clone())?))
            });
            fields.collect::<Result<Object, ParquetError>>()?.into()
        }
    })
}

/// JSON has no infinite numbers.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn date(days: i32) -> Result<Value, ParquetError> {
    let date = Date::from_calendar_date(1970, time::Month::January, 1).ok();
    let date = date.and_then(|epoch| epoch.checked_add(Duration::days(i64::from(days))));
    text(date.and_then(|date| date.format(format_description!("[year]-[month]-[day]")).ok()))
}

fn time_of_day(microseconds: i64) -> Result<Value, ParquetError> {
    let time =
        (0..86_400_000_000).contains(&microseconds).then(|| Time::MIDNIGHT + Duration::microseconds(microseconds));
    let format = format_description!("[hour]:[minute]:[second].[subsecond digits:6]");
    text(time.and_then(|time| time.format(format).ok()))
}

fn timestamp(microseconds: i64) -> Result<Value, ParquetError> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(microseconds) * 1000).ok();
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    text(at.and_then(|at| at.format(format).ok()))
}

fn text(formatted: Option<String>) -> Result<Value, ParquetError> {
    formatted.map(Value::from).ok_or_else(|| ParquetError::General("a date or time is out of range".to_owned()))
}
