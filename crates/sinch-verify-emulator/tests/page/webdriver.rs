//! The part of WebDriver that these tests need: JSON over HTTP to a chromedriver.
//!
//! No library, because `fantoccini` (0.22) depends on `webdriver` (0.53), which depends on `http` 0.2: a
//! second major version in the tree, which `cargo xtask layers` refuses.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::send_to;

/// A chromedriver with a session of one browser, ended when dropped.
pub(crate) struct Driver {
    address: SocketAddr,
    /// The path of the session; empty until it exists.
    session: String,
    /// The driver, killed when dropped, after the session has ended.
    _process: Child,
}

impl Driver {
    /// Starts a driver and a session. The error says what is missing.
    pub(crate) async fn start() -> Result<Self, String> {
        let process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut process = process.map_err(|error| format!("chromedriver: {error}"))?;
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = loop {
            let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line());
            let line = line.await.expect("chromedriver tells its port in a minute");
            let line = line.unwrap().expect("chromedriver tells its port");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').parse().unwrap();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut driver = Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            session: String::new(),
            _process: process,
        };
        let options = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars",
        ]}}}});
        let answer = driver.ask("", options).await?;
        driver.session = format!("/{}", answer["sessionId"].as_str().unwrap());
        Ok(driver)
    }

    /// Posts a command that must succeed. Returns the value of the answer.
    pub(crate) async fn command(&self, path: &str, body: Value) -> Value {
        match self.ask(path, body).await {
            Ok(value) => value,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Posts a command. Returns the value of the answer, or the error.
    pub(crate) async fn ask(&self, path: &str, body: Value) -> Result<Value, String> {
        let request = Request::post(format!("/session{}{path}", self.session))
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let response = send_to(self.address, request).await;
        let mut answer: Value = serde_json::from_slice(response.body()).unwrap();
        let value = answer["value"].take();
        if response.status() == StatusCode::OK {
            return Ok(value);
        }
        let message = value["message"].as_str().unwrap_or("no message");
        Err(message.lines().next().unwrap_or_default().to_owned())
    }
}

impl Drop for Driver {
    /// Ends the session, also after a failed assertion, because a killed driver leaves its browser running.
    fn drop(&mut self) {
        let end = format!(
            "DELETE /session{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.session, self.address
        );
        if !self.session.is_empty()
            && let Ok(mut stream) = TcpStream::connect(self.address)
            && stream.write_all(end.as_bytes()).is_ok()
        {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.read(&mut [0; 16]);
        }
    }
}
