//! Callback receivers: ours on its own hyper server; ours and the hand-written one as axum routes.

use std::future::pending;
use std::num::NonZeroUsize;

use anyhow::Result;
use axum::Router;
use axum::serve::ListenerExt as _;
use sinch_verify_callback::axum::router;
use sinch_verify_callback::policy::{FraudPolicy, PolicyRules, PolicyStore};
use sinch_verify_callback::replay::MemoryStore;
use sinch_verify_callback::{CallbackBuilder, Decision, InDoubt, KeyRing, ReplayGuard, RequestEvent};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::{hand_written, listen, until_input_ends};
use crate::fixture;
use crate::process::ready;
use crate::samples::RULES;

/// More signatures, and more keys of a policy, than a run needs.
const ROOM: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_000_000);

pub(super) fn run(runtime: &Runtime, args: &[&str]) -> Result<()> {
    until_input_ends(runtime, async {
        let listener = listen().await?;
        ready(listener.local_addr()?.port());
        match *args {
            ["axum", guard] => {
                let builder = builder();
                let builder = match guard {
                    "guarded" => builder?,
                    _ => builder?.without_guard(),
                };
                let service = builder.handler(allow).build()?;
                serve_axum(listener, router(fixture::CALLBACK_PATH, service)).await
            }
            ["hand-written", level] => serve_axum(listener, hand_written::router(level)?).await,
            _ => {
                let mut builder = builder()?;
                if args.contains(&"policy") {
                    let rules: PolicyRules = RULES.parse()?;
                    let policy = FraudPolicy::builder(rules)
                        .store(PolicyStore::memory(ROOM))
                        .build()?;
                    builder = builder.policy(&policy);
                }
                let service = builder.handler(allow).build()?;
                service.serve(listener, pending()).await;
                Ok(())
            }
        }
    })
}

fn builder() -> Result<CallbackBuilder> {
    Ok(
        CallbackBuilder::new(KeyRing::new(fixture::key()?, &fixture::secret()?))
            .guard(ReplayGuard::new(MemoryStore::new(ROOM), InDoubt::Refuse)),
    )
}

async fn allow(_: RequestEvent) -> Decision {
    Decision::Allow
}

async fn serve_axum(listener: TcpListener, app: Router) -> Result<()> {
    let listener = listener.tap_io(|stream| {
        // As our server does. A socket without it only answers later.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, app).await?)
}
