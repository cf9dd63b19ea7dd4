//! The preparations of scenarios, which are carried out before a run.

use super::environment::unusable;
use super::error::RunError;
use crate::model::{Arrival, Numbers, Shard};
use crate::scenario::{Flow, FlowContext, Steps, Workload};
use crate::wire::DirectWire;

/// Carries out the preparations of all scenarios, one after the other.
///
/// Shards may share a target, which takes a reference once, and ends what is pending for a number when
/// that is verified again: so each shard has indexes of its own, the last of all, which no run gets to.
pub(super) async fn prepare(
    workload: &Workload,
    context: &FlowContext,
    numbers: &Numbers,
    shard: Shard,
) -> Result<(), RunError> {
    let mut wire = DirectWire::new(context.target.transport().map_err(|error| unusable(&error))?);
    let mut indexes = (0..u64::MAX).rev().filter(|index| shard.has(*index));
    for scenario in workload.scenarios() {
        for index in indexes.by_ref().take(scenario.preparations()) {
            let Some(number) = numbers.of(index) else { break };
            let steps = Steps::default();
            let arrival = Arrival { index, at: None };
            let flow = Flow::new(context, &mut wire, &steps, scenario.name(), arrival, number);
            let prepared = scenario.run_preparation(flow).await;
            prepared.map_err(|failure| RunError::Prepare {
                scenario: scenario.name(),
                failure,
            })?;
        }
    }
    Ok(())
}
