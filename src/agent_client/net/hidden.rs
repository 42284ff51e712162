//! What a tenant may not see is not named.

use dbtrail_types::agent_api::NetHeader;
use dbtrail_types::names::TableName;

/// Whether a table may be read.
pub(super) fn sees(allowed: Option<&[String]>, table: &TableName) -> bool {
    allowed.is_none_or(|allowed| allowed.contains(&table.schema))
}

/// Takes away names of schemas that may not be read. That there is a foreign key is left: what
/// cannot be looked at must not be taken for free.
pub(super) fn hide(header: &mut NetHeader, allowed: Option<&[String]>) {
    let nobody = || TableName { schema: String::new(), table: String::new() };
    for reference in header.references.iter_mut().flatten() {
        if !sees(allowed, &reference.child) {
            (reference.child, reference.columns) = (nobody(), Vec::new());
        }
        if !sees(allowed, &reference.parent) {
            (reference.parent, reference.referenced) = (nobody(), Vec::new());
        }
    }
}
