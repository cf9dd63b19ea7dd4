//! The callback receiver, whole, on its own hyper server.

use std::future::pending;
use std::num::NonZeroUsize;

use anyhow::Result;
use sinch_verify_callback::protocol::Decision;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::replay::MemoryStore;
use sinch_verify_callback::{
    CallbackService, InDoubt, KeyRing, Receiver, ReplayGuard, Responder, handler_fn, hyper::Server,
};
use tokio::runtime::Runtime;

use super::{listen, until_input_ends};
use crate::fixture;
use crate::process::ready;

/// More than a run sends within the time that signatures are remembered.
const ROOM: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_000_000);

pub(super) fn run(runtime: &Runtime) -> Result<()> {
    let receiver = Receiver::new(KeyRing::new(fixture::key()?, &fixture::secret()?));
    let handler = handler_fn(|_: RequestEvent| async { Decision::Allow });
    let guard = ReplayGuard::new(MemoryStore::new(ROOM), InDoubt::Refuse);
    let responder = Responder::new(receiver, guard, handler);
    let server = Server::new(CallbackService::new(responder));
    until_input_ends(runtime, async {
        let listener = listen().await?;
        ready(listener.local_addr()?.port());
        server.serve(listener, pending()).await;
        Ok(())
    })
}
