//! Files and the places in them.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A range of bytes of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A text file as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: Arc<Path>,
    pub(crate) text: Arc<str>,
    /// Where each line begins.
    lines: Arc<[usize]>,
}

impl Source {
    pub(crate) fn new(path: &Path, text: String) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
        Self { path: path.into(), text: text.into(), lines }
    }

    /// The place of a span. A span over several lines is cut to its first, which is what a reader looks for.
    pub(crate) fn location(&self, span: Span) -> SourceLocation {
        let offset = floor_boundary(&self.text, span.start);
        let end = floor_boundary(&self.text, span.end.max(offset));
        // The first line begins at 0.
        let line = self.lines.partition_point(|start| *start <= offset);
        let line_start = line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or_default();
        let first_line = self.text[offset..end].lines().next().unwrap_or_default().trim_end();
        SourceLocation {
            file: self.path.to_path_buf(),
            line,
            column: self.text[line_start..offset].chars().count() + 1,
            offset,
            length: first_line.len(),
            text: Arc::clone(&self.text),
        }
    }
}

/// The last character boundary at or before `offset`.
fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// A place in a template or in a definition's file.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file, as it was opened.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Where it begins, in bytes from the start of the file.
    pub offset: usize,
    /// How long it is, in bytes, on its first line.
    pub length: usize,
    text: Arc<str>,
}

impl SourceLocation {
    /// The text of the whole file.
    pub fn source(&self) -> &Arc<str> {
        &self.text
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

impl fmt::Debug for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceLocation({self}, {} bytes)", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_counts_lines_and_characters_from_one() {
        let source = Source::new(Path::new("t.yaml"), "ä: 1\nbé: two\nnext".to_owned());
        let location = source.location(Span { start: 11, end: 17 });
        assert_eq!((location.line, location.column), (2, 5));
        assert_eq!(&source.text[location.offset..location.offset + location.length], "two");
    }

    #[test]
    fn a_span_past_the_end_is_the_end() {
        let source = Source::new(Path::new("t.yaml"), "a".to_owned());
        let location = source.location(Span { start: 9, end: 12 });
        assert_eq!((location.line, location.column, location.length), (1, 2, 0));
    }
}
