//! Values separated by commas, tabs or the like, under a header.

use std::collections::HashSet;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{BadRowReason, BadRows, Batch, MAX_COLUMNS, MAX_RECORD_BYTES};
use crate::error::FileError;

/// A reader of delimited records, after the header.
#[derive(Debug)]
pub(crate) struct Delimited {
    csv: Reader,
    columns: usize,
    /// Where the fields of the record in hand end.
    ends: Vec<usize>,
    fields: usize,
    /// The bytes of the record in hand, which lie in the batch from its last row on.
    length: usize,
    /// Whether the record in hand has more fields than the header.
    too_many_fields: bool,
}

impl Delimited {
    /// Reads the header from the beginning of a file. Returns the names of the columns and how much was taken.
    ///
    /// # Errors
    ///
    /// [`FileError::InvalidHeader`], [`FileError::TooManyColumns`], or [`FileError::RecordTooLong`] where the
    /// header is longer than the piece of the file given here.
    pub(crate) fn open(start: &[u8], is_whole: bool, delimiter: u8) -> Result<(Self, Vec<String>, usize), FileError> {
        let line = header_line(start);
        let mut csv = ReaderBuilder::new().delimiter(delimiter).build();
        let mut bytes = vec![0; start.len() + 1];
        let mut ends = vec![0; MAX_COLUMNS + 1];
        let (mut result, taken, mut length, mut fields) = csv.read_record(start, &mut bytes, &mut ends);
        if result == ReadRecordResult::InputEmpty {
            if !is_whole {
                return Err(FileError::RecordTooLong { line, limit: start.len() });
            }
            let (at_end, _, more_length, more_fields) = csv.read_record(&[], &mut bytes[length..], &mut ends[fields..]);
            result = at_end;
            length += more_length;
            fields += more_fields;
        }
        match result {
            ReadRecordResult::Record => {}
            ReadRecordResult::End => return Err(FileError::EmptyFile),
            _ => return Err(FileError::TooManyColumns { limit: MAX_COLUMNS }),
        }
        if fields > MAX_COLUMNS {
            return Err(FileError::TooManyColumns { limit: MAX_COLUMNS });
        }
        let mut names = Vec::with_capacity(fields);
        let mut begin = 0;
        for &end in &ends[..fields] {
            let name = std::str::from_utf8(&bytes[begin..end.min(length)])
                .map_err(|_| FileError::InvalidHeader { line, reason: "it is not UTF-8".to_owned() })?;
            names.push(name.trim().to_owned());
            begin = end;
        }
        let reader =
            Self { csv, columns: fields, ends: vec![0; fields + 1], fields: 0, length: 0, too_many_fields: false };
        Ok((reader, unique(names), taken))
    }

