//! A server on a raw socket that does what no HTTP library would let it do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with every connection.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Closes it with the request unread, which resets it.
    Reset,
    /// Reads the request and closes.
    Close,
    /// Reads the request and says nothing.
    Stall,
    /// Reads a request, sends these bytes, and waits for the next request.
    Say(Vec<u8>),
    /// Sends these bytes after the request and closes.
    SayAndClose(Vec<u8>),
    /// Sends these bytes after the request and then nothing.
    SayAndStall(Vec<u8>),
    /// Sends these bytes after the request, one at a time with this pause between them.
    Drip(Vec<u8>, Duration),
}

impl Fault {
    /// A whole answer with a body.
    pub(crate) fn answer(status: &str, body: &str) -> Self {
        Self::Say(answer(status, body))
    }
}

/// The bytes of a whole answer.
pub(crate) fn answer(status: &str, body: &str) -> Vec<u8> {
    answer_with(status, "", body)
}

/// The bytes of a whole answer with further header lines, each with its line end.
pub(crate) fn answer_with(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Chooses what to do with a request, head and body.
type Script = dyn Fn(&str) -> Fault + Send + Sync;

pub(crate) struct FaultServer {
    pub(crate) base_url: String,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl FaultServer {
    pub(crate) async fn start(fault: Fault) -> Self {
        let unread = matches!(fault, Fault::Reset);
        Self::run(unread, Arc::new(move |_: &str| fault.clone())).await
    }

    /// Decides for every request by itself.
    pub(crate) async fn scripted(script: impl Fn(&str) -> Fault + Send + Sync + 'static) -> Self {
        Self::run(false, Arc::new(script)).await
    }

    async fn run(unread: bool, script: Arc<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, unread, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self {
            base_url,
            requests,
            task,
        }
    }

    /// How many starts, reports and status queries came so far.
    pub(crate) fn seen(&self) -> Seen {
        let count = |verb: &str| {
            let requests = self.requests.lock().unwrap();
            requests
                .iter()
                .filter(|request| request.starts_with(verb))
                .count()
        };
        Seen {
            starts: count("POST "),
            reports: count("PUT "),
            queries: count("GET "),
        }
    }

    /// The whole requests read so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) starts: usize,
    pub(crate) reports: usize,
    pub(crate) queries: usize,
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A base URL where nothing listens.
pub(crate) async fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn serve(mut stream: TcpStream, unread: bool, script: Arc<Script>, seen: Arc<Mutex<Vec<String>>>) {
    if unread {
        // Until then hyper would know that the request never left.
        stream.peek(&mut [0]).await.unwrap();
        return;
    }
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().push(request.clone());
        // The other side may have hung up already, which is not this server's trouble.
        match script(&request) {
            Fault::Reset | Fault::Close => return,
            Fault::Stall => return stall(stream).await,
            Fault::Say(bytes) => _ = stream.write_all(&bytes).await,
            Fault::SayAndClose(bytes) => {
                _ = stream.write_all(&bytes).await;
                return;
            }
            Fault::SayAndStall(bytes) => {
                _ = stream.write_all(&bytes).await;
                return stall(stream).await;
            }
            Fault::Drip(bytes, pause) => {
                for byte in bytes {
                    tokio::time::sleep(pause).await;
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

async fn stall(stream: TcpStream) {
    tokio::time::sleep(Duration::from_secs(60)).await;
    drop(stream);
}

pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.trim().parse::<usize>().unwrap());
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
        }
    }
}
