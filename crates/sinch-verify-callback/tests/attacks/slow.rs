//! Peers that send slowly, too much or nothing, and handlers that never end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sinch_verify_callback::InDoubt;
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::protocol::Decision;
use sinch_verify_callback::protocol::callback::RequestEvent;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::support::{
    HANG, builder, counting, event, head, in_memory, post, read, send, send_raw, serve, service, wire,
};

const SHORT: Duration = Duration::from_millis(200);

/// Reads until the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = timeout(HANG, stream.read_to_end(&mut answer))
        .await
        .expect("the server closes");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn heads_that_trickle_are_cut_off_and_hold_nobody_up() {
    let (handler, _) = counting();
    let server = Server::new(service(handler, in_memory(InDoubt::Refuse)))
        .with_head_deadline(SHORT)
        .with_max_connections(4);
    let server = serve(server).await;
    // As many as may connect: silent, in the first line, in the headers, between two requests.
    let mut slow = Vec::new();
    let whole = head(&post(event("1")), "content-length: 10\r\n");
    for part in [0, 5, whole.len() - 2] {
        let mut stream = TcpStream::connect(server).await.unwrap();
        stream.write_all(&whole[..part]).await.unwrap();
        slow.push(stream);
    }
    let mut idle = TcpStream::connect(server).await.unwrap();
    let request = post(event("2"));
    let length = format!("content-length: {}\r\n", request.body().len());
    idle.write_all(&head(&request, &length)).await.unwrap();
    idle.write_all(request.body()).await.unwrap();
    // Accepted once one of them is cut off.
    let answered = timeout(HANG, send(server, &post(event("3"))))
        .await
        .expect("no hang");
    assert_eq!(answered.0, 200);
    for mut stream in slow {
        let (status, _) = read(&rest(&mut stream).await);
        assert!([0, 408].contains(&status), "{status}");
    }
    assert_eq!(read(&rest(&mut idle).await).0, 200);
}

/// As long as nothing in a test takes: what waits for this hangs.
const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn connections_without_a_request_give_way_to_callbacks() {
    let (handler, _) = counting();
    let server = Server::new(service(handler, in_memory(InDoubt::Refuse)))
        .with_head_deadline(NEVER)
        .with_max_connections(50);
    let server = serve(server).await;
    let answered = async |id: &str| {
        let request = post(event(id));
        let answer = timeout(HANG, send(server, &request)).await;
        answer.expect("no hang").0
    };
    // Many times more than there may be: silent, in the middle of a head, and between two requests.
    let mut idle = Vec::new();
    for n in 0..100 {
        idle.push(TcpStream::connect(server).await.unwrap());
        let mut half = TcpStream::connect(server).await.unwrap();
        half.write_all(b"POST /callback HTTP/1.1\r\nhost: a\r\n")
            .await
            .unwrap();
        idle.push(half);
        let mut kept = TcpStream::connect(server).await.unwrap();
        keep_alive(&mut kept, &format!("kept {n}")).await;
        idle.push(kept);
    }
    for n in 0..10 {
        assert_eq!(answered(&format!("honest {n}")).await, 200);
    }
    // The oldest went, and the youngest stayed.
    let mut youngest = idle.pop().unwrap();
    assert_eq!(rest(&mut idle[0]).await, "");
    keep_alive(&mut youngest, "youngest").await;
}

