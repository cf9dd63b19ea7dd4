//! Between a store and its Redis, to take a connection away without a word.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards until the test ends.
pub(crate) struct Proxy {
    address: SocketAddr,
    silence: watch::Sender<()>,
}

impl Proxy {
    /// A proxy to `target`, a port of this machine.
    pub(crate) async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (silence, _) = watch::channel(());
        let silences = silence.clone();
        tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut silenced = silences.subscribe();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(("127.0.0.1", target)).await else {
                        return;
                    };
                    tokio::select! {
                        // First, so that nothing of what comes later is forwarded.
                        biased;
                        _ = silenced.changed() => {}
                        _ = copy_bidirectional(&mut near, &mut far) => return,
                    }
                    // Open, and nothing comes of it any more.
                    std::future::pending::<()>().await;
                });
            }
        });
        Self { address, silence }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// The connections of now forward nothing more and stay open; later ones are as good as any.
    pub(crate) fn go_silent(&self) {
        self.silence.send_replace(());
    }
}
