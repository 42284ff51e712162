//! Why a declaration (SHOW CREATE TABLE) gives no definition.

use super::effect::EffectReason;

/// Why the definition of a table does not follow from its declaration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// It has a clause that is not read, or that contradicts another one.
    #[error(transparent)]
    Unread(EffectReason),
    /// It declares a view, or nothing.
    #[error("it is not the declaration of a table")]
    NotATable,
}
