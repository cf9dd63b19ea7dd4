//! A server on a raw socket that does what no HTTP library would let it do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Resets it once the request is there.
    Reset,
    /// Reads the request and closes.
    Close,
    /// Reads the request and says nothing.
    Stall,
    /// Reads a request, sends these bytes, and waits for the next request.
    Say(Vec<u8>),
    /// Sends these bytes after the request and resets the connection.
    SayAndReset(Vec<u8>),
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
    stalls: Arc<Stalls>,
    task: tokio::task::JoinHandle<()>,
}

/// Requests that get no answer any more.
struct Stalls {
    /// One for each that came.
    came: Semaphore,
    /// One for each whose connection the other side has closed.
    hung_up: Semaphore,
}

impl FaultServer {
    pub(crate) async fn start(fault: Fault) -> Self {
        Self::scripted(move |_| fault.clone()).await
    }

    /// Decides for every request by itself.
    pub(crate) async fn scripted(script: impl Fn(&str) -> Fault + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let stalls = Arc::new(Stalls {
            came: Semaphore::new(0),
            hung_up: Semaphore::new(0),
        });
        let stalled = Arc::clone(&stalls);
        let script: Arc<Script> = Arc::new(script);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                tokio::spawn(serve(stream, script, seen, Arc::clone(&stalled)));
            }
        });
        Self {
            base_url,
            requests,
            stalls,
            task,
        }
    }

    /// Waits for the next request that gets no answer.
    pub(crate) async fn stalling(&self) {
        self.stalls.came.acquire().await.unwrap().forget();
    }

    /// Waits until the other side has closed the next connection that gets no answer.
    pub(crate) async fn hung_up(&self) {
        self.stalls.hung_up.acquire().await.unwrap().forget();
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

/// A base URL where nothing listens: a port that no system hands out by itself, so that no other test
/// is given it.
pub(crate) fn refusing() -> String {
    "http://127.0.0.1:1".to_owned()
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<String>>>,
    stalls: Arc<Stalls>,
) {
    while let Some(request) = peek_request(&stream).await {
        seen.lock().unwrap().push(request.clone());
        let fault = script(&request);
        // A connection that is closed with something unread is reset by the system.
        if !matches!(fault, Fault::Reset | Fault::SayAndReset(_)) {
            take(&mut stream, &request).await;
        }
        // The other side may have hung up already, which is not this server's trouble.
        match fault {
            Fault::Reset | Fault::Close => return,
            Fault::Stall => return stall(stream, &stalls).await,
            Fault::Say(bytes) => _ = stream.write_all(&bytes).await,
            Fault::SayAndReset(bytes) | Fault::SayAndClose(bytes) => {
                _ = stream.write_all(&bytes).await;
                return;
            }
            Fault::SayAndStall(bytes) => {
                _ = stream.write_all(&bytes).await;
                return stall(stream, &stalls).await;
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

/// Keeps the connection open, without an answer, until the other side closes it.
async fn stall(mut stream: TcpStream, stalls: &Stalls) {
    stalls.came.add_permits(1);
    // An end, or a reset, is the other side's.
    while let Ok(1..) = stream.read(&mut [0; 1024]).await {}
    stalls.hung_up.add_permits(1);
}

/// The next request, head and body; `None` where the other side has hung up.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let request = peek_request(stream).await?;
    take(stream, &request).await;
    Some(request)
}

async fn take(stream: &mut TcpStream, request: &str) {
    stream.read_exact(&mut vec![0; request.len()]).await.unwrap();
}

/// The next request, left where it is; `None` also for what is no HTTP, such as the beginning of TLS.
async fn peek_request(stream: &TcpStream) -> Option<String> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let have = stream.peek(&mut bytes).await.ok()?;
        let text = std::str::from_utf8(&bytes[..have]).ok()?;
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.trim().parse::<usize>().unwrap());
            if body.len() >= length {
                return Some(text[..head.len() + 4 + length].to_owned());
            }
        }
        // What is there already would be told again at once.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
