//! WebDriver, as much of it as these tests need: JSON over HTTP to a chromedriver of their own.
//!
//! Our own, because `fantoccini` (0.22) stands on `webdriver` (0.53) and that one on `http` 0.2: a
//! second major in the tree, which `cargo xtask layers` refuses. Look again when it has moved up.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream as PlainStream};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// The longest that a condition may take to come true, on a machine that is busy.
const PATIENCE_MS: u64 = 20_000;

/// A browser with one window, ended when dropped.
pub(crate) struct Browser {
    driver: SocketAddr,
    session: String,
    /// Killed when dropped, after the session has ended.
    _process: Child,
}

impl Browser {
    /// Starts a browser without windows; `None`, and a word about it, where there is none. On CI
    /// that is a failure.
    pub(crate) async fn start() -> Option<Self> {
        let missing = |error: &str| {
            let advice = format!(
                "no browser to test the page in: {error}; install Debian's chromium and chromium-driver, \
                 or any Chromium with its chromedriver on PATH"
            );
            assert!(std::env::var_os("CI").is_none(), "{advice}");
            eprintln!("not run, {advice}");
        };
        let process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut process = match process {
            Ok(process) => process,
            Err(error) => {
                missing(&format!("chromedriver: {error}"));
                return None;
            }
        };
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines
                .next_line()
                .await
                .unwrap()
                .expect("chromedriver tells its port");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').parse().unwrap();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut browser = Self {
            driver: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            session: String::new(),
            _process: process,
        };
        let options = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars",
        ]}}}});
        match browser.ask("POST", "", options).await {
            Ok(answer) => browser.session = format!("/{}", answer["sessionId"].as_str().unwrap()),
            Err(error) => {
                missing(&error);
                return None;
            }
        }
        browser.size(1280, 860).await;
        Some(browser)
    }

    /// Opens an address.
    pub(crate) async fn open(&self, url: &str) {
        self.command("/url", json!({ "url": url })).await;
    }

    /// Makes the page so large, in CSS pixels.
    pub(crate) async fn size(&self, width: u32, height: u32) {
        let parameters = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.developer("Emulation.setDeviceMetricsOverride", parameters)
            .await;
    }

    /// Has the system prefer `light` or `dark`.
    pub(crate) async fn prefers(&self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]);
        self.developer("Emulation.setEmulatedMedia", json!({ "features": features }))
            .await;
    }

    async fn developer(&self, command: &str, parameters: Value) -> Value {
        self.command("/goog/cdp/execute", json!({"cmd": command, "params": parameters}))
            .await
    }

    /// Runs a script in the page; a promise is waited for.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.command("/execute/sync", json!({"script": script, "args": []}))
            .await
    }

    /// Waits until the expression is true in the page, and gives what it is.
    pub(crate) async fn wait(&self, expression: &str) -> Value {
        let script = format!(
            "const end = performance.now() + {PATIENCE_MS};
             return new Promise((resolve) => (function look() {{
                 let value;
                 try {{ value = {expression}; }} catch {{ /* not there yet */ }}
                 if (value) resolve(value);
                 else if (performance.now() > end) resolve(null);
                 else setTimeout(look, 15);
             }})());"
        );
        let value = self.run(&script).await;
        if value.is_null() {
            let text = self.run("return document.body.innerText").await;
            panic!(
                "never true: {expression}\nthe page says:\n{}",
                text.as_str().unwrap_or_default()
            );
        }
        value
    }

    /// Waits until the text is on the page.
    pub(crate) async fn sees(&self, text: &str) {
        self.wait(&format!("document.body.innerText.includes({})", json!(text)))
            .await;
    }

    /// Clicks what the selector finds, as soon as it can be clicked.
    pub(crate) async fn click(&self, selector: &str) {
        self.click_where("css selector", selector).await;
    }

    /// Clicks the button or link with this text.
    pub(crate) async fn press(&self, label: &str) {
        let path = format!("//*[self::button or self::a][normalize-space()='{label}']");
        self.click_where("xpath", &path).await;
    }

    async fn click_where(&self, using: &str, what: &str) {
        // A live page redraws: what was found may be another element by now.
        let end = std::time::Instant::now() + Duration::from_millis(PATIENCE_MS);
        loop {
            let found = self
                .ask("POST", "/element", json!({"using": using, "value": what}))
                .await;
            let error = match found {
                Ok(element) => {
                    let id = element
                        .as_object()
                        .unwrap()
                        .values()
                        .next()
                        .unwrap()
                        .as_str()
                        .unwrap()
                        .to_owned();
                    match self.ask("POST", &format!("/element/{id}/click"), json!({})).await {
                        Ok(_) => return,
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            assert!(std::time::Instant::now() < end, "{what}: {error}");
            // Gives the page its turn, rather than a while of our own.
            self.run("return new Promise(requestAnimationFrame)").await;
        }
    }

    /// Chooses the option with this value, as soon as it is there.
    pub(crate) async fn choose(&self, selector: &str, value: &str) {
        let control = format!("document.querySelector({})", json!(selector));
        let value = json!(value);
        self.wait(&format!(
            "[...{control}.options].some((one) => one.value === {value})"
        ))
        .await;
        self.run(&format!(
            "{control}.value = {value};
             {control}.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        ))
        .await;
    }

    /// Types on the keyboard, wherever the focus is. See [`key`].
    pub(crate) async fn keys(&self, text: &str) {
        let strokes: Vec<Value> = text
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})))
            .collect();
        let keyboard = json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]});
        self.command("/actions", keyboard).await;
    }

    /// Keeps a picture of the window as `NAME.webp` in the folder that `SINCH_VERIFY_PICTURES`
    /// names, if any.
    pub(crate) async fn keep(&self, name: &str) {
        if let Some(folder) = std::env::var_os("SINCH_VERIFY_PICTURES") {
            let format = json!({"format": "webp", "quality": 85});
            let answer = self.developer("Page.captureScreenshot", format).await;
            let picture = STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
            std::fs::write(
                std::path::Path::new(&folder).join(name).with_extension("webp"),
                picture,
            )
            .unwrap();
        }
    }

    /// Everything that the browser complained about: refused scripts, lost requests, exceptions.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.command("/se/log", json!({"type": "browser"})).await;
        let entries = log.as_array().unwrap().iter();
        entries
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn command(&self, path: &str, body: Value) -> Value {
        match self.ask("POST", path, body).await {
            Ok(value) => value,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// The value of the answer, or what went wrong.
    async fn ask(&self, verb: &str, path: &str, body: Value) -> Result<Value, String> {
        let stream = TcpStream::connect(self.driver).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = Request::builder()
            .method(verb)
            .uri(format!("/session{}{path}", self.session))
            .header("host", self.driver.to_string())
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        connection.abort();
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        let value = answer["value"].take();
        if status == StatusCode::OK {
            return Ok(value);
        }
        Err(value["message"]
            .as_str()
            .unwrap_or("no message")
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned())
    }
}

impl Drop for Browser {
    /// Ends the session, also after a failed assertion: a driver that is killed leaves its browser.
    fn drop(&mut self) {
        let end = format!(
            "DELETE /session{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.session, self.driver
        );
        if !self.session.is_empty()
            && let Ok(mut stream) = PlainStream::connect(self.driver)
            && stream.write_all(end.as_bytes()).is_ok()
        {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.read(&mut [0; 16]);
        }
    }
}

/// Keys without a letter.
pub(crate) mod key {
    pub(crate) const ENTER: &str = "\u{E007}";
    pub(crate) const ESCAPE: &str = "\u{E00C}";
    pub(crate) const DOWN: &str = "\u{E015}";
    pub(crate) const TAB: &str = "\u{E004}";
}
