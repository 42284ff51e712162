//! Numbers in as few bytes as they need (LEB128), as the store writes them; and what texts of
//! numbers say.

/// Whether the text of a number is that of a zero: `0`, `-0.00`.
pub fn is_zero(text: &[u8]) -> bool {
    text.iter().all(|b| b"-0.".contains(b))
}

/// Writes a number in as few bytes as it needs, seven bits in each.
pub fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(0x80 | u8::try_from(value & 0x7f).unwrap_or(0));
        value >>= 7;
    }
    out.push(u8::try_from(value & 0x7f).unwrap_or(0));
}

/// Reads such a number; `None`: the bytes end before it does, or it is none.
pub fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0_u64, 0_u32);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        shift += 7;
    }
}
