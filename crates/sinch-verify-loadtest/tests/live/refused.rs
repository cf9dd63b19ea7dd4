//! Live runs that send nothing, and requests that go nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{HOST, KEY, SECRET, Service, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_limit_is_required() {
    let service = Service::new().await;
    for limit in [
        "--target",
        "--max-verifications",
        "--max-cost",
        "--worst-price",
        "--currency",
        "--numbers",
    ] {
        // The target is what `--resolve` and `--live` are about.
        let refusal = service.run("limits").without(limit).refusal().await;
        assert!(refusal.contains(limit), "{limit}: {refusal}");
    }
    let refusal = service.run("not-live").without("--live").refusal().await;
    assert!(refusal.contains("--live"), "{refusal}");
    assert_eq!(service.starts(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_not_confirmed_sends_nothing() {
    let service = Service::new().await;
    for word in [
        None,
        Some(""),
        Some("yes"),
        Some("11111111:1000"),
        Some("22222222:100"),
    ] {
        let refusal = service.run("unconfirmed").word(word).refusal().await;
        assert!(refusal.contains("is not confirmed"), "{refusal}");
        assert!(refusal.contains("SINCH_LOAD_CONFIRM=11111111:100"), "{refusal}");
    }
    assert_eq!(service.starts(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_fit_a_live_run_is_refused() {
    let service = Service::new().await;
    for (name, value, reason) in [
        (
            "--scenario",
            "wrong-code",
            "wrong-code is refused against a live target",
        ),
        ("--scenario", "resend-storm", "resend-storm is refused"),
        ("--scenario", "expire", "expire is refused"),
        ("--scenario", "deny", "deny is refused"),
        ("--scenario", "bad-callback", "bad-callback is refused"),
        ("--scenario", "replay", "replay is refused"),
        ("--scenario", "pumping", "pumping is refused"),
        ("--scenario", "query-only", "query-only is refused"),
        ("--scenario", "whatsapp", "whatsapp"),
        ("--rate", "101/s", "above --max-rate"),
        ("--max-rate", "101/s", "from 0.001/s to 100/s"),
        ("--phone", "inbox", "shows no inbox"),
        ("--mock-host", HOST, "cannot be used with"),
        ("--per-number", "4", "1..=3"),
        ("--max-cost", "1,5", "must be an amount such as 1.50"),
        ("--worst-price", "0", "must be above 0"),
        (
            "--worst-price",
            "100.01",
            "at most this shard's part of --max-cost",
        ),
        ("--currency", "euro", "three letters"),
        ("--numbers", "/nowhere", "failed to read --numbers"),
        (
            "--target",
            "http://127.0.0.1:9901",
            "this machine: leave --live out",
        ),
    ] {
        let refusal = service.run("unfit").set(name, value).refusal().await;
        assert!(refusal.contains(reason), "{name} {value}: {refusal}");
    }
    let mixed = service
        .run("mixed")
        .set("--scenario", "mixed")
        .set("--mix", "sms=1,resend-storm=1");
    let refusal = mixed.refusal().await;
    assert!(refusal.contains("resend-storm is refused"), "{refusal}");
    let not_pinned = service.run("plain").without("--resolve").refusal().await;
    assert!(not_pinned.contains("must start with https://"), "{not_pinned}");
    let list = service
        .run("list")
        .numbers("+46700000001\n+4670*\n")
        .refusal()
        .await;
    assert!(list.contains("line 2 is not one phone number"), "{list}");
    assert_eq!(service.starts(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_printed_and_nothing_is_sent() {
    let service = Service::new().await;
    let run = service.run("plan").word(None).flag("--plan");
    let output = run.output().await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let plan = String::from_utf8(output.stdout).unwrap();
    for shown in [
        "at most 100,",
        "at most 20.00 EUR",
        "+4670***10, +4670***11",
        "11111111:100",
    ] {
        assert!(plan.contains(shown), "{shown} is not in\n{plan}");
    }
    assert_eq!(service.starts(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmed_run_spends_what_it_may_and_reports_no_secret() {
    for transport in ["direct", "goose"] {
        let service = Service::new().await;
        let run = service.run(&format!("confirmed-{transport}"));
        let run = run.verifications(5).set("--transport", transport);
        let output = run.output().await;
        assert_eq!(service.starts(), 5, "{}", said(&output));
        run.assert_passed(&output);
        let file = run.file();
        let spending = &file["spending"];
        assert_eq!(
            (&spending["started"], &spending["spent"]),
            (&5.into(), &"0.2265".into())
        );
        assert_eq!(file["stopped"]["planned"], true);
        assert_eq!(file["counters"]["failed"], 0);

        let files = std::fs::read_dir(run.directory.join("out")).unwrap();
        let mut texts: Vec<_> = files
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        assert_eq!(texts.len(), 4);
        texts.push(said(&output));
        for text in &texts {
            for secret in ["46700000", SECRET, KEY] {
                assert!(!text.contains(secret), "{secret} is in\n{text}");
            }
        }
    }
}

/// Answers every request with `answer`, and counts the connections.
async fn server(answer: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let mut request = vec![0; 16 * 1024];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (port, connections)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_are_not_followed() {
    let (elsewhere, followed) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let (port, asked) = server(format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{elsewhere}/\r\n\
         connection: close\r\ncontent-length: 0\r\n\r\n"
    ))
    .await;
    for transport in ["direct", "goose"] {
        let before = asked.load(Ordering::Relaxed);
        let service = Service::new().await;
        let run = service
            .run(&format!("redirected-{transport}"))
            .set("--target", &format!("http://{HOST}:{port}"))
            .set("--transport", transport);
        // The redirecting host may have sent a message, so it may cost something.
        let file = run.stopped("price is missing").await;
        assert_eq!(file["spending"]["spent"], "0.20");
        // One connection to look whether the target answers, one for the start.
        assert_eq!(asked.load(Ordering::Relaxed) - before, 2);
        assert_eq!(followed.load(Ordering::Relaxed), 0);
    }
}
