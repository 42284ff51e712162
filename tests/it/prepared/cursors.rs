//! Cursors, and executions that end early.

use super::super::support::{COLUMNS, Outcome, Raw, Reply, Then, error, pair, three_rows};
use super::{BY_KEY, CURSOR, PLAIN, bound, numbered, three};

#[tokio::test]
async fn cursors_are_fetched_in_parts() {
    let (agent, shim) = pair().await;
    for deprecate_eof in [false, true] {
        let mut client = Raw::connect(shim.port).await;
        client.deprecate_eof = deprecate_eof;
        assert_eq!(client.login("a", "secret-a", None).await[0], 0);
        let end = |state: u8| {
            let mut packet = vec![0xfe, 0, 0, 2 | state, 0];
            packet.extend_from_slice(if deprecate_eof { &[0, 0] } else { &[] });
            packet
        };
        let (more, last) = (end(0x40), end(0x80));
        let ready = client.ready(BY_KEY).await;
        let open = bound(ready.id, CURSOR, &[numbered(1), numbered(2), numbered(3)]);
        let no_cursor = format!("The statement ({}) has no open cursor.", ready.id);
        let reported = client.fetch(ready.id, 1).await.expect_err("no cursor");
        assert_eq!(reported.plain(), (1421, "HY000", no_cursor.as_str()));
        assert_eq!(client.opened(&open).await, more);
        let (rows, state) = client.fetch(ready.id, 2).await.expect("rows");
        assert_eq!((rows.as_slice(), &state), (&three()[..2], &more));
        // Another statement between two fetches.
        assert_eq!(
            client.execute(&bound(ready.id + 1000, PLAIN, &[])).await.expect_err("unknown").code,
            1243
        );
        let (rows, state) = client.fetch(ready.id, 2).await.expect("rows");
        assert_eq!((rows.as_slice(), &state), (&three()[2..], &last));
        assert_eq!(client.fetch(ready.id, 2).await.expect_err("closed").code, 1421);
        // Exactly as many as there are: the end comes with the next fetch.
        assert_eq!(client.opened(&open).await, more);
        assert_eq!(client.fetch(ready.id, 0).await.expect("nothing"), (Vec::new(), more.clone()));
        assert_eq!(client.fetch(ready.id, 3).await.expect("rows"), (three(), more.clone()));
        assert_eq!(client.fetch(ready.id, 3).await.expect("the end"), (Vec::new(), last.clone()));
        assert_eq!(client.fetch(ready.id, 3).await.expect_err("closed").code, 1421);
        // A result that is there at once has a cursor too; a statement without a result has none.
        let one = client.ready("SELECT 1").await;
        assert_eq!(client.opened(&bound(one.id, CURSOR, &[])).await, more);
        let row = vec![b"\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00".to_vec()];
        assert_eq!(client.fetch(one.id, 5).await.expect("a row"), (row, last));
        let none = client.ready("SET @x = 1").await;
        assert_eq!(client.execute(&bound(none.id, CURSOR, &[])).await.expect("done").2[0], 0);
    }
    assert_eq!(agent.figures(), (4, 0));
}

/// An answer that has begun and does not end.
fn begun() -> Reply {
    Reply::part(200, &format!("{{\"success\":true,{COLUMNS}}}\n[\"1\",\"one\"]\n[\"2\",null]\n"), Then::Wait)
}

