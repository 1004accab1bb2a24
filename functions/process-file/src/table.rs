//! One reading of a file, from its first byte to its last.
//!
//! A file is converted with the types that its beginning has, while it is being read. A value further on that does not
//! have its column's type, or a key that is new, is no reason to lose it: what was written is thrown away, the rest of
//! the file is read for its types alone, and a second reading, now with the types of the whole file, can't fail for
//! that reason. So the types never depend on where in the file a value is, most files are read once, and none is read
//! more than twice.

use crate::{
    convert::{Converted, Converter},
    encode::Encoder,
    error::{Error, FileError},
    format::Format,
    profile::ColumnReport,
    read::{BadRows, Batch, Delimited, JsonLines, RecordReader, SealedBatch},
    schema::{Column, Kinds, Schema},
    upload::Upload,
};

/// A file that is being read.
pub(crate) struct Table {
    reader: RecordReader,
    batch: Batch,
    rows: u64,
    bad_rows: BadRows,
    work: Work,
}

/// What is done with the records.
enum Work {
    Convert {
        converter: Converter,
        encoder: Option<Box<Encoder>>,
    },
    /// Only the types are of interest.
    Scan {
        columns: Vec<(String, Kinds)>,
    },
}

/// How a reading ended.
pub(crate) enum End {
    /// The whole file is in the upload.
    Converted(Contents),
    /// The file has other types than its beginning.
    Misfit(Schema),
}

/// What was found in a file.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) rows: u64,
    pub(crate) bad_rows: BadRows,
    pub(crate) columns: Vec<ColumnReport>,
}

impl Table {
    /// Starts with the beginning of a file, to which the schema is fitted if none is given. Returns how much of the
    /// beginning is header.
    pub(crate) fn open(
        format: Format,
        start: &[u8],
        is_whole: bool,
        schema: Option<Schema>,
    ) -> Result<(Self, usize), Error> {
        let (reader, schema, header) = match format {
            Format::Delimited { delimiter } => {
                let open = || Delimited::open(start, is_whole, delimiter);
                let (reader, names, header) = open()?;
                let schema = if let Some(schema) = schema {
                    schema
                } else {
                    // A reader of its own: a clone of `csv_core::Reader` does not read as the original does.
                    let reader = RecordReader::Delimited(Box::new(open()?.0));
                    schema_of(scan(reader, names, &start[header..], is_whole)?)
                };
                (RecordReader::Delimited(Box::new(reader)), schema, header)
            }
            Format::JsonLines => {
                let header = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
                let schema = if let Some(schema) = schema {
                    schema
                } else {
                    let reader = RecordReader::JsonLines(Box::new(JsonLines::new(Vec::new())));
                    schema_of(scan(reader, Vec::new(), &start[header..], is_whole)?)
                };
                let names = schema.columns.iter().map(|column| column.name.clone()).collect();
                (RecordReader::JsonLines(Box::new(JsonLines::new(names))), schema, header)
            }
        };
        let batch = Batch::new(schema.columns.len());
        let work = if schema.columns.is_empty() {
            Work::Scan { columns: Vec::new() }
        } else {
            Work::Convert { converter: Converter::new(schema)?, encoder: None }
        };
        Ok((Self { reader, batch, rows: 0, bad_rows: BadRows::default(), work }, header))
    }

    /// The line that is being read.
    pub(crate) fn line(&self) -> u64 {
        self.reader.line()
    }

    /// Takes in a piece of the file.
    pub(crate) async fn push(&mut self, mut piece: &[u8], upload: &mut Upload) -> Result<(), Error> {
        while !piece.is_empty() {
            let taken = self.reader.read(piece, &mut self.batch, &mut self.bad_rows)?;
            piece = &piece[taken..];
            if self.batch.is_full() {
                self.process_batch(upload).await?;
            }
        }
        Ok(())
    }

    /// Takes the end of the file.
    pub(crate) async fn finish(mut self, max_bad_rows_percent: f64, upload: &mut Upload) -> Result<End, Error> {
        self.reader.finish(&mut self.batch, &mut self.bad_rows)?;
        if !self.batch.is_empty() {
            self.process_batch(upload).await?;
        }
        self.check_rows(max_bad_rows_percent)?;
        match self.work {
            Work::Convert { converter, encoder } => {
                if let Some(encoder) = encoder {
                    upload.write(&encoder.finish()?).await?;
                }
                let columns = converter.report();
                Ok(End::Converted(Contents { rows: self.rows, bad_rows: self.bad_rows, columns }))
            }
            Work::Scan { mut columns } => {
                if let RecordReader::JsonLines(reader) = &self.reader {
                    columns.extend_from_slice(reader.unknown());
                }
                if columns.is_empty() {
                    return Err(FileError::NoRows { line: self.reader.line() }.into());
                }
                Ok(End::Misfit(schema_of(columns)))
            }
        }
    }

