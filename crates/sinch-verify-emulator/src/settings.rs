//! What the emulator does where the service's documents leave it open.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use sinch_verify_protocol::Amount;
use sinch_verify_protocol::auth::Window;
use sinch_verify_protocol::price::Money;

use crate::duration;

/// How the emulator behaves. Start from [`Settings::default`] and change what you need.
///
/// Public sources say little about most of these figures, so the defaults are ours and say nothing
/// about the real service. All times are service time, which
/// [`Emulator::advance`](crate::Emulator::advance) moves, unless they say that they are of the wall
/// clock.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_emulator::Settings;
///
/// let mut settings = Settings::default();
/// settings.expiry = Duration::from_secs(60);
/// assert_eq!(settings.attempts, 3);
/// ```
///
/// As JSON each field has its name in camelCase, durations are texts such as `250ms` or `5m`, and what
/// is left out is as by default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// Wrong codes or caller ids that end a verification; at least 1. Default 3.
    #[serde(deserialize_with = "at_least_one")]
    pub attempts: u32,
    /// The answer to a wrong report while attempts are left. Default [`ReportAnswer::Refusal`].
    pub wrong_report: ReportAnswer,
    /// The answer to the wrong report that ends the verification. Default
    /// [`ReportAnswer::Verification`].
    pub last_wrong_report: ReportAnswer,
    /// The answer to a report after expiry. Default [`ReportAnswer::Verification`].
    pub report_after_expiry: ReportAnswer,
    /// The answer to a report after success. Default [`ReportAnswer::Refusal`].
    pub report_after_success: ReportAnswer,
    /// Whether a report that names another method uses up an attempt. Default `false`.
    pub other_method_is_attempt: bool,
    /// Whether the [magic numbers](crate::MagicNumber) have their outcomes. Default `true`.
    pub magic_numbers: bool,
    /// How long a verification stays pending, from its start. A start or a decision may say
    /// otherwise for an SMS. Default 300 s.
    #[serde(with = "duration")]
    pub expiry: Duration,
    /// How long after its start a verification is found by its number; by id and by reference it
    /// always is. Service time. Default: as long as it is kept.
    #[serde(with = "duration::optional")]
    pub status_by_number: Option<Duration>,
    /// Whether a start aborts the pending verification of the same number and application.
    /// Default `true`.
    pub abort_predecessor: bool,
    /// Whether basic and signed starts go on when the callback gave no usable answer. Default
    /// `false`: the verification is denied.
    pub trust_without_answer: bool,
    /// How long the answer to a request event is awaited, on the wall clock. Default 5 s.
    #[serde(with = "duration")]
    pub decision_timeout: Duration,
    /// Whether the delivery of an SMS is told to the callback URL. Default `true`.
    pub sms_delivered_events: bool,
    /// How often a result or delivered event is tried in all; at least 1. Default 5.
    #[serde(deserialize_with = "at_least_one")]
    pub event_tries: u32,
    /// The wait after the first failed try; it doubles with every try, and up to half of it is taken
    /// off at random. Default 500 ms.
    #[serde(with = "duration")]
    pub event_backoff: Duration,
    /// How long one try may take, on the wall clock. Default 5 s.
    #[serde(with = "duration")]
    pub event_timeout: Duration,
    /// How many result and delivered events are under way at once; at least 1. Default 64.
    #[serde(deserialize_with = "at_least_one")]
    pub events_in_flight: usize,
    /// How many result and delivered events may wait; further ones are dropped, and the delivery
    /// log says so. Default 100,000.
    pub events_waiting: usize,
    /// The least time between two starts for one number; a start before answers 429/42901.
    /// Default: off.
    #[serde(with = "duration::optional")]
    pub velocity: Option<Duration>,
    /// The most starts of one application in one second; a start beyond answers 429/42900.
    /// Default: off.
    pub capacity: Option<u32>,
    /// How many bytes pending verifications may take, at least 1: what is kept of each, texts and
    /// overhead. A start that finds them taken answers 429/42900. Default 1,000,000,000.
    #[serde(deserialize_with = "at_least_one")]
    pub pending_bytes: usize,
    /// The length of the codes that the emulator makes, 1 to 10. Default 4.
    #[serde(deserialize_with = "code_length")]
    pub code_length: u8,
    /// `interceptionTimeout` of an SMS, whole seconds. Default 120 s.
    #[serde(with = "duration")]
    pub sms_interception: Duration,
    /// `interceptionTimeout` of a flash call, whole seconds. Default 45 s.
    #[serde(with = "duration")]
    pub flash_call_interception: Duration,
    /// `reportTimeout` of a flash call, whole seconds. Default 75 s.
    #[serde(with = "duration")]
    pub flash_call_report: Duration,
    /// `denyCallAfter` of a flash call, whole seconds. Default 0.
    #[serde(with = "duration")]
    pub flash_call_deny_after: Duration,
    /// How long a flash call rings when nobody says otherwise. Default 30 s.
    #[serde(with = "duration")]
    pub flash_call_ring: Duration,
    /// What the answer to a callout start says about polling; `None` leaves it out, as newer
    /// servers do. Default 3 s, 30 s, 3 s.
    pub callout_polling: Option<CalloutPolling>,
    /// The key that confirms a callout, unless the decision names another. Default `1`.
    #[serde(deserialize_with = "keypad_digits")]
    pub callout_pin: String,
    /// How old, or how far ahead, a signed request may be on the wall clock. Always checked.
    /// Default 5 minutes past, 1 minute ahead.
    #[serde(with = "WindowFields")]
    pub freshness: Window,
    /// What happens to requests that official SDKs write wrongly. Default [`Strictness::Warn`].
    pub strictness: Strictness,
    /// What a verification costs: in request events, and in a status that is no longer `PENDING`.
    /// Default 0.0453 EUR, an invented figure.
    pub price: Option<Money>,
    /// What the call of a flash call or callout costs besides, told with the billed seconds once the
    /// status is no longer `PENDING`. Default: none, as without termination debiting.
    pub termination_price: Option<Money>,
    /// How many messages one handset keeps; at least 1. Default 100.
    #[serde(deserialize_with = "at_least_one")]
    pub inbox_kept: usize,
    /// How many ended verifications are kept, with their messages; pending ones always are.
    /// Default 100,000.
    pub verifications_kept: usize,
    /// How many calls of the API the request journal keeps, with their answers; 0 turns it off.
    /// Default 1,000.
    pub requests_kept: usize,
    /// How many tries of callbacks the delivery log keeps. Default 1,000.
    pub deliveries_kept: usize,
    /// How many events the feed keeps for those who come back. Default 10,000.
    pub events_kept: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        let price = "0.0453".parse::<Amount>().ok();
        Self {
            attempts: 3,
            wrong_report: ReportAnswer::Refusal,
            last_wrong_report: ReportAnswer::Verification,
            report_after_expiry: ReportAnswer::Verification,
            report_after_success: ReportAnswer::Refusal,
            other_method_is_attempt: false,
            magic_numbers: true,
            expiry: seconds(300),
            status_by_number: None,
            abort_predecessor: true,
            trust_without_answer: false,
            decision_timeout: seconds(5),
            sms_delivered_events: true,
            event_tries: 5,
            event_backoff: Duration::from_millis(500),
            event_timeout: seconds(5),
            events_in_flight: 64,
            events_waiting: 100_000,
            velocity: None,
            capacity: None,
            pending_bytes: 1_000_000_000,
            code_length: 4,
            sms_interception: seconds(120),
            flash_call_interception: seconds(45),
            flash_call_report: seconds(75),
            flash_call_deny_after: seconds(0),
            flash_call_ring: seconds(30),
            callout_polling: Some(CalloutPolling::default()),
            callout_pin: "1".to_owned(),
            freshness: Window::default(),
            strictness: Strictness::Warn,
            price: price.map(|amount| Money::new("EUR", amount)),
            termination_price: None,
            inbox_kept: 100,
            verifications_kept: 100_000,
            requests_kept: 1_000,
            deliveries_kept: 1_000,
            events_kept: 10_000,
        }
    }
}