#[tokio::test]
async fn a_cursor_ends_its_request_when_it_is_closed_killed_or_left() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let ready = client.ready(BY_KEY).await;
    let open = bound(ready.id, CURSOR, &[numbered(1), numbered(2), numbered(3)]);
    let mut left = 0;
    for closing in 0..6 {
        agent.always(begun());
        client.opened(&open).await;
        let (rows, _) = client.fetch(ready.id, 1).await.expect("a row");
        assert_eq!(rows, three()[..1]);
        assert_eq!(agent.figures().1, left);
        match closing {
            0 => assert_eq!(client.reset(ready.id).await[0], 0),
            1 => {
                // Another execution, which has another answer.
                agent.always(Reply::ndjson(&three_rows()));
                let values = [numbered(1), numbered(2), numbered(3)];
                let (_, rows, _) = client.execute(&bound(ready.id, PLAIN, &values)).await.expect("rows");
                assert_eq!(rows, three());
            }
            2 => {
                // The fetch waits for a third row; nobody sees when it begins to, so that it is
                // killed until it is.
                client.command(0x1c, &[ready.id.to_le_bytes(), 5_u32.to_le_bytes()].concat()).await;
                let mut killer = shim.raw("a").await;
                let kill = format!("KILL QUERY {}", client.id);
                let killing = async {
                    loop {
                        assert_eq!(killer.query(&kill).await, Outcome::Done(0));
                    }
                };
                let row = tokio::select! {
                    row = client.read() => row.expect("a row"),
                    () = killing => unreachable!(),
                };
                assert_eq!(row, three()[1]);
                let reported = error(&client.read().await.expect("an error"));
                assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"));
                assert_eq!(client.fetch(ready.id, 1).await.expect_err("closed").code, 1421);
            }
            3 => {
                // COM_RESET_CONNECTION
                client.command(0x1f, &[]).await;
                assert_eq!(client.read().await.expect("an answer")[0], 0);
                assert_eq!(client.fetch(ready.id, 1).await.expect_err("gone").code, 1243);
                client = shim.raw("a").await;
                assert_eq!(client.ready(BY_KEY).await.id, ready.id);
            }
            4 => {
                assert_eq!(client.change_user("a", "secret-a", "").await[0], 0);
                assert_eq!(client.fetch(ready.id, 1).await.expect_err("gone").code, 1243);
                client = shim.raw("a").await;
                assert_eq!(client.ready(BY_KEY).await.id, ready.id);
            }
            _ => {
                // COM_STMT_CLOSE has no answer: the next command comes in the same segment.
                let ping: &[u8] = &[1, 0, 0, 0, 0x0e];
                let close = [&[5, 0, 0, 0, 0x19][..], &ready.id.to_le_bytes(), ping].concat();
                tokio::io::AsyncWriteExt::write_all(&mut client.stream, &close).await.expect("written");
                client.sequence = 1;
                assert_eq!(client.read().await.expect("an answer to the ping")[0], 0);
                assert_eq!(client.fetch(ready.id, 1).await.expect_err("gone").code, 1243);
            }
        }
        left += 1;
        agent.left_alone(left).await;
    }
    let ready = client.ready(BY_KEY).await;
    agent.always(begun());
    client.opened(&bound(ready.id, CURSOR, &[numbered(1), numbered(2), numbered(3)])).await;
    client.command(0x1c, &[ready.id.to_le_bytes(), 5_u32.to_le_bytes()].concat()).await;
    drop(client);
    agent.left_alone(left + 1).await;
}

#[tokio::test]
async fn an_execution_is_killed_and_left() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let mut other = shim.raw("a").await;
    let ready = client.ready(BY_KEY).await;
    let execute = bound(ready.id, PLAIN, &[numbered(1), numbered(2), numbered(3)]);
    agent.always(Reply::nothing(Then::Wait));
    client.command(0x17, &execute).await;
    agent.asked(1).await;
    assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
    let reported = client.binary().await.expect_err("killed");
    assert_eq!(reported.plain(), (1317, "70100", "Query execution was interrupted"));
    agent.left_alone(1).await;
    agent.always(Reply::ndjson(&three_rows()));
    assert_eq!(client.execute(&execute).await.expect("rows").1, three());
    // A preparation waits for the agent too.
    agent.set_metadata(Reply::nothing(Then::Wait));
    client.command(0x16, BY_KEY.as_bytes()).await;
    agent.questions(2).await;
    assert_eq!(other.query(&format!("KILL QUERY {}", client.id)).await, Outcome::Done(0));
    assert_eq!(error(&client.read().await.expect("an error")).code, 1317);
    agent.truth();
    agent.always(Reply::nothing(Then::Wait));
    client.command(0x17, &execute).await;
    agent.asked(3).await;
    drop(client);
    agent.left_alone(3).await;
}

#[tokio::test]
async fn an_answer_that_breaks_or_holds_what_no_column_can_is_an_error() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let ready = client.ready(BY_KEY).await;
    let execute = |flags| bound(ready.id, flags, &[numbered(1), numbered(2), numbered(3)]);
    let header = format!("{{\"success\":true,{COLUMNS}}}\n");
    agent.always(Reply::ndjson(&format!(
        "{header}[\"1.0\",\"one\"]\n{{\"end\":{{\"rows\":1,\"notes\":[]}}}}\n"
    )));
    let reported = client.execute(&execute(PLAIN)).await.expect_err("no integer");
    assert_eq!(
        reported.plain(),
        (1815, "HY000", "dbtrail-shim: the agent sent '1.0' for column id, which is no value of type int")
    );
    client.opened(&execute(CURSOR)).await;
    assert_eq!(client.fetch(ready.id, 9).await.expect_err("no integer").code, 1815);
    assert_eq!(client.fetch(ready.id, 9).await.expect_err("closed").code, 1421);
    agent.always(Reply::chunk(200, &format!("{header}[\"1\",\"one\"]\n"), Then::Close));
    let reported = client.execute(&execute(PLAIN)).await.expect_err("cut");
    assert_eq!(reported.code, 2002);
    client.opened(&execute(CURSOR)).await;
    assert_eq!(client.fetch(ready.id, 9).await.expect_err("cut").code, 2002);
    agent.always(Reply::ndjson(&three_rows()));
    assert_eq!(client.execute(&execute(PLAIN)).await.expect("rows").1, three());
}
