//! A receiver of callbacks that allows every verification and answers no other event.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context as _, Result};

use crate::fixture;

/// The server. Its threads end with the connections.
pub(crate) struct SlowReceiver {
    port: u16,
    held: Arc<AtomicU64>,
}

impl SlowReceiver {
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let held = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&held);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let held = Arc::clone(&counter);
                // A peer that disconnects is no error.
                thread::spawn(move || serve(stream, &held));
            }
        });
        Ok(Self { port, held })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, fixture::CALLBACK_PATH)
    }

    /// The number of events that arrived and got no answer.
    pub(crate) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }
}

fn serve(mut stream: TcpStream, held: &AtomicU64) -> Result<()> {
    const ALLOW: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n{\"action\":\"allow\"}";
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    loop {
        let mut length = 0;
        let mut line = String::new();
        while input.read_line(&mut line)? > 2 {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().context("content-length is no number")?;
            }
            line.clear();
        }
        if length == 0 {
            return Ok(());
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body)?;
        if memchr::memmem::find(&body, b"VerificationRequestEvent").is_some() {
            stream.write_all(ALLOW)?;
        } else {
            held.fetch_add(1, Ordering::Relaxed);
            // Waits until the emulator gives up.
            input.read_line(&mut line)?;
            return Ok(());
        }
    }
}
