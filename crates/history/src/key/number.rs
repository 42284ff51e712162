//! Key bytes of numbers. `None`: not the text of such a number.

/// The first byte of zero; of a greater number it is more by the count of the bytes after it, of a
/// smaller one less, and one more less.
const ZERO: u8 = 0x80;

/// As many bytes as the number needs after one that tells how many, so that signed and unsigned
/// columns of any width share one order (a key keeps its bytes when ALTER TABLE widens its column)
/// and most keys are short.
pub(super) fn integer(value: &[u8], zerofill: bool, out: &mut Vec<u8>) -> Option<()> {
    let (negative, digits) = signed(value);
    if !digits.iter().all(u8::is_ascii_digit) || digits.is_empty() {
        return None;
    }
    if !zerofill && digits.len() > 1 && digits[0] == b'0' {
        return None;
    }
    let magnitude: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    if negative && magnitude > 0 {
        // From -1 down: 0, 1, 2... with all bits inverted.
        let below = (!0_i64.checked_sub_unsigned(magnitude)?).cast_unsigned();
        let bytes = below.to_be_bytes();
        let zeros = below.leading_zeros() / 8;
        let needed = bytes.get(usize::try_from(zeros).ok()?..)?;
        out.push(ZERO - 1 - u8::try_from(needed.len()).ok()?);
        out.extend(needed.iter().map(|b| !b));
    } else {
        let bytes = magnitude.to_be_bytes();
        let zeros = magnitude.leading_zeros() / 8;
        let needed = bytes.get(usize::try_from(zeros).ok()?..)?;
        out.push(ZERO + u8::try_from(needed.len()).ok()?);
        out.extend(needed);
    }
    Some(())
}

/// The integer of key bytes that [`integer`] made.
pub(super) fn integer_of(key: &[u8]) -> Option<i128> {
    let (head, value) = key.split_first()?;
    let negative = *head < ZERO;
    let length = if negative { ZERO - 1 - *head } else { *head - ZERO };
    if usize::from(length) != value.len() || length > 8 {
        return None;
    }
    let number = value.iter().fold(0, |n: i128, b| n << 8 | i128::from(if negative { !b } else { *b }));
    Some(if negative { -1 - number } else { number })
}

fn signed(value: &[u8]) -> (bool, &[u8]) {
    value.strip_prefix(b"-").map_or((false, value), |rest| (true, rest))
}

/// Sign, number of integer digits, digits, exactly `scale` decimals; all but the sign complemented
/// when negative.
pub(super) fn decimal(value: &[u8], scale: u8, zerofill: bool, out: &mut Vec<u8>) -> Option<()> {
    let (negative, rest) = signed(value);
    let point = rest.iter().position(|b| *b == b'.');
    let (integer, fraction) = point.map_or((rest, &[][..]), |i| (&rest[..i], &rest[i + 1..]));
    let digits = |d: &[u8]| d.iter().all(u8::is_ascii_digit);
    if integer.is_empty() || !digits(integer) || !digits(fraction) || point.is_some() && fraction.is_empty() {
        return None;
    }
    let significant = &integer[integer.iter().take_while(|b| **b == b'0').count()..];
    if !zerofill && significant.len() < integer.len() && integer.len() > 1 {
        return None;
    }
    if significant.len() > 81 || fraction.len() > usize::from(scale) {
        return None;
    }
    let mut bytes = vec![u8::try_from(significant.len()).ok()?];
    bytes.extend(significant);
    bytes.extend(fraction);
    bytes.resize(bytes.len() + usize::from(scale) - fraction.len(), b'0');
    let zero = significant.is_empty() && bytes[1..].iter().all(|b| *b == b'0');
    if negative && !zero {
        out.push(0);
        out.extend(bytes.iter().map(|b| !b));
    } else {
        out.push(1);
        out.extend(bytes);
    }
    Some(())
}

/// BIT(n) comes as its (n+7)/8 bytes.
pub(super) fn bits(value: &[u8], bits: u8, out: &mut Vec<u8>) -> Option<()> {
    if value.len() != usize::from(bits.div_ceil(8)) || value.len() > 8 {
        return None;
    }
    let mut wide = [0; 8];
    wide[8 - value.len()..].copy_from_slice(value);
    out.extend(wide);
    Some(())
}

pub(super) fn year(value: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if value.len() != 4 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    out.extend(value);
    Some(())
}