    /// A batch gets full only by a whole record, so a record in hand always has its bytes in the batch given.
    pub(super) fn read(&mut self, input: &[u8], batch: &mut Batch, bad_rows: &mut BadRows) -> Result<usize, FileError> {
        // Room for all that can come out of this input: fields are never longer than what they are read from.
        let room = batch.used() + self.length + input.len() + 1;
        if batch.bytes.len() < room {
            batch.bytes.resize(room, 0);
        }
        let mut taken = 0;
        while taken < input.len() && !batch.is_full() {
            let (result, read) = self.step(&input[taken..], batch);
            taken += read;
            match result {
                ReadRecordResult::Record => {
                    let ended_line = input[..taken].last() == Some(&b'\n');
                    self.end_record(batch, bad_rows, self.csv.line() - u64::from(ended_line));
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => break,
                ReadRecordResult::OutputFull => batch.bytes.resize(batch.bytes.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => {
                    self.too_many_fields = true;
                    self.fields = 0;
                }
            }
            if self.length > MAX_RECORD_BYTES {
                break;
            }
        }
        if self.length > MAX_RECORD_BYTES {
            return Err(FileError::RecordTooLong { line: self.csv.line(), limit: MAX_RECORD_BYTES });
        }
        Ok(taken)
    }

    pub(super) fn finish(&mut self, batch: &mut Batch, bad_rows: &mut BadRows) {
        let line = self.line();
        loop {
            match self.step(&[], batch).0 {
                ReadRecordResult::Record => self.end_record(batch, bad_rows, line),
                ReadRecordResult::OutputEndsFull => {
                    self.too_many_fields = true;
                    self.fields = 0;
                }
                ReadRecordResult::OutputFull => batch.bytes.resize(batch.bytes.len() * 2 + 1, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return,
            }
        }
    }

    pub(super) fn line(&self) -> u64 {
        self.csv.line()
    }

    fn step(&mut self, input: &[u8], batch: &mut Batch) -> (ReadRecordResult, usize) {
        let at = batch.used() + self.length;
        let (result, read, written, fields) =
            self.csv.read_record(input, &mut batch.bytes[at..], &mut self.ends[self.fields..]);
        self.length += written;
        self.fields += fields;
        (result, read)
    }

    fn end_record(&mut self, batch: &mut Batch, bad_rows: &mut BadRows, line: u64) {
        if self.too_many_fields || self.fields > self.columns {
            bad_rows.add(line, BadRowReason::TooManyFields);
        } else if self.fields < self.columns {
            bad_rows.add(line, BadRowReason::TooFewFields);
        } else {
            batch.push_row(self.ends[..self.columns].iter().copied(), line);
        }
        self.fields = 0;
        self.length = 0;
        self.too_many_fields = false;
    }
}

/// The line on which the header begins: the first that is not empty.
fn header_line(start: &[u8]) -> u64 {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let empty = start.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    1 + empty.filter(|byte| **byte == b'\n').count() as u64
}

/// Gives a column without a name its number, and one whose name is taken the name with a number.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut unique = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        let base = if name.is_empty() { format!("column_{}", index + 1) } else { name };
        let mut candidate = base.clone();
        let mut number = 2;
        while !taken.insert(candidate.clone()) {
            candidate = format!("{base}_{number}");
            number += 1;
        }
        unique.push(candidate);
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Cell;

    /// All cells of a file that comes in pieces of the given size, and its bad rows.
    fn read_in_pieces(file: &[u8], size: usize) -> (Vec<Vec<String>>, BadRows) {
        let (mut reader, names, taken) = Delimited::open(file, true, b',').unwrap();
        let mut batch = Batch::new(names.len());
        let mut bad_rows = BadRows::default();
        for piece in file[taken..].chunks(size) {
            assert_eq!(reader.read(piece, &mut batch, &mut bad_rows).unwrap(), piece.len());
        }
        reader.finish(&mut batch, &mut bad_rows);
        let sealed = batch.seal(&mut bad_rows);
        let columns = (0..names.len()).map(|column| sealed.column(column).map(show).collect());
        (columns.collect(), bad_rows)
    }

    fn show(cell: Cell<'_>) -> String {
        match cell {
            Cell::Null => "-".to_owned(),
            Cell::Bare(text) | Cell::Quoted(text) => text.to_owned(),
        }
    }

    #[test]
    fn records_are_the_same_whatever_the_pieces() {
        let file = b"a,b\n1,\"x, \"\"y\"\"\nz\"\r\n,\n2\n3,4,5\n3,4,5,6,7\n\nlast,\xc3\xbc";
        for size in 1..file.len() {
            let (columns, bad_rows) = read_in_pieces(file, size);
            assert_eq!(columns, [["1", "-", "last"], ["x, \"y\"\nz", "-", "ü"]], "pieces of {size}");
            assert_eq!((bad_rows.too_few_fields, bad_rows.too_many_fields), (1, 2));
            let lines: Vec<_> = bad_rows.first.iter().map(|row| row.line).collect();
            assert_eq!(lines, [5, 6, 7], "pieces of {size}");
        }
    }

    #[test]
    fn columns_have_different_names() {
        let (_, names, _) = Delimited::open(b"a,a, a ,,a_2\n", true, b',').unwrap();
        assert_eq!(names, ["a", "a_2", "a_3", "column_4", "a_2_2"]);
    }

    #[test]
    fn a_header_must_be_text_and_have_a_limit() {
        assert!(matches!(Delimited::open(b"a,\xff\n", true, b','), Err(FileError::InvalidHeader { line: 1, .. })));
        for start in [&b"\n\n\xff\n"[..], b"\xef\xbb\xbf\r\n\r\n\"a\n\xff\"\n"] {
            let error = Delimited::open(start, true, b',').unwrap_err();
            assert!(matches!(error, FileError::InvalidHeader { line: 3, .. }), "{error}");
        }
        let error = Delimited::open(b"\r\n\na,b", false, b',').unwrap_err();
        assert!(matches!(error, FileError::RecordTooLong { line: 3, .. }), "{error}");
        assert!(matches!(Delimited::open(b"\n\n", true, b','), Err(FileError::EmptyFile)));
        assert!(matches!(Delimited::open(b"a,b", false, b','), Err(FileError::RecordTooLong { line: 1, .. })));
        let wide = ",".repeat(MAX_COLUMNS);
        assert!(matches!(Delimited::open(wide.as_bytes(), true, b','), Err(FileError::TooManyColumns { .. })));
    }

    #[test]
    fn a_record_has_a_limit() {
        let (mut reader, _, taken) = Delimited::open(b"a\n", true, b',').unwrap();
        assert_eq!(taken, 2);
        let mut batch = Batch::new(1);
        let piece = vec![b'x'; MAX_RECORD_BYTES + 1];
        reader.read(b"\"", &mut batch, &mut BadRows::default()).unwrap();
        let error = reader.read(&piece, &mut batch, &mut BadRows::default()).unwrap_err();
        assert!(matches!(error, FileError::RecordTooLong { line: 2, .. }), "{error}");
    }
}
