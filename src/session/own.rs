//! What this process is called: `@@hostname`, `@@server_uuid`.

use std::fs;
use std::sync::OnceLock;

/// The name of the machine, or nothing where the system does not tell it.
pub(super) fn hostname() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        name.trim().to_owned()
    })
}

/// A UUID that each start of the process makes again: nothing is kept in a data folder.
pub(super) fn uuid() -> &'static str {
    static UUID: OnceLock<String> = OnceLock::new();
    UUID.get_or_init(|| {
        let mut bytes = [0_u8; 16];
        // Without random bytes, all are zero but those that say which kind of UUID it is.
        let _ = aws_lc_rs::rand::fill(&mut bytes);
        let number = u128::from_be_bytes(bytes);
        let number = number & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{number:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    })
}
