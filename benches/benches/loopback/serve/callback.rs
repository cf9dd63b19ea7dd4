//! The complete callback receiver, on its own hyper server.

use std::future::pending;
use std::num::NonZeroUsize;

use anyhow::Result;
use sinch_verify_callback::replay::MemoryStore;
use sinch_verify_callback::{CallbackBuilder, Decision, InDoubt, KeyRing, ReplayGuard, RequestEvent};
use tokio::runtime::Runtime;

use super::{listen, until_input_ends};
use crate::fixture;
use crate::process::ready;

/// More signatures than a run sends within the time that they are remembered.
const ROOM: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_000_000);

pub(super) fn run(runtime: &Runtime) -> Result<()> {
    let service = CallbackBuilder::new(KeyRing::new(fixture::key()?, &fixture::secret()?))
        .guard(ReplayGuard::new(MemoryStore::new(ROOM), InDoubt::Refuse))
        .handler(|_: RequestEvent| async { Decision::Allow })
        .build()?;
    until_input_ends(runtime, async {
        let listener = listen().await?;
        ready(listener.local_addr()?.port());
        service.serve(listener, pending()).await;
        Ok(())
    })
}