/// Posts a callback on a connection that stays open, and reads the answer.
async fn keep_alive(stream: &mut TcpStream, id: &str) {
    let request = post(event(id));
    let length = format!("content-length: {}\r\n", request.body().len());
    let raw = [&head(&request, &length)[..], request.body()].concat();
    stream.write_all(&raw).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}}") {
        let read = timeout(HANG, stream.read_buf(&mut answer)).await;
        let read = read.expect("no hang").unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_with_a_request_is_answered_before_it_gives_way() {
    let (go, wait) = oneshot::channel::<()>();
    let (asked, is_asked) = oneshot::channel::<()>();
    let channels = std::sync::Mutex::new(Some((asked, wait)));
    let handler = move |_: RequestEvent| {
        let channels = channels.lock().unwrap().take();
        async move {
            if let Some((asked, wait)) = channels {
                asked.send(()).unwrap();
                wait.await.unwrap();
            }
            Decision::Allow
        }
    };
    let builder = builder(handler, in_memory(InDoubt::Refuse)).deadline(NEVER);
    let server = Server::new(builder.build().unwrap())
        .with_head_deadline(NEVER)
        .with_max_connections(1);
    let server = serve(server).await;
    // It stays open, and asks nothing more.
    let mut first = TcpStream::connect(server).await.unwrap();
    let request = post(event("1"));
    let length = format!("content-length: {}\r\n", request.body().len());
    let raw = [&head(&request, &length)[..], request.body()].concat();
    first.write_all(&raw).await.unwrap();
    is_asked.await.unwrap();
    let mut second = TcpStream::connect(server).await.unwrap();
    second.write_all(&wire(&post(event("2")))).await.unwrap();
    go.send(()).unwrap();
    let allowed = (200, r#"{"action":"allow"}"#.to_owned());
    assert_eq!(read(&rest(&mut first).await), allowed);
    assert_eq!(read(&rest(&mut second).await), allowed);
}

#[tokio::test]
async fn bodies_that_trickle_are_cut_off() {
    let (handler, decided) = counting();
    let builder = builder(handler, in_memory(InDoubt::Refuse)).body_deadline(SHORT);
    let service = builder.build().unwrap();
    let server = serve(Server::new(service)).await;
    let request = post(event("1"));
    let mut stream = TcpStream::connect(server).await.unwrap();
    let length = format!("content-length: {}\r\n", request.body().len());
    stream.write_all(&head(&request, &length)).await.unwrap();
    // A byte now and then, which never ends.
    let (mut reader, mut writer) = stream.into_split();
    let trickle = tokio::spawn(async move {
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut answer = vec![0; 12];
    timeout(HANG, reader.read_exact(&mut answer))
        .await
        .expect("no hang")
        .unwrap();
    assert_eq!(answer, b"HTTP/1.1 400");
    timeout(HANG, trickle).await.expect("the server closes").unwrap();
    assert_eq!(decided.load(Ordering::SeqCst), 0);
    assert_eq!(send(server, &post(event("1"))).await.0, 200);
}

#[tokio::test]
async fn ten_megabytes_are_not_read() {
    let (handler, _) = counting();
    let server = serve(Server::new(service(handler, in_memory(InDoubt::Refuse)))).await;
    let huge = post(vec![b' '; 10_000_000]);
    // Said at once: refused before a byte of it is read.
    let only_head = head(&huge, "content-length: 10000000\r\nconnection: close\r\n");
    assert_eq!(read(&send_raw(server, &only_head).await).0, 413);

    // Not said: the server stops at its limit, and this end cannot send the rest.
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream
        .write_all(&head(&huge, "transfer-encoding: chunked\r\n"))
        .await
        .unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let writing = tokio::spawn(async move {
        for _ in 0..1000 {
            let chunk = [b"2710\r\n", &[b' '; 10_000][..], b"\r\n"].concat();
            if writer.write_all(&chunk).await.is_err() {
                return false;
            }
        }
        true
    });
    let mut answer = vec![0; 12];
    timeout(HANG, reader.read_exact(&mut answer))
        .await
        .expect("no hang")
        .unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
    assert!(
        !timeout(HANG, writing).await.expect("no hang").unwrap(),
        "all of it was taken"
    );
    assert_eq!(send(server, &post(event("1"))).await.0, 200);
}

#[tokio::test]
async fn handlers_that_never_end_are_answered_for_and_do_not_pile_up() {
    struct Running(Arc<AtomicUsize>);
    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let running = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&running);
    let handler = move |_: RequestEvent| {
        count.fetch_add(1, Ordering::SeqCst);
        let running = Running(Arc::clone(&count));
        async move {
            std::future::pending::<()>().await;
            drop(running);
            Decision::Allow
        }
    };
    let builder = builder(handler, in_memory(InDoubt::Refuse)).deadline(SHORT);
    let server = serve(Server::new(builder.build().unwrap())).await;
    let mut tasks = Vec::new();
    for n in 0..50 {
        let request = post(event(&n.to_string()));
        tasks.push(tokio::spawn(async move { send(server, &request).await }));
    }
    for task in tasks {
        let answered = timeout(HANG, task).await.expect("no hang").unwrap();
        assert_eq!(answered, (200, r#"{"action":"deny"}"#.to_owned()));
    }
    let ended = async {
        while running.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(HANG, ended).await.expect("handlers go on");
}

#[tokio::test]
async fn a_server_that_stops_answers_what_it_was_asked() {
    let (go, wait) = oneshot::channel::<()>();
    let (asked, is_asked) = oneshot::channel::<()>();
    let channels = std::sync::Mutex::new(Some((asked, wait)));
    let handler = move |_: RequestEvent| {
        let channels = channels.lock().unwrap().take();
        async move {
            if let Some((asked, wait)) = channels {
                asked.send(()).unwrap();
                wait.await.unwrap();
            }
            Decision::Allow
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new(service(handler, in_memory(InDoubt::Refuse)));
    let serving = tokio::spawn(server.serve(listener, async {
        let _ = stopped.await;
    }));
    // One that is idle, and one that is asked.
    let mut idle = TcpStream::connect(address).await.unwrap();
    let raw = wire(&post(event("1")));
    let asking = tokio::spawn(async move { send_raw(address, &raw).await });
    is_asked.await.unwrap();
    stop.send(()).unwrap();
    assert_eq!(rest(&mut idle).await, "");
    go.send(()).unwrap();
    assert_eq!(
        read(&asking.await.unwrap()),
        (200, r#"{"action":"allow"}"#.to_owned())
    );
    timeout(HANG, serving).await.expect("the server ends").unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn old_connections_are_closed_in_order() {
    let (handler, _) = counting();
    let server = Server::new(service(handler, in_memory(InDoubt::Refuse))).with_max_connection_age(SHORT);
    let server = serve(server).await;
    // One that never reads its answers, and asks on and on.
    let stream = TcpStream::connect(server).await.unwrap();
    let raw = head(&post(event("1")), "content-length: 0\r\n");
    let (reader, mut writer) = stream.into_split();
    let asking = async { while writer.write_all(&raw).await.is_ok() {} };
    timeout(HANG, asking).await.expect("the server closes");
    drop(reader);
}

#[tokio::test]
async fn a_server_that_stops_waits_for_no_longer_than_its_grace() {
    let start = async |grace: Option<Duration>| {
        let (asked, is_asked) = oneshot::channel::<()>();
        let asked = std::sync::Mutex::new(Some(asked));
        let handler = move |_: RequestEvent| {
            let _ = asked.lock().unwrap().take().unwrap().send(());
            std::future::pending::<Decision>()
        };
        // It would be answered for, but not in this hour.
        let builder = builder(handler, in_memory(InDoubt::Refuse)).deadline(Duration::from_secs(3600));
        let server = Server::new(builder.build().unwrap());
        let server = match grace {
            Some(grace) => server.with_grace(grace),
            None => server,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(listener, async {
            let _ = stopped.await;
        }));
        let asking = tokio::spawn(async move { send_raw(address, &wire(&post(event("1")))).await });
        is_asked.await.unwrap();
        (stop, serving, asking)
    };
    let (stop_short, short, asking) = start(Some(SHORT)).await;
    let (stop_default, default, _) = start(None).await;
    stop_default.send(()).unwrap();
    stop_short.send(()).unwrap();
    // Told last, and done first; the other would wait for its ten seconds.
    tokio::select! {
        biased;
        ended = short => ended.unwrap(),
        _ = default => panic!("the grace made no difference"),
    }
    assert_eq!(asking.await.unwrap(), "");
}
