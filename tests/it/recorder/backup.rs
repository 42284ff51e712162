//! A backup that is made while the log is being taken in.

use super::*;
use dbtrail_history::backup::{of_folder, of_running};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_goes_on_where_it_was_made() {
    let fixture = "mysql-9.7";
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (files, events) = (truth_agent::history(fixture), events(fixture));
    let copy = other.path().join("copy");
    let feed = Feed::open(folder.path());
    feed.send(CaptureEvent::Begin(start(fixture, &files))).await;
    feed.send(CaptureEvent::Follow(position_at(4), server(fixture))).await;
    let half = events.len() / 2;
    for (_, raw) in &events[..half] {
        feed.send(CaptureEvent::Events(vec![raw.clone().into()])).await;
    }
    let handle = Arc::clone(&feed.history_handle);
    // What was sent is taken in a little later.
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while handle.current().is_none_or(|history| history.entries() < 50) {
        assert!(tokio::time::Instant::now() < end, "nothing is taken in");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let to = copy.clone();
    let making = tokio::task::spawn_blocking(move || of_running(&handle, &to, &|| false));
    // More comes meanwhile, and waits.
    for (_, raw) in &events[half..half + half / 2] {
        feed.send(CaptureEvent::Events(vec![raw.clone().into()])).await;
    }
    let copied = making.await.expect("no panic").expect("a copy");
    assert!(copied.pairs > 100, "{copied:?}");
    drop(feed.end().await);
    // The agent goes on, and so does the copy: both come to what the files give.
    for folder in [folder.path(), copy.as_path()] {
        let history = fed(fixture, folder, 0, options()).await;
        truth_agent::states(&history, fixture);
        truth_agent::changes(&history, fixture);
    }
    // Of a folder on which no agent runs, and not over another one.
    let again = other.path().join("again");
    of_folder(&copy, &again).expect("a copy");
    let why = of_folder(&copy, &again).expect_err("it is there").to_string();
    assert_eq!(why, format!("{} is there already: give the name of a folder that is not", again.display()));
    let open = Feed::open(&again);
    let why = of_folder(&again, &other.path().join("third")).expect_err("it is open").to_string();
    assert!(why.starts_with(&format!("another process has {} open", again.display())), "{why}");
    drop(open.end().await);
}
