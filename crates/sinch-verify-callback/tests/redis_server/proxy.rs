//! Between a store and its Redis, to spoil a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards until the test ends.
pub(crate) struct Proxy {
    address: SocketAddr,
    target: Arc<AtomicU16>,
    fault: watch::Sender<Fault>,
}

/// What connections do from now on. Later ones are as good as any.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// They stay open, and forward nothing more.
    Silence,
    /// They forward the next message, and close instead of forwarding its answer.
    LostAnswer,
    /// They forward nothing, and answer every command with this line.
    Answer(&'static str),
}

impl Proxy {
    /// A proxy to `target`, a port of this machine.
    pub(crate) async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            target: Arc::new(AtomicU16::new(target)),
            fault: watch::channel(Fault::Silence).0,
        };
        let (target, fault) = (Arc::clone(&proxy.target), proxy.fault.clone());
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let target = target.load(Ordering::SeqCst);
                tokio::spawn(carry(near, target, fault.subscribe()));
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// The connections of now have `fault`.
    pub(crate) fn spoil(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Later connections go to this port.
    pub(crate) fn switch_to(&self, target: u16) {
        self.target.store(target, Ordering::SeqCst);
    }
}

async fn carry(mut near: TcpStream, target: u16, mut fault: watch::Receiver<Fault>) {
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", target)).await else {
        return;
    };
    tokio::select! {
        // First, so that nothing of what comes later is forwarded.
        biased;
        _ = fault.changed() => {}
        _ = copy_bidirectional(&mut near, &mut far) => return,
    }
    let fault = *fault.borrow();
    match fault {
        Fault::Silence => std::future::pending().await,
        Fault::LostAnswer => {
            let ((mut read, _near), (mut answer, mut write)) = (near.split(), far.split());
            tokio::select! {
                _ = copy(&mut read, &mut write) => {}
                _ = answer.read_u8() => {}
            }
        }
        Fault::Answer(line) => {
            let mut message = [0; 4096];
            while let Ok(len @ 1..) = near.read(&mut message).await {
                let commands = message[..len]
                    .windows(3)
                    .filter(|part| [b"GET", b"SET"].contains(&<&[u8; 3]>::try_from(*part).unwrap()))
                    .count();
                let answers = format!("{line}\r\n").repeat(commands);
                if near.write_all(answers.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    }
}
