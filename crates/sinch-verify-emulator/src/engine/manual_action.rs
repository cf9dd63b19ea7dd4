//! Interventions in a verification: expire, deliver or deny it by request.

use sinch_verify_protocol::{Reason, Status};

use super::Engine;
use super::command::{Answer, Intervention, Refusal};
use super::ids::Uid;
use super::record::Payload;

impl Engine {
    pub(super) fn intervene(&mut self, uid: Uid, what: Intervention) -> Answer {
        let Some(record) = self.store.get(uid) else {
            return Answer::Refused(Refusal::not_found());
        };
        self.about = Some(uid);
        let refused = |message| Answer::Refused(Refusal::not_processable(message));
        let is_pending = record.is_pending();
        match what {
            Intervention::Deliver if record.arrived => {
                return refused("the message has already reached the handset");
            }
            Intervention::Deliver if matches!(record.payload, Payload::Waiting(_) | Payload::Nothing) => {
                return refused("nothing was sent to the handset, so there is nothing to deliver");
            }
            Intervention::Deliver => self.arrive(uid),
            _ if !is_pending => return refused("the verification has already ended"),
            Intervention::Expire => self.end(uid, Status::Fail, Some(Reason::Expired)),
            Intervention::Deny => self.end(uid, Status::Denied, Some(Reason::DeniedByCallback)),
        }
        Answer::Done
    }
}
