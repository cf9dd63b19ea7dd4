//! The complete callback receiver, on its own hyper server.

use std::future::pending;
use std::num::NonZeroUsize;

use anyhow::Result;
use sinch_verify_callback::policy::{FraudPolicy, PolicyRules, PolicyStore};
use sinch_verify_callback::replay::MemoryStore;
use sinch_verify_callback::{CallbackBuilder, Decision, InDoubt, KeyRing, ReplayGuard, RequestEvent};
use tokio::runtime::Runtime;

use super::{listen, until_input_ends};
use crate::fixture;
use crate::process::ready;
use crate::samples::RULES;

/// More signatures, and more keys of a policy, than a run needs.
const ROOM: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_000_000);

pub(super) fn run(runtime: &Runtime, args: &[&str]) -> Result<()> {
    let mut builder = CallbackBuilder::new(KeyRing::new(fixture::key()?, &fixture::secret()?))
        .guard(ReplayGuard::new(MemoryStore::new(ROOM), InDoubt::Refuse));
    if args.contains(&"policy") {
        let rules: PolicyRules = RULES.parse()?;
        let policy = FraudPolicy::builder(rules)
            .store(PolicyStore::memory(ROOM))
            .build()?;
        builder = builder.policy(&policy);
    }
    let service = builder
        .handler(|_: RequestEvent| async { Decision::Allow })
        .build()?;
    until_input_ends(runtime, async {
        let listener = listen().await?;
        ready(listener.local_addr()?.port());
        service.serve(listener, pending()).await;
        Ok(())
    })
}
