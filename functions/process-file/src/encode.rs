//! From Arrow to the bytes of a Parquet file.

use arrow::record_batch::RecordBatch;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
    schema::types::ColumnPath,
};

use crate::convert::Converter;

/// A row group is written out when it takes about this much memory.
const ROW_GROUP_BYTES: usize = 12 << 20;
const ROW_GROUP_ROWS: usize = 1_000_000;
/// Dictionaries and pages of all columns are in memory at once.
const ALL_PAGES_BYTES: usize = 8 << 20;
/// Each column has a compressor of its own, and one for Zstandard takes hundreds of KiB.
const MOST_COLUMNS_WITH_ZSTD: usize = 64;
const PAGE_BYTES: std::ops::RangeInclusive<usize> = 8 << 10..=1 << 20;

/// Encodes record batches. The bytes are to be taken away after each.
pub(crate) struct Encoder {
    writer: ArrowWriter<Vec<u8>>,
}

impl Encoder {
    /// An encoder for the converter's batches. The converter has seen the first batch, so that no dictionary is tried
    /// where most values are different.
    pub(crate) fn new(converter: &Converter) -> Result<Self, ParquetError> {
        let columns = converter.schema().columns.len().max(1);
        let page_bytes = (ALL_PAGES_BYTES / columns).clamp(*PAGE_BYTES.start(), *PAGE_BYTES.end());
        let mut properties = WriterProperties::builder()
            .set_compression(compression(columns)?)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_dictionary_page_size_limit(page_bytes)
            .set_data_page_size_limit(page_bytes);
        for column in converter.mostly_distinct() {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(vec![column.to_owned()]), false);
        }
        let writer = ArrowWriter::try_new(Vec::new(), converter.schema().arrow(), Some(properties.build()))?;
        Ok(Self { writer })
    }

    /// Encodes a batch. Returns the bytes that are ready to be stored: none, or a whole row group.
    pub(crate) fn encode(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ParquetError> {
        self.writer.write(batch)?;
        if self.writer.memory_size() >= ROW_GROUP_BYTES {
            self.writer.flush()?;
        }
        Ok(std::mem::take(self.writer.inner_mut()))
    }

    /// The end of the file.
    pub(crate) fn finish(self) -> Result<Vec<u8>, ParquetError> {
        self.writer.into_inner()
    }
}

fn compression(columns: usize) -> Result<Compression, ParquetError> {
    if columns > MOST_COLUMNS_WITH_ZSTD {
        return Ok(Compression::SNAPPY);
    }
    ZstdLevel::try_new(1).map(Compression::ZSTD)
}
