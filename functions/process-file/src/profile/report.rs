//! The profile of a column as it is written.

use serde::Serialize;
use serde_json::Value;

use super::{ColumnProfile, Counter, Numeric, Values, counter::Frequent, text::TextItem};
use crate::{schema::ColumnType, value};

/// How many of the most frequent values are listed.
const LISTED_FREQUENT: usize = 10;

/// The ranks of the quantiles, in the order of the fields of [`QuantileReport`].
const RANKS: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// What the values of a column are like. Counts of rows, nulls and non-finite values, the range, the mean and the
/// standard deviation are exact; the rest are estimates.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ColumnReport {
    /// As in the header, or the key of the JSON objects; made different where two are the same.
    pub(crate) name: String,
    /// What the values are.
    #[serde(rename = "type")]
    pub(crate) column_type: ColumnType,
    /// Rows, with and without a value.
    pub(crate) rows: u64,
    /// Rows without a value.
    pub(crate) nulls: u64,
    /// `NaN` and infinities in a column of floats. They count nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) non_finite: Option<u64>,
    /// The smallest value. A text is cut off after 256 bytes.
    pub(crate) min: Option<Value>,
    /// The largest value.
    pub(crate) max: Option<Value>,
    /// The mean of numbers.
    pub(crate) mean: Option<f64>,
    /// The standard deviation of numbers, as of a sample.
    pub(crate) standard_deviation: Option<f64>,
    /// How many different values there are.
    pub(crate) distinct: Option<DistinctReport>,
    /// The quantiles of numbers, dates and timestamps.
    pub(crate) quantiles: Option<QuantileReport>,
    /// The most frequent values, where some stand out.
    pub(crate) most_frequent: Vec<FrequentReport>,
}

/// An estimated number of different values.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DistinctReport {
    /// The estimate.
    pub(crate) estimate: u64,
    /// A lower bound that holds in 95 % of all cases.
    pub(crate) lower: u64,
    /// An upper bound that holds in 95 % of all cases.
    pub(crate) upper: u64,
}

/// Estimated values below which that many percent of all values lie.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct QuantileReport {
    pub(crate) p1: Value,
    pub(crate) p5: Value,
    pub(crate) p25: Value,
    pub(crate) p50: Value,
    pub(crate) p75: Value,
    pub(crate) p95: Value,
    pub(crate) p99: Value,
}

/// A frequent value. The bounds are certain, and the same where the count is exact.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FrequentReport {
    /// The value. A text is cut off after 256 bytes.
    pub(crate) value: Value,
    /// The count is at least this.
    pub(crate) at_least: u64,
    /// The count is at most this.
    pub(crate) at_most: u64,
}

impl ColumnProfile {
    /// The profile as it is written.
    pub(crate) fn report(&self, name: &str, column_type: ColumnType) -> ColumnReport {
        let mut report = ColumnReport {
            name: name.to_owned(),
            column_type,
            rows: self.rows,
            nulls: self.nulls,
            non_finite: None,
            min: None,
            max: None,
            mean: None,
            standard_deviation: None,
            distinct: None,
            quantiles: None,
            most_frequent: Vec::new(),
        };
        match &self.values {
            Values::None => {}
            Values::Boolean(counter) => {
                report.add_counter(counter, |key| Value::from(key != 0));
                let has = |value: bool| report.most_frequent.iter().any(|frequent| frequent.value == value);
                let (has_false, has_true) = (has(false), has(true));
                if has_false || has_true {
                    report.min = Some(Value::from(!has_false));
                    report.max = Some(Value::from(has_true));
                }
            }
            Values::Integer(numeric) => {
                report.add_moments(numeric);
                report.add_numeric(numeric, Value::from, |key| Value::from(key.cast_signed()), Value::from);
            }
            Values::Float { numeric, non_finite } => {
                report.non_finite = Some(*non_finite);
                report.add_moments(numeric);
                report.add_numeric(numeric, Value::from, |key| Value::from(f64::from_bits(key)), Value::from);
            }
            Values::Date(numeric) => {
                let show = |days: i64| Value::from(value::show_date(i32::try_from(days).unwrap_or(i32::MAX)));
                report.add_numeric(
                    numeric,
                    |days| show(days.into()),
                    |key| show(key.cast_signed()),
                    |number| show(rounded(number)),
                );
            }
            Values::Timestamp { numeric, has_zone } => {
                let show = |micros: i64| Value::from(value::show_timestamp(micros, *has_zone));
                report.add_numeric(numeric, show, |key| show(key.cast_signed()), |number| show(rounded(number)));
            }
            Values::Text { counter, range } => {
                report.add_counter(counter, |item: TextItem| Value::from(item.into_text()));
                if let Some((min, max)) = range.get() {
                    report.min = Some(Value::from(min));
                    report.max = Some(Value::from(max));
                }
            }
        }
        report
    }
}

impl ColumnReport {
    fn add_moments<T>(&mut self, numeric: &Numeric<T>) {
        self.mean = numeric.moments.mean();
        self.standard_deviation = numeric.moments.standard_deviation();
    }

    fn add_numeric<T: Copy>(
        &mut self,
        numeric: &Numeric<T>,
        of_value: impl Fn(T) -> Value,
        of_key: impl Fn(u64) -> Value,
        of_number: impl Fn(f64) -> Value,
    ) {
        if let Some((min, max)) = numeric.range {
            self.min = Some(of_value(min));
            self.max = Some(of_value(max));
        }
        self.quantiles = numeric.quantiles.at(&RANKS).and_then(|values| {
            let [p1, p5, p25, p50, p75, p95, p99] = <[f64; RANKS.len()]>::try_from(values).ok()?.map(of_number);
            Some(QuantileReport { p1, p5, p25, p50, p75, p95, p99 })
        });
        self.add_counter(&numeric.counter, of_key);
    }

    fn add_counter<Item>(&mut self, counter: &Counter<Item>, of_item: impl Fn(Item) -> Value)
    where
        Item: Eq + std::hash::Hash + Clone,
    {
        let distinct = counter.distinct();
        self.distinct = Some(DistinctReport {
            estimate: count(distinct.estimate),
            lower: count(distinct.lower),
            upper: count(distinct.upper),
        });
        let report = |Frequent { item, at_least, at_most }| FrequentReport { value: of_item(item), at_least, at_most };
        self.most_frequent = counter.most_frequent(LISTED_FREQUENT).map(report).collect();
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimated count, never negative")]
fn count(estimate: f64) -> u64 {
    estimate.round() as u64
}

#[expect(clippy::cast_possible_truncation, reason = "it lies between two values of 64 bits")]
fn rounded(number: f64) -> i64 {
    number.round() as i64
}
