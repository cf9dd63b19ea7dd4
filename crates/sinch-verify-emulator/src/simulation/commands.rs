//! Random commands, relative to what happened so far.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use sinch_verify_protocol::callback::{CalloutDecision, Decision, FlashCallDecision, SmsDecision};
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::report::ReportRequest;
use sinch_verify_protocol::start::{CalloutOptions, FlashCallOptions, SmsOptions, StartRequest};
use sinch_verify_protocol::{
    AcceptLanguage, CallSeconds, Code, CodeType, Expiry, Method, PhoneNumber, WireObject as _,
};

use crate::application::AuthorizationLevel;
use crate::engine::{AppId, StartCommand};
use crate::handset_behavior::HandsetBehavior;
use crate::magic;
use crate::message::Message;
use crate::settings::{ReportAnswer, Settings};

/// The number of applications in the simulation.
pub(super) const APPLICATIONS: u32 = 3;

/// The number of phone numbers in the simulation.
const NUMBERS: u32 = 4_000;

pub(super) fn chance(rng: &mut ChaCha8Rng, percent: u32) -> bool {
    rng.random_range(0..100_u32) < percent
}

pub(super) fn app(rng: &mut ChaCha8Rng) -> AppId {
    AppId(rng.random_range(0..APPLICATIONS))
}

/// Random settings, as far as they have an effect in the engine.
pub(super) fn settings(rng: &mut ChaCha8Rng, kept: usize) -> Settings {
    let answer = |rng: &mut ChaCha8Rng| match chance(rng, 50) {
        true => ReportAnswer::Refusal,
        false => ReportAnswer::Verification,
    };
    let capacity = chance(rng, 30).then(|| rng.random_range(1..5));
    Settings {
        attempts: rng.random_range(1..6),
        wrong_report: answer(rng),
        last_wrong_report: answer(rng),
        report_after_expiry: answer(rng),
        report_after_success: answer(rng),
        other_method_is_attempt: chance(rng, 50),
        // One of them is answered like the capacity limit, and the model could not tell them apart.
        magic_numbers: capacity.is_none() && chance(rng, 90),
        expiry: Duration::from_secs(rng.random_range(60..600)),
        status_by_number: chance(rng, 30).then(|| Duration::from_secs(rng.random_range(10..400))),
        abort_predecessor: chance(rng, 75),
        trust_without_answer: chance(rng, 50),
        sms_delivered_events: chance(rng, 80),
        velocity: chance(rng, 30).then(|| Duration::from_millis(rng.random_range(1..5_000))),
        capacity,
        code_length: rng.random_range(3..9),
        flash_call_ring: Duration::from_secs(rng.random_range(1..120)),
        verifications_kept: kept,
        inbox_kept: 20,
        ..Settings::default()
    }
}

/// A random number: a few of them are much more frequent, and some are magic.
pub(super) fn number(rng: &mut ChaCha8Rng) -> Result<PhoneNumber, String> {
    if chance(rng, 5) {
        let n = rng.random_range(0..30_u32);
        return PhoneNumber::parse(&format!("+4477009009{n:02}")).map_err(|error| error.to_string());
    }
    let most = if chance(rng, 20) { 8 } else { NUMBERS };
    let n = rng.random_range(0..most);
    PhoneNumber::parse(&format!("+4670{n:07}")).map_err(|error| error.to_string())
}

/// The handsets of numbers from here on have a behavior.
const OWN_WILL: &str = "+46700003000";

pub(super) fn acts_by_itself(number: &PhoneNumber) -> bool {
    number.as_str() >= OWN_WILL || magic::script_of(number).is_some()
}

/// The handset behaviors, by prefix.
pub(super) fn behaviors(rng: &mut ChaCha8Rng) -> Vec<(String, HandsetBehavior)> {
    let mut after = || Duration::from_millis(rng.random_range(1..400_000));
    let behaviors = [
        HandsetBehavior::Report {
            after: after(),
            wrong: 0,
        },
        HandsetBehavior::Report {
            after: after(),
            wrong: 2,
        },
        HandsetBehavior::Report {
            after: after() / 20,
            wrong: u32::MAX,
        },
        HandsetBehavior::Never,
        HandsetBehavior::Late { after: after() * 2 },
        HandsetBehavior::Unreachable { after: after() },
        HandsetBehavior::Busy { after: after() },
        HandsetBehavior::HangUp { after: after() },
        HandsetBehavior::Wait,
    ];
    (0..)
        .zip(behaviors)
        .map(|(n, behavior)| (format!("+46700003{n}"), behavior))
        .collect()
}

pub(super) fn method(rng: &mut ChaCha8Rng) -> Method {
    match rng.random_range(0..6_u32) {
        0 => Method::Sms,
        5 => Method::Auto,
        1 => Method::FlashCall,
        2 => Method::Callout,
        3 => Method::Seamless,
        _ => Method::WhatsApp,
    }
}

