//! Agents that cannot be reached, or vanish.

use super::super::support::{
    Agent, Certificates, FLASHBACK, Outcome, Plan, Raw, Reply, Then, certificates, pair, self_signed,
};
use super::{HEADER_AND_ONE_ROW, goes_on};

/// The error of a shim whose agent is somewhere else, or somebody else.
async fn unreachable(plan: Plan) -> String {
    let shim = plan.start().await;
    let mut client = shim.raw("a").await;
    let reported = client.err_packet(FLASHBACK).await;
    let (code, state, text) = reported.plain();
    assert_eq!((code, state), (2002, "HY000"), "{reported:?}");
    goes_on(None, &mut client).await;
    text.to_owned()
}

#[tokio::test]
async fn an_agent_that_cannot_be_reached_is_2002() {
    let made = certificates("localhost", false);
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://127.0.0.1:{}", free.local_addr().expect("bound").port());
    drop(free);
    assert_eq!(
        unreachable(Plan::at(url.clone(), &made)).await,
        format!("Can't connect to dbtrail backend: {url}: Connection refused (os error 111)")
    );
    // A label of 64 letters is no DNS name, so that no resolver is asked.
    let url = format!("https://{}.invalid:8600", "x".repeat(64));
    let text = unreachable(Plan::at(url.clone(), &made)).await;
    let want = format!("Can't connect to dbtrail backend: {url}: its name cannot be resolved (");
    assert!(text.starts_with(&want), "{text}");
}

#[tokio::test]
async fn a_certificate_that_proves_nothing_is_2002() {
    let good = certificates("localhost", false);
    let start = |served: Certificates, trusted: String| async move {
        let agent = Agent::start(&served).await;
        let plan = Plan { authority: Some(trusted), ..Plan::before(&agent, &served) };
        let url = plan.agent_url.clone();
        let text = unreachable(plan).await;
        assert_eq!(agent.requests().len(), 0, "a request went to an agent that proved nothing");
        text.strip_prefix(&format!("Can't connect to dbtrail backend: {url}: "))
            .map(str::to_owned)
            .expect("the place")
    };
    let text = start(certificates("localhost", false), good.authority.clone()).await;
    assert_eq!(
        text,
        "its certificate is not trusted (invalid peer certificate: BadSignature); see agent_tls.ca_file"
    );
    let other = certificates("other.example", false);
    let authority = other.authority.clone();
    let text = start(other, authority).await;
    assert!(text.starts_with("its certificate is for another host ("), "{text}");
    let old = certificates("localhost", true);
    let authority = old.authority.clone();
    let text = start(old, authority).await;
    assert!(text.starts_with("its certificate has expired ("), "{text}");
    // One that signs itself proves something only where it is the very one that was named.
    let (one, other) = (self_signed("localhost", false), self_signed("localhost", false));
    let text = start(one, other.authority).await;
    assert!(text.starts_with("its certificate is not trusted ("), "{text}");
    let elsewhere = self_signed("other.example", false);
    let authority = elsewhere.authority.clone();
    let text = start(elsewhere, authority).await;
    assert!(text.starts_with("its certificate is for another host ("), "{text}");
    let old = self_signed("localhost", true);
    let authority = old.authority.clone();
    let text = start(old, authority).await;
    assert!(text.starts_with("its certificate has expired ("), "{text}");
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_good_where_it_is_named() {
    let made = self_signed("localhost", false);
    let agent = Agent::start(&made).await;
    let shim = Plan::before(&agent, &made).start().await;
    let mut client = shim.raw("a").await;
    assert_eq!(client.rows(FLASHBACK).await.len(), 3);
}

#[tokio::test]
async fn a_connection_lost_before_the_first_row_is_2002() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let position = format!(
        "Can't connect to dbtrail backend: https://localhost:{}: the connection was lost",
        agent.port
    );
    let header = HEADER_AND_ONE_ROW.split_inclusive('\n').next().expect("a line");
    for reply in [
        Reply::nothing(Then::Reset),
        Reply::nothing(Then::Close),
        Reply { bytes: b"HTTP/1.1 200 OK\r\ncontent-ty".to_vec(), then: Then::Reset },
        Reply::part(200, "", Then::Close),
        Reply::part(200, header, Then::Reset),
        Reply::part(200, header, Then::Close),
        Reply::chunk(200, header, Then::Reset),
        Reply::chunk(200, header, Then::Close),
        Reply::part(200, &header[..header.len() - 1], Then::Close),
    ] {
        agent.always(reply.clone());
        let reported = client.err_packet(FLASHBACK).await;
        let (code, state, text) = reported.plain();
        assert_eq!((code, state), (2002, "HY000"), "{reply:?}: {reported:?}");
        assert!(text.starts_with(&position), "{reply:?}: {text}");
        assert_eq!(reported.word(), "agent_unreachable");
        let id = reported.request();
        assert_eq!(agent.last().header("x-request-id"), Some(id));
        goes_on(Some(&agent), &mut client).await;
    }
}

#[tokio::test]
async fn a_connection_lost_after_a_row_ends_the_rows_with_2002() {
    let (agent, shim) = pair().await;
    let mut client = shim.raw("a").await;
    let position = format!(
        "Can't connect to dbtrail backend: https://localhost:{}: the connection was lost",
        agent.port
    );
    let broken = format!("{HEADER_AND_ONE_ROW}[\"2\",nu");
    for (reply, what) in [
        (Reply::part(200, HEADER_AND_ONE_ROW, Then::Reset), "reset"),
        (Reply::part(200, HEADER_AND_ONE_ROW, Then::Close), "cut after a whole line"),
        (Reply::chunk(200, HEADER_AND_ONE_ROW, Then::Close), "cut after a whole line, in chunks"),
        (Reply::part(200, &broken, Then::Close), "cut in a line"),
        (Reply::chunk(200, &broken, Then::Reset), "reset in a line"),
    ] {
        agent.always(reply);
        let reported = match client.query(FLASHBACK).await {
            Outcome::Broken(rows, reported) => {
                assert_eq!(rows, [[Some("1".to_owned()), Some("one".to_owned())]], "{what}");
                reported
            }
            // A reset may overtake the row.
            Outcome::Error(reported) => reported,
            other => panic!("{what}: {other:?}"),
        };
        let (code, state, text) = reported.plain();
        assert_eq!((code, state), (2002, "HY000"), "{what}: {reported:?}");
        assert!(text.starts_with(&position), "{what}: {text}");
        goes_on(Some(&agent), &mut client).await;
    }
}

#[tokio::test]
async fn peers_that_cannot_carry_2002_are_reported_1429() {
    let (agent, shim) = pair().await;
    agent.always(Reply::nothing(Then::Close));
    let mut client = Raw::connect(shim.port).await;
    client.attributes.push(("program_name", "proxysql_backend"));
    assert_eq!(client.login("a", "secret-a", None).await[0], 0);
    let reported = client.err_packet(FLASHBACK).await;
    assert_eq!((reported.code, reported.state.as_str()), (1429, "HY000"));
    assert!(
        reported.message.starts_with("Can't connect to dbtrail backend: https://localhost:"),
        "{reported:?}"
    );
    goes_on(Some(&agent), &mut client).await;
}
