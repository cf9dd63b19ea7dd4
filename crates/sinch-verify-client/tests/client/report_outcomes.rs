//! What a report leads to: who is verified, and who is not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sinch_verify_client::flow::{Seen, Step};
use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::session::{Failure, Progress};
use sinch_verify_client::protocol::{ApiError, Code, Reason, Report, Start, Status};
use sinch_verify_client::{Handle, Lookup, ReportOutcome};
use sinch_verify_emulator as emulator;

use crate::fault_server::{Fault, FaultServer};
use crate::script::{STARTED, busy, client, report, seen, verification};
use crate::support::{Service, Skipping, number};

fn refused() -> Fault {
    Fault::answer(
        "400 Bad Request",
        r#"{"errorCode":40003,"message":"Invalid identity or code."}"#,
    )
}

/// A server that answers starts, and meets reports and queries with these, one after the other.
async fn scripted(reports: Vec<Fault>, queries: Vec<Fault>) -> FaultServer {
    let (nth_report, nth_query) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let next = |nth: &AtomicUsize, faults: &[Fault]| {
        let at = nth.fetch_add(1, Ordering::SeqCst);
        faults.get(at).cloned().unwrap_or(Fault::Close)
    };
    FaultServer::scripted(move |request| match request.split(' ').next() {
        Some("POST") => Fault::answer("200 OK", STARTED),
        Some("PUT") => next(&nth_report, &reports),
        _ => next(&nth_query, &queries),
    })
    .await
}

/// Whether a flow is verified by its first code, or goes on after it was refused.
async fn verified_in_a_flow(server: &FaultServer) -> Result<bool, Failure> {
    let (tell, source) = tokio::sync::mpsc::channel(1);
    tell.try_send(Seen::Code(Code::new("4821").unwrap())).unwrap();
    let clock = Skipping::up_to(Duration::from_secs(60));
    let client = crate::support::hasty(&server.base_url).clock(clock);
    let mut running = client.build().unwrap().verify(number()).begin(source).unwrap();
    loop {
        match running.next().await.unwrap() {
            Step::Verified(_) => return Ok(true),
            Step::Progress(Progress::Refused { .. }) => return Ok(false),
            Step::Failed(failure) => return Err(failure),
            Step::Progress(_) => {}
            step => panic!("{step:?}"),
        }
    }
}

async fn started(service: &Service) -> (Handle<Sms>, Code) {
    let handle = service.client().start(Start::sms(number())).await.unwrap();
    let code = service.emulator.inbox(&number()).remove(0).code.unwrap();
    (handle, code)
}

/// Never the code: the emulator's have no letter.
fn wrong() -> Code {
    Code::new("wrong").unwrap()
}

#[tokio::test]
async fn a_right_code_is_verified() {
    let service = Service::without_backend().await;
    let (handle, code) = started(&service).await;
    let outcome = handle.report(code).await.unwrap();
    assert!(outcome.is_verified());
    assert_eq!(outcome.verification().unwrap().id, handle.id);
}

#[tokio::test]
async fn a_wrong_code_after_a_success_is_not_verified() {
    let service = Service::without_backend().await;
    let (handle, code) = started(&service).await;
    assert!(handle.report(code).await.unwrap().is_verified());
    assert!(handle.status().await.unwrap().is_successful());

    let by_number = Report::<Sms>::by_number(number(), wrong());
    for outcome in [
        handle.report(wrong()).await.unwrap(),
        service.client().report(by_number).await.unwrap(),
    ] {
        let ReportOutcome::Refused { error, .. } = &outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(error.as_ref().unwrap().code, ApiError::NOT_PROCESSABLE);
        assert!(!outcome.is_verified());
    }

    // No status is queried that could say otherwise.
    let server = scripted(vec![refused(), refused()], vec![verification("SUCCESSFUL")]).await;
    let outcome = client(&server).report(report()).await.unwrap();
    assert!(!outcome.is_verified());
    assert_eq!(server.seen(), seen(0, 1, 0));
    assert_eq!(verified_in_a_flow(&server).await, Ok(false));
    assert_eq!(server.seen(), seen(1, 2, 0));
}

