//! From a start's answer to a method at work.

use std::collections::VecDeque;
use std::time::Duration;

use super::failure::Failure;
use super::output::Progress;
use super::phase::{
    CallState, Calls, Details, Early, Exchange, Kind, Leg, Messages, Phase, Polling, Proof, Starting,
    Verifying, What, Window,
};
use super::target::FetchTarget;
use super::turn::Turn;
use crate::cli_filter::CliFilter;
use crate::id::VerificationId;
use crate::identity::Identity;
use crate::method::Method;
use crate::start::{
    AutoDetails, CalloutDetails, FlashCallDetails, SeamlessDetails, SmsDetails, StartResponse,
};
use crate::verification::{Source, Status, Verification};

/// How long a flash call is waited for where the answer names no time.
pub(super) const DEFAULT_INTERCEPTION: Duration = Duration::from_secs(15);

impl Turn<'_> {
    pub(super) fn started(
        &mut self,
        starting: Starting,
        response: StartResponse,
        content_language: Option<String>,
    ) -> Phase {
        let mut ids = Vec::new();
        if starting.method == Method::Auto {
            ids.push(response.id.clone());
            ids.extend(
                response
                    .auto
                    .as_ref()
                    .and_then(|auto| auto.sub_verification_id.clone()),
            );
        }
        match read(&starting.method, response) {
            Ok((first, others)) => {
                if !ids.is_empty() {
                    ids.extend([&first].into_iter().chain(&others).map(|one| one.id.clone()));
                }
                let Starting { sent_at, early, .. } = starting;
                self.enter(first, others, sent_at, early, content_language, ids)
            }
            Err(why) => self.start_failed(&starting.method, why),
        }
    }

    /// The start's answer was lost, but the verification was found.
    ///
    /// Nobody has reported anything to it, so a success is believed of a callout only, in which a
    /// key may have been pressed. Any other may be an older verification's, which the driver took
    /// for this one: whoever began a verification of a number that is not his must not live off
    /// the owner's.
    pub(super) fn found(&mut self, starting: Starting, found: Box<Verification>) -> Phase {
        if !self.fits(&starting, &found) {
            return self.start_failed(&starting.method, Failure::Doubtful(found));
        }
        match found.status {
            Status::Successful if starting.method.takes_a_key() => return self.verified(found),
            Status::Successful => return self.start_failed(&starting.method, Failure::Doubtful(found)),
            Status::Pending | Status::Unknown(_) => {}
            _ => return self.start_failed(&starting.method, Failure::of(found)),
        }
        let details = match &starting.method {
            Method::Sms => Details::Sms(SmsDetails::default()),
            Method::FlashCall => Details::FlashCall(None),
            Method::Callout => Details::Callout(CalloutDetails::default()),
            Method::Seamless => Details::Seamless(SeamlessDetails::default()),
            Method::WhatsApp => Details::WhatsApp,
            Method::Auto | Method::Unknown(_) => {
                return self.start_failed(&starting.method, unusable("auto"));
            }
        };
        let first = Verifying {
            id: found.id,
            details,
        };
        self.enter(
            first,
            VecDeque::new(),
            starting.sent_at,
            starting.early,
            None,
            Vec::new(),
        )
    }

    /// Whether what was found can be what the start began, as far as it tells.
    fn fits(&self, starting: &Starting, found: &Verification) -> bool {
        let method = found.method.as_ref();
        let number = found.identity.as_ref().map(Identity::phone_number);
        method.is_none_or(|method| *method == starting.method)
            && number.is_none_or(|number| number == Ok(self.core.number))
    }

    /// Puts a method to work.
    pub(super) fn enter(
        &mut self,
        verifying: Verifying,
        others: VecDeque<Verifying>,
        sent_at: Duration,
        early: Early,
        content_language: Option<String>,
        ids: Vec<VerificationId>,
    ) -> Phase {
        let Verifying { id, details } = verifying;
        let mut trouble = None;
        let mut target = None;
        // Where the method has no time of its own, the plan's patience counts.
        let mut turn_over = Some(self.now.saturating_add(self.core.settings.patience));
        let kind = match details {
            Details::Sms(details) => {
                let until = positive(details.interception_timeout).map(|time| self.now.saturating_add(time));
                turn_over = until.or(turn_over);
                Kind::Sms(match details.template() {
                    Ok(Some(template)) => Messages::Listening {
                        template: template.as_str().to_owned(),
                        code_type: details.code_type,
                        until,
                    },
                    Ok(None) => Messages::Deaf,
                    Err(error) => {
                        trouble = Some(Progress::UnusableTemplate(error));
                        Messages::Deaf
                    }
                })
            }
            Details::FlashCall(details) => {
                let given = details.as_ref();
                let interception =
                    positive(given.and_then(|d| d.interception_timeout)).unwrap_or(DEFAULT_INTERCEPTION);
                let report = positive(given.and_then(|d| d.report_timeout)).unwrap_or_default();
                let until = self.now.saturating_add(interception);
                turn_over = Some(until);
                let filter = given.map(|d| CliFilter::compile_as(&d.cli_filter, self.core.settings.dialect));
                let state = match filter {
                    Some(Ok(filter)) => CallState::InTime {
                        filter: filter.as_str().to_owned(),
                        until,
                        report_until: self.now.saturating_add(report.max(interception)),
                    },
                    Some(Err(error)) => {
                        trouble = Some(Progress::UnusableFilter(error));
                        CallState::Deaf
                    }
                    None => CallState::Deaf,
                };
                Kind::FlashCall(Calls {
                    // An `auto` start has no flash call of its own to tell of.
                    tell: ids.is_empty(),
                    state,
                })
            }
            Details::Callout(details) => Kind::Callout(match Window::of(&details) {
                Some(window) => {
                    turn_over = None;
                    let schedule = window.schedule();
                    // An answer later than the whole window still leaves one question.
                    let slot = schedule.next_after(self.now.saturating_sub(sent_at));
                    Polling::Next {
                        window,
                        slot: slot.unwrap_or_else(|| schedule.last()),
                    }
                }
                None => Polling::Off,
            }),
            Details::Seamless(details) => {
                target = Some(details.target_uri.unwrap_or_default());
                Kind::Seamless
            }
            Details::WhatsApp => Kind::WhatsApp,
        };
        let mut leg = Box::new(Leg {
            id,
            kind,
            sent_at,
            exchange: Exchange::Quiet,
            queued: None,
            due: None,
            doubt: false,
            patience: None,
            ids,
            others,
            message: None,
        });
        if self.has_next(&leg) {
            leg.patience = turn_over;
        }
        self.progress(Progress::Waiting {
            method: leg.method(),
            id: leg.id.clone(),
            listening_until: leg.listening_until(),
            content_language,
        });
        if let Some(trouble) = trouble {
            self.progress(trouble);
        }
        match target {
            Some(uri) => self.fetch(leg, uri.as_str()),
            None => self.hear_early(leg, early),
        }
    }

    fn fetch(&mut self, leg: Box<Leg>, uri: &str) -> Phase {
        if uri.is_empty() {
            return self.leg_failed(leg, unusable("seamless.targetUri"));
        }
        match FetchTarget::new(uri, self.core.settings.plain_http) {
            Ok(target) => self.propose(
                leg,
                Proof {
                    what: What::Target(target),
                    source: Source::Intercepted,
                },
            ),
            Err(error) => self.leg_failed(leg, Failure::Target(error)),
        }
    }
}

