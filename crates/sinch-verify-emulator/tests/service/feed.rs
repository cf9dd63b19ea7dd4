//! The feed, waiting for messages, and replayed deliveries.

use std::time::Duration;

use sinch_verify_emulator::{Emulator, Settings};
use sinch_verify_protocol::{Report, Start, VerificationId, method::Sms};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{
    Receiver, SHORT, application, basic, builder, call, emulator, emulator_calling, get, json, newest,
    number, post, reply,
};

/// A reader of the feed.
struct Reader {
    stream: TcpStream,
    text: String,
}

impl Reader {
    async fn new(emulator: &Emulator, after: Option<&str>) -> Self {
        Self::of(emulator, "", after).await
    }

    async fn of(emulator: &Emulator, query: &str, after: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(emulator.addr()).await.unwrap();
        let resume = after.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let request = format!(
            "GET /_emu/events{query} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n{resume}\r\n",
            emulator.addr()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reader = Self {
            stream,
            text: String::new(),
        };
        reader.until("\r\n\r\n").await;
        reader
    }

    /// Reads until `what` appears. Returns everything so far.
    async fn until(&mut self, what: &str) -> &str {
        let read = async {
            let mut buffer = [0; 4096];
            while !self.text.contains(what) {
                let n = self.stream.read(&mut buffer).await.unwrap();
                assert!(n > 0, "the feed ended: {}", self.text);
                self.text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
            }
        };
        tokio::time::timeout(SHORT, read).await.expect(what);
        &self.text
    }
}

#[tokio::test]
async fn the_feed_is_in_order_and_can_be_resumed() {
    let emulator = emulator().await;
    let mut live = Reader::new(&emulator, None).await;
    assert!(
        live.text
            .to_lowercase()
            .contains("content-type: text/event-stream")
    );
    let started = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let code = newest(&emulator).code.unwrap();
    let report = Report::<Sms>::by_id(started.id.clone(), code.clone());
    call(&emulator, &basic(), &report).await.unwrap();
    let text = live.until("event: ended").await;
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} in {text}"));
    assert!(at("event: started") < at("event: message"));
    assert!(at("event: message") < at("event: ended"));
    assert!(text.contains(started.id.as_str()) && text.contains(code.expose()));
    let text = live.until("\"operation\":\"report\"").await;
    assert!(
        text.contains("event: request") && text.contains("SUCCESSFUL"),
        "{text}"
    );

    let mut again = Reader::new(&emulator, Some("1")).await;
    let text = again.until("SUCCESSFUL").await;
    assert!(
        !text.contains("event: started") && text.contains("-2\n"),
        "{text}"
    );
    emulator.advance(Duration::from_secs(1));
    again.until("event: clock").await;
    emulator.reset();
    again.until("event: reset").await;
    tokio::time::timeout(SHORT, emulator.shutdown()).await.unwrap();
}

#[tokio::test]
async fn a_reader_can_filter_the_feed() {
    let other: sinch_verify_protocol::ApplicationKey = crate::support::OTHER_KEY.parse().unwrap();
    let theirs = sinch_verify_protocol::Credentials::basic(other.clone(), crate::support::secret());
    let emulator = builder()
        .application(sinch_verify_emulator::Application::new(
            other,
            crate::support::secret(),
        ))
        .start()
        .await
        .unwrap();
    let far = "+46700000002".parse().unwrap();
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    call(&emulator, &basic(), &Start::callout(far)).await.unwrap();
    call(&emulator, &theirs, &Start::sms(number())).await.unwrap();
    emulator.advance(Duration::from_secs(1));
    for (query, events) in [
        (
            "?after=0&kind=started,clock",
            &["started", "started", "started", "clock"][..],
        ),
        (
            "?after=0&number=%2B46700000002",
            &["started", "message", "request"],
        ),
        (
            &format!("?after=0&application={}", crate::support::OTHER_KEY),
            &["started", "message", "request"],
        ),
        (
            &format!(
                "?after=0&number=+46700000001&kind=message&application={}",
                crate::support::KEY
            ),
            &["message"],
        ),
    ] {
        let mut reader = Reader::of(&emulator, query, None).await;
        // An event that every reader receives, as the end of the list.
        let last = format!("event: {}\n", events.last().unwrap());
        let text = reader.until(&last).await;
        let seen: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("event: "))
            .collect();
        assert_eq!(seen, events, "{query}: {text}");
    }
    let mut reader = Reader::of(&emulator, "?after=1&kind=started", Some("0")).await;
    reader.until("\"number\":\"+46700000002\"").await;
    assert!(reader.text.contains("-1\n"), "the header counts: {}", reader.text);
    for bad in ["?kind=started&colour=red", "?after=x", "?application=none"] {
        let answer = get(&emulator, &format!("/_emu/events{bad}")).await;
        assert_eq!(answer.status(), 400, "{bad}");
    }
}

#[tokio::test]
async fn missing_entries_are_reported_as_a_gap() {
    let mut settings = Settings::default();
    settings.events_kept = 2;
    let emulator = builder().settings(settings).start().await.unwrap();
    for _ in 0..3 {
        call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    }
    // Three starts, three messages, two predecessors that were aborted, three requests.
    let mut reader = Reader::new(&emulator, Some("0")).await;
    let text = reader.until("-11\n").await;
    assert!(text.contains("event: gap\ndata: {\"missed\":9}"), "{text}");
    // An id of an earlier run.
    let mut reader = Reader::new(&emulator, Some("500")).await;
    let text = reader.until("-11\n").await;
    assert!(text.contains("event: gap\ndata: {\"restarted\":true}"), "{text}");
    assert!(text.contains("-10\n"), "all that is kept follows: {text}");
}

