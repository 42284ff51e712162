//! Failures and whose fault they are.

use super::*;

#[test]
fn ok_who_must_act() {
    let rejected =
        |status| Failure::AgentRejected { status, body: "id 4711".to_owned(), word: String::new() };
    for (failure, fault) in [
        (Failure::AgentUnreachable(String::new()), Fault::Upstream),
        (rejected(429), Fault::Upstream),
        (rejected(401), Fault::Policy),
        (rejected(422), Fault::Client),
        (Failure::Internal(String::new()), Fault::Ours),
        (Failure::NotForThisServer(String::new()), Fault::Policy),
        (Failure::Syntax(String::new()), Fault::Client),
    ] {
        assert_eq!(failure.fault(), fault, "{failure:?}");
    }
}

#[test]
fn ok_the_log_gets_no_values() {
    let body = || "key 4711 is not recorded".to_owned();
    assert_eq!(
        Failure::AgentRejected { status: 422, body: body(), word: String::new() }.detail().as_deref(),
        Some("HTTP 422")
    );
    assert_eq!(Failure::AgentFailed { status: 502, body: body() }.detail().as_deref(), Some("HTTP 502"));
    for failure in [
        Failure::AgentNonsense(body()),
        Failure::Syntax(body()),
        Failure::KeyRule(body()),
        Failure::BadTimestamp(body()),
        Failure::NotForThisServer(body()),
        Failure::WrongValue(body(), body()),
    ] {
        assert!(failure.detail().is_none_or(|d| !d.contains("4711")), "{failure:?}");
    }
}
