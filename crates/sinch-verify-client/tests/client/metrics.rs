//! What is counted, and under which names.

#[path = "../../../sinch-verify-callback/tests/recorder/mod.rs"]
mod recorder;

use std::collections::BTreeMap;

use sinch_verify_client::RetryPolicy;
use sinch_verify_client::flow::{Seen, Step};
use sinch_verify_client::protocol::session::Progress;
use sinch_verify_client::protocol::{Code, Method, PhoneNumber, Report, Start};
use tokio::sync::mpsc;

use self::recorder::Kept;
use crate::fault_server::refusing;
use crate::support::{Hurried, Service, builder, number};

impl Kept {
    /// What was kept, but for the histogram and the attempts, unless they are asked for.
    fn verifications(&self) -> BTreeMap<String, u64> {
        let mut kept = self.0.lock().unwrap().clone();
        kept.retain(|name, _| !name.contains("{operation="));
        kept
    }

    fn requests(&self) -> BTreeMap<String, u64> {
        let mut kept = self.0.lock().unwrap().clone();
        kept.retain(|name, _| name.contains("{operation="));
        kept
    }
}

fn counts<const N: usize>(expected: [(&str, u64); N]) -> BTreeMap<String, u64> {
    BTreeMap::from(expected.map(|(name, count)| (name.to_owned(), count)))
}

fn wrong(code: &Code) -> Code {
    let other = if code.expose().starts_with('1') { '2' } else { '1' };
    Code::new(&format!("{other}{}", &code.expose()[1..])).unwrap()
}

#[tokio::test]
async fn starts_reports_and_ends_are_counted_by_method_and_country() {
    let kept = Kept::default();
    // For this thread, which is the only one of this test.
    let _guard = metrics::set_default_local_recorder(&kept);
    let service = Service::without_backend().await;
    let client = service.builder().retry(RetryPolicy::never());
    let client = client.clock(Hurried::default()).build().unwrap();
    let american: PhoneNumber = "+12025550134".parse().unwrap();
    let of_no_country: PhoneNumber = "+870773111632".parse().unwrap();

    let handle = client.start(Start::sms(number())).await.unwrap();
    let code = service.emulator.inbox(&number()).remove(0).code.unwrap();
    assert!(!handle.report(wrong(&code)).await.unwrap().is_verified());
    let clone = handle.clone();
    assert!(handle.report(code.clone()).await.unwrap().is_verified());
    // Told again, and not counted again.
    assert!(handle.status().await.unwrap().is_successful());
    assert!(clone.wait().await.unwrap().is_successful());
    client.status_by_id(handle.id.clone()).await.unwrap();
    // The id alone tells no country.
    let late = client.report(Report::sms(handle.id.clone(), code)).await;
    assert!(!late.unwrap().is_verified());

    let call = client.start(Start::callout(american)).await.unwrap();
    service.emulator.press_keypad(&american, "1").unwrap();
    assert!(call.wait().await.unwrap().is_successful());

    client.start(Start::whatsapp(of_no_country)).await.unwrap();
    for magic in ["+447700900905", "+447700900922", "+447700900924"] {
        let start = client.start(Start::flash_call(magic.parse().unwrap())).await;
        start.unwrap_err();
    }

    assert_eq!(
        kept.verifications(),
        counts([
            (
                "sinch_client_ends_total{method=callout,country=US,status=SUCCESSFUL}",
                1
            ),
            (
                "sinch_client_ends_total{method=sms,country=SE,status=SUCCESSFUL}",
                1
            ),
            (
                "sinch_client_reports_total{method=sms,country=SE,result=refused}",
                1
            ),
            (
                "sinch_client_reports_total{method=sms,country=SE,result=verified}",
                1
            ),
            (
                "sinch_client_reports_total{method=sms,country=unknown,result=refused}",
                1
            ),
            (
                "sinch_client_starts_total{method=callout,country=US,result=started}",
                1
            ),
            (
                "sinch_client_starts_total{method=flashcall,country=GB,result=denied}",
                1
            ),
            (
                "sinch_client_starts_total{method=flashcall,country=GB,result=rate_limited}",
                1
            ),
            (
                "sinch_client_starts_total{method=flashcall,country=GB,result=refused}",
                1
            ),
            (
                "sinch_client_starts_total{method=sms,country=SE,result=started}",
                1
            ),
            (
                "sinch_client_starts_total{method=whatsapp,country=unknown,result=started}",
                1
            ),
        ])
    );
    assert_eq!(
        kept.requests(),
        counts([
            (
                "sinch_client_attempts_total{operation=report_verification,result=2xx}",
                1
            ),
            (
                "sinch_client_attempts_total{operation=report_verification,result=4xx}",
                2
            ),
            (
                "sinch_client_attempts_total{operation=start_verification,result=2xx}",
                3
            ),
            (
                "sinch_client_attempts_total{operation=start_verification,result=4xx}",
                2
            ),
            (
                "sinch_client_attempts_total{operation=start_verification,result=5xx}",
                1
            ),
            (
                "sinch_client_attempts_total{operation=status_by_id,result=2xx}",
                4
            ),
            ("sinch_client_duration_seconds{operation=report_verification}", 3),
            ("sinch_client_duration_seconds{operation=start_verification}", 6),
            ("sinch_client_duration_seconds{operation=status_by_id}", 4),
        ])
    );
}

