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

/// More signatures, and more keys of a policy, than a run needs.
const ROOM: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_000_000);

/// All kinds of rules, of which none denies what a run sends.
const RULES: &str = r#"
    [destinations]
    allow-countries = ["SE"]
    deny-prefixes = ["+46900"]
    [prices]
    currency = "EUR"
    [caller]
    from = "custom"
    written-by = "backend"
    [[velocity]]
    per = "number"
    limit = 5
    window = "1h"
    [[velocity]]
    per = "country"
    limit = 1000000000
    burst = 1000000000
    window = "1h"
    [[velocity]]
    per = "caller"
    limit = 1000000000
    burst = 1000000000
    window = "1h"
    [[cooldown]]
    pauses = ["30s", "60s", "5m"]
    [[lockout]]
    failures = 5
    window = "1h"
    block = "1h"
    [[budget]]
    period = "day"
    amount = "9000000000"
    [[conversion]]
    floor-percent = 10
    block = "1h"
"#;

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
