//! What leaves the client, byte for byte, and what its spans tell.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::fault_server::{Fault, FaultServer};
use crate::script::seamless;
use crate::support::{KEY, Skipping, builder, number};
use sinch_verify_client::flow::Seen;
use sinch_verify_client::protocol::call_outcome::{CallOutcome, FlashCallOutcome};
use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::{Code, Method, Report, Start, StatusById, VerificationId};
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_client::{ClientBuilder, RetryPolicy};
use tracing::field::{Field, Visit};
use tracing::span;

const PENDING: &str = r#"{"id":"1","method":"sms","status":"PENDING"}"#;

fn id() -> VerificationId {
    VerificationId::new("1").unwrap()
}

fn code() -> Code {
    Code::new("4821").unwrap()
}

fn builders(base_url: &str) -> [ClientBuilder; 2] {
    [
        builder(base_url),
        builder(base_url).transport(HyperTransport::default()),
    ]
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[tokio::test]
async fn every_request_is_signed_with_its_own_time() {
    let server = FaultServer::start(Fault::answer("200 OK", PENDING)).await;
    for builder in builders(&server.base_url) {
        let client = builder
            .clock(Skipping::ticking(Duration::from_secs(1)))
            .build()
            .unwrap();
        for _ in 0..3 {
            client.status_by_id(id()).await.unwrap();
        }
    }
    let requests = server.requests();
    let times: Vec<_> = requests
        .iter()
        .filter_map(|request| header(request, "x-timestamp"))
        .collect();
    let expected = [
        "2023-11-14T22:13:20.000Z",
        "2023-11-14T22:13:21.000Z",
        "2023-11-14T22:13:22.000Z",
    ];
    assert_eq!(times, [expected, expected].concat());

    let mut signatures: Vec<_> = requests
        .iter()
        .filter_map(|request| header(request, "authorization"))
        .collect();
    assert!(
        signatures
            .iter()
            .all(|value| value.starts_with(&format!("Application {KEY}:")))
    );
    signatures.sort_unstable();
    signatures.dedup();
    // The same on both transports, and another for every time.
    assert_eq!(signatures.len(), 3);
}

#[tokio::test]
async fn nothing_is_asked_for_that_would_change_the_answer() {
    let server = FaultServer::start(Fault::answer("200 OK", PENDING)).await;
    for builder in builders(&server.base_url) {
        let client = builder.build().unwrap();
        client.start(Start::sms(number())).await.unwrap();
        client.send(StatusById { id: id() }).await.unwrap();
    }
    for request in server.requests() {
        assert_eq!(header(&request, "accept-encoding"), None, "{request}");
        assert_eq!(header(&request, "referer"), None, "{request}");
        assert!(
            header(&request, "user-agent")
                .unwrap()
                .starts_with("sinch-verify-client/")
        );
        if request.starts_with("GET") {
            assert_eq!(header(&request, "content-type"), None, "{request}");
            assert_eq!(header(&request, "content-length"), None, "{request}");
        } else {
            assert_eq!(header(&request, "content-type"), Some("application/json"));
        }
    }
}

#[tokio::test]
async fn the_base_url_may_have_a_prefix() {
    let server = FaultServer::start(Fault::answer("200 OK", PENDING)).await;
    for builder in builders(&format!("{}/proxy/", server.base_url)) {
        let client = builder.user_agent("shop/7").build().unwrap();
        client.status_by_number(Method::Sms, number()).await.unwrap();
    }
    for request in server.requests() {
        let line = request.lines().next().unwrap();
        assert!(
            line.starts_with("GET /proxy/verification/v1/verifications/sms/number/"),
            "{line}"
        );
        assert_eq!(header(&request, "user-agent"), Some("shop/7"));
    }
}

#[tokio::test]
async fn calls_at_once_share_a_client() {
    let server = FaultServer::start(Fault::answer("200 OK", PENDING)).await;
    for builder in builders(&server.base_url) {
        let client = builder.build().unwrap();
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.status_by_id(id()).await })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }
    assert_eq!(server.requests().len(), 100);
}

