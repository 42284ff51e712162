//! DECIMAL in its packed form.

use super::LogFault;
use super::bytes::Bytes;

/// A DECIMAL in its packed form: groups of nine digits, the first bit inverted, all bits inverted
/// when negative (MySQL source documentation, "decimal2bin").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits<'a> {
    packed: &'a [u8],
    /// Digits before the point.
    integer: usize,
    scale: usize,
}

/// Bytes of so many digits.
const BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

impl<'a> Digits<'a> {
    /// Of a column.
    pub(super) fn take(input: &mut Bytes<'a>, precision: u8, scale: u8) -> Result<Self, LogFault> {
        Self::of_precision(input, precision, scale, 65)
    }

    /// Of a JSON value, which holds results of a calculation with all of their digits: MySQL
    /// calculates with nine groups of nine.
    pub(super) fn take_json(input: &mut Bytes<'a>, precision: u8, scale: u8) -> Result<Self, LogFault> {
        Self::of_precision(input, precision, scale, 81)
    }

    fn of_precision(input: &mut Bytes<'a>, precision: u8, scale: u8, most: usize) -> Result<Self, LogFault> {
        let (precision, scale) = (usize::from(precision), usize::from(scale));
        if precision > most || scale > precision || precision == 0 {
            return Err(LogFault::Decimal { precision, scale });
        }
        let integer = precision - scale;
        let length = BYTES[integer % 9] + integer / 9 * 4 + scale / 9 * 4 + BYTES[scale % 9];
        Ok(Self { packed: input.take(length)?, integer, scale })
    }

    /// Appends the exact text, with all decimals of the scale.
    ///
    /// # Errors
    /// Its bytes are no digits.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), LogFault> {
        let negative = self.packed.first().is_some_and(|first| first & 0x80 == 0);
        let mut packed = [0; 48];
        let bytes = packed.get_mut(..self.packed.len()).ok_or(LogFault::DecimalTooLong)?;
        for (byte, stored) in bytes.iter_mut().zip(self.packed) {
            *byte = if negative { !stored } else { *stored };
        }
        bytes[0] ^= 0x80;
        let mut rest = Bytes(bytes);
        let start = out.len();
        if negative {
            out.push(b'-');
        }
        let first = out.len();
        group(self.integer % 9, &mut rest, out)?;
        (0..self.integer / 9).try_for_each(|_| group(9, &mut rest, out))?;
        let zeros = out[first..].iter().take_while(|digit| **digit == b'0').count();
        out.drain(first..first + zeros);
        if out.len() == first {
            out.push(b'0');
        }
        if self.scale > 0 {
            out.push(b'.');
            (0..self.scale / 9).try_for_each(|_| group(9, &mut rest, out))?;
            group(self.scale % 9, &mut rest, out)?;
        }
        // MySQL knows no negative zero.
        if negative && out[first..].iter().all(|b| matches!(b, b'0' | b'.')) {
            out.remove(start);
        }
        Ok(())
    }
}

/// So many digits of a DECIMAL, zeros in front included.
fn group(count: usize, rest: &mut Bytes<'_>, out: &mut Vec<u8>) -> Result<(), LogFault> {
    let mut value = rest.uint_be(BYTES[count])?;
    let end = out.len() + count;
    out.resize(end, b'0');
    for digit in out[end - count..].iter_mut().rev() {
        *digit += u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
    if value == 0 { Ok(()) } else { Err(LogFault::DecimalOverflow) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two are the example of the server's own source ("decimal2bin"), the rest follow
    /// from its rules.
    #[test]
    fn decimals_have_all_of_their_digits() {
        for (packed, precision, scale, text) in [
            (&[0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2][..], 14, 4, "1234567890.1234"),
            (&[0x7e, 0xf2, 0x04, 0xc7, 0x2d, 0xfb, 0x2d], 14, 4, "-1234567890.1234"),
            (&[0x80, 0x00], 3, 2, "0.00"),
            (&[0x7f, 0xff], 3, 2, "0.00"),
            (&[0x7f, 0xfa], 3, 2, "-0.05"),
            (&[0x80, 0x2a], 4, 0, "42"),
            (&[0x80], 1, 0, "0"),
            (&[0x85], 1, 1, "0.5"),
            (&[0x80, 0x00, 0x00, 0x07, 0x3b, 0x9a, 0xc9, 0xff], 18, 0, "7999999999"),
            (&[0x80, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02], 18, 9, "1.000000002"),
        ] {
            let mut input = Bytes(packed);
            let mut out = b"before ".to_vec();
            Digits::take(&mut input, precision, scale).unwrap().write(&mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("before {text}"));
            assert!(input.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        let overflow = [0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(Digits::take(&mut Bytes(&overflow), 10, 0).unwrap().write(&mut Vec::new()).is_err());
        for (precision, scale) in [(0, 0), (66, 0), (5, 6)] {
            assert!(Digits::take(&mut Bytes(&[0; 40]), precision, scale).is_err());
        }
        assert!(Digits::take(&mut Bytes(&[0x80]), 10, 2).is_err(), "too short");
    }
}
