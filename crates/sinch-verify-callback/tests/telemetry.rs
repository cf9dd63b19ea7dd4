//! What the log may know: the event and a masked number, never what is private.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

mod fixtures;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use fixtures::{SECRET, builder, signer};
use http::header::AUTHORIZATION;
use sinch_verify_callback::Full;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::protocol::identity::Identity;
use sinch_verify_callback::protocol::{Code, Decision, Method, VerificationId, WireObject as _};

const NUMBER: &str = "+46700123456";
const CODE: &str = "918273";
const CUSTOM: &str = "session of Ada";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Everything that this thread logs while the guard lives.
    fn collected() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn numbers_are_masked_and_codes_are_absent() {
    let (log, _guard) = Log::collected();

    let signer = signer();
    let now = SystemTime::now();
    let service = builder()
        .without_guard()
        .clock(move || now)
        // An SMS code for any method: a misfit where the method is another.
        .handler(|_: RequestEvent| async { Decision::sms_code(Code::new(CODE).unwrap()) })
        .build()
        .unwrap();

    let mut authorizations = Vec::new();
    for (method, at) in [
        (Method::Sms, now),
        (Method::FlashCall, now),
        (Method::Sms, now - Duration::from_secs(3600)),
    ] {
        let identity = Identity::number(NUMBER.parse().unwrap());
        let mut event = RequestEvent::new(VerificationId::new("id-77").unwrap(), method, identity);
        event.custom = Some(CUSTOM.into());
        let request = signer.post("/callback".parse().unwrap(), event.to_json(), at);
        authorizations.push(request.headers()[AUTHORIZATION].to_str().unwrap().to_owned());
        service.respond(&request, Full::new(request.body().clone())).await;
    }
    // A body that is authentic but cannot be read, with a number where it does not belong.
    let body = format!(r#"{{"event":"VerificationRequestEvent","id":"1","identity":"{NUMBER}"}}"#);
    let request = signer.post("/callback".parse().unwrap(), body, now);
    service.respond(&request, Full::new(request.body().clone())).await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for wanted in [
        "id-77",
        "+4670***56",
        "VerificationRequestEvent",
        r#"outcome="allow""#,
        r#"outcome="misfit""#,
        "x-timestamp is too old by",
        "status=401",
        "status=400",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in:\n{text}");
    }
    for private in [NUMBER, "46700123456", CODE, CUSTOM, SECRET] {
        assert!(!text.contains(private), "{private} is in:\n{text}");
    }
    for authorization in &authorizations {
        let signature = authorization.rsplit(':').next().unwrap();
        assert!(!text.contains(signature), "a signature is in:\n{text}");
    }
}

#[cfg(feature = "policy")]
#[tokio::test]
async fn a_denial_by_a_policy_is_logged_with_its_rule_and_a_masked_key() {
    use sinch_verify_callback::policy::{FraudPolicy, PolicyRules};

    let (log, _guard) = Log::collected();

    let rules: PolicyRules = r#"
        [[velocity]]
        per = "number"
        limit = 1
        window = "1h"
        [[velocity]]
        per = "caller"
        limit = 1
        window = "1h"
        mode = "observe"
        [caller]
        from = "custom"
        written-by = "backend"
    "#
    .parse()
    .unwrap();
    let policy = FraudPolicy::builder(rules).build().unwrap();
    let handler = |_: RequestEvent| async { Decision::Allow };
    let service = builder().policy(&policy).handler(handler).build().unwrap();
    for id in ["id-78", "id-79"] {
        let identity = Identity::number(NUMBER.parse().unwrap());
        let mut event = RequestEvent::new(VerificationId::new(id).unwrap(), Method::Sms, identity);
        event.custom = Some(CUSTOM.into());
        let request = signer().post("/callback".parse().unwrap(), event.to_json(), fixtures::now());
        service.respond(&request, Full::new(request.body().clone())).await;
    }

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for wanted in [
        "WARN sinch_callback",
        "policy denies the start rule=velocity-number-1h key=+4670***56 limit=1 in 1h",
        "policy would deny the start rule=velocity-caller-1h",
        "verification=id-79",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in:\n{text}");
    }
    for private in [NUMBER, CUSTOM, SECRET] {
        assert!(!text.contains(private), "{private} is in:\n{text}");
    }
}
