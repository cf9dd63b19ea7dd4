//! Whatever a handler does, the answer comes.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use sinch_verify_callback::protocol::callback::{RequestEvent, ResultEvent, SmsDeliveredEvent, UnknownEvent};
use sinch_verify_callback::protocol::{Code, Decision, Method};
use sinch_verify_callback::{AfterDeadline, Context, Fallback, Handler};
use tokio::sync::{Notify, mpsc};

use crate::support::{ALLOW_BODY, DENY_BODY, allow, ask, ask_built, builder, event_of, now, post};

#[tokio::test]
async fn a_handler_that_gives_nothing_is_answered_for() {
    async fn check(name: &str, handler: impl Handler) {
        let handler = Arc::new(handler);
        for (fallback, body) in [(Fallback::Deny, DENY_BODY), (Fallback::Allow, ALLOW_BODY)] {
            let builder = builder(Arc::clone(&handler))
                .deadline(Duration::from_millis(50))
                .fallback(fallback);
            let answered = ask_built(builder, post(event_of(&Method::FlashCall))).await;
            assert_eq!(
                (answered.status, answered.text()),
                (StatusCode::OK, body),
                "{name}"
            );
        }
    }
    check("never ends", |_: RequestEvent| std::future::pending::<Decision>()).await;
    check("panics", |_: RequestEvent| async { panics() }).await;
    check("panics before it starts", |_: RequestEvent| {
        panics();
        async { Decision::Allow }
    })
    .await;
    check("fails", |_: RequestEvent| async {
        Err::<Decision, _>("no database")
    })
    .await;
    let code = Code::new("4821").unwrap();
    check("decides about another method", move |_: RequestEvent| {
        let code = code.clone();
        async move { Decision::sms_code(code) }
    })
    .await;
}

fn panics() -> Decision {
    panic!("a handler's own panic, part of the test")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_handler_that_blocks_its_thread_is_answered_for_by_another() {
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let handler = move |_: RequestEvent| {
        let blocked = Arc::clone(&blocked);
        async move {
            // Until the answer is there: it does not wait for this.
            let _ = blocked.lock().unwrap().recv();
            Decision::Allow
        }
    };
    let builder = builder(handler).deadline(Duration::from_millis(50));
    let answered = ask_built(builder, post(event_of(&Method::FlashCall))).await;
    assert_eq!((answered.status, answered.text()), (StatusCode::OK, DENY_BODY));
    drop(release);
}

#[tokio::test]
async fn work_goes_on_after_the_deadline_only_when_asked() {
    /// Tells the test how the handler ended.
    struct Ends(mpsc::UnboundedSender<&'static str>, &'static str);
    impl Drop for Ends {
        fn drop(&mut self) {
            let _ = self.0.send(self.1);
        }
    }
    for (after, expected) in [
        (AfterDeadline::Cancel, "dropped"),
        (AfterDeadline::Continue, "done"),
    ] {
        let (tell, mut told) = mpsc::unbounded_channel();
        let answered = Arc::new(Notify::new());
        let wait = Arc::clone(&answered);
        let handler = move |_: RequestEvent| {
            let (wait, ends) = (Arc::clone(&wait), Ends(tell.clone(), "dropped"));
            async move {
                // The whole of it: `ends.1` alone would be captured as a copy.
                let mut ends = ends;
                wait.notified().await;
                ends.1 = "done";
                Decision::Allow
            }
        };
        let builder = builder(handler)
            .deadline(Duration::from_millis(50))
            .after_deadline(after);
        let answer = ask_built(builder, post(event_of(&Method::Sms))).await;
        assert_eq!(answer.text(), DENY_BODY);
        if after == AfterDeadline::Continue {
            answered.notify_one();
        }
        assert_eq!(told.recv().await, Some(expected));
    }
}

/// How a handler ends.
type Outcome = fn() -> Result<(), &'static str>;

/// Tells the test which events it heard of; answers as told.
struct Hears {
    tell: mpsc::UnboundedSender<String>,
    answer: Outcome,
}

impl Hears {
    fn say(&self, what: &str, context: &Context) -> Result<(), &'static str> {
        assert_eq!(context.received_at(), now());
        self.tell
            .send(format!("{what} of {}", context.application()))
            .unwrap();
        (self.answer)()
    }
}

