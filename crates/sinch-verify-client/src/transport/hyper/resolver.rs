use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

/// Looks names up, but for those whose address was given.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    pins: Arc<HashMap<String, IpAddr>>,
    system: GaiResolver,
}

impl Default for Resolver {
    fn default() -> Self {
        Self {
            pins: Arc::default(),
            system: GaiResolver::new(),
        }
    }
}

impl Resolver {
    /// `host` is at `address`, whatever the system says.
    pub(super) fn pin(&mut self, host: &str, address: IpAddr) {
        Arc::make_mut(&mut self.pins).insert(host.to_ascii_lowercase(), address);
    }
}

type Addresses = Box<dyn Iterator<Item = SocketAddr> + Send>;

impl Service<Name> for Resolver {
    type Response = Addresses;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Addresses>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        if let Some(address) = self.pins.get(&name.as_str().to_ascii_lowercase()) {
            // The connector puts the port of the URL in.
            let address = SocketAddr::new(*address, 0);
            return Box::pin(std::future::ready(Ok(
                Box::new(std::iter::once(address)) as Addresses
            )));
        }
        let found = self.system.call(name);
        Box::pin(async { Ok(Box::new(found.await?) as Addresses) })
    }
}
