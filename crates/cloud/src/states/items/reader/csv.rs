//! Rows of delimited text, as the service reads them.
//!
//! A line is a record. A field between double quotes may hold delimiters and line ends, and a double quote that is
//! written twice. A backslash goes, and what follows it is text: another backslash, a double quote, a delimiter. A row
//! that is shorter than the header gets empty strings; what a row has beyond the header goes. Blanks are kept, empty
//! lines are passed over. All values are strings.
//!
//! No crate reads this: they know a backslash between quotes only, or not at all.

use std::{io::BufRead, sync::Arc};

use asl::{Value, value::Object};

use super::{Items, Stop, input::Data};
use asl::distributed::dataset::{Csv, Header, MAX_CSV_HEADER};

/// What some editors put before UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads the rows of a file.
pub(super) fn read(data: Data, options: &Csv, items: &mut Items) -> Result<(), Stop> {
    let mut records = Records::new(data, options.delimiter.byte());
    let names = match &options.header {
        Header::Given(names) => names.clone(),
        Header::FirstRow => {
            let Some(header) = records.next().map_err(|error| items.malformed(&error))? else { return Ok(()) };
            if header.iter().map(|name| name.len() + 1).sum::<usize>() > MAX_CSV_HEADER {
                return Err(items.malformed(&format!("its header has more than {MAX_CSV_HEADER} bytes")).into());
            }
            header.into_iter().map(Arc::from).collect()
        }
    };
    rows(&mut records, &names, items)
}

/// Makes an item of each record.
pub(super) fn rows(records: &mut Records, names: &[Arc<str>], items: &mut Items) -> Result<(), Stop> {
    while let Some(record) = records.next().map_err(|error| items.malformed(&error))? {
        let mut fields = record.into_iter();
        let row = names.iter().map(|name| (name.clone(), Value::from(fields.next().unwrap_or_default())));
        items.push(row.collect::<Object>().into())?;
    }
    Ok(())
}

/// Why a file is not read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum CsvError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("the record that begins in line {line} is not UTF-8")]
    NotUtf8 { line: u64 },
    #[error("a quoted field of the record that begins in line {line} does not end")]
    UnclosedQuote { line: u64 },
}

/// Where the next byte belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    /// Behind a backslash.
    PlainEscape,
    Quoted,
    QuotedEscape,
    /// Behind a double quote in a quoted field: its end, or the first of two.
    QuoteInQuoted,
}

/// The records of a file.
pub(super) struct Records {
    data: Data,
    delimiter: u8,
    line: u64,
    is_first: bool,
}

impl Records {
    pub(super) fn new(data: Data, delimiter: u8) -> Self {
        Self { data, delimiter, line: 1, is_first: true }
    }

    /// The fields of the next record that is not an empty line.
    pub(super) fn next(&mut self) -> Result<Option<Vec<String>>, CsvError> {
        let mut begins_in = self.line;
        let mut record = Record::default();
        loop {
            let Some(byte) = self.byte()? else {
                return match record.state {
                    State::Quoted | State::QuotedEscape => Err(CsvError::UnclosedQuote { line: begins_in }),
                    _ if record.is_empty() => Ok(None),
                    _ => self.finish(record, begins_in).map(Some),
                };
            };
            if byte == b'\n' {
                self.line += 1;
            }
            if !record.take(byte, self.delimiter) {
                continue;
            }
            if record.is_empty() {
                record = Record::default();
                begins_in = self.line;
            } else {
                return self.finish(record, begins_in).map(Some);
            }
        }
    }

    fn byte(&mut self) -> Result<Option<u8>, CsvError> {
        let byte = self.data.fill_buf()?.first().copied();
        if byte.is_some() {
            self.data.consume(1);
        }
        Ok(byte)
    }

    fn finish(&mut self, record: Record, line: u64) -> Result<Vec<String>, CsvError> {
        let fields = record.fields.into_iter().chain([record.field]).map(String::from_utf8);
        let mut fields: Vec<String> = fields.collect::<Result<_, _>>().map_err(|_| CsvError::NotUtf8 { line })?;
        if std::mem::take(&mut self.is_first)
            && let Some(first) = fields.first_mut()
            && let Some(rest) = first.strip_prefix(BYTE_ORDER_MARK)
        {
            *first = rest.to_owned();
        }
        Ok(fields)
    }
}

/// A record on its way in.
struct Record {
    fields: Vec<Vec<u8>>,
    /// The field that the next byte belongs to.
    field: Vec<u8>,
    state: State,
}

impl Default for Record {
    fn default() -> Self {
        Self { fields: Vec::new(), field: Vec::new(), state: State::FieldStart }
    }
}

impl Record {
    /// Whether nothing was read but the end of a line.
    fn is_empty(&self) -> bool {
        self.state == State::FieldStart && self.fields.is_empty()
    }

    /// Takes a byte. Says whether it ends the record.
    fn take(&mut self, byte: u8, delimiter: u8) -> bool {
        match (self.state, byte) {
            (State::Quoted, b'"') => self.state = State::QuoteInQuoted,
            (State::Quoted, b'\\') => self.state = State::QuotedEscape,
            (State::Quoted, _) => self.field.push(byte),
            (State::QuotedEscape, _) | (State::QuoteInQuoted, b'"') => {
                self.field.push(byte);
                self.state = State::Quoted;
            }
            (_, b'\n') => {
                self.drop_carriage_return();
                return true;
            }
            (State::PlainEscape, _) => {
                self.field.push(byte);
                self.state = State::Plain;
            }
            (_, b'\\') => self.state = State::PlainEscape,
            (State::FieldStart, b'"') => self.state = State::Quoted,
            (_, byte) if byte == delimiter => {
                self.fields.push(std::mem::take(&mut self.field));
                self.state = State::FieldStart;
            }
            _ => {
                self.field.push(byte);
                self.state = State::Plain;
            }
        }
        false
    }

    /// The end of a line may be two bytes.
    fn drop_carriage_return(&mut self) {
        if self.state == State::Plain && self.field.last() == Some(&b'\r') {
            self.field.pop();
            if self.field.is_empty() {
                self.state = State::FieldStart;
            }
        }
    }
}
