//! Live runs that do not come about, and requests that do not go astray.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sinch_verify_loadtest::arrivals::Schedule;
use sinch_verify_loadtest::engine::{Options, Run};
use sinch_verify_loadtest::model::{Exit, Load, PhoneChoice, Rate, Shard};
use sinch_verify_loadtest::safety::LiveUnfit;
use sinch_verify_loadtest::target::Against;
use sinch_verify_protocol::ApplicationKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Held, Service, live_url, request, workload};

#[tokio::test]
async fn unconfirmed_plan_is_no_target() {
    let service = Service::new().await;
    for word in ["", "yes", "11111111:99", "22222222:100"] {
        let plan = service.request().plan().unwrap();
        assert!(plan.confirm(word).is_err(), "{word}");
    }
    assert!(service.request().plan().unwrap().confirm("11111111:100").is_ok());
    assert_eq!(service.starts(), 0, "asking costs nothing");
}

#[tokio::test]
async fn parts_must_fit() {
    let service = Service::new().await;
    let mut leaves = service.request();
    leaves.service.pin = None;
    assert_eq!(leaves.plan().unwrap_err(), LiveUnfit::Plain);
    let mut fast = service.request();
    let rate = Rate::Constant { per_second: 100.1 };
    fast.load = Load::Open { rate, users: 1 };
    assert!(matches!(fast.plan().unwrap_err(), LiveUnfit::Rate { .. }));
    let mut blind = service.request();
    blind.phone = PhoneChoice::Inbox;
    assert_eq!(blind.plan().unwrap_err(), LiveUnfit::Inbox);
    for scenario in [
        "wrong-code",
        "resend-storm",
        "expire",
        "deny",
        "bad-callback",
        "replay",
        "query-only",
        "whatsapp",
    ] {
        let options = Options::new(workload(scenario, "sms=1"), Duration::from_secs(1));
        let flow = scenario.parse().unwrap();
        let mut abuse = service.request();
        abuse.unfit = options.unfit_for_live();
        assert_eq!(abuse.plan().unwrap_err(), LiveUnfit::Scenario(flow));
    }
    for (worst, cost) in [("0", "1"), ("1.01", "1")] {
        let mut poor = service.request();
        poor.budget.worst = worst.parse().unwrap();
        poor.budget.cost = cost.parse().unwrap();
        assert_eq!(poor.plan().unwrap_err(), LiveUnfit::Cost);
    }
}

#[tokio::test]
async fn plan_shows_everything_but_numbers_and_secrets() {
    let service = Service::new().await;
    let plan = service.request().plan().unwrap().to_string();
    for shown in [
        "verification.live.test",
        "at most 100, at most 100/s",
        "at most 20.00 EUR",
        "40, each at most 3 times: ***10, ***11",
        "SINCH_LOAD_CONFIRM=11111111:100",
    ] {
        assert!(plan.contains(shown), "{shown} is not in\n{plan}");
    }
    assert!(!plan.contains("4670000"), "{plan}");
    assert!(!plan.contains(crate::support::SECRET));
    assert!(!plan.contains(ApplicationKey::new(crate::support::KEY).unwrap().as_str()));
    assert_eq!(service.starts(), 0);
}

#[test]
fn plan_counts_what_there_can_be_and_not_what_is_usual() {
    let counted = |rate: Option<&str>, cap: &str, seed| {
        let mut live = request(9);
        live.cap = cap.parse().unwrap();
        live.seed = seed;
        live.duration = Duration::from_secs(8);
        if let Some(rate) = rate {
            let rate = rate.parse().unwrap();
            live.load = Load::Open { rate, users: 4 };
        }
        let plan = live.plan().unwrap().to_string();
        let (_, rest) = plan.split_once("at most ").unwrap();
        rest.split_once(',').unwrap().0.parse::<u64>().unwrap()
    };
    assert_eq!(counted(None, "2/s", None), 16, "users who wait are paced");
    assert_eq!(counted(Some("1/s..3/s"), "4/s", None), 16, "a ramp has its area");
    // The average is 8, and nobody knows what chance makes of it.
    assert_eq!(
        counted(Some("poisson:1/s"), "5/s", None),
        40,
        "only the pace is sure"
    );
    let crowded = (0..).find(|seed| {
        let rate = Rate::Poisson { per_second: 1.0 };
        Schedule::new(rate, Duration::from_secs(8), *seed, Shard::WHOLE).count() == 12
    });
    assert_eq!(counted(Some("poisson:1/s"), "5/s", crowded), 12);
}

/// A confirmed target is good for what was confirmed: options that were changed since are looked at
/// again before anything is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmed_target_is_not_good_for_other_flows() {
    let service = Service::new().await;
    let against = |scenario, phone| {
        let live = service.confirmed(service.request()).target();
        let mut options = Options::new(scenario, Duration::from_secs(1));
        options.phone = phone;
        options.against = Against::Live(live);
        options
    };
    let mixed = workload("mixed", "sms=1,resend-storm=1");
    let mixed = against(mixed, PhoneChoice::Callback);
    for (options, says) in [
        (
            against(workload("query-only", "sms=1"), PhoneChoice::Callback),
            "query-only is refused",
        ),
        (
            against(workload("wrong-code", "sms=1"), PhoneChoice::Callback),
            "wrong-code is refused",
        ),
        (mixed, "resend-storm is refused"),
        (
            against(workload("sms", "sms=1"), PhoneChoice::Inbox),
            "shows no inbox",
        ),
    ] {
        let prepared = tokio::task::spawn_blocking(|| Run::prepare(options).map(drop));
        let error = prepared.await.unwrap().unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(service.starts(), 0);
}

/// Answers every request with `answer`, and counts the connections.
async fn server(answer: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let mut request = vec![0; 16 * 1024];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (port, seen)
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (elsewhere, followed) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned()).await;
    let (port, asked) = server(format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{elsewhere}/\r\ncontent-length: 0\r\n\r\n"
    ))
    .await;
    let service = Service::new().await;
    let mut request = service.request();
    let url = format!("http://{}:{port}", crate::support::HOST);
    request.service.url = live_url(url.parse().unwrap());
    let live = service.confirmed(request);
    let admitted = live.rails().admit().await.unwrap();
    live.flow(admitted, Held(tokio::sync::Semaphore::new(0))).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(followed.load(Ordering::Relaxed), 0);
    // Whether the redirecting host sent a message is not known.
    assert_eq!(live.spending().spent, "0.20");
}