/// How a report that verified nothing is answered. Clients must take both for "not verified".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ReportAnswer {
    /// 400 with error code 40003.
    Refusal,
    /// 200 with the verification as it stands.
    Verification,
}

/// When an app asks for the status of a callout, in whole seconds from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CalloutPolling {
    /// The first question. Default 3 s.
    #[serde(with = "duration")]
    pub start_after: Duration,
    /// The last question. Default 30 s.
    #[serde(with = "duration")]
    pub stop_after: Duration,
    /// The time between questions. Default 3 s.
    #[serde(with = "duration")]
    pub interval: Duration,
}

impl Default for CalloutPolling {
    fn default() -> Self {
        Self {
            start_after: Duration::from_secs(3),
            stop_after: Duration::from_secs(30),
            interval: Duration::from_secs(3),
        }
    }
}

/// What happens to a request that is understood but not written as documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Strictness {
    /// It is taken.
    Lenient,
    /// It is taken, and the answer's `x-emulator-anomalies` header lists the anomalies.
    Warn,
    /// It is refused with 400/40001 that names the first anomaly.
    Strict,
}

impl Strictness {
    /// Its name in control answers and on command lines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lenient => "lenient",
            Self::Warn => "warn",
            Self::Strict => "strict",
        }
    }
}

impl FromStr for Strictness {
    type Err = InvalidStrictness;

    fn from_str(text: &str) -> Result<Self, InvalidStrictness> {
        let all = [Self::Lenient, Self::Warn, Self::Strict];
        all.into_iter()
            .find(|one| one.name() == text)
            .ok_or(InvalidStrictness)
    }
}

/// A text that names no [`Strictness`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidStrictness;

impl fmt::Display for InvalidStrictness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strictness must be lenient, warn or strict")
    }
}

impl std::error::Error for InvalidStrictness {}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Window", deny_unknown_fields)]
struct WindowFields {
    #[serde(with = "duration")]
    past: Duration,
    #[serde(with = "duration")]
    future: Duration,
}

fn at_least_one<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default + PartialEq,
{
    let number = T::deserialize(deserializer)?;
    if number == T::default() {
        return Err(D::Error::custom("must be at least 1"));
    }
    Ok(number)
}

fn code_length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let length = u8::deserialize(deserializer)?;
    if !(1..=10).contains(&length) {
        return Err(D::Error::custom("must be 1 to 10"));
    }
    Ok(length)
}

fn keypad_digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let keys = String::deserialize(deserializer)?;
    let are_keys = keys
        .bytes()
        .all(|key| key.is_ascii_digit() || key == b'*' || key == b'#');
    if !are_keys || !(1..=10).contains(&keys.len()) {
        return Err(D::Error::custom("must be 1 to 10 keys of 0-9 * #"));
    }
    Ok(keys)
}
