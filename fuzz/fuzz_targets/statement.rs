//! Any text of a client, in each way of reading it: a statement comes out, and no panic.
#![no_main]

use dbtrail_shim::statement::{ParseSettings, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, bool, bool, bool, &str)| {
    let (ansi_quotes, no_backslash_escapes, orm_forms, in_information_schema, text) = input;
    let reading = ParseSettings {
        ansi_quotes,
        no_backslash_escapes,
        orm_forms,
        version: 80_036,
        in_information_schema,
    };
    let _ = parse(text, reading);
});
