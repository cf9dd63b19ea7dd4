//! Requests to the emulator's control interface that a page of another site makes a browser send.

use std::time::Instant;

use anyhow::Result;
use sinch_verify_benches::fixture;
use sinch_verify_emulator::{Application, Emulator};

use crate::row::{Row, note};
use crate::wire::exchange;

/// Requests that read codes or change the emulator.
const REQUESTS: [(&str, &str, &str); 6] = [
    ("GET", "/_emu/info", ""),
    ("GET", "/_emu/requests", ""),
    ("GET", "/_emu/numbers/+46700000001/messages", ""),
    ("POST", "/_emu/clock", r#"{"advance":"1s"}"#),
    (
        "POST",
        "/_emu/faults",
        r#"{"on":"api","fault":{"kind":"stall"},"count":1}"#,
    ),
    ("OPTIONS", "/_emu/clock", ""),
];

/// Names of other machines. `PORT` is the port of the emulator.
const HOSTS: [&str; 16] = [
    "evil.example",
    "evil.example:PORT",
    "localhost.evil.example:PORT",
    "127.0.0.1.evil.example:PORT",
    "evil.example@127.0.0.1:PORT",
    "evil@localhost",
    "127.0.0.1:PORT@evil.example",
    "127.0.0.1:PORT.evil.example",
    "localhost:PORT/evil.example",
    "evil.example#localhost",
    "xlocalhost:PORT",
    "128.0.0.1:PORT",
    "2130706433:PORT",
    "[::2]:PORT",
    "",
    " ",
];

/// The headers of a browser for a page of another site, with a right `Host`.
const PAGES: [&str; 10] = [
    "origin: http://evil.example\r\n",
    "origin: null\r\n",
    "origin: https://127.0.0.1:PORT\r\n",
    "origin: http://127.0.0.1:1\r\n",
    "origin: http://127.0.0.1:PORT.evil.example\r\n",
    "origin: http://127.0.0.1:PORT@evil.example\r\n",
    "origin: http://127.0.0.1:PORT\r\norigin: http://evil.example\r\n",
    "host: evil.example\r\n",
    "sec-fetch-site: cross-site\r\n",
    "sec-fetch-site: same-site\r\norigin: http://localhost:PORT\r\n",
];

pub(crate) async fn run() -> Result<()> {
    let application = Application::new(fixture::key()?, fixture::secret()?);
    let emulator = Emulator::builder().application(application).start().await?;
    let address = emulator.addr();
    let port = address.port().to_string();
    let host = format!("127.0.0.1:{port}");
    let send = async |(method, path, body): (&str, &str, &str), host: &str, headers: &str| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}content-type: application/json\r\n\
             access-control-request-method: POST\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = exchange(address, request.as_bytes()).await?;
        anyhow::Ok(String::from_utf8_lossy(&answer).to_ascii_lowercase())
    };
    let begun = Instant::now();
    let (mut sent, mut taken) = (0, 0);
    for request in REQUESTS {
        let foreign_hosts = HOSTS
            .iter()
            .map(|host| (host.replace("PORT", &port), String::new()));
        let foreign_pages = PAGES
            .iter()
            .map(|page| (host.clone(), page.replace("PORT", &port)));
        for (host, headers) in foreign_hosts.chain(foreign_pages) {
            let answer = send(request, &host, &headers).await?;
            sent += 1;
            // Without this header, a page cannot read an answer or send a request that is not simple.
            let is_taken = answer.starts_with("http/1.1 2") || answer.contains("access-control-allow-origin");
            if is_taken {
                taken += 1;
                note(&format!(
                    "{} {} with host {host:?} {headers:?}",
                    request.0, request.1
                ));
            }
        }
    }
    let mut row = Row {
        attack: "pages: requests of other sites to the control interface",
        sent,
        counted: "taken",
        count: taken,
        goal: Some(0),
        took: begun.elapsed(),
        memory: None,
    };
    row.print()?;
    (row.attack, row.counted) = ("pages: requests of its own page", "refused");
    (row.sent, row.count) = (0, 0);
    for request in REQUESTS.into_iter().filter(|(method, ..)| *method != "OPTIONS") {
        let answer = send(request, &host, &format!("origin: http://{host}\r\n")).await?;
        row.sent += 1;
        row.count += u64::from(!answer.starts_with("http/1.1 2"));
    }
    row.print()
}
