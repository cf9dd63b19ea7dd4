//! The scenarios that every load test has.

use std::sync::Arc;

use sinch_verify_protocol::method::{MethodInfo, ProofKind};

use super::abuse::{bad_callback, bad_callback_answer, deny, expire, replay, resend_storm, wrong_code};
use super::pumping::{self, pumping};
use super::query::{PENDING, Pending, prepare, query};
use super::verify::verify;
use super::{Scenario, with};
use crate::callbacks::CallbackAnswer;

/// A verification that is to succeed by each method, queries, and abuse.
pub(super) fn scenarios() -> Vec<Scenario> {
    let mut scenarios: Vec<_> = MethodInfo::single().map(verification).collect();
    let pending = Arc::<Pending>::default();
    scenarios.extend([
        Scenario::new("query-only", with(Arc::clone(&pending), query))
            .prepare(PENDING, with(pending, prepare))
            .starts_nothing(),
        Scenario::new("wrong-code", wrong_code),
        Scenario::new("resend-storm", resend_storm),
        Scenario::new("expire", expire),
        Scenario::new("deny", deny).answers(|_| CallbackAnswer::Deny),
        Scenario::new("bad-callback", bad_callback).answers(bad_callback_answer),
        Scenario::new("replay", replay).needs_callbacks(),
    ]);
    let standard = scenarios.into_iter().map(|scenario| scenario.steps([]));
    let pumping = Scenario::new("pumping", pumping).steps(pumping::STEPS);
    standard.chain([pumping]).collect()
}

/// A verification by one method that is to succeed.
pub(crate) fn verification(info: &'static MethodInfo) -> Scenario {
    let scenario = Scenario::new(info.name, with(info, verify));
    let scenario = if info.proof.is_some() && info.decided.is_none() {
        scenario.needs_inbox()
    } else {
        scenario.allow_live()
    };
    if info.proof == Some(ProofKind::Cli) {
        scenario.needs_caller_id()
    } else {
        scenario
    }
}
