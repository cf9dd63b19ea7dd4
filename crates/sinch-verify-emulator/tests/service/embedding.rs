//! The emulator as a library in a test.

use std::time::Duration;

use sinch_verify_emulator::{Application, CallbackUrl, Emulator, InvalidCallbackUrl, Message, StartError};
use sinch_verify_protocol::Start;
use sinch_verify_protocol::url::InvalidUrl;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::support::{
    SHORT, application, basic, builder, call, emulator, eventually, key, noon, number, secret,
};

/// The random values of a run with this seed.
async fn run(seed: u64) -> Vec<Message> {
    let emulator = Emulator::builder()
        .application(application())
        .seed(seed)
        .manual_clock(noon())
        .start()
        .await
        .unwrap();
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    emulator.advance(Duration::from_secs(7));
    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    emulator.inbox(&number())
}

#[tokio::test]
async fn a_seed_determines_all_random_values() {
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    assert_ne!(first, run(2).await);
}

#[tokio::test]
async fn a_reset_starts_the_seed_again() {
    let emulator = builder().manual_clock(noon()).start().await.unwrap();
    let mut codes = Vec::new();
    for _ in 0..2 {
        call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
        let message = emulator.inbox(&number()).remove(0);
        codes.push((message.verification_id, message.code));
        emulator.reset();
    }
    assert_eq!(codes[0], codes[1]);
}

#[tokio::test]
async fn a_manual_clock_stands() {
    let emulator = builder().manual_clock(noon()).start().await.unwrap();
    // Time passes on the wall clock and not on this one.
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    assert_eq!(emulator.now(), noon());
    emulator.advance(Duration::from_millis(1500));
    assert_eq!(emulator.now(), noon() + Duration::from_millis(1500));
}

#[tokio::test]
async fn a_message_is_waited_for() {
    let emulator = emulator().await;
    assert_eq!(
        emulator
            .wait_message(&number(), 0, Duration::from_millis(10))
            .await,
        None
    );
    let to = number();
    let (message, ()) = tokio::join!(emulator.wait_message(&to, 0, SHORT), async {
        call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    });
    let first = message.unwrap();
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let second = emulator.wait_message(&number(), first.seq, SHORT).await.unwrap();
    assert!(second.seq > first.seq);
}

#[tokio::test]
async fn dropped_means_stopped() {
    let emulator = emulator().await;
    let address = emulator.addr();
    let mut open = TcpStream::connect(address).await.unwrap();
    // Lets the server accept the connection.
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    drop(emulator);
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(SHORT, open.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "open connections end");
    eventually(async || TcpStream::connect(address).await.err()).await;
}

#[tokio::test]
async fn shutdown_closes_idle_connections() {
    let emulator = emulator().await;
    let mut idle = TcpStream::connect(emulator.addr()).await.unwrap();
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    tokio::time::timeout(SHORT, emulator.shutdown()).await.unwrap();
    assert_eq!(idle.read(&mut [0; 8]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn three_hundred_emulators_run_side_by_side() {
    let mut emulators = Vec::new();
    for seed in 0..300 {
        emulators.push(
            Emulator::builder()
                .application(application())
                .seed(seed)
                .start()
                .await
                .unwrap(),
        );
    }
    for emulator in &emulators {
        call(emulator, &basic(), &Start::sms(number())).await.unwrap();
        assert_eq!(emulator.inbox(&number()).len(), 1);
    }
}

#[tokio::test]
async fn an_emulator_that_cannot_start_says_why() {
    let twice = builder().application(application()).start().await.unwrap_err();
    assert!(matches!(twice, StartError::RepeatedKey(_)));
    let remote = || application().callback_url("http://192.0.2.1/callback".parse().unwrap());
    let refused = Emulator::builder()
        .application(remote())
        .start()
        .await
        .unwrap_err();
    assert!(matches!(refused, StartError::RemoteCallback));
    Emulator::builder()
        .application(remote())
        .allow_remote_callbacks(true)
        .start()
        .await
        .unwrap();
    let first = emulator().await;
    let taken = builder().bind(first.addr()).start().await.unwrap_err();
    assert!(matches!(taken, StartError::Bind { .. }));
    assert!(std::error::Error::source(&taken).is_some());
}

#[test]
fn callback_urls_are_http_without_credentials() {
    for (text, error) in [
        ("", InvalidCallbackUrl::Url(InvalidUrl::Syntax)),
        ("/callback", InvalidCallbackUrl::Url(InvalidUrl::Scheme)),
        ("https://127.0.0.1/", InvalidCallbackUrl::Https),
        (
            "http://127.0.0.1:99999/",
            InvalidCallbackUrl::Url(InvalidUrl::Port),
        ),
        (
            "http://user:secret@127.0.0.1/",
            InvalidCallbackUrl::Url(InvalidUrl::UserInfo),
        ),
    ] {
        assert_eq!(text.parse::<CallbackUrl>(), Err(error), "{text}");
    }
    for (text, loopback) in [
        ("http://localhost:8000", true),
        ("http://127.3.2.1/x?y=z", true),
        ("http://[::1]:80/x", true),
        ("http://10.0.0.1/", false),
        ("http://localhost.example/", false),
    ] {
        assert_eq!(
            text.parse::<CallbackUrl>().unwrap().is_loopback(),
            loopback,
            "{text}"
        );
    }
}

#[tokio::test]
async fn secrets_and_codes_are_not_shown() {
    let emulator = emulator().await;
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let message = emulator.inbox(&number()).remove(0);
    let shown = format!("{emulator:?} {message:?} {:?}", Application::new(key(), secret()));
    assert!(!shown.contains(message.code.unwrap().expose()));
    assert!(!shown.contains(crate::support::SECRET));
    assert!(!shown.contains(crate::support::NUMBER));
}
