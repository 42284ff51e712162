//! Tables of which the server has two rows with one key.

use super::*;

impl Feed {
    /// Whether rows of the table that is to be read are wanted.
    async fn piece(
        &self,
        rows: Vec<Vec<Option<Vec<u8>>>>,
        end: bool,
    ) -> Result<bool, oneshot::error::RecvError> {
        let job = self.writer.next_job(Vec::new()).await.expect("it writes").expect("a table to read");
        let what = BaselineRows { generation: job.generation, definition: job.definition, rows, end };
        let (answer, kept) = oneshot::channel();
        self.send(CaptureEvent::Baseline(ValidFrom { after: position_at(4), what }, answer)).await;
        kept.await
    }
}

/// Seen of both servers after EXCHANGE PARTITION ... WITHOUT VALIDATION: which row a key has then
/// depends on how it is looked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_two_rows_of_one_key_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let feed = Feed::open(folder.path());
    begin_with_quiet(&feed, &truth_agent::history("mysql-9.7")).await;
    assert_eq!(feed.piece(vec![row("1", "7"), row("1", "8")], true).await, Ok(false));
    assert_eq!(rows_at(&feed.end().await, Reading::Snapshot), Err("unsupported_key".to_owned()));
}

/// A piece of the reading begins with the row at which the piece before it ended.
#[tokio::test(flavor = "multi_thread")]
async fn two_rows_of_one_key_are_noticed_where_a_piece_ends_between_them() {
    for (next, kept) in [
        (vec![row("1", "7"), row("2", "9")], true),
        (vec![row("2", "9")], true),
        (vec![row("1", "7"), row("1", "8"), row("2", "9")], false),
        (vec![row("1", "8"), row("1", "7")], false),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let feed = Feed::open(folder.path());
        begin_with_quiet(&feed, &truth_agent::history("mysql-9.7")).await;
        assert_eq!(feed.piece(vec![row("0", "6"), row("1", "7")], false).await, Ok(true));
        assert_eq!(feed.piece(next.clone(), true).await, Ok(kept), "{next:?}");
        let rows = vec![r#"["1","7"]"#.to_owned(), r#"["2","9"]"#.to_owned()];
        let known = if kept { Ok(rows) } else { Err("unsupported_key".to_owned()) };
        assert_eq!(rows_at(&feed.end().await, Reading::Snapshot), known, "{next:?}");
    }
}
