//! From a start's answer to a method at work.

use std::collections::VecDeque;
use std::time::Duration;

use super::failure::Failure;
use super::fetch_target::FetchTarget;
use super::output::Progress;
use super::state::{
    Early, Exchange, Listening, MethodAttempt, Polling, Proof, ProofValue, Starting, State, Verifying, Window,
};
use super::step::Step;
use crate::cli_filter::CliFilter;
use crate::identity::Identity;
use crate::method::{Form, Method};
use crate::start::{StartResponse, Started};
use crate::verification::{Source, Status, Verification};

/// How long a flash call is waited for where the answer names no time.
pub(super) const DEFAULT_INTERCEPTION: Duration = Duration::from_secs(15);

impl Step<'_> {
    pub(super) fn started(&mut self, starting: Starting, started: Started) -> State {
        let content_language = started.content_language.clone();
        match verifications(&starting.method, &started) {
            Ok((first, others)) => {
                let Starting { sent_at, early, .. } = starting;
                self.begin_attempt(first, others, started.into(), sent_at, early, content_language)
            }
            Err(why) => self.start_failed(&starting.method, why),
        }
    }

    /// The start's answer was lost, but the verification was found.
    ///
    /// Nothing was reported to it, so a success is believed of a callout only, in which a
    /// key may have been pressed. Any other success may be that of an older verification, which
    /// the driver took for this one: a start for the number of another person must not profit from it.
    pub(super) fn found_started(&mut self, starting: Starting, found: Box<Verification>) -> State {
        if !self.fits(&starting, &found) {
            return self.start_failed(&starting.method, Failure::Doubtful(found));
        }
        match found.status {
            Status::Successful if starting.method.takes_a_key() => return self.verified(found),
            Status::Successful => return self.start_failed(&starting.method, Failure::Doubtful(found)),
            Status::Pending | Status::Unknown(_) => {}
            _ => return self.start_failed(&starting.method, Failure::of(found)),
        }
        if starting.method.form() == Some(Form::Several) {
            return self.start_failed(&starting.method, unusable("auto"));
        }
        // Nothing but the id is known.
        let answer = StartResponse::new(found.id.clone(), starting.method.clone());
        let first = Verifying {
            id: found.id,
            method: starting.method,
        };
        self.begin_attempt(
            first,
            VecDeque::new(),
            answer,
            starting.sent_at,
            starting.early,
            None,
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
    pub(super) fn begin_attempt(
        &mut self,
        verifying: Verifying,
        others: VecDeque<Verifying>,
        answer: StartResponse,
        sent_at: Duration,
        early: Early,
        content_language: Option<String>,
    ) -> State {
        let Verifying { id, method } = verifying;
        let mut trouble = None;
        let mut target = None;
        let mut listening = Listening::Off;
        let mut polling = Polling::Off;
        // Where the method has no time of its own, the plan's patience counts.
        let mut next_method_at = Some(self.now.saturating_add(self.core.settings.patience));
        match (&method, method.form()) {
            // Nothing else tells what its messages look like.
            (Method::Sms, _) => {
                let details = answer.sms.clone().unwrap_or_default();
                let until = positive(details.interception_timeout).map(|time| self.now.saturating_add(time));
                next_method_at = until.or(next_method_at);
                match details.template() {
                    Ok(Some(template)) => {
                        listening = Listening::Messages {
                            template: template.as_str().to_owned(),
                            code_type: details.code_type,
                            until,
                        };
                    }
                    Ok(None) => {}
                    Err(error) => trouble = Some(Progress::UnusableTemplate(error)),
                }
            }
            (_, Some(Form::Ring)) => {
                let given = answer.flash_call.as_ref();
                let interception =
                    positive(given.and_then(|d| d.interception_timeout)).unwrap_or(DEFAULT_INTERCEPTION);
                let report = positive(given.and_then(|d| d.report_timeout)).unwrap_or_default();
                let until = self.now.saturating_add(interception);
                next_method_at = Some(until);
                match given.map(|d| CliFilter::compile_as(&d.cli_filter, self.core.settings.dialect)) {
                    Some(Ok(filter)) => {
                        listening = Listening::Calls {
                            filter: filter.as_str().to_owned(),
                            until,
                            report_until: self.now.saturating_add(report.max(interception)),
                        };
                    }
                    Some(Err(error)) => trouble = Some(Progress::UnusableFilter(error)),
                    None => {}
                }
            }
            (_, Some(Form::Speech)) => {
                if let Some(window) = answer.callout.as_ref().and_then(Window::of) {
                    next_method_at = None;
                    let schedule = window.schedule();
                    // An answer later than the whole window still leaves one question.
                    let slot = schedule.next_after(self.now.saturating_sub(sent_at));
                    let slot = slot.unwrap_or_else(|| schedule.last());
                    polling = Polling::Next { window, slot };
                }
            }
            (_, Some(Form::Address)) => {
                let given = answer.seamless.as_ref();
                target = Some(given.and_then(|d| d.target_uri.clone()).unwrap_or_default());
            }
            (_, Some(Form::Text | Form::Several) | None) => {}
        }
        let mut attempt = Box::new(MethodAttempt {
            id,
            auto: (answer.method == Some(Method::Auto)).then(|| Box::new(answer)),
            method,
            listening,
            polling,
            sent_at,
            exchange: Exchange::Idle,
            queued: None,
            due: None,
            doubt: false,
            next_method_at: None,
            others,
            message: None,
        });
        if self.has_next(&attempt) {
            attempt.next_method_at = next_method_at;
        }
        self.progress(Progress::Waiting {
            method: attempt.method.clone(),
            id: attempt.id.clone(),
            listening_until: attempt.listening_until(),
            content_language,
        });
        if let Some(trouble) = trouble {
            self.progress(trouble);
        }
        match target {
            Some(uri) => self.fetch(attempt, uri.as_str()),
            None => self.match_early(attempt, early),
        }
    }

    fn fetch(&mut self, attempt: Box<MethodAttempt>, uri: &str) -> State {
        if uri.is_empty() {
            return self.attempt_failed(attempt, unusable("seamless.targetUri"));
        }
        match FetchTarget::new(uri, self.core.settings.plain_http) {
            Ok(target) => self.propose(
                attempt,
                Proof {
                    value: ProofValue::Target(target),
                    source: Source::Intercepted,
                },
            ),
            Err(error) => self.attempt_failed(attempt, Failure::Target(error)),
        }
    }
}

/// The verification, or those of an `auto` start in their order.
fn verifications(asked: &Method, answer: &Started) -> Result<(Verifying, VecDeque<Verifying>), Failure> {
    if answer.method() != asked {
        return Err(unusable("method"));
    }
    let Some(auto) = answer.auto.as_ref().filter(|_| *asked == Method::Auto) else {
        let first = Verifying {
            id: answer.id.clone(),
            method: asked.clone(),
        };
        return Ok((first, VecDeque::new()));
    };
    let common = auto.sub_verification_id.as_ref().unwrap_or(&answer.id);
    let mut all: VecDeque<Verifying> = VecDeque::new();
    for method in auto.methods_order.iter().flatten() {
        let has_object = answer.parts().any(|(part, _)| part == *method);
        let is_named_before = all.iter().any(|one| one.method == *method);
        if has_object && !is_named_before && *method != Method::Auto {
            let id = answer.sub_verification_id(method).unwrap_or(common).clone();
            let method = method.clone();
            all.push_back(Verifying { id, method });
        }
    }
    let first = all.pop_front().ok_or_else(|| unusable("auto.methodsOrder"))?;
    Ok((first, all))
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
