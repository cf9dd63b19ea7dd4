//! Virtual users on the direct transport: plain tasks, with no load generator in between.

use std::sync::Arc;
use std::time::Instant;

use sinch_verify_client::transport::HyperTransport;
use tokio::task::JoinSet;

use super::users::VirtualUsers;
use crate::model::Load;
use crate::recorder::{Phase, Recorder};
use crate::wire::DirectWire;

/// Runs the users of `load` from `origin` on, until the run has ended.
pub(super) async fn run(users: Arc<VirtualUsers>, transport: HyperTransport, load: &Load, origin: Instant) {
    let mut tasks = JoinSet::new();
    for user in 0..load.users() {
        let (users, wire) = (Arc::clone(&users), DirectWire::new(transport.clone()));
        let comes = origin + load.comes(user);
        tasks.spawn(async move {
            if reach_moment(&users.recorder, comes).await {
                users.work(wire).await;
            }
        });
    }
    users.recorder.reached(Phase::Stopped).await;
    // Each flow under way is cut off by itself.
    tasks.join_all().await;
}

/// Waits for `moment`; returns whether flows are still started then.
pub(super) async fn reach_moment(recorder: &Recorder, moment: Instant) -> bool {
    tokio::select! {
        biased;
        () = recorder.reached(Phase::Draining) => false,
        () = tokio::time::sleep_until(moment.into()) => true,
    }
}
