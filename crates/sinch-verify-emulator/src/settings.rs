//! Settings: the behavior that the documents of the service leave open.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use sinch_verify_protocol::Amount;
use sinch_verify_protocol::auth::Window;
use sinch_verify_protocol::duration;
use sinch_verify_protocol::price::Money;

/// How the emulator behaves. Start from [`Settings::default`] and change what you need.
///
/// Public sources say little about most of these values, so the defaults are choices of this crate and no
/// statement about the real service. Durations are service time, which
/// [`Emulator::advance`](crate::Emulator::advance) moves, unless wall clock is mentioned.
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
/// As JSON, field names are in camelCase, [durations](duration) are texts such as `250ms` or `5m`, and fields that are
/// left out have their defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// The number of wrong codes or caller ids that ends a verification; at least 1. Default 3.
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
    /// How long a verification stays pending after its start. For an SMS, a start or a decision can set
    /// another duration. Default 300 s.
    #[serde(with = "duration")]
    pub expiry: Duration,
    /// How long after its start a verification is found by its number. By id and by reference it is found
    /// as long as it is kept. Default: no limit.
    #[serde(with = "duration::optional")]
    pub status_by_number: Option<Duration>,
    /// Whether a start aborts the pending verification of the same number and application.
    /// Default `true`.
    pub abort_predecessor: bool,
    /// Whether basic and signed starts continue if the callback gives no usable answer. Default `false`:
    /// the verification is denied.
    pub trust_without_answer: bool,
    /// The time limit for the answer to a request event, on the wall clock. Default 5 s.
    #[serde(with = "duration")]
    pub decision_timeout: Duration,
    /// Whether an event reports the delivery of an SMS to the callback URL. Default `true`.
    pub sms_delivered_events: bool,
    /// The most tries of a result or delivered event; at least 1. Default 5.
    #[serde(deserialize_with = "at_least_one")]
    pub event_tries: u32,
    /// The delay after the first failed try. It doubles with every try, and a random part of up to half is
    /// subtracted. Default 500 ms.
    #[serde(with = "duration")]
    pub event_backoff: Duration,
    /// The time limit of one try, on the wall clock. Default 5 s.
    #[serde(with = "duration")]
    pub event_timeout: Duration,
    /// The most result and delivered events that are posted at the same time; at least 1. Default 64.
    #[serde(deserialize_with = "at_least_one")]
    pub events_in_flight: usize,
    /// The most undelivered result and delivered events. Further ones are dropped and recorded in the
    /// delivery log. Default 100,000.
    pub events_waiting: usize,
    /// The shortest time between two starts for one number. An earlier start is answered 429/42901.
    /// Default: no limit.
    #[serde(with = "duration::optional")]
    pub velocity: Option<Duration>,
    /// The most starts of one application in one second. Further ones are answered 429/42900. Default: no
    /// limit.
    pub capacity: Option<u32>,
    /// The most bytes of memory for pending verifications, with texts and overhead; at least 1. A start
    /// beyond that is answered 429/42900. Default 1,000,000,000.
    #[serde(deserialize_with = "at_least_one")]
    pub pending_bytes: usize,
    /// The length of generated codes, 1 to 10 characters. Default 4.
    #[serde(deserialize_with = "code_length")]
    pub code_length: u8,
    /// The `interceptionTimeout` in the answer to an SMS start, in whole seconds: how long an app waits for
    /// the SMS. Default 120 s.
    #[serde(with = "duration")]
    pub sms_interception: Duration,
    /// The `interceptionTimeout` in the answer to a flash call start, in whole seconds: how long an app
    /// waits for the call. Default 45 s.
    #[serde(with = "duration")]
    pub flash_call_interception: Duration,
    /// The `reportTimeout` in the answer to a flash call start, in whole seconds. Default 75 s.
    #[serde(with = "duration")]
    pub flash_call_report: Duration,
    /// The `denyCallAfter` in the answer to a flash call start, in whole seconds. Default 0.
    #[serde(with = "duration")]
    pub flash_call_deny_after: Duration,
    /// How long a flash call rings unless the decision of the callback sets another duration. Default 30 s.
    #[serde(with = "duration")]
    pub flash_call_ring: Duration,
    /// The polling instructions in the answer to a callout start. `None` leaves them out, as newer servers
    /// do. Default 3 s, 30 s, 3 s.
    pub callout_polling: Option<CalloutPolling>,
    /// The keys that confirm a callout, unless the decision of the callback sets others. Default `1`.
    #[serde(deserialize_with = "keypad_digits")]
    pub callout_pin: String,
    /// The accepted age of the timestamp of a signed request, on the wall clock. Default up to 5 minutes in
    /// the past and 1 minute in the future.
    #[serde(with = "WindowFields")]
    pub freshness: Window,
    /// How requests are treated that official SDKs send in another form than documented. Default
    /// [`Strictness::Warn`].
    pub strictness: Strictness,
    /// The price of a verification, in request events and in a status that is no longer `PENDING`. Default
    /// 0.0453 EUR, an invented amount.
    pub price: Option<Money>,
    /// The termination price of a flash call or callout: what the call itself costs. A status that is no
    /// longer `PENDING` contains it, with the billed seconds. Default: none, as without termination
    /// debiting.
    pub termination_price: Option<Money>,
    /// The most messages that one handset keeps; at least 1. Default 100.
    #[serde(deserialize_with = "at_least_one")]
    pub inbox_kept: usize,
    /// The most ended verifications that are kept, with their messages. Pending ones are always kept.
    /// Default 100,000.
    pub verifications_kept: usize,
    /// The most requests that the journal keeps, with their answers; 0 turns it off. Default 1,000.
    pub requests_kept: usize,
    /// The most deliveries that the delivery log keeps. Default 1,000.
    pub deliveries_kept: usize,
    /// The most events that the feed keeps for readers that reconnect. Default 10,000.
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

/// The answer to a report that did not verify the number. A client must treat both as "not verified".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ReportAnswer {
    /// 400 with error code 40003.
    Refusal,
    /// 200 with the current state of the verification.
    Verification,
}

/// When an app queries the status of a callout, in whole seconds after its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CalloutPolling {
    /// The time of the first query. Default 3 s.
    #[serde(with = "duration")]
    pub start_after: Duration,
    /// The time of the last query. Default 30 s.
    #[serde(with = "duration")]
    pub stop_after: Duration,
    /// The time between queries. Default 3 s.
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

/// How a request is treated that is understood but not in the documented form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Strictness {
    /// The request is accepted.
    Lenient,
    /// The request is accepted, and the header `x-emulator-anomalies` of the answer lists the anomalies.
    Warn,
    /// The request is refused with 400/40001, and the message names the first anomaly.
    Strict,
}

impl Strictness {
    /// The name in answers of the control interface and on command lines.
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

/// The error of parsing a [`Strictness`].
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
