//! A TCP proxy in front of the emulator that can cut connections, as networks do.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Forwards connections while it is open.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    open: watch::Sender<bool>,
    asked: Asked,
    _task: JoinSet<()>,
}

/// Everything that browsers sent, in the received pieces.
type Asked = Arc<Mutex<Vec<String>>>;

impl Gate {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, mut is_open) = watch::channel(true);
        let asked = Asked::default();
        let seen = Arc::clone(&asked);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let (stream, _) = accepted.unwrap();
                        // While shut, it accepts connections and drops them.
                        if *is_open.borrow() {
                            connections.spawn(forward(stream, target, Arc::clone(&seen)));
                        }
                    }
                    _ = is_open.changed() => if !*is_open.borrow() { connections = JoinSet::new() },
                }
            }
        });
        Self {
            address,
            open,
            asked,
            _task: task,
        }
    }

    /// Cuts every connection and forwards no new ones.
    pub(crate) fn shut(&self) {
        self.open.send_replace(false);
    }

    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }

    /// The latest request whose head begins with this text.
    pub(crate) fn last(&self, begin: &str) -> Option<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().rev().find(|head| head.starts_with(begin)).cloned()
    }
}

async fn forward(stream: TcpStream, target: SocketAddr, asked: Asked) {
    let Ok(behind) = TcpStream::connect(target).await else {
        return;
    };
    let (mut browser, mut to_browser) = stream.into_split();
    let (mut emulator, mut to_emulator) = behind.into_split();
    let there = async {
        let mut piece = [0; 8192];
        while let Ok(length @ 1..) = browser.read(&mut piece).await {
            asked
                .lock()
                .unwrap()
                .push(String::from_utf8_lossy(&piece[..length]).into_owned());
            if to_emulator.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = there => {}
        _ = tokio::io::copy(&mut emulator, &mut to_browser) => {}
    }
}
