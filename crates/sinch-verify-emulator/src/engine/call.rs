//! Calls: how long they ring, how they end, and the caller ids of flash calls.

use std::time::Duration;

use sinch_verify_protocol::caller_id::Candidates;
use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::{Cli, PhoneNumber, Reason, Status};

use super::Engine;
use super::command::{Answer, CallOver, Refusal};
use super::ids::{AppId, Uid};
use super::record::Call;
use super::timers::Timer;

impl Engine {
    /// Makes a call. `lasting` limits how long it rings or waits once it arrives.
    pub(super) fn dial(&mut self, uid: Uid, lasting: Option<Duration>) {
        if let Some(record) = self.store.get_mut(uid) {
            record.call = Some(Box::new(Call {
                lasting,
                complete: false,
                over_at: None,
                result: None,
            }));
        }
    }

    /// The call arrives: its time limit starts.
    pub(super) fn begin_call(&mut self, uid: Uid) {
        let record = self.store.get(uid).filter(|record| record.is_pending());
        let call = record.and_then(|record| record.call.as_deref());
        if let Some(Call {
            lasting: Some(lasting),
            complete: false,
            ..
        }) = call
        {
            let at = self.later(*lasting);
            self.schedule(uid, Timer::CallOver, at);
        }
    }

    /// The time limit of a call is reached.
    pub(super) fn call_over(&mut self, uid: Uid) {
        match self.store.get(uid).map(|record| &record.method) {
            None => {}
            Some(method) if method.takes_a_key() => self.end(uid, Status::Fail, Some(Reason::HungUp)),
            Some(_) => self.stop_call(uid, CallResult::Cancel, false),
        }
    }

    /// Ends a call, but not its verification. A call that has ended stays as it is.
    pub(super) fn stop_call(&mut self, uid: Uid, result: CallResult, hung_up: bool) {
        let at = self.now;
        let record = self.store.get_mut(uid);
        if record.is_some_and(|record| record.complete_call(result, at)) {
            self.schedule(uid, Timer::CallOver, None);
            self.calls_over.push(CallOver { uid, at, hung_up });
        }
    }

    /// The handset declines or ends its latest call. A callout without the right keys fails. The caller id
    /// of a flash call can still be reported.
    pub(super) fn hang_up(&mut self, app: Option<AppId>, number: &PhoneNumber) -> Answer {
        let found = self.handsets.entries(number).rev().find_map(|entry| {
            let record = self.store.get(entry.uid)?;
            app.is_none_or(|app| record.app == app).then_some(())?;
            let call = record.call.as_ref().filter(|_| entry.kind.form.is_call());
            call.is_some_and(|call| !call.complete)
                .then_some((record.uid, record.method.takes_a_key()))
        });
        let Some((uid, is_callout)) = found else {
            return Answer::Refused(Refusal::not_found());
        };
        self.about = Some(uid);
        if is_callout {
            self.stop_call(uid, CallResult::Answered, true);
            self.end(uid, Status::Fail, Some(Reason::HungUp));
        } else {
            self.stop_call(uid, CallResult::Busy, true);
        }
        self.report_answer(uid)
    }
}

/// How many of the last digits a filter has: enough to distinguish the generated caller ids, and few
/// enough to match their national forms too.
const FILTER_DIGITS: usize = 9;

/// The `cliFilter` for a device: the end of the caller id, with any text around it.
pub(super) fn cli_filter(cli: &PhoneNumber) -> String {
    let digits = cli.digits();
    let end = &digits[digits.len().saturating_sub(FILTER_DIGITS)..];
    format!("(.*){end}(.*)")
}

/// Whether a reported caller id is the right one. It may be in E.164 form, or have `00` or nothing in
/// place of the `+`, with or without punctuation. A national form is not accepted, because it is
/// ambiguous.
pub(super) fn is_caller_id(cli: &PhoneNumber, reported: &Cli) -> bool {
    Candidates::new(reported.expose())
        .iter()
        .any(|form| form.text() == cli.as_str())
}