#[tokio::test]
async fn a_flow_counts_the_end_of_each_of_its_verifications_once() {
    let kept = Kept::default();
    let _guard = metrics::set_default_local_recorder(&kept);
    let service = Service::without_backend().await;
    let (tell, source) = mpsc::channel(16);
    let client = service.client();
    let flow = client.verify(number()).methods([Method::Sms, Method::Callout]);
    let mut running = flow.begin(source).unwrap();
    let mut verified = false;
    while let Some(step) = running.next().await {
        match step {
            Step::Progress(Progress::Waiting { method, .. }) => {
                let mut messages = service.emulator.inbox(&number()).into_iter();
                let message = messages.find(|message| message.kind == method).unwrap();
                let code = message.code.unwrap();
                let is_wrong = method == Method::Sms;
                let typed = if is_wrong { wrong(&code) } else { code };
                tell.try_send(Seen::Code(typed)).unwrap();
            }
            Step::Progress(Progress::Refused { .. }) => tell.try_send(Seen::NextMethod).unwrap(),
            Step::Verified(_) => verified = true,
            _ => {}
        }
    }
    assert!(verified);

    assert_eq!(
        kept.verifications(),
        counts([
            (
                "sinch_client_ends_total{method=callout,country=SE,status=SUCCESSFUL}",
                1
            ),
            (
                "sinch_client_reports_total{method=callout,country=SE,result=verified}",
                1
            ),
            (
                "sinch_client_reports_total{method=sms,country=SE,result=refused}",
                1
            ),
            (
                "sinch_client_starts_total{method=callout,country=SE,result=started}",
                1
            ),
            (
                "sinch_client_starts_total{method=sms,country=SE,result=started}",
                1
            ),
        ])
    );
}

#[tokio::test]
async fn a_request_without_an_answer_is_counted_by_its_failure() {
    let kept = Kept::default();
    let _guard = metrics::set_default_local_recorder(&kept);
    let client = builder(&refusing()).retry(RetryPolicy::never()).build().unwrap();
    client.start(Start::sms(number())).await.unwrap_err();
    assert_eq!(
        *kept.0.lock().unwrap(),
        counts([
            (
                "sinch_client_attempts_total{operation=start_verification,result=connect}",
                1
            ),
            ("sinch_client_duration_seconds{operation=start_verification}", 1),
            (
                "sinch_client_starts_total{method=sms,country=SE,result=connect}",
                1
            ),
        ])
    );
}