/// A service that is busy has not carried the report out, so its later refusal is that of a first sending.
#[tokio::test]
async fn a_wrong_code_after_a_success_is_not_verified_by_a_busy_service() {
    for put_off in [
        busy("429 Too Many Requests", ""),
        busy("429 Too Many Requests", "retry-after: 0\r\n"),
        busy("503 Service Unavailable", "retry-after: 0\r\n"),
    ] {
        let reports = vec![put_off.clone(), refused(), put_off, refused()];
        let server = scripted(reports, vec![verification("SUCCESSFUL")]).await;
        let outcome = client(&server).report(report()).await.unwrap();
        assert!(!outcome.is_verified(), "{outcome:?}");
        assert_eq!(server.seen(), seen(0, 2, 0));
        assert_eq!(verified_in_a_flow(&server).await, Ok(false));
        assert_eq!(server.seen(), seen(1, 4, 0));
    }
}

#[tokio::test]
async fn a_right_code_whose_first_answer_was_lost_is_verified() {
    let service = Service::without_backend().await;
    for handled in [true, false] {
        let (handle, code) = started(&service).await;
        let mut rule = emulator::FaultRule::api(emulator::Fault::Reset { handled });
        rule.operation = Some(emulator::Operation::Report);
        rule.count = Some(1);
        service.emulator.add_fault(rule).unwrap();
        assert!(handle.report(code).await.unwrap().is_verified(), "{handled}");
    }

    // The first one arrives after the query, and makes the second one a report to an ended verification.
    let reports = || vec![Fault::Close, refused()];
    let queries = || vec![verification("PENDING"), verification("SUCCESSFUL")];
    let server = scripted(reports(), queries()).await;
    assert!(client(&server).report(report()).await.unwrap().is_verified());
    assert_eq!(server.seen(), seen(0, 2, 2));
    let server = scripted(reports(), queries()).await;
    assert_eq!(verified_in_a_flow(&server).await, Ok(true));
    assert_eq!(server.seen(), seen(1, 2, 2));
}

#[tokio::test]
async fn a_wrong_code_whose_first_answer_was_lost_is_refused() {
    let reports = || vec![Fault::Close, refused()];
    let queries = || vec![verification("PENDING"), verification("PENDING")];
    let server = scripted(reports(), queries()).await;
    let outcome = client(&server).report(report()).await.unwrap();
    let ReportOutcome::Refused { verification, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(verification.unwrap().status, Status::Pending);
    assert_eq!(server.seen(), seen(0, 2, 2));
    let server = scripted(reports(), queries()).await;
    assert_eq!(verified_in_a_flow(&server).await, Ok(false));
    assert_eq!(server.seen(), seen(1, 2, 2));
}

#[tokio::test]
async fn a_refused_code_whose_status_stays_unknown_is_an_error() {
    let server = scripted(
        vec![Fault::Close, refused()],
        vec![verification("PENDING"), Fault::answer("401 No", "")],
    )
    .await;
    let error = client(&server).report(report()).await.unwrap_err();
    assert!(matches!(error.lookup(), Some(Lookup::Unknown(_))), "{error:#}");
    assert_eq!(server.seen(), seen(0, 2, 2));
}

#[tokio::test]
async fn an_answer_without_a_decision_is_no_success() {
    for status in ["PENDING", "THINKING"] {
        let server = scripted(vec![verification(status)], vec![]).await;
        let outcome = client(&server).report(report()).await.unwrap();
        let ReportOutcome::Refused {
            error, verification, ..
        } = outcome
        else {
            panic!("{outcome:?}");
        };
        assert_eq!(error, None);
        assert_eq!(verification.unwrap().status.as_str(), status);
    }
}

#[tokio::test]
async fn the_last_wrong_code_ends_the_verification() {
    let service = Service::without_backend().await;
    let (handle, _) = started(&service).await;
    for _ in 0..2 {
        let outcome = handle.report(wrong()).await.unwrap();
        assert!(matches!(outcome, ReportOutcome::Refused { .. }), "{outcome:?}");
    }
    let outcome = handle.report(wrong()).await.unwrap();
    let ReportOutcome::Ended(ended) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(ended.status(), &Status::Fail);
    assert_eq!(ended.reason(), Some(&Reason::InvalidCode));
}

#[tokio::test]
async fn a_right_code_after_the_expiry_is_ended() {
    let service = Service::without_backend().await;
    let (handle, code) = started(&service).await;
    service.emulator.advance(Duration::from_secs(301));
    let outcome = handle.report(code).await.unwrap();
    let ReportOutcome::Ended(ended) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(ended.reason(), Some(&Reason::Expired));
}
