//! Any text as a call of an intrinsic function, which is made where it is one.
#![no_main]

use asl::{Scope, intrinsic::Intrinsic};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(call) = Intrinsic::parse(text) {
        let _ = call.evaluate(&Scope::new(&fuzz::input(), &fuzz::Still));
    }
});
