//! What type each column has.
//!
//! A column's type follows from the *set* of the kinds of values in it, so it does not depend on their order: the
//! types of a whole file are the union of the kinds of its parts.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};
use serde::Serialize;

use crate::{read::Cell, value};

/// The time zone of instants, in the form that every reader of Arrow knows without a table of zones.
pub(crate) const UTC: &str = "+00:00";

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ColumnType {
    /// No value has been seen, only nulls. Written as text.
    Null,
    /// `true` and `false`.
    Boolean,
    /// Whole numbers of 64 bits.
    Integer,
    /// Doubles.
    Float,
    /// Calendar dates.
    Date,
    /// Date and time of day to the microsecond, in no particular time zone.
    Timestamp,
    /// Instants to the microsecond, in UTC.
    TimestampUtc,
    /// Anything else.
    Text,
}

impl ColumnType {
    /// The Arrow type that holds such values.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampUtc => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Self::Null | Self::Text => DataType::Utf8,
        }
    }
}

/// The kinds of values seen in a column, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    const BOOLEAN: Self = Self(1);
    const SMALL_INTEGER: Self = Self(1 << 1);
    /// A whole number that a double can't hold: it goes with integers, but not with fractions.
    const LARGE_INTEGER: Self = Self(1 << 2);
    const FLOAT: Self = Self(1 << 3);
    const DATE: Self = Self(1 << 4);
    const TIMESTAMP: Self = Self(1 << 5);
    const TIMESTAMP_UTC: Self = Self(1 << 6);
    const TEXT: Self = Self(1 << 7);

    /// The kinds that a column surely has, once it was read as the given type without a misfit.
    pub(crate) fn of_type(column_type: ColumnType, largest_integer: Option<u64>) -> Self {
        match column_type {
            ColumnType::Null => Self::default(),
            ColumnType::Boolean => Self::BOOLEAN,
            ColumnType::Integer => match largest_integer {
                Some(size) if size > value::LARGEST_EXACT_INTEGER.unsigned_abs() => Self::LARGE_INTEGER,
                _ => Self::SMALL_INTEGER,
            },
            ColumnType::Float => Self::FLOAT,
            ColumnType::Date => Self::DATE,
            ColumnType::Timestamp => Self::TIMESTAMP,
            ColumnType::TimestampUtc => Self::TIMESTAMP_UTC,
            ColumnType::Text => Self::TEXT,
        }
    }

    /// Adds the kind of one more value. A column that is known to be text stays so, whatever comes.
    pub(crate) fn observe(&mut self, cell: Cell<'_>) {
        if self.0 & Self::TEXT.0 == 0 {
            self.0 |= Self::of(cell).0;
        }
    }

    /// Adds other kinds.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The narrowest type that holds all values of these kinds.
    pub(crate) fn column_type(self) -> ColumnType {
        let within = |kinds: &[Self]| self.0 & !kinds.iter().fold(0, |bits, kind| bits | kind.0) == 0;
        if self.0 == 0 {
            ColumnType::Null
        } else if within(&[Self::BOOLEAN]) {
            ColumnType::Boolean
        } else if within(&[Self::SMALL_INTEGER, Self::LARGE_INTEGER]) {
            ColumnType::Integer
        } else if within(&[Self::SMALL_INTEGER, Self::FLOAT]) {
            ColumnType::Float
        } else if within(&[Self::DATE]) {
            ColumnType::Date
        } else if within(&[Self::TIMESTAMP]) {
            ColumnType::Timestamp
        } else if within(&[Self::TIMESTAMP_UTC]) {
            ColumnType::TimestampUtc
        } else {
            ColumnType::Text
        }
    }

    fn of(cell: Cell<'_>) -> Self {
        let (text, quoted) = match cell {
            Cell::Null => return Self::default(),
            Cell::Bare(text) => (text, false),
            Cell::Quoted(text) => (text, true),
        };
        if let Some(timestamp) = value::timestamp(text) {
            return if timestamp.has_zone { Self::TIMESTAMP_UTC } else { Self::TIMESTAMP };
        }
        if value::date(text).is_some() {
            return Self::DATE;
        }
        if quoted {
            return Self::TEXT;
        }
        if let Some(number) = value::integer(text) {
            let exact = number.unsigned_abs() <= value::LARGEST_EXACT_INTEGER.unsigned_abs();
            return if exact { Self::SMALL_INTEGER } else { Self::LARGE_INTEGER };
        }
        if value::float(text).is_some() {
            return Self::FLOAT;
        }
        if value::boolean(text).is_some() {
            return Self::BOOLEAN;
        }
        Self::TEXT
    }
}

/// A named column with its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// As in the header, or the key of the JSON objects.
    pub(crate) name: String,
    /// What its values are.
    pub(crate) column_type: ColumnType,
}

/// The columns of a file, in the file's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schema {
    /// In the file's order.
    pub(crate) columns: Vec<Column>,
}

impl Schema {
    /// The same as Arrow's schema. Every column may have nulls.
    pub(crate) fn arrow(&self) -> SchemaRef {
        let fields: Vec<_> =
            self.columns.iter().map(|column| Field::new(&column.name, column.column_type.arrow(), true)).collect();
        Arc::new(ArrowSchema::new(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(values: &[&str]) -> ColumnType {
        let mut kinds = Kinds::default();
        for text in values {
            kinds.observe(if text.is_empty() { Cell::Null } else { Cell::Bare(text) });
        }
        kinds.column_type()
    }

    #[test]
    fn the_type_is_the_narrowest_that_holds_all_values() {
        use ColumnType::{Boolean, Date, Float, Integer, Null, Text, Timestamp, TimestampUtc};
        let cases: &[(&[&str], ColumnType)] = &[
            (&["", ""], Null),
            (&["true", "", "FALSE"], Boolean),
            (&["1", "-2", ""], Integer),
            (&["1", "2.5"], Float),
            (&["9007199254740993", "1"], Integer),
            (&["9007199254740993", "1.5"], Text),
            (&["1", "true"], Text),
            (&["2024-01-01"], Date),
            (&["2024-01-01", "2024-01-01T00:00:00"], Text),
            (&["2024-01-01T00:00:00"], Timestamp),
            (&["2024-01-01T00:00:00Z", "2024-01-01T00:00:00+01:00"], TimestampUtc),
            (&["2024-01-01T00:00:00Z", "2024-01-01T00:00:00"], Text),
            (&["1", "x"], Text),
            (&["007"], Text),
            (&["NaN", "1"], Float),
        ];
        for (values, expected) in cases {
            assert_eq!(type_of(values), *expected, "{values:?}");
            let reversed: Vec<_> = values.iter().rev().copied().collect();
            assert_eq!(type_of(&reversed), *expected, "{reversed:?}");
        }
    }

    #[test]
    fn quoted_digits_are_text() {
        let mut kinds = Kinds::default();
        kinds.observe(Cell::Quoted("12"));
        assert_eq!(kinds.column_type(), ColumnType::Text);
    }
}
