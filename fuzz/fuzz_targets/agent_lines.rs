//! Any bytes as lines of an agent's answer, as each message of the contract; what is understood
//! must survive being written again.
#![no_main]

use dbtrail_types::agent_api::frames::{frame_head, read_event, read_row};
use dbtrail_types::agent_api::{DiffLine, ErrorBody, Header, RowLine, Trailer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = (frame_head(bytes), read_row(bytes, 2), read_event(bytes, 2));
    for line in bytes.split(|b| *b == b'\n') {
        let _ = serde_json::from_slice::<Header>(line);
        let _ = serde_json::from_slice::<DiffLine>(line);
        let _ = serde_json::from_slice::<Trailer>(line);
        let _ = serde_json::from_slice::<ErrorBody>(line);
        if let Ok(row) = serde_json::from_slice::<RowLine>(line) {
            let written = serde_json::to_vec(&row).expect("a row can be written");
            let again: RowLine = serde_json::from_slice(&written).expect("what was written is understood");
            assert!(row == again, "a cell changed on the way");
        }
    }
});
