//! What fits in a type: the range of an integer, the bytes of a TEXT, the characters of an ENUM.

#![expect(clippy::wildcard_enum_match_arm, reason = "the types that are not named have no such length")]

use super::{ColumnType, IntSize, LobSize};

impl IntSize {
    /// Bytes that a value takes in a table.
    #[must_use]
    pub const fn bytes(self) -> u8 {
        match self {
            Self::Tiny => 1,
            Self::Small => 2,
            Self::Medium => 3,
            Self::Int => 4,
            Self::Big => 8,
        }
    }

    /// Bits of a value.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.bytes() as u32 * 8
    }

    /// The smallest and the greatest value.
    #[must_use]
    pub const fn range(self, unsigned: bool) -> (i128, i128) {
        let bits = self.bits();
        if unsigned { (0, (1 << bits) - 1) } else { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) }
    }

    /// Digits that mysqld counts for it where it computes: eight for MEDIUMINT, of which
    /// `information_schema` says seven.
    #[must_use]
    pub const fn digits(self, unsigned: bool) -> u8 {
        match self {
            Self::Tiny => 3,
            Self::Small => 5,
            Self::Medium => 8,
            Self::Int => 10,
            Self::Big => 19 + unsigned as u8,
        }
    }

    /// Characters in which mysqld shows it where no other width was declared.
    #[must_use]
    pub const fn display_width(self, unsigned: bool) -> u8 {
        self.digits(unsigned) + !unsigned as u8
    }
}

impl LobSize {
    /// Bytes of the length in front of a value.
    #[must_use]
    pub const fn length_bytes(self) -> u8 {
        match self {
            Self::Tiny => 1,
            Self::Normal => 2,
            Self::Medium => 3,
            Self::Long => 4,
        }
    }

    /// Bytes that it holds at most.
    #[must_use]
    pub const fn most_bytes(self) -> u32 {
        u32::MAX >> (32 - 8 * self.length_bytes() as u32)
    }

    /// The smallest that holds so many bytes.
    #[must_use]
    pub const fn holding(bytes: u64) -> Self {
        match bytes {
            0..=0xff => Self::Tiny,
            0x100..=0xffff => Self::Normal,
            0x1_0000..=0xff_ffff => Self::Medium,
            _ => Self::Long,
        }
    }
}

impl ColumnType {
    /// Characters that a value has at most, of CHAR, VARCHAR, ENUM (its longest label) and SET (all
    /// labels, with commas between them).
    #[must_use]
    pub fn most_chars(&self) -> Option<u64> {
        let letters = |label: &String| u64::try_from(label.chars().count()).unwrap_or(u64::MAX);
        match self {
            Self::Char { chars } | Self::VarChar { chars } => Some(u64::from(*chars)),
            Self::Enum { labels } => Some(labels.iter().map(letters).max().unwrap_or(0)),
            Self::Set { labels } => {
                let commas = u64::try_from(labels.len().saturating_sub(1)).unwrap_or(u64::MAX);
                Some(labels.iter().map(letters).sum::<u64>().saturating_add(commas))
            }
            _ => None,
        }
    }

    /// Bytes that a value has at most, of types whose length is in bytes.
    #[must_use]
    pub const fn most_bytes(&self) -> Option<u32> {
        match self {
            Self::Binary { bytes } | Self::VarBinary { bytes } => Some(*bytes),
            Self::Text { size } | Self::Blob { size } => Some(size.most_bytes()),
            Self::Vector { dimensions } => Some(dimensions.saturating_mul(4)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_the_ranges_of_the_manual() {
        for (size, low, high, unsigned) in [
            (IntSize::Tiny, -128, 127, 255),
            (IntSize::Small, -32_768, 32_767, 65_535),
            (IntSize::Medium, -8_388_608, 8_388_607, 16_777_215),
            (IntSize::Int, -2_147_483_648, 2_147_483_647, 4_294_967_295),
            (IntSize::Big, i64::MIN.into(), i64::MAX.into(), u64::MAX.into()),
        ] {
            assert_eq!((size.range(false), size.range(true)), ((low, high), (0, unsigned)), "{size:?}");
        }
    }

    #[test]
    fn a_lob_holds_what_its_length_can_say() {
        for (size, most) in [
            (LobSize::Tiny, 255),
            (LobSize::Normal, 65_535),
            (LobSize::Medium, 16_777_215),
            (LobSize::Long, 4_294_967_295),
        ] {
            assert_eq!(size.most_bytes(), most);
            assert_eq!(LobSize::holding(most.into()), size);
            let next = LobSize::holding(u64::from(most) + 1);
            assert!(next > size || size == LobSize::Long, "{size:?}");
        }
    }

    #[test]
    fn lengths_are_in_characters_or_in_bytes() {
        for (ty, chars, bytes) in [
            ("char(3)", Some(3), None),
            ("enum('a','bcd')", Some(3), None),
            ("set('é','bcd')", Some(5), None),
            ("varbinary(7)", None, Some(7)),
            ("text", None, Some(65_535)),
            ("vector(3)", None, Some(12)),
            ("json", None, None),
            ("int", None, None),
        ] {
            let ty: ColumnType = ty.parse().unwrap();
            assert_eq!((ty.most_chars(), ty.most_bytes()), (chars, bytes), "{ty}");
        }
    }
}
