//! What was posted before, once more.

use bytes::Bytes;
use sinch_verify_protocol::WireObject as _;
use sinch_verify_protocol::callback::RequestEvent;

use super::post::Poster;
use super::question;
use super::tell::{self, Try};
use crate::core::Core;
use crate::delivery::Delivery;
use crate::engine::{AppId, Uid};

/// Posts the body of `before` to the callback URL of now, signed anew, and gives what became of it.
pub(super) async fn again(core: &Core, poster: &Poster, app: AppId, before: &Delivery) -> Option<Delivery> {
    let url = core.callback(app)?;
    let registered = core.application(app)?;
    let uid = Uid::parse(before.verification_id.as_str())?;
    let body = Bytes::from(before.request.clone());
    let asked = RequestEvent::decode(&body)
        .ok()
        .filter(|_| before.event == RequestEvent::EVENT);
    let mut begun = Try::begin(core, app, uid, &before.event, before.attempt + 1, &url, &body);
    begun.replay_of = Some(before.seq);
    let timeout = core.settings().decision_timeout;
    let answered = poster
        .post(
            url.uri(),
            &registered.signer,
            body,
            core.clock().wire(),
            timeout,
            None,
        )
        .await;
    let (ok, verdict) = match (&asked, &answered) {
        (Some(event), Ok(answered)) => {
            match question::read(answered, &event.method, core.settings().strictness) {
                Ok((_, remarks)) => (true, remarks),
                Err(problem) => (false, Some(problem)),
            }
        }
        _ => tell::judge(&answered),
    };
    let seq = tell::log(core, begun, answered.ok().as_ref(), ok, verdict);
    core.log.find(seq).map(|(_, delivery)| delivery)
}