#[tokio::test]
async fn an_id_of_another_run_is_reported_as_a_gap() {
    let old = emulator().await;
    call(&old, &basic(), &Start::sms(number())).await.unwrap();
    let mut reader = Reader::new(&old, Some("0")).await;
    let text = reader.until("-2\n").await;
    let mut ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
    let id = ids.nth(1).unwrap().to_owned();
    drop(old);
    // The new run has passed that number, so the number alone would not show the gap.
    let new = emulator().await;
    call(&new, &basic(), &Start::sms(number())).await.unwrap();
    call(&new, &basic(), &Start::sms(number())).await.unwrap();
    for (query, header) in [("", Some(&*id)), (&*format!("?after={id}"), None)] {
        let mut reader = Reader::of(&new, query, header).await;
        let text = reader.until("-7\n").await;
        let gap = text.find("event: gap\ndata: {\"restarted\":true}").expect(text);
        assert!(gap < text.find("id: ").unwrap(), "{text}");
        assert!(
            text.contains("-1\nevent: started"),
            "all that is kept follows: {text}"
        );
    }
    for bad in ["x", "x-1", "-1", "1-", "1-x"] {
        let answer = get(&new, &format!("/_emu/events?after={bad}")).await;
        assert_eq!(answer.status(), 400, "{bad}");
    }
}

#[tokio::test]
async fn a_message_is_waited_for() {
    let emulator = emulator().await;
    let path = "/_emu/messages/wait?to=%2B46700000001&timeout=10s";
    let mut waiting = Box::pin(get(&emulator, path));
    let early = tokio::time::timeout(Duration::from_millis(30), &mut waiting);
    assert!(early.await.is_err(), "there is no message yet");
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let message = json(&waiting.await);
    assert_eq!(message["kind"], "sms");
    let none = format!(
        "/_emu/messages/wait?to=+46700000001&after={}&timeout=20ms",
        message["seq"]
    );
    assert_eq!(get(&emulator, &none).await.status(), 204);
    for bad in [
        "",
        "?to=x",
        "?to=+46700000001&after=x",
        "?to=+46700000001&timeout=x",
        "?to=+46700000001&verification=.",
        "?x=y",
    ] {
        let answer = get(&emulator, &format!("/_emu/messages/wait{bad}")).await;
        assert_eq!(answer.status(), 400, "{bad}");
    }
}

/// Messages of older and of other verifications are skipped.
#[tokio::test]
async fn the_message_of_a_verification_is_waited_for() {
    let emulator = emulator().await;
    let start = async || {
        call(&emulator, &basic(), &Start::sms(number()))
            .await
            .unwrap()
            .id
            .clone()
    };
    let (first, second) = (start().await, start().await);
    let of = async |id: &VerificationId, after: &serde_json::Value, timeout: &str| {
        let path =
            format!("/_emu/messages/wait?to=+46700000001&verification={id}&after={after}&timeout={timeout}");
        get(&emulator, &path).await
    };
    let newer = json(&of(&second, &0.into(), "10s").await);
    assert_eq!(newer["verificationId"], second.as_str());
    let older = json(&of(&first, &0.into(), "10s").await);
    assert_eq!(older["verificationId"], first.as_str());
    assert_eq!(of(&first, &older["seq"], "0s").await.status(), 204);
    assert_eq!(of(&second, &newer["seq"], "0s").await.status(), 204);
}

#[tokio::test]
async fn a_delivery_is_repeated() {
    let receiver = Receiver::new(|_| reply(200, r#"{"action":"allow","sms":{"wurst":1}}"#)).await;
    let emulator = emulator_calling(&receiver).await;
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    receiver.wait(2).await;
    assert!(emulator.wait_delivered(SHORT).await);
    let deliveries = emulator.deliveries();
    let first = deliveries.last().unwrap();
    assert!(first.ok && first.verdict.as_deref().unwrap().contains("wurst"));
    let told = deliveries.first().unwrap();
    assert!(told.ok && told.verdict.as_deref().unwrap().contains("body"));

    let path = format!("/_emu/deliveries/{}/replay", first.seq);
    let again = json(&post(&emulator, &path, "").await);
    assert_eq!(again["replayOf"], first.seq);
    assert_eq!(again["attempt"], 2);
    assert_eq!(again["ok"], true);
    assert!(again["verdict"].as_str().unwrap().contains("wurst"));
    receiver.wait(3).await;
    let posts = receiver.posts();
    assert_eq!(posts[2].event, posts[0].event, "the same body, signed anew");
    assert_eq!(emulator.inbox(&number()).len(), 1, "the decision has no effect");

    let again = emulator.replay(told.seq).await.unwrap();
    assert_eq!(again.replay_of, Some(told.seq));
    assert_eq!(
        post(&emulator, "/_emu/deliveries/99/replay", "").await.status(),
        404
    );
    emulator.set_callback_url(&crate::support::key(), None).unwrap();
    assert_eq!(emulator.replay(told.seq).await, None);
    let quiet = Emulator::builder()
        .application(application())
        .start()
        .await
        .unwrap();
    assert_eq!(quiet.replay(1).await, None);
}
