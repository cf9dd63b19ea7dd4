//! The flows against a real emulator, without a load generator.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use sinch_verify_client::transport::HyperTransport;
use sinch_verify_emulator::{Application, Emulator};
use sinch_verify_loadtest::flows::{Flow, Steps};
use sinch_verify_loadtest::measure::{FlowEnd, FlowRecord, Interval};
use sinch_verify_loadtest::{
    ControlPhone, Delivered, Failure, FailureKind, InboxPhone, LeanWire, Numbers, Phone, SystemClock, Target,
    run_flow,
};
use sinch_verify_protocol::{
    ApplicationKey, ApplicationSecret, Cli, Code, Credentials, PhoneNumber, VerificationId,
};

const KEY: &str = "11111111-2222-3333-4444-555555555555";
const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";
/// Well-formed, and not the secret of any emulator here.
const OTHER_SECRET: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

const FLOWS: [Flow; 3] = [Flow::Sms, Flow::FlashCall, Flow::Callout];

async fn emulator() -> Arc<Emulator> {
    let application = Application::new(KEY.parse().unwrap(), SECRET.parse().unwrap());
    Arc::new(
        Emulator::builder()
            .application(application)
            .seed(7)
            .start()
            .await
            .unwrap(),
    )
}

fn target(emulator: &Emulator, secret: &str) -> Target {
    let key = ApplicationKey::new(KEY).unwrap();
    let secret = ApplicationSecret::new(secret).unwrap();
    Target::new(emulator.base_url(), Credentials::signed(key, secret))
}

async fn record(flow: Flow, phone: &impl Phone, target: &Target) -> FlowRecord {
    let mut wire = LeanWire::new(HyperTransport::default());
    let number = Numbers::default().take().unwrap();
    let never = std::future::pending();
    run_flow(flow, number, &mut wire, phone, target, &SystemClock, never).await
}

fn failure(record: FlowRecord) -> Failure {
    match record.end {
        FlowEnd::Failed(failure) => failure,
        other => panic!("{:?} ended as {other:?}", record.flow),
    }
}

/// A phone that shows something else than what reached it.
struct Liar(Delivered);

impl Phone for Liar {
    async fn delivered(&self, _: &PhoneNumber, _: &VerificationId) -> Result<Delivered, Failure> {
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn every_flow_ends_successfully() {
    let emulator = emulator().await;
    let phone = InboxPhone::new(Arc::clone(&emulator));
    for flow in FLOWS {
        let record = record(flow, &phone, &target(&emulator, SECRET)).await;
        assert_eq!(record.end, FlowEnd::Succeeded, "{flow}");
        let steps: Vec<_> = record.times.iter().map(|time| time.interval).collect();
        assert_eq!(
            steps,
            [
                Interval::Start,
                Interval::Phone,
                Interval::Report,
                Interval::Status
            ]
        );
        let whole: Duration = record.times.iter().map(|time| time.took).sum();
        assert!(whole <= record.span.end_to_end(), "steps are parts of the whole");
    }
}

#[tokio::test]
async fn every_flow_runs_against_an_emulator_elsewhere() {
    let emulator = emulator().await;
    let phone = ControlPhone::new(emulator.base_url(), HyperTransport::default());
    for flow in FLOWS {
        let record = record(flow, &phone, &target(&emulator, SECRET)).await;
        assert_eq!(record.end, FlowEnd::Succeeded, "{flow}");
    }
}

#[tokio::test]
async fn wrong_proof_is_a_mismatch() {
    let emulator = emulator().await;
    let target = target(&emulator, SECRET);
    // Codes have four digits here, so this one is never right.
    let code = Liar(Delivered::code(Code::new("00000").unwrap()));
    let cli = Liar(Delivered::cli(Cli::as_seen("+46000000000").unwrap()));
    for (flow, failed) in [
        (Flow::Sms, record(Flow::Sms, &code, &target).await),
        (Flow::FlashCall, record(Flow::FlashCall, &cli, &target).await),
        (Flow::Callout, record(Flow::Callout, &code, &target).await),
    ] {
        assert!(
            failed.times.iter().all(|time| time.answered),
            "a refusal is an answer"
        );
        let failure = failure(failed);
        assert_eq!(failure.kind(), FailureKind::OutcomeMismatch, "{flow}: {failure}");
        assert_eq!(
            failure.detail(),
            "expected SUCCESSFUL, the status is PENDING and the report was refused"
        );
    }
}

#[tokio::test]
async fn silent_phone_is_a_missing_code() {
    let emulator = emulator().await;
    let elsewhere = self::emulator().await;
    let phone = InboxPhone::new(elsewhere).patience(Duration::from_millis(20));
    let failure = failure(record(Flow::Sms, &phone, &target(&emulator, SECRET)).await);
    assert_eq!(failure.kind(), FailureKind::CodeMissing);
}

#[tokio::test]
async fn what_proves_nothing_is_a_missing_code() {
    let emulator = emulator().await;
    let failure = failure(record(Flow::Sms, &Liar(Delivered::default()), &target(&emulator, SECRET)).await);
    assert_eq!(failure.kind(), FailureKind::CodeMissing);
}

#[tokio::test]
async fn refusals_keep_their_error_code() {
    let emulator = emulator().await;
    let phone = InboxPhone::new(Arc::clone(&emulator));
    let record = record(Flow::Sms, &phone, &target(&emulator, OTHER_SECRET)).await;
    assert_eq!(record.times.len(), 1);
    let failure = failure(record);
    assert_eq!(failure.kind(), FailureKind::Api(40102), "{failure}");
}

#[tokio::test]
async fn absent_target_is_unreachable() {
    // Bound and let go: nobody listens there.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let emulator = emulator().await;
    let mut target = target(&emulator, SECRET);
    target.base = format!("http://{address}").parse().unwrap();
    let record = record(Flow::Sms, &InboxPhone::new(emulator), &target).await;
    assert!(!record.times[0].answered);
    let failure = failure(record);
    assert_eq!(failure.kind(), FailureKind::Connect, "{failure}");
    assert!(failure.kind().is_unreachable());
}

#[tokio::test]
async fn cut_off_flow_is_aborted_and_keeps_its_steps() {
    struct Never;
    impl Phone for Never {
        async fn delivered(&self, _: &PhoneNumber, _: &VerificationId) -> Result<Delivered, Failure> {
            std::future::pending().await
        }
    }
    let emulator = emulator().await;
    let mut wire = LeanWire::new(HyperTransport::default());
    let number = Numbers::default().take().unwrap();
    let target = target(&emulator, SECRET);
    // The run ends once the message is there, which is after the start was answered by the core.
    let cut = async {
        emulator
            .wait_message(&number, 0, Duration::from_secs(5))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let record = run_flow(Flow::Sms, number, &mut wire, &Never, &target, &SystemClock, cut).await;
    assert_eq!(record.end, FlowEnd::Aborted);
    assert_eq!(record.times[0].interval, Interval::Start);
}

#[tokio::test]
async fn flows_can_be_stepped_by_hand() {
    let emulator = emulator().await;
    let target = target(&emulator, SECRET);
    let phone = InboxPhone::new(Arc::clone(&emulator));
    let mut wire = LeanWire::new(HyperTransport::default());
    let mut steps = Steps::new(&mut wire, &phone, &target, &SystemClock);
    Flow::Callout
        .run(&mut steps, Numbers::default().take().unwrap())
        .await
        .unwrap();
    assert_eq!(steps.finish().len(), 4);
}
