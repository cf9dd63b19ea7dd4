//! The reqwest transport through an HTTP proxy.

use std::sync::{Arc, Mutex};

use sinch_verify_client::protocol::Start;
use sinch_verify_client::transport::ReqwestTransport;
use sinch_verify_client::{BuildError, Client};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{KEY, SECRET, Service, child, is_child, number, once};
use crate::tls;

/// Makes tunnels, and hands plain requests on to the host that they name.
struct Proxy {
    address: String,
    /// What the head of each connection's first request was.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap().to_string(),
            heads: Arc::default(),
        };
        let heads = Arc::clone(&proxy.heads);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&heads)));
            }
        });
        proxy
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let text = String::from_utf8(head.clone()).unwrap();
    let target = text.split(' ').nth(1).unwrap();
    let authority = target.strip_prefix("http://").unwrap_or(target);
    let authority = authority.split('/').next().unwrap().to_owned();
    let is_tunnel = text.starts_with("CONNECT ");
    heads.lock().unwrap().push(text);
    let mut upstream = TcpStream::connect(authority).await.unwrap();
    if is_tunnel {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    } else {
        upstream.write_all(&head).await.unwrap();
    }
    // Ends as either side hangs up.
    let _ = copy_bidirectional(&mut stream, &mut upstream).await;
}

#[tokio::test]
async fn plain_http_goes_through_the_proxy_with_its_password() {
    let service = Service::without_backend().await;
    let proxy = Proxy::start().await;
    let transport = ReqwestTransport::builder()
        .proxy(&format!("http://user:password@{}", proxy.address))
        .plain()
        .unwrap();
    let url = service.emulator.url();
    once(&url, transport).start(Start::sms(number())).await.unwrap();
    let heads = proxy.heads();
    assert!(heads[0].starts_with(&format!("POST {url}/")), "{heads:?}");
    let given = "proxy-authorization: basic dxnlcjpwyxnzd29yza==";
    assert!(heads[0].to_lowercase().contains(given), "{heads:?}");
}

#[tokio::test]
async fn https_goes_through_a_tunnel_that_shows_the_host_only() {
    let service = Service::without_backend().await;
    let front = tls::Proxy::before(&service, &[b"http/1.1"]).await;
    let proxy = Proxy::start().await;
    let transport = ReqwestTransport::builder()
        .proxy(&format!("http://{}", proxy.address))
        .tls_trusting(front.pem.as_bytes())
        .unwrap();
    let client = once(&front.base_url, transport);
    client.start(Start::sms(number())).await.unwrap();
    let heads = proxy.heads();
    let host = front.base_url.strip_prefix("https://").unwrap();
    assert!(heads[0].starts_with(&format!("CONNECT {host} ")), "{heads:?}");
    assert!(
        !heads[0].to_lowercase().contains("\r\nauthorization"),
        "{heads:?}"
    );
    assert_eq!(heads.len(), 1);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_means_that_nothing_was_sent() {
    let service = Service::without_backend().await;
    let transport = ReqwestTransport::builder()
        .proxy("http://127.0.0.1:1")
        .plain()
        .unwrap();
    let error = once(&service.emulator.url(), transport)
        .start(Start::sms(number()))
        .await
        .unwrap_err();
    assert!(error.is_connect(), "{error:#}");
    assert!(!error.may_have_been_sent());
}

#[test]
fn the_url_of_a_proxy_is_checked_and_not_shown() {
    for url in [
        "",
        "proxy.example",
        "socks5://user:secret@proxy.example:1080",
        "http://",
    ] {
        let builder = ReqwestTransport::builder().proxy(url);
        assert!(!format!("{builder:?}").contains("secret"));
        let error = builder.plain().unwrap_err();
        assert!(matches!(error, BuildError::Proxy), "{url}: {error:?}");
        assert!(!format!("{error:#} {error:?}").contains("secret"), "{error:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_proxy_is_taken_from_the_environment() {
    if is_child() {
        let client = Client::from_env().unwrap();
        client.start(Start::sms(number())).await.unwrap();
        return;
    }
    let service = Service::without_backend().await;
    let url = service.emulator.url();
    let variables = [
        ("SINCH_APPLICATION_KEY", KEY),
        ("SINCH_APPLICATION_SECRET", SECRET),
        ("SINCH_VERIFICATION_URL", &*url),
        ("http_proxy", "http://127.0.0.1:1"),
        ("all_proxy", "http://127.0.0.1:1"),
        ("no_proxy", ""),
    ];
    let test = "proxies::no_proxy_is_taken_from_the_environment";
    let output = tokio::task::block_in_place(|| child(test, &variables));
    assert!(output.status.success(), "{output:?}");
}
