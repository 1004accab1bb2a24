//! From records to Arrow, column by column, with a profile of each column on the way.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, NullBufferBuilder, StringArray, StringBuilder,
        TimestampMicrosecondArray, new_null_array,
    },
    buffer::NullBuffer,
    datatypes::{DataType, SchemaRef},
    error::ArrowError,
    record_batch::RecordBatch,
};
use datasketches::error::Error as SketchError;

use crate::{
    profile::{ColumnProfile, ColumnReport},
    read::{Cell, SealedBatch},
    schema::{ColumnType, Kinds, Schema, UTC},
    value,
};

/// Converts the batches of a file.
#[derive(Debug)]
pub(crate) struct Converter {
    schema: Schema,
    arrow: SchemaRef,
    profiles: Vec<ColumnProfile>,
}

/// What became of a batch.
#[derive(Debug)]
pub(crate) enum Converted {
    /// All values have their columns' types.
    Batch(RecordBatch),
    /// A value does not have its column's type. The profiles are of no more use.
    Misfit,
}

impl Converter {
    pub(crate) fn new(schema: Schema) -> Result<Self, SketchError> {
        let columns = schema.columns.len();
        let profiles: Result<_, _> =
            schema.columns.iter().map(|column| ColumnProfile::new(column.column_type, columns)).collect();
        Ok(Self { arrow: schema.arrow(), schema, profiles: profiles? })
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Converts a batch and adds it to the profiles.
    pub(crate) fn convert(&mut self, batch: &SealedBatch) -> Result<Converted, ArrowError> {
        let mut arrays = Vec::with_capacity(self.profiles.len());
        for (index, (column, profile)) in self.schema.columns.iter().zip(&mut self.profiles).enumerate() {
            let Some(array) = convert_column(batch, index, column.column_type) else {
                return Ok(Converted::Misfit);
            };
            profile.add(&array);
            arrays.push(array);
        }
        RecordBatch::try_new(Arc::clone(&self.arrow), arrays).map(Converted::Batch)
    }

    /// The kinds of values that were converted so far, for each column.
    pub(crate) fn kinds(&self) -> Vec<Kinds> {
        let kinds = |(column, profile): (&crate::schema::Column, &ColumnProfile)| {
            Kinds::of_type(column.column_type, profile.largest_integer())
        };
        self.schema.columns.iter().zip(&self.profiles).map(kinds).collect()
    }

    /// The columns in which most values are different from each other, as far as was seen.
    pub(crate) fn mostly_distinct(&self) -> impl Iterator<Item = &str> {
        let columns = self.schema.columns.iter().zip(&self.profiles);
        columns.filter(|(_, profile)| profile.is_mostly_distinct()).map(|(column, _)| column.name.as_str())
    }

    /// What the values of the columns are like.
    pub(crate) fn report(&self) -> Vec<ColumnReport> {
        let columns = self.schema.columns.iter().zip(&self.profiles);
        columns.map(|(column, profile)| profile.report(&column.name, column.column_type)).collect()
    }
}

/// A column as an Arrow array; nothing where a value does not have the type.
fn convert_column(batch: &SealedBatch, column: usize, column_type: ColumnType) -> Option<ArrayRef> {
    Some(match column_type {
        ColumnType::Null => {
            if batch.column(column).any(|cell| cell != Cell::Null) {
                return None;
            }
            new_null_array(&DataType::Utf8, batch.rows())
        }
        ColumnType::Boolean => {
            let (values, nulls) = parse(batch, column, bare(value::boolean))?;
            Arc::new(BooleanArray::new(values.into(), nulls))
        }
        ColumnType::Integer => {
            let (values, nulls) = parse(batch, column, bare(value::integer))?;
            Arc::new(Int64Array::new(values.into(), nulls))
        }
        ColumnType::Float => {
            let (values, nulls) = parse(batch, column, bare(value::float))?;
            Arc::new(Float64Array::new(values.into(), nulls))
        }
        ColumnType::Date => {
            let (values, nulls) = parse(batch, column, any(value::date))?;
            Arc::new(Date32Array::new(values.into(), nulls))
        }
        ColumnType::Timestamp | ColumnType::TimestampUtc => {
            let wanted = column_type == ColumnType::TimestampUtc;
            let read =
                |text: &str| value::timestamp(text).filter(|read| read.has_zone == wanted).map(|read| read.micros);
            let (values, nulls) = parse(batch, column, any(read))?;
            let array = TimestampMicrosecondArray::new(values.into(), nulls);
            Arc::new(if wanted { array.with_timezone(UTC) } else { array })
        }
        ColumnType::Text => Arc::new(texts(batch, column)),
    })
}

/// Reads text that is not marked as text.
fn bare<T>(read: impl Fn(&str) -> Option<T>) -> impl Fn(Cell<'_>) -> Option<T> {
    move |cell| match cell {
        Cell::Bare(text) => read(text),
        Cell::Quoted(_) | Cell::Null => None,
    }
}

/// Reads any text.
fn any<T>(read: impl Fn(&str) -> Option<T>) -> impl Fn(Cell<'_>) -> Option<T> {
    move |cell| match cell {
        Cell::Bare(text) | Cell::Quoted(text) => read(text),
        Cell::Null => None,
    }
}

/// Reads all cells of a column; nothing where one can't be read.
fn parse<T: Default>(
    batch: &SealedBatch,
    column: usize,
    read: impl Fn(Cell<'_>) -> Option<T>,
) -> Option<(Vec<T>, Option<NullBuffer>)> {
    let mut values = Vec::with_capacity(batch.rows());
    let mut nulls = NullBufferBuilder::new(batch.rows());
    for cell in batch.column(column) {
        if cell == Cell::Null {
            values.push(T::default());
            nulls.append_null();
        } else {
            values.push(read(cell)?);
            nulls.append_non_null();
        }
    }
    Some((values, nulls.finish()))
}

fn texts(batch: &SealedBatch, column: usize) -> StringArray {
    let mut texts = StringBuilder::with_capacity(batch.rows(), batch.rows() * 16);
    for cell in batch.column(column) {
        match cell {
            Cell::Null => texts.append_null(),
            Cell::Bare(text) | Cell::Quoted(text) => texts.append_value(text),
        }
    }
    texts.finish()
}
