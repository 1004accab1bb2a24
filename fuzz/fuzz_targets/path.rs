//! Any text as a path, which is followed where it is one.
#![no_main]

use asl::{
    Scope,
    path::{Path, ReferencePath},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let input = fuzz::input();
    if let Ok(path) = Path::parse(text) {
        let _ = path.find(&Scope::new(&input, &fuzz::Still));
    }
    if let Ok(path) = ReferencePath::parse(text) {
        let _ = path.write(input.clone(), input);
    }
});