/// The verification, or those of an `auto` start in their order.
fn read(asked: &Method, response: StartResponse) -> Result<(Verifying, VecDeque<Verifying>), Failure> {
    if response.method.as_ref().is_some_and(|method| method != asked) {
        return Err(unusable("method"));
    }
    let id = response.id.clone();
    let details = match asked {
        Method::Sms => Details::Sms(response.sms.unwrap_or_default()),
        Method::FlashCall => {
            let details: Option<FlashCallDetails> = response.flash_call;
            Details::FlashCall(Some(details.ok_or_else(|| unusable("flashCall"))?))
        }
        Method::Callout => Details::Callout(response.callout.unwrap_or_default()),
        Method::Seamless => Details::Seamless(response.seamless.ok_or_else(|| unusable("seamless"))?),
        Method::WhatsApp => Details::WhatsApp,
        Method::Auto | Method::Unknown(_) => {
            let mut all = read_auto(response)?;
            let first = all.pop_front().ok_or_else(|| unusable("auto.methodsOrder"))?;
            return Ok((first, all));
        }
    };
    Ok((Verifying { id, details }, VecDeque::new()))
}

fn read_auto(mut response: StartResponse) -> Result<VecDeque<Verifying>, Failure> {
    let AutoDetails {
        methods_order,
        sub_verification_id,
        ..
    } = response.auto.take().ok_or_else(|| unusable("auto"))?;
    let common = sub_verification_id.unwrap_or_else(|| response.id.clone());
    let order = methods_order.ok_or_else(|| unusable("auto.methodsOrder"))?;
    // Each object is taken once, so a method that is named twice counts once.
    let all = order.into_iter().filter_map(|method| {
        let (details, id) = match method {
            Method::Sms => {
                let mut details = response.sms.take()?;
                let id = details.sub_verification_id.take();
                (Details::Sms(details), id)
            }
            Method::FlashCall => {
                let mut details = response.flash_call.take()?;
                let id = details.sub_verification_id.take();
                (Details::FlashCall(Some(details)), id)
            }
            Method::Callout => {
                let mut details = response.callout.take()?;
                let id = details.sub_verification_id.take();
                (Details::Callout(details), id)
            }
            Method::Seamless => {
                let mut details = response.seamless.take()?;
                let id = details.sub_verification_id.take();
                (Details::Seamless(details), id)
            }
            Method::WhatsApp => {
                let mut details = response.whatsapp.take()?;
                (Details::WhatsApp, details.sub_verification_id.take())
            }
            Method::Auto | Method::Unknown(_) => return None,
        };
        let id = id.unwrap_or_else(|| common.clone());
        Some(Verifying { id, details })
    });
    Ok(all.collect())
}

/// Seconds that mean something: 0 and less count as absent.
fn positive(seconds: Option<i64>) -> Option<Duration> {
    let seconds = u64::try_from(seconds?).ok().filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds))
}

fn unusable(field: &str) -> Failure {
    Failure::Unusable {
        field: field.to_owned(),
    }
}