impl Handler for Hears {
    type Error = &'static str;

    async fn on_request(&self, _: RequestEvent, _: &Context) -> Result<Decision, Self::Error> {
        Err("not asked in this test")
    }

    async fn on_result(&self, event: ResultEvent, context: &Context) -> Result<(), Self::Error> {
        self.say(event.status.as_str(), context)
    }

    async fn on_sms_delivered(&self, event: SmsDeliveredEvent, context: &Context) -> Result<(), Self::Error> {
        self.say(event.sms_result.as_str(), context)
    }

    async fn on_unknown(&self, event: UnknownEvent, context: &Context) -> Result<(), Self::Error> {
        self.say(&event.event, context)
    }
}

/// A handler around a handler, as the documentation of [`Handler`] has it.
struct Allowed<H> {
    prefix: &'static str,
    inner: H,
}

impl<H: Handler> Handler for Allowed<H> {
    type Error = H::Error;

    async fn on_request(&self, event: RequestEvent, context: &Context) -> Result<Decision, H::Error> {
        if !event.identity.endpoint.as_str().starts_with(self.prefix) {
            return Ok(Decision::Deny);
        }
        self.inner.on_request(event, context).await
    }

    async fn on_result(&self, event: ResultEvent, context: &Context) -> Result<(), H::Error> {
        self.inner.on_result(event, context).await
    }

    async fn on_sms_delivered(&self, event: SmsDeliveredEvent, context: &Context) -> Result<(), H::Error> {
        self.inner.on_sms_delivered(event, context).await
    }

    async fn on_unknown(&self, event: UnknownEvent, context: &Context) -> Result<(), H::Error> {
        self.inner.on_unknown(event, context).await
    }
}

#[tokio::test]
async fn a_handler_around_a_handler_decides_or_lets_it_decide() {
    for (prefix, body) in [("+46", ALLOW_BODY), ("+47", DENY_BODY)] {
        let handler = Allowed {
            prefix,
            inner: allow(),
        };
        let answered = ask(handler, post(event_of(&Method::Sms))).await;
        assert_eq!((answered.status, answered.text()), (StatusCode::OK, body));
    }
}

#[tokio::test]
async fn other_events_are_acknowledged_when_they_were_handled() {
    let events = [
        (
            r#"{"event":"VerificationResultEvent","id":"1","method":"sms",
               "identity":{"type":"number","endpoint":"+46700000001"},"status":"SUCCESSFUL"}"#,
            "SUCCESSFUL",
        ),
        (
            r#"{"event":"VerificationSmsDeliveredEvent","id":"1",
               "identity":{"type":"number","endpoint":"+46700000001"},"smsResult":"Failed"}"#,
            "Failed",
        ),
        (
            r#"{"event":"VerificationPigeonEvent","coo":true}"#,
            "VerificationPigeonEvent",
        ),
    ];
    let answers: [(Outcome, StatusCode); 3] = [
        (|| Ok(()), StatusCode::OK),
        (|| Err("no database"), StatusCode::INTERNAL_SERVER_ERROR),
        (
            || {
                panics();
                Ok(())
            },
            StatusCode::INTERNAL_SERVER_ERROR,
        ),
    ];
    for (body, what) in events {
        for (answer, status) in answers {
            let (tell, mut told) = mpsc::unbounded_channel();
            let answered = ask(Hears { tell, answer }, post(body)).await;
            assert_eq!((answered.status, answered.text()), (status, ""), "{what}");
            let expected = format!("{what} of 669E367E-6BBA-48AB-AF15-266871C28135");
            assert_eq!(told.recv().await, Some(expected));
        }
        // A handler around it hands it on.
        let (tell, mut told) = mpsc::unbounded_channel();
        let inner = Hears {
            tell,
            answer: || Ok(()),
        };
        let answered = ask(Allowed { prefix: "+46", inner }, post(body)).await;
        assert_eq!(answered.status, StatusCode::OK, "{what}");
        assert!(
            told.recv().await.is_some_and(|told| told.starts_with(what)),
            "{what}"
        );
        // A handler that only decides takes note of nothing, and acknowledges.
        let answered = ask(allow(), post(body)).await;
        assert_eq!((answered.status, answered.text()), (StatusCode::OK, ""), "{what}");
    }
}