/// A random start, and the expiry that it requests.
pub(super) fn start(rng: &mut ChaCha8Rng) -> Result<(StartCommand, Option<Duration>), String> {
    let mut request = StartRequest::new(Identity::number(number(rng)?), method(rng));
    let mut asked = None;
    if chance(rng, 40) {
        request.reference = Some(format!("r{}", rng.random_range(0..50_000_u32)));
    }
    if chance(rng, 20) {
        request.custom = Some(format!("custom {}", rng.random_range(0..10_u32)).into());
    }
    if chance(rng, 30) {
        match request.method {
            Method::Sms => {
                let mut options = SmsOptions::default();
                let expiry = Duration::from_secs(rng.random_range(1..900_u64));
                options.expiry = Expiry::new(expiry).ok();
                options.code_type = chance(rng, 50).then_some(CodeType::Alphanumeric);
                options.template = chance(rng, 20).then(|| "{{CODE}} is it".to_owned());
                options.application_hash = chance(rng, 20).then(|| "FA+9qCX9VSu".to_owned());
                asked = Some(expiry);
                request.sms_options = Some(options);
            }
            Method::FlashCall => {
                let mut options = FlashCallOptions::default();
                options.dial_timeout = CallSeconds::try_from(rng.random_range(5..=120)).ok();
                request.flash_call_options = Some(options);
            }
            Method::Callout => request.callout_options = Some(CalloutOptions::default()),
            _ => {}
        }
    }
    let level = match rng.random_range(0..3_u32) {
        0 => AuthorizationLevel::Public,
        1 => AuthorizationLevel::Basic,
        _ => AuthorizationLevel::Signed,
    };
    let languages = if chance(rng, 20) { "sv-SE, en;q=0.5" } else { "" };
    let command = StartCommand {
        app: app(rng),
        level,
        callback: chance(rng, 60),
        request,
        languages: languages.parse().unwrap_or_else(|_| AcceptLanguage::new()),
        base: Arc::default(),
    };
    Ok((command, asked))
}

/// A random decision: usable or not, for the right method or not, or none; and the expiry that it
/// requests.
pub(super) fn decision(rng: &mut ChaCha8Rng) -> (Option<Decision>, Option<Duration>) {
    let mut asked = None;
    let decision = match rng.random_range(0..12_u32) {
        0 => return (None, None),
        1 => Decision::Deny,
        2 | 3 => {
            let mut sms = SmsDecision::default();
            sms.code = Code::new(&format!("{}", rng.random_range(1_000..10_000_u32))).ok();
            let expiry = Duration::from_secs(rng.random_range(1..600_u64));
            sms.expiry = Expiry::new(expiry).ok();
            asked = Some(expiry);
            Decision::AllowSms(sms)
        }
        4 => {
            let mut call = FlashCallDecision::default();
            call.cli = "+447700900123".parse().ok();
            call.dial_timeout = CallSeconds::try_from(rng.random_range(5..=120)).ok();
            Decision::AllowFlashCall(call)
        }
        5 => {
            let mut callout = CalloutDecision::default();
            callout.pin = Some("2".into());
            callout.timeout = Some(rng.random_range(0..90));
            Decision::AllowCallout(callout)
        }
        6 => {
            let mut callout = CalloutDecision::default();
            callout.pin = Some("no keys".into());
            Decision::AllowCallout(callout)
        }
        7 => {
            let mut sms = SmsDecision::default();
            sms.code_type = Some(CodeType::from("Runes"));
            Decision::AllowSms(sms)
        }
        _ => Decision::Allow,
    };
    (Some(decision), asked)
}

/// A report of the proof in `message`, or of another one.
pub(super) fn report(
    named: &Method,
    message: Option<&Message>,
    right: bool,
) -> Result<ReportRequest, String> {
    let code = message
        .and_then(|message| message.code.as_ref())
        .filter(|_| right);
    let cli = message.and_then(|message| message.cli.as_ref()).filter(|_| right);
    let code = code.map_or("0-0", |code| code.expose());
    let cli = cli.map_or("+46701111111", |cli| cli.expose());
    let proof = match named {
        Method::FlashCall => format!(r#""flashCall":{{"cli":"{cli}"}}"#),
        _ => format!(r#""{named}":{{"code":"{code}"}}"#),
    };
    let body = format!(r#"{{"method":"{named}",{proof}}}"#);
    ReportRequest::decode(body.as_bytes()).map_err(|error| error.to_string())
}

/// Random telephone keys.
pub(super) fn keys(rng: &mut ChaCha8Rng, message: Option<&Message>) -> String {
    let code = message.and_then(|message| message.code.as_ref());
    match rng.random_range(0..6_u32) {
        0 => "2".to_owned(),
        1 => String::new(),
        2 => "#".to_owned(),
        3 => "1".to_owned(),
        _ => code.map_or_else(|| "12".to_owned(), |code| code.expose().to_owned()),
    }
}
