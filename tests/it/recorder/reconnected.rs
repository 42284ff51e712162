//! A connection that is made again while the history is kept, to a log that may be another one.

use super::*;

/// The new log is as long as the old one was: the clock is read at its end before its last event
/// has come and is compared.
#[tokio::test(flavor = "multi_thread")]
async fn no_time_of_another_log_counts() {
    for (fixture, other) in [("mysql-9.7", false), ("mysql-9.7", true), ("mariadb-10.11", true)] {
        let folder = tempfile::tempdir().expect("a folder");
        let (files, events) = (truth_agent::history(fixture), events(fixture));
        let feed = Feed::open(folder.path());
        feed.send(CaptureEvent::Begin(start(fixture, &files))).await;
        feed.send(CaptureEvent::Follow(position_at(4), server(fixture))).await;
        let half = events[..events.len() / 2].iter().map(|e| e.1.clone().into()).collect();
        feed.send(CaptureEvent::Events(half)).await;
        let resume = feed.writer.resume_position().await.expect("it writes").expect("a position");
        let last = resume.last.clone().expect("an event");
        let late = Timestamp::from_micros(files.coverage().newest.micros() + 5_000_000);
        feed.send(CaptureEvent::Connection(Ok(()))).await;
        let clock = ValidFrom { after: resume.at.clone(), what: Clock::plain(late) };
        feed.send(CaptureEvent::Clock(clock)).await;
        feed.send(CaptureEvent::Follow(resume.from(), server(fixture))).await;
        feed.send(CaptureEvent::Events(vec![description(&events[0].1).into()])).await;
        let raw = events.iter().find(|(at, _)| *at == last.offset).expect("it is there").1.clone();
        let raw = if other { altered(raw) } else { raw };
        feed.send(CaptureEvent::Events(vec![raw.into()])).await;
        let newest = feed.end().await.coverage().newest;
        assert_eq!(newest == late, !other, "{fixture}: {newest} and {late}");
    }
}
