//! Many verifications at once, through a proxy that loses things.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::{PhoneNumber, Reference, Start};
use sinch_verify_client::transport::ReqwestTransport;
use sinch_verify_client::{Client, Handle, Lookup, RetryPolicy, SharedTransport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, Semaphore};

use crate::fault_server::{answer_with, read_request};
use crate::support::{Hurried, PATIENT, Service, builder};

const VERIFICATIONS: usize = 2_000;

/// How often the same request meets a fault before it is let through.
const FAULTS: u64 = 2;

#[derive(Default)]
struct Proxy {
    /// How often each request came, its signature aside.
    came: Mutex<HashMap<String, u64>>,
    /// How many requests met a fault.
    faults: Mutex<usize>,
    /// The starts that the service got.
    forwarded: Mutex<Vec<String>>,
}

impl Proxy {
    async fn run(self: Arc<Self>, service: std::net::SocketAddr) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(Arc::clone(&self).serve(stream, service));
            }
        });
        base_url
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream, service: std::net::SocketAddr) {
        while let Some(request) = read_request(&mut stream).await {
            let fault = self.fault(&request);
            if fault.is_some() {
                *self.faults.lock().unwrap() += 1;
            }
            match fault {
                // Lost on the way there.
                Some(0) => return,
                Some(1) => {
                    let busy = answer_with("503 Busy", "retry-after: 0\r\n", "{}");
                    _ = stream.write_all(&busy).await;
                    continue;
                }
                Some(2) => {
                    _ = stream.write_all(&answer_with("502 Bad Gateway", "", "")).await;
                    continue;
                }
                _ => {}
            }
            if let Some(body) = request
                .strip_prefix("POST ")
                .and_then(|rest| rest.split("\r\n\r\n").nth(1))
            {
                self.forwarded.lock().unwrap().push(body.to_owned());
            }
            let answer = forward(&request, service).await;
            match fault {
                // Lost on the way back: all of it, or the end.
                Some(3) => return,
                Some(_) => {
                    _ = stream.write_all(&answer[..answer.len() / 2]).await;
                    return;
                }
                None => _ = stream.write_all(&answer).await,
            }
        }
    }

    /// About every third request meets one of five faults, whatever the order of the requests.
    fn fault(&self, request: &str) -> Option<u64> {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let key = format!("{} {body}", head.lines().next().unwrap());
        let mut came = self.came.lock().unwrap();
        let nth = came.entry(key.clone()).or_default();
        *nth += 1;
        let mut hasher = DefaultHasher::new();
        (key, *nth).hash(&mut hasher);
        let drawn = hasher.finish() % 15;
        (*nth <= FAULTS && drawn < 5).then_some(drawn)
    }
}

/// One exchange with the service, on a connection of its own.
async fn forward(request: &str, service: std::net::SocketAddr) -> Vec<u8> {
    let mut upstream = TcpStream::connect(service).await.unwrap();
    let request = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    upstream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).await.unwrap();
    // The connection to the client stays.
    let text = String::from_utf8(answer).unwrap();
    text.replacen("connection: close\r\n", "", 1).into_bytes()
}

/// Starts until the service has it: after a start that is known not to be there, with a new reference.
async fn start(client: &Client, at: usize, number: PhoneNumber) -> Handle<Sms> {
    for nth in 0.. {
        let reference = Reference::new(&format!("flow-{at}-{nth}")).unwrap();
        match client.start(Start::sms(number).reference(reference)).await {
            Ok(handle) => return handle,
            Err(error) => assert!(matches!(error.lookup(), Some(Lookup::Nothing)), "{at}: {error:#}"),
        }
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_in_flight_through_faults_lose_none() {
    let Service { emulator, .. } = Service::without_backend().await;
    let proxy = Arc::new(Proxy::default());
    let base_url = Arc::clone(&proxy).run(emulator.addr()).await;
    let transport = SharedTransport::new(ReqwestTransport::plain(PATIENT).unwrap());
    // A time of its own for each, because pauses take none.
    let client = || {
        builder(&base_url)
            .transport(transport.clone())
            .retry(
                RetryPolicy::default()
                    .attempts(6)
                    .backoff(Duration::from_millis(1), Duration::from_millis(5)),
            )
            .clock(Hurried::default())
            .attempt_timeout(Duration::from_secs(60))
            .total_timeout(Duration::from_secs(300))
            .build()
            .unwrap()
    };

    // Bounds the sockets, not the verifications.
    let gate = Arc::new(Semaphore::new(64));
    let all_started = Arc::new(Barrier::new(VERIFICATIONS));
    let flows: Vec<_> = (0..VERIFICATIONS)
        .map(|at| {
            let (client, gate) = (client(), Arc::clone(&gate));
            let (all_started, emulator) = (Arc::clone(&all_started), Arc::clone(&emulator));
            tokio::spawn(async move {
                let number: PhoneNumber = format!("+4670{at:07}").parse().unwrap();
                let permit = gate.acquire().await.unwrap();
                let handle = start(&client, at, number).await;
                drop(permit);
                all_started.wait().await;

                let _permit = gate.acquire().await.unwrap();
                let inbox = emulator.inbox(&number);
                let message = inbox.iter().find(|message| message.verification_id == handle.id);
                let code = message.unwrap().code.clone().unwrap();
                let outcome = handle
                    .report(code)
                    .await
                    .unwrap_or_else(|e| panic!("{at}: {e:#}"));
                assert!(outcome.is_verified(), "{at}: {outcome:?}");
                (number, handle.found().is_some())
            })
        })
        .collect();
    let mut found = 0;
    for flow in flows {
        let (number, was_found) = flow.await.unwrap();
        found += usize::from(was_found);
        // One message, whatever happened on the way.
        assert_eq!(emulator.inbox(&number).len(), 1, "{}", number.masked());
    }

    let mut forwarded = proxy.forwarded.lock().unwrap().clone();
    assert_eq!(forwarded.len(), VERIFICATIONS);
    forwarded.sort_unstable();
    forwarded.dedup();
    assert_eq!(forwarded.len(), VERIFICATIONS, "a start arrived twice");
    let faults = *proxy.faults.lock().unwrap();
    assert!(faults > VERIFICATIONS / 2, "only {faults} faults");
    assert!(
        found > VERIFICATIONS / 20,
        "only {found} starts had their answer lost"
    );
}
