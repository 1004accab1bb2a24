//! Data from objects, of which only so much is read.

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Read},
    rc::Rc,
};

use flate2::bufread::MultiGzDecoder;

use super::super::objects::{ObjectId, Objects, ObjectsError};

/// What a file begins with that gzip has compressed.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The objects of a dataset.
pub(super) struct Input<'a> {
    objects: &'a dyn Objects,
    meter: Meter,
}

impl<'a> Input<'a> {
    /// Gives `limit` bytes out, from all objects together.
    pub(super) fn new(objects: &'a dyn Objects, limit: u64) -> Self {
        Self { objects, meter: Meter { left: Rc::new(Cell::new(limit)), is_spent: Rc::default() } }
    }

    pub(super) fn objects(&self) -> &'a dyn Objects {
        self.objects
    }

    /// Whether more was asked for than is given out.
    pub(super) fn is_spent(&self) -> bool {
        self.meter.is_spent.get()
    }

    /// The data of an object.
    pub(super) fn open(&self, object: &ObjectId) -> Result<Data, ObjectsError> {
        let data = Metered { inner: self.objects.open(object)?, meter: self.meter.clone() };
        Ok(Data { inner: BufReader::new(Box::new(data)), meter: self.meter.clone() })
    }
}

/// How many bytes may still be read.
#[derive(Clone)]
struct Meter {
    left: Rc<Cell<u64>>,
    is_spent: Rc<Cell<bool>>,
}

impl Meter {
    fn take(&self, bytes: u64) -> io::Result<()> {
        if let Some(left) = self.left.get().checked_sub(bytes) {
            self.left.set(left);
            Ok(())
        } else {
            self.is_spent.set(true);
            Err(io::Error::new(io::ErrorKind::FileTooLarge, "there is more data than is read"))
        }
    }
}

struct Metered<R> {
    inner: R,
    meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.take(read as u64)?;
        Ok(read)
    }
}

/// The data of one object.
pub(super) struct Data {
    inner: BufReader<Box<dyn Read>>,
    meter: Meter,
}

impl Data {
    /// The data with its compression undone, where gzip has compressed it.
    pub(super) fn decompressed(mut self) -> io::Result<Self> {
        if !self.inner.fill_buf()?.starts_with(GZIP) {
            return Ok(self);
        }
        let inner = Metered { inner: MultiGzDecoder::new(self.inner), meter: self.meter.clone() };
        Ok(Self { inner: BufReader::new(Box::new(inner)), meter: self.meter })
    }

    /// All of it.
    pub(super) fn whole(mut self) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        self.inner.read_to_end(&mut whole)?;
        Ok(whole)
    }

    /// Counts data that a format's own compression hid.
    pub(super) fn meter(&self) -> impl Fn(u64) -> io::Result<()> + use<> {
        let meter = self.meter.clone();
        move |bytes| meter.take(bytes)
    }
}

impl Read for Data {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl BufRead for Data {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
    }
}
