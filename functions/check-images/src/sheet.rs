//! The contact sheet.

use std::fmt::{self, Display};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use function_kit::html::Escaped;
use image_kit::{Analysis, Format, Object, Written};

use crate::Label;

/// A page on its own: its style and its pictures are inside, and it loads nothing.
pub(crate) struct Sheet<'a> {
    pub(crate) object: &'a Object,
    pub(crate) analysis: &'a Analysis,
    pub(crate) labels: &'a [Label],
    pub(crate) shown: &'a [Shown<'a>],
}

/// A result, and a small picture of it as a WebP file.
pub(crate) struct Shown<'a> {
    pub(crate) written: &'a Written,
    pub(crate) small: Vec<u8>,
}

impl Display for Sheet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Analysis { format, size, bytes, turned, sharpness, hash, .. } = self.analysis;
        let key = &self.object.key;
        write!(
            f,
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{name}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p>s3://{bucket}/{key}</p>
<dl>
<div><dt>Format</dt><dd>{format}{turned}</dd></div>
<div><dt>Pixels</dt><dd>{size}</dd></div>
<div><dt>Size</dt><dd>{bytes}</dd></div>
<div><dt>Sharpness</dt><dd>{sharpness}</dd></div>
<div><dt>Hash</dt><dd>{hash}</dd></div>
</dl>
"#,
            name = Escaped(key.rsplit('/').next().unwrap_or(key)),
            bucket = Escaped(&self.object.bucket),
            key = Escaped(key),
            style = include_str!("sheet.css"),
            turned = if *turned { ", turned" } else { "" },
            bytes = Bytes(*bytes),
        )?;
        self.write_colours(f)?;
        self.write_pictures(f)?;
        write_list(f, "Labels", self.labels, |f, label| {
            write!(f, "{} ({:.0} %)", Escaped(&label.name), label.confidence)
        })?;
        write_list(f, "Pictures that look alike", &self.analysis.near_duplicates, |f, near| {
            let (bucket, key) = (Escaped(&near.bucket), Escaped(&near.key));
            write!(f, "s3://{bucket}/{key}, {} of 64 bits differ", near.distance)
        })?;
        writeln!(f, "</main>\n</body>\n</html>")
    }
}

impl Sheet<'_> {
    fn write_colours(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "<ul class=\"colours\">")?;
        for colour in &self.analysis.colours {
            let (rgb, percent) = (Escaped(&colour.rgb), (colour.share * 100.0).round());
            writeln!(f, "<li style=\"flex-grow: {percent}; background: {rgb}\" title=\"{rgb}, {percent} %\"></li>")?;
        }
        writeln!(f, "</ul>")
    }

    fn write_pictures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "<section class=\"pictures\">")?;
        for Shown { written, small } in self.shown {
            let name = Escaped(written.key.rsplit('/').next().unwrap_or(&written.key));
            writeln!(
                f,
                "<figure><img alt=\"\" src=\"data:{};base64,{}\"><figcaption><b>{name}</b> {}<br>{}</figcaption></figure>",
                Format::WebP.media_type(),
                Base64Display::new(small, &STANDARD),
                written.size,
                Bytes(written.bytes),
            )?;
        }
        writeln!(f, "</section>")
    }
}

/// Items under a title; nothing where there are none.
fn write_list<T>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    items: &[T],
    write_item: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(f, "<h2>{title}</h2>\n<ul>")?;
    for item in items {
        write!(f, "<li>")?;
        write_item(f, item)?;
        writeln!(f, "</li>")?;
    }
    writeln!(f, "</ul>")
}

/// A number of bytes in the unit that it fills.
struct Bytes(u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 2] = [(1_000_000, "MB"), (1000, "kB")];
        match UNITS.into_iter().find(|(unit, _)| self.0 >= *unit) {
            Some((unit, name)) => write!(f, "{}.{} {name}", self.0 / unit, self.0 % unit * 10 / unit),
            None => write!(f, "{} B", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        for (bytes, text) in [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1999, "1.9 kB"), (12_345_678, "12.3 MB")] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }
}
