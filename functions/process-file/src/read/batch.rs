//! Some thousand records, side by side in one buffer.

use std::str;

use super::{BadRowReason, BadRows};

/// The size of a batch in cells: with few columns it is [`MAX_ROWS`] that ends a batch, with many columns this.
const MAX_CELLS: usize = 64 * 1024;
const MAX_ROWS: usize = 8192;
/// A batch ends with the record that passes this many bytes.
const MAX_BYTES: usize = 2 << 20;

/// One value of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// No value: an empty field, a JSON null, an absent key.
    Null,
    /// Text that may mean a number, a truth value, a date or a timestamp.
    Bare(&'a str),
    /// Text that was marked as text, as JSON strings are; it may still be a date or a timestamp.
    Quoted(&'a str),
}

/// Records that are being read: bytes not yet known to be text.
#[derive(Debug)]
pub(crate) struct Batch {
    columns: usize,
    /// The cells' bytes, in order and with nothing between them. What lies beyond the last offset is scratch space.
    pub(super) bytes: Vec<u8>,
    /// For each row where each cell begins, and where the last one ends.
    offsets: Vec<u32>,
    /// For each cell whether it is marked as text; empty where the format knows no such mark.
    quoted: Vec<bool>,
    /// The line on which each row ends.
    lines: Vec<u64>,
}

impl Batch {
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns, bytes: Vec::new(), offsets: Vec::new(), quoted: Vec::new(), lines: Vec::new() }
    }

    pub(crate) fn is_full(&self) -> bool {
        let rows = self.lines.len();
        rows >= MAX_ROWS || rows * self.columns >= MAX_CELLS || self.used() >= MAX_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many bytes the rows take; the next row begins there.
    pub(super) fn used(&self) -> usize {
        self.offsets.last().map_or(0, |&end| end as usize)
    }

    /// Adds the row whose bytes were put at [`Batch::used`], its cells ending at these distances from there.
    pub(super) fn push_row(&mut self, ends: impl Iterator<Item = usize>, line: u64) {
        let start = self.used();
        self.offsets.push(offset(start));
        self.offsets.extend(ends.map(|end| offset(start + end)));
        self.lines.push(line);
    }

    /// Marks the cells of the row just added.
    pub(super) fn push_quoted(&mut self, quoted: impl Iterator<Item = bool>) {
        self.quoted.extend(quoted);
    }

    /// Checks that all cells are UTF-8. Rows that are not are left out and counted.
    pub(crate) fn seal(mut self, bad_rows: &mut BadRows) -> SealedBatch {
        self.bytes.truncate(self.used());
        match String::from_utf8(std::mem::take(&mut self.bytes)) {
            Ok(text) if text.is_ascii() || self.offsets.iter().all(|&at| text.is_char_boundary(at as usize)) => {
                SealedBatch { text, batch: self }
            }
            Ok(text) => self.seal_without_bad_rows(text.into_bytes(), bad_rows),
            Err(error) => self.seal_without_bad_rows(error.into_bytes(), bad_rows),
        }
    }

    fn seal_without_bad_rows(mut self, mut bytes: Vec<u8>, bad_rows: &mut BadRows) -> SealedBatch {
        let mut kept = Self::new(self.columns);
        for row in 0..self.lines.len() {
            let offsets = &self.offsets[row * (self.columns + 1)..(row + 1) * (self.columns + 1)];
            let is_text =
                offsets.windows(2).all(|cell| str::from_utf8(&bytes[cell[0] as usize..cell[1] as usize]).is_ok());
            if is_text {
                kept.offsets.extend_from_slice(offsets);
                kept.lines.push(self.lines[row]);
                if !self.quoted.is_empty() {
                    kept.quoted.extend_from_slice(&self.quoted[row * self.columns..(row + 1) * self.columns]);
                }
            } else {
                bad_rows.add(self.lines[row], BadRowReason::InvalidUtf8);
                // Blank, so that the buffer as a whole is text. No offset points here any more.
                bytes[offsets[0] as usize..offsets[self.columns] as usize].fill(b' ');
            }
        }
        self.offsets.clear();
        let text = String::from_utf8(bytes).unwrap_or_default();
        SealedBatch { text, batch: kept }
    }
}

/// A batch stays far below 4 GiB: it is full at [`MAX_BYTES`], and a record has a limit of its own.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Records that are text throughout.
#[derive(Debug)]
pub(crate) struct SealedBatch {
    text: String,
    batch: Batch,
}

impl SealedBatch {
    pub(crate) fn rows(&self) -> usize {
        self.batch.lines.len()
    }

    /// The cells of one column, from the first row to the last.
    pub(crate) fn column(&self, column: usize) -> impl Iterator<Item = Cell<'_>> {
        let stride = self.batch.columns + 1;
        self.batch.offsets.chunks_exact(stride).enumerate().map(move |(row, offsets)| {
            let text = match (offsets.get(column), offsets.get(column + 1)) {
                (Some(&start), Some(&end)) => self.text.get(start as usize..end as usize).unwrap_or_default(),
                _ => "",
            };
            if self.batch.quoted.get(row * self.batch.columns + column) == Some(&true) {
                Cell::Quoted(text)
            } else if text.is_empty() {
                Cell::Null
            } else {
                Cell::Bare(text)
            }
        })
    }

    /// An empty batch with this one's memory.
    pub(crate) fn recycle(self) -> Batch {
        let Self { text, mut batch } = self;
        batch.bytes = text.into_bytes();
        batch.offsets.clear();
        batch.quoted.clear();
        batch.lines.clear();
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(rows: &[&[&[u8]]]) -> Batch {
        let mut batch = Batch::new(2);
        for (row, cells) in rows.iter().enumerate() {
            let mut end = 0;
            let mut ends = Vec::new();
            for cell in *cells {
                batch.bytes.extend_from_slice(cell);
                end += cell.len();
                ends.push(end);
            }
            batch.push_row(ends.into_iter(), row as u64 + 1);
        }
        batch
    }

    #[test]
    fn rows_that_are_not_text_are_left_out_and_counted() {
        let mut bad_rows = BadRows::default();
        let batch = batch(&[&[b"a", b"b"], &[b"\xff", b"c"], &["ü".as_bytes(), b""]]);
        let sealed = batch.seal(&mut bad_rows);
        assert_eq!(sealed.column(0).collect::<Vec<_>>(), [Cell::Bare("a"), Cell::Bare("ü")]);
        assert_eq!(sealed.column(1).collect::<Vec<_>>(), [Cell::Bare("b"), Cell::Null]);
        assert_eq!(bad_rows.invalid_utf8, 1);
        assert_eq!(bad_rows.first[0].line, 2);
    }

    #[test]
    fn a_character_may_not_be_split_between_two_cells() {
        let mut bad_rows = BadRows::default();
        let sealed = batch(&[&[b"\xc3", b"\xbc"], &[b"x", b"y"]]).seal(&mut bad_rows);
        assert_eq!(sealed.rows(), 1);
        assert_eq!(bad_rows.invalid_utf8, 1);
    }

    #[test]
    fn a_recycled_batch_is_empty() {
        let sealed = batch(&[&[b"a", b"b"]]).seal(&mut BadRows::default());
        let batch = sealed.recycle();
        assert!(batch.is_empty());
        assert_eq!(batch.used(), 0);
    }
}
