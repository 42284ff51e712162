//! Collations: bytes that compare as MySQL compares the text, for those collations where that is certain.

/// Why a text has no certain place in a collation's order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("how collation {collation} compares {what} is not certain")]
pub struct Uncertain {
    /// The collation.
    pub collation: String,
    /// The character, or the whole collation.
    pub what: String,
}

/// Appends bytes to `out` such that two texts are equal in the collation exactly when their bytes are, and order likewise
/// (PAD SPACE or NO PAD as the collation has it). The bytes are self-delimiting: no text's bytes are a proper prefix of another's.
///
/// # Errors
/// The collation is unknown here, or the text has a character whose weight is not certain.
pub fn sort_key(collation: &str, text: &str, out: &mut Vec<u8>) -> Result<(), Uncertain> {
    let _ = (text, out);
    Err(Uncertain { collation: collation.to_owned(), what: "any text".to_owned() })
}