    async fn process_batch(&mut self, upload: &mut Upload) -> Result<(), Error> {
        let batch = std::mem::replace(&mut self.batch, Batch::new(0)).seal(&mut self.bad_rows);
        self.rows += batch.rows() as u64;
        if let Work::Convert { converter, encoder } = &mut self.work {
            if let Some(bytes) = convert(&self.reader, converter, encoder, &batch)? {
                upload.write(&bytes).await?;
            } else {
                upload.abort().await;
                let names = converter.schema().columns.iter().map(|column| column.name.clone());
                self.work = Work::Scan { columns: names.zip(converter.kinds()).collect() };
            }
        }
        if let Work::Scan { columns } = &mut self.work {
            observe(columns, &batch);
        }
        self.batch = batch.recycle();
        // The one thread has connections to serve, too.
        tokio::task::yield_now().await;
        Ok(())
    }

    fn check_rows(&self, max_bad_rows_percent: f64) -> Result<(), FileError> {
        let all = self.rows + self.bad_rows.total;
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more digits")]
        let percent = self.bad_rows.total as f64 * 100.0 / all.max(1) as f64;
        if let Some(first) = self.bad_rows.first.first()
            && percent > max_bad_rows_percent
        {
            return Err(FileError::TooManyBadRows {
                first_line: first.line,
                bad: self.bad_rows.total,
                all,
                limit_percent: max_bad_rows_percent,
            });
        }
        if self.rows == 0 {
            return Err(FileError::NoRows { line: self.reader.line() });
        }
        Ok(())
    }
}

/// Converts and encodes a batch; nothing where a value or a key does not fit.
fn convert(
    reader: &RecordReader,
    converter: &mut Converter,
    encoder: &mut Option<Box<Encoder>>,
    batch: &SealedBatch,
) -> Result<Option<Vec<u8>>, Error> {
    if matches!(reader, RecordReader::JsonLines(reader) if !reader.unknown().is_empty()) {
        return Ok(None);
    }
    let Converted::Batch(batch) = converter.convert(batch)? else { return Ok(None) };
    let encoder = match encoder {
        Some(encoder) => encoder,
        None => encoder.insert(Box::new(Encoder::new(converter)?)),
    };
    Ok(Some(encoder.encode(&batch)?))
}

/// The kinds of values at the beginning of a file. A record that goes on beyond it is not looked at.
fn scan(
    mut reader: RecordReader,
    names: Vec<String>,
    mut start: &[u8],
    is_whole: bool,
) -> Result<Vec<(String, Kinds)>, FileError> {
    let mut columns: Vec<_> = names.into_iter().map(|name| (name, Kinds::default())).collect();
    let mut batch = Batch::new(columns.len());
    let mut bad_rows = BadRows::default();
    while !start.is_empty() {
        let taken = reader.read(start, &mut batch, &mut bad_rows)?;
        start = &start[taken..];
        if batch.is_full() {
            let sealed = batch.seal(&mut bad_rows);
            observe(&mut columns, &sealed);
            batch = sealed.recycle();
        }
    }
    if is_whole {
        reader.finish(&mut batch, &mut bad_rows)?;
    }
    observe(&mut columns, &batch.seal(&mut bad_rows));
    if let RecordReader::JsonLines(reader) = &reader {
        columns.extend_from_slice(reader.unknown());
    }
    Ok(columns)
}

fn observe(columns: &mut [(String, Kinds)], batch: &SealedBatch) {
    for (index, (_, kinds)) in columns.iter_mut().enumerate() {
        batch.column(index).for_each(|cell| kinds.observe(cell));
    }
}

fn schema_of(columns: Vec<(String, Kinds)>) -> Schema {
    let column = |(name, kinds): (String, Kinds)| Column { name, column_type: kinds.column_type() };
    Schema { columns: columns.into_iter().map(column).collect() }
}
