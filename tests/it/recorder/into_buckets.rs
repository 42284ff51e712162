//! The recordings in what a test with real programs names; see tests/real/object_recorded.py.

use super::feed::{fed, options};
use dbtrail_history::engine::Location;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it is told where to: DBTRAIL_TEST_RECORD_INTO, FIXTURE=DATA for each, by a space"]
async fn recorded_into_what_is_named() {
    let into = std::env::var("DBTRAIL_TEST_RECORD_INTO").expect("DBTRAIL_TEST_RECORD_INTO");
    for (fixture, data) in into.split(' ').map(|one| one.split_once('=').expect("FIXTURE=DATA")) {
        fed(fixture, Location::parse(data).expect("an address"), 4, options()).await;
    }
}
