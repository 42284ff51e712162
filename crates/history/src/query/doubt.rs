//! Why rows of a table are not known.

use super::keys::Wanted;
use super::{Refusal, unreadable};
use crate::record::{TableGeneration, UnplacedKeys};
use crate::store::ChangeSequence;
use dbtrail_types::agent_api::code;
use dbtrail_types::names::TableName;

/// Why the rows that are wanted (`None`: all) of this generation cannot be known in the state
/// before `cut`, if so.
pub(super) fn without_doubt(
    name: &TableName,
    generation: &TableGeneration,
    cut: ChangeSequence,
    wanted: Option<&Wanted>,
) -> Result<(), Refusal> {
    let all = generation.unfindable.as_ref().map(|reason| ("rows", reason));
    let is_wanted = |keys: &&UnplacedKeys| wanted.is_none_or(|wanted| wanted.meets(keys.prefix()));
    let some = || generation.unplaced.iter().find(is_wanted).map(|keys| ("some of these rows", &keys.reason));
    if let Some((which, reason)) = all.or_else(some) {
        return Err(Refusal::new(
            422,
            code::UNSUPPORTED_KEY,
            format!("{which} of {name} cannot be found by key: {reason}"),
        ));
    }
    match (&generation.doubt, &generation.known_from) {
        (Some((from, reason)), _) if *from < cut => Err(unreadable(name, reason)),
        (_, Some((from, reason))) if cut <= *from => Err(unreadable(name, reason)),
        _ => Ok(()),
    }
}
