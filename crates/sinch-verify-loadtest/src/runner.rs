use sinch_verify_protocol::PhoneNumber;

use crate::clock::Clock;
use crate::flows::{Flow, Steps};
use crate::measure::{FlowEnd, FlowRecord, Span};
use crate::phone::Phone;
use crate::target::Target;
use crate::wire::Wire;

/// Runs one flow to its end, or until `cut` is ready, and tells how it went.
///
/// The time end to end starts now: in a closed model a flow is due when its user gets to it.
pub async fn run_flow<W: Wire, P: Phone>(
    flow: Flow,
    number: PhoneNumber,
    wire: &mut W,
    phone: &P,
    target: &Target,
    clock: &dyn Clock,
    cut: impl Future<Output = ()> + Send,
) -> FlowRecord {
    let started = clock.now();
    let mut steps = Steps::new(wire, phone, target, clock);
    let end = tokio::select! {
        // A flow that is through counts, even where the run ends at the same moment.
        biased;
        done = flow.run(&mut steps, number) => match done {
            Ok(()) => FlowEnd::Succeeded,
            Err(failure) => FlowEnd::Failed(failure),
        },
        () = cut => FlowEnd::Aborted,
    };
    let span = Span {
        due: None,
        started,
        ended: clock.now(),
    };
    FlowRecord::new(flow, end, span, steps.finish())
}
