//! What the values of a column are like, in memory that does not grow with the rows.

mod counter;
mod numbers;
mod report;
mod text;

use arrow::{
    array::{Array, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, StringArray},
    datatypes::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType},
};
use counter::Counter;
use datasketches::error::Error as SketchError;
use numbers::{Moments, Quantiles};
pub(crate) use report::ColumnReport;
use text::{TextItem, TextRange};

use crate::schema::ColumnType;

/// The profile of one column, fed with Arrow arrays of the column's type.
#[derive(Debug)]
pub(crate) struct ColumnProfile {
    rows: u64,
    nulls: u64,
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// Nothing but nulls.
    None,
    Boolean(Counter<u64>),
    Integer(Numeric<i64>),
    Float {
        numeric: Numeric<f64>,
        non_finite: u64,
    },
    Date(Numeric<i32>),
    Timestamp {
        numeric: Numeric<i64>,
        has_zone: bool,
    },
    Text {
        counter: Counter<TextItem>,
        range: TextRange,
    },
}

/// Values with a distance between them.
#[derive(Debug)]
struct Numeric<T> {
    range: Option<(T, T)>,
    moments: Moments,
    quantiles: Quantiles,
    counter: Counter<u64>,
    /// The values of the batch in hand.
    batch: Vec<f64>,
}

impl<T: Copy + PartialOrd> Numeric<T> {
    fn new(columns: usize) -> Result<Self, SketchError> {
        Ok(Self {
            range: None,
            moments: Moments::default(),
            quantiles: Quantiles::new()?,
            counter: Counter::new(columns)?,
            batch: Vec::new(),
        })
    }

    /// Adds values. `key` and `number` turn one into 64 bits to count it by, and into a number to reckon with.
    fn add(&mut self, values: impl Iterator<Item = T> + Clone, key: impl Fn(T) -> u64, number: impl Fn(T) -> f64) {
        self.batch.clear();
        let mut range = self.range;
        for value in values.clone() {
            range = match range {
                None => Some((value, value)),
                Some((min, max)) => {
                    Some((if value < min { value } else { min }, if value > max { value } else { max }))
                }
            };
            self.batch.push(number(value));
        }
        self.range = range;
        self.moments.add(&self.batch);
        self.quantiles.add(&mut self.batch);
        self.counter.add(values.map(key).enumerate(), |key, _| key);
    }
}

impl ColumnProfile {
    /// A profile for a column of a file with so many columns.
    pub(crate) fn new(column_type: ColumnType, columns: usize) -> Result<Self, SketchError> {
        let values = match column_type {
            ColumnType::Null => Values::None,
            ColumnType::Boolean => Values::Boolean(Counter::new(columns)?),
            ColumnType::Integer => Values::Integer(Numeric::new(columns)?),
            ColumnType::Float => Values::Float { numeric: Numeric::new(columns)?, non_finite: 0 },
            ColumnType::Date => Values::Date(Numeric::new(columns)?),
            ColumnType::Timestamp => Values::Timestamp { numeric: Numeric::new(columns)?, has_zone: false },
            ColumnType::TimestampUtc => Values::Timestamp { numeric: Numeric::new(columns)?, has_zone: true },
            ColumnType::Text => Values::Text { counter: Counter::new(columns)?, range: TextRange::default() },
        };
        Ok(Self { rows: 0, nulls: 0, values })
    }

    /// Adds the values of a batch.
    pub(crate) fn add(&mut self, array: &dyn Array) {
        self.rows += array.len() as u64;
        self.nulls += array.null_count() as u64;
        match &mut self.values {
            Values::None => {}
            Values::Boolean(counter) => {
                if let Some(array) = array.as_boolean_opt() {
                    counter.add(present_booleans(array), |key, _| key);
                }
            }
            Values::Integer(numeric) => {
                if let Some(array) = array.as_primitive_opt::<Int64Type>() {
                    add_primitive(numeric, array, i64::cast_unsigned, to_f64);
                }
            }
            Values::Float { numeric, non_finite } => {
                if let Some(array) = array.as_primitive_opt::<Float64Type>() {
                    *non_finite += add_floats(numeric, array);
                }
            }
            Values::Date(numeric) => {
                if let Some(array) = array.as_primitive_opt::<Date32Type>() {
                    add_primitive(numeric, array, |days| i64::from(days).cast_unsigned(), f64::from);
                }
            }
            Values::Timestamp { numeric, .. } => {
                if let Some(array) = array.as_primitive_opt::<TimestampMicrosecondType>() {
                    add_primitive(numeric, array, i64::cast_unsigned, to_f64);
                }
            }
            Values::Text { counter, range } => {
                if let Some(array) = array.as_string_opt::<i32>() {
                    add_texts(counter, range, array);
                }
            }
        }
    }

    /// The largest whole number without its sign, in a column of whole numbers.
    pub(crate) fn largest_integer(&self) -> Option<u64> {
        match &self.values {
            Values::Integer(numeric) => numeric.range.map(|(min, max)| min.unsigned_abs().max(max.unsigned_abs())),
            _ => None,
        }
    }

    /// Whether most values are different from each other, as far as was seen.
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    pub(crate) fn is_mostly_distinct(&self) -> bool {
        let distinct = match &self.values {
            Values::None | Values::Boolean(_) => return false,
            Values::Integer(numeric) | Values::Timestamp { numeric, .. } => numeric.counter.distinct(),
            Values::Float { numeric, .. } => numeric.counter.distinct(),
            Values::Date(numeric) => numeric.counter.distinct(),
            Values::Text { counter, .. } => counter.distinct(),
        };
        distinct.estimate > 0.5 * (self.rows - self.nulls) as f64
    }
}

fn add_primitive<P: ArrowPrimitiveType>(
    numeric: &mut Numeric<P::Native>,
    array: &PrimitiveArray<P>,
    key: impl Fn(P::Native) -> u64,
    number: impl Fn(P::Native) -> f64,
) {
    if array.null_count() == 0 {
        numeric.add(array.values().iter().copied(), key, number);
    } else {
        numeric.add(array.iter().flatten(), key, number);
    }
}

/// Adds the finite values, and returns how many were not. Minus zero counts as zero.
fn add_floats(numeric: &mut Numeric<f64>, array: &PrimitiveArray<Float64Type>) -> u64 {
    let present = array.len() - array.null_count();
    let finite = array.iter().flatten().filter(|value| value.is_finite());
    numeric.add(finite, |value| (value + 0.0).to_bits(), |value| value);
    (present - numeric.batch.len()) as u64
}

fn add_texts(counter: &mut Counter<TextItem>, range: &mut TextRange, array: &StringArray) {
    let present = || array.iter().enumerate().filter_map(|(row, text)| Some((row, text?)));
    present().for_each(|(_, text)| range.add(text));
    counter
        .add(present().map(|(row, text)| (row, text::hash(text))), |hash, row| TextItem::new(hash, array.value(row)));
}

fn present_booleans(array: &BooleanArray) -> impl Iterator<Item = (usize, u64)> {
    array.iter().flatten().map(u64::from).enumerate()
}

#[expect(clippy::cast_precision_loss, reason = "quantiles and moments are estimates in doubles")]
fn to_f64(value: i64) -> f64 {
    value as f64
}
