//! Failures as clients get them.

use super::*;

const DOCUMENTED: ErrorSettings = ErrorSettings { plain_1064: false, unreachable: Unreachable::Auto };

#[test]
fn ok_the_published_rows() {
    let row = |f: Failure, proxy| {
        let e = of(&f, DOCUMENTED, proxy, None);
        (e.code, e.state, e.message)
    };
    let lost = Failure::AgentUnreachable("https://a:1: refused".into());
    assert_eq!(
        row(lost.clone(), false),
        (2002, "HY000", "Can't connect to dbtrail backend: https://a:1: refused [agent_unreachable]".into())
    );
    assert_eq!(row(lost, true).0, 1429);
    let failed = Failure::AgentFailed { status: 502, body: "bad gateway".into() };
    assert_eq!(
        row(failed, false),
        (1317, "70100", "dbtrail backend returned HTTP 502: bad gateway [agent_failed]".into())
    );
    let rejected = Failure::AgentRejected { status: 422, body: "x".into(), word: String::new() };
    assert_eq!(
        row(rejected, false),
        (1064, "HY000", "dbtrail backend rejected request (HTTP 422): x [agent_rejected]".into())
    );
    let unknown = Failure::UnknownTenant("bob".into());
    assert_eq!(row(unknown, false), (1045, "28000", "unknown tenant for MySQL user \"bob\"".into()));
}

#[test]
fn ok_long_messages_keep_their_request() {
    let id = RequestId::next(7);
    let e = of(&Failure::Internal("ü\n".repeat(600)), DOCUMENTED, false, Some(&id));
    assert!(
        e.message.len() <= 512
            && e.message.ends_with(&format!("(request {id}) [internal]"))
            && !e.message.contains('\n')
    );
}
