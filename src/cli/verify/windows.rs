//! From when to when versions are compared where the log does not say on which side of an instant
//! changes are.

use dbtrail_types::names::TableName;
use dbtrail_types::timestamp::Timestamp;

/// How often other ends of the window are tried.
const TRIES: u32 = 6;
/// Microseconds.
const SECOND: i64 = 1_000_000;

/// Windows of whole seconds inside of one, each shorter than the one before: a statement may have
/// taken several.
pub(super) fn second_windows(
    (since, until): (Timestamp, Timestamp),
) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let (first, last) = (since.micros().div_euclid(SECOND) + 1, until.micros().div_euclid(SECOND));
    let windows = (0..TRIES).map(move |n| {
        let less = (1_i64 << n) - 1;
        (first.saturating_add(less), last.saturating_sub(less))
    });
    let at = |second: i64| Timestamp::from_micros(second.saturating_mul(SECOND));
    windows.take_while(|(from, to)| from < to).map(move |(from, to)| (at(from), at(to)))
}

/// For the report.
pub(super) fn note(name: &TableName, since: Timestamp, (first, last): (Timestamp, Timestamp)) -> String {
    format!(
        "versions of {name} are compared from {first} to {last}: the log does not say on which side of {since} or of now its changes are"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_whole_seconds_lie_inside() {
        let shown = |since: &str, until: &str| -> Vec<String> {
            let second = |text: &str| format!("2026-04-27T09:{text}Z").parse().unwrap();
            let windows = second_windows((second(since), second(until)));
            windows.map(|(from, to)| format!("{from} {to}").replace("2026-04-27T09:", "")).collect()
        };
        assert_eq!(
            shown("00:00.5", "00:09.25"),
            ["00:01.000000Z 00:09.000000Z", "00:02.000000Z 00:08.000000Z", "00:04.000000Z 00:06.000000Z"]
        );
        assert_eq!(shown("00:00", "00:02"), ["00:01.000000Z 00:02.000000Z"]);
        assert!(shown("00:00.5", "00:01.9").is_empty());
    }
}
