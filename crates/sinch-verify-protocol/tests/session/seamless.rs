//! Data verification: the address that a session fetches.

use sinch_verify_protocol::session::{
    Failure, FetchTarget, Input, MAX_REDIRECTS, Plan, RequestFailure, TargetError,
};

use crate::run::*;

fn started(uri: &str) -> (Run, Vec<&'static str>) {
    started_with(Plan::new(seamless()), uri)
}

fn started_with(plan: Plan, uri: &str) -> (Run, Vec<&'static str>) {
    let mut run = Run::new(plan);
    run.give(Input::Begin);
    let body = format!(r#"{{"id":"d1","method":"seamless","seamless":{{"targetUri":"{uri}"}}}}"#);
    let sends = run.reply(START, 200, &body).sends();
    (run, sends)
}

const URI: &str = "https://operator.example/check";
const VERIFIED: &str = r#"{"id":"d1","status":"SUCCESSFUL"}"#;

#[test]
fn redirects_are_resolved_and_bounded() {
    let base = FetchTarget::new("https://operator.example:8443/a/b/c?q=1", false).unwrap();
    let rows = [
        ("https://other.example/x?y=1#frag", "https://other.example/x?y=1"),
        ("//other.example/x", "https://other.example/x"),
        ("/x", "https://operator.example:8443/x"),
        ("x", "https://operator.example:8443/a/b/x"),
        ("../x", "https://operator.example:8443/a/x"),
        ("../../../../x", "https://operator.example:8443/x"),
        ("./", "https://operator.example:8443/a/b/"),
        ("?z=2", "https://operator.example:8443/a/b/c?z=2"),
        ("x?u=a:b/../c", "https://operator.example:8443/a/b/x?u=a:b/../c"),
        ("x y", "https://operator.example:8443/a/b/x%20y"),
    ];
    for (location, expected) in rows {
        let next = base.redirect(location).unwrap();
        assert_eq!(next.uri().to_string(), expected, "{location}");
    }
    let mut target = base;
    for _ in 0..MAX_REDIRECTS {
        target = target.redirect("/loop").unwrap();
    }
    assert_eq!(target.redirect("/loop"), Err(TargetError::TooManyRedirects));
}

#[test]
fn plain_http_is_fetched_only_by_setting_or_from_loopback() {
    let rows = [
        ("http://operator.example/", TargetError::PlainHttp),
        ("http://localhost.example/", TargetError::PlainHttp),
        ("ftp://operator.example/", TargetError::Scheme),
        ("/check", TargetError::Syntax),
        ("nonsense", TargetError::Syntax),
        ("https://user:pw@operator.example/", TargetError::UserInfo),
    ];
    for (uri, error) in rows {
        let (run, sends) = started(uri);
        assert!(sends.is_empty(), "{uri}");
        assert_eq!(run.failure(), &Failure::Target(error), "{uri}");
    }
    let (_, sends) = started_with(
        Plan::new(seamless()).allow_plain_http(true),
        "http://operator.example/",
    );
    assert_eq!(sends, [TARGET]);
    // This machine is no network to be eavesdropped on.
    let (_, sends) = started("http://127.0.0.1:9901/target/1");
    assert_eq!(sends, [TARGET]);
    let secure = FetchTarget::new(URI, false).unwrap();
    assert_eq!(
        secure.redirect("http://operator.example/"),
        Err(TargetError::PlainHttp)
    );
}

#[test]
fn a_missing_target_is_named() {
    let (run, _) = started("");
    let field = "seamless.targetUri".to_owned();
    assert_eq!(run.failure(), &Failure::Unusable { field });
}

#[test]
fn the_target_verifies() {
    let (mut run, sends) = started(URI);
    assert_eq!(sends, [TARGET]);
    run.reply(TARGET, 200, VERIFIED);
    assert!(run.is_verified());
}

/// The address belongs to an operator or a proxy: a status of another verification proves nothing about
/// this one.
#[test]
fn what_the_target_tells_of_another_verification_counts_for_nothing() {
    for theirs in [SUCCESSFUL, r#"{"id":"s1","status":"FAIL"}"#] {
        let (mut run, _) = started(URI);
        run.reply(TARGET, 200, theirs);
        assert_eq!(run.due().sends(), [STATUS], "{theirs}");
        assert_eq!(run.session.ending(), None, "{theirs}");
        run.reply(STATUS, 200, r#"{"id":"d1","status":"PENDING"}"#);
        assert!(matches!(run.failure(), Failure::NotVerified(_)), "{theirs}");
    }
    let (mut run, _) = started(URI);
    run.reply(TARGET, 200, SUCCESSFUL);
    run.due();
    run.reply(STATUS, 200, VERIFIED);
    assert!(run.is_verified());
}

/// A driver that follows redirects meets what it must not fetch after the session has let go of it.
#[test]
fn an_address_that_must_not_be_fetched_ends_the_method_at_once() {
    for error in [TargetError::PlainHttp, TargetError::TooManyRedirects] {
        let (mut run, _) = started(URI);
        let said = run.break_off(TARGET, RequestFailure::Target(error));
        assert!(said.requests().is_empty());
        assert_eq!(run.failure(), &Failure::Target(error));

        let (mut run, _) = started_with(Plan::new(seamless()).then(sms()), URI);
        let said = run.break_off(TARGET, RequestFailure::Target(error));
        assert_eq!(said.sends(), [START], "the next method is tried");
    }
}

#[test]
fn a_target_that_does_not_say_successful_is_no_proof() {
    let (mut run, _) = started(URI);
    run.reply(TARGET, 200, r#"{"id":"d1","status":"PENDING"}"#);
    assert!(matches!(run.failure(), Failure::NotVerified(_)));

    // A page of the operator may hide the outcome: the service is asked.
    let (mut run, _) = started(URI);
    run.reply(TARGET, 200, "<html>hello</html>");
    assert_eq!(run.due().sends(), [STATUS]);
    run.reply(STATUS, 200, PENDING);
    assert!(matches!(run.failure(), Failure::NotVerified(_)));
}

#[test]
fn a_refusal_of_the_target_is_not_verified() {
    for status in [400, 401, 403, 404] {
        let (mut run, _) = started(URI);
        run.reply(TARGET, status, "no");
        assert!(matches!(run.failure(), Failure::NotVerified(_)), "{status}");
    }
    // Even in the service's own words it is no reason against another method.
    let (mut run, _) = started_with(Plan::new(seamless()).then(sms()), URI);
    let said = run.reply(TARGET, 403, r#"{"errorCode":40303,"message":"no"}"#);
    assert_eq!(said.sends(), [START]);
}

#[test]
fn a_lost_fetch_is_settled_by_a_query() {
    let (mut run, _) = started(URI);
    run.break_off(TARGET, RequestFailure::Lost);
    assert_eq!(run.due().sends(), [STATUS]);
    assert_eq!(run.reply(STATUS, 200, PENDING).sends(), [TARGET]);
    run.reply(TARGET, 200, VERIFIED);
    assert!(run.is_verified());
}