#[test]
fn spans_tell_the_operation_and_nothing_personal() {
    // For the whole process: beside one for this thread alone, a span first met on another thread
    // would be switched off everywhere.
    tracing::subscriber::set_global_default(Spans).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = FaultServer::start(Fault::answer("200 OK", PENDING)).await;
        let [builder, _] = builders(&server.base_url);
        let client = builder.build().unwrap();
        let handle = client.start(Start::sms(number())).await.unwrap();
        handle.status().await.unwrap();
        assert!(!handle.report(code()).await.unwrap().is_verified());
        let report = Report::<Sms>::by_number(number(), code());
        assert!(!client.report(report).await.unwrap().is_verified());
        client.status_by_number(Method::Sms, number()).await.unwrap();
        let outcome = FlashCallOutcome::new(number(), CallOutcome::None);
        client.flash_call_outcome(outcome).await.unwrap();

        let target = FaultServer::start(Fault::answer("200 OK", PENDING)).await;
        let server = FaultServer::start(seamless(&target.base_url)).await;
        let [builder, _] = builders(&server.base_url);
        let handle = builder.build().unwrap().start(Start::seamless(number())).await;
        handle.unwrap().follow().await.unwrap();

        // A flow knows its number whatever it sends.
        let (tell, source) = tokio::sync::mpsc::channel(1);
        tell.try_send(Seen::Code(code())).unwrap();
        let flow = client.verify(number()).attempts(1);
        flow.run(source).await.unwrap_err();

        let broken = FaultServer::start(Fault::Close).await;
        let [builder, _] = builders(&broken.base_url);
        let client = builder.retry(RetryPolicy::never()).build().unwrap();
        client.status_by_id(id()).await.unwrap_err();
    });

    let mut told = Spans::told();
    for span in &mut told {
        let ms = span.remove("ms").unwrap();
        assert!(ms.parse::<u64>().is_ok(), "{ms}");
        assert_eq!(span.remove("attempt").as_deref(), Some("1"));
    }
    let call = |fields: &[(&'static str, &str)]| -> Told {
        fields
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    };
    let (ok, masked) = (("status", "200"), ("number", "+4670***01"));
    // Each call, and its attempt.
    let expected = [
        call(&[("operation", "start_verification"), masked, ok]),
        call(&[ok]),
        call(&[("operation", "status_by_id"), masked, ok]),
        call(&[ok]),
        call(&[("operation", "report_verification"), masked, ok]),
        call(&[ok]),
        call(&[("operation", "report_verification"), masked, ok]),
        call(&[ok]),
        call(&[("operation", "status_by_number"), masked, ok]),
        call(&[ok]),
        call(&[("operation", "flash_call_outcome"), masked, ok]),
        call(&[ok]),
        call(&[("operation", "start_verification"), masked, ok]),
        call(&[ok]),
        call(&[("operation", "follow_target"), masked, ok]),
        call(&[ok]),
        call(&[("operation", "start_verification"), masked, ok]),
        call(&[ok]),
        call(&[("operation", "report_verification"), masked, ok]),
        call(&[ok]),
        call(&[("operation", "status_by_id"), ("error", "interrupted")]),
        call(&[]),
    ];
    assert_eq!(told, expected);
}

/// Keeps the fields of this crate's spans, for each thread by itself.
struct Spans;

type Told = BTreeMap<&'static str, String>;

thread_local! {
    static TOLD: RefCell<Vec<Option<Told>>> = const { RefCell::new(Vec::new()) };
}

impl Spans {
    fn told() -> Vec<Told> {
        TOLD.with_borrow(|told| told.iter().flatten().cloned().collect())
    }
}

struct Fields<'a>(&'a mut Told);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0
            .insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_span()
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let ours = attributes.metadata().name().starts_with("sinch_verify");
        TOLD.with_borrow_mut(|spans| {
            spans.push(ours.then(|| {
                let mut told = Told::new();
                attributes.record(&mut Fields(&mut told));
                told
            }));
            span::Id::from_u64(spans.len() as u64)
        })
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        let at = usize::try_from(id.into_u64()).unwrap() - 1;
        TOLD.with_borrow_mut(|spans| {
            // A span that was handed to another thread is not of the test that looks at them.
            if let Some(Some(told)) = spans.get_mut(at) {
                values.record(&mut Fields(told));
            }
        });
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
