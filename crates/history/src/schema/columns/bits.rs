//! Literals that count by their bits and bytes.

use dbtrail_types::column::ColumnType;

/// Whether a text is kept as the bytes that it was written in.
pub(super) fn is_raw(ty: &ColumnType) -> bool {
    ty.is_bytes() || matches!(ty, ColumnType::Bit { .. })
}

pub(super) fn bits_of(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 2).ok().filter(|_| text.len() <= 64)
}

/// The bits that a text of ASCII stands for; `None`: they have no room.
pub(super) fn bits_of_text(text: &str, width: u8) -> Option<Vec<u8>> {
    let bits = text.bytes().try_fold(0_u64, |bits, byte| Some(bits.checked_mul(256)? | u64::from(byte)))?;
    (text.is_ascii() && (width >= 64 || bits >> width == 0)).then(|| bit_cell(bits, width))
}

pub(super) fn bit_cell(bits: u64, width: u8) -> Vec<u8> {
    let length = usize::from(width).div_ceil(8);
    bits.to_be_bytes()[8 - length.min(8)..].to_vec()
}
