//! Times on the wire: `x-timestamp` and `verificationTimestamp`.
//!
//! SDKs write 0, 3, 6, 7 or 9 fraction digits with `Z` or `+00:00`, PHP and
//! Python's `%z` write `+0000`; the service writes seven digits and no zone at
//! all. All of them are read, a missing zone as UTC, and the text is kept for
//! writing it back.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::wire::{AnomalyKind, Side, SideValue, string_form};

/// Reads a timestamp of the wire: RFC 3339 with 0 to 9 fraction digits, where
/// the zone may lack its colon, or be missing and then means UTC.
///
/// # Errors
///
/// When the text has another form or names no possible time.
///
/// ```
/// use sinch_verify_protocol::timestamp::parse;
///
/// assert_eq!(parse("2026-01-02T03:04:05.067Z")?, parse("2026-01-02T04:04:05.0670000+01:00")?);
/// assert_eq!(parse("2026-01-02T03:04:05")?, parse("2026-01-02T03:04:05Z")?);
/// # Ok::<(), sinch_verify_protocol::timestamp::InvalidTimestamp>(())
/// ```
pub fn parse(text: &str) -> Result<SystemTime, InvalidTimestamp> {
    parse_bytes(text.as_bytes())
}

/// [`parse`], of a raw header value.
pub(crate) fn parse_bytes(text: &[u8]) -> Result<SystemTime, InvalidTimestamp> {
    read(text).ok_or(InvalidTimestamp(()))
}

/// Every signed message comes through here, so the fixed layout is read in
/// place; whether the date exists is left to jiff.
fn read(text: &[u8]) -> Option<SystemTime> {
    let (date_time, rest) = text.split_first_chunk::<19>()?;
    let fits = |byte: &u8, form: u8| match form {
        b'0' => byte.is_ascii_digit(),
        b'T' => byte.eq_ignore_ascii_case(&b'T'),
        separator => *byte == separator,
    };
    // Without an early exit: there is one branch for all 19 characters.
    let form = b"0000-00-00T00:00:00";
    if !date_time
        .iter()
        .zip(form)
        .fold(true, |all, (byte, form)| all & fits(byte, *form))
    {
        return None;
    }
    let (nanos, zone) = fraction(rest)?;
    let offset = offset(zone)?;
    // Two digits are at most 99.
    let two = |at: usize| ((date_time[at] - b'0') * 10 + (date_time[at + 1] - b'0')) as i8;
    let year = i16::from(two(0)) * 100 + i16::from(two(2));
    // A leap second counts as the second before it.
    let second = if two(17) == 60 { 59 } else { two(17) };
    let civil = DateTime::new(year, two(5), two(8), two(11), two(14), second, 0);
    let seconds = TimeZone::UTC.to_timestamp(civil.ok()?).ok()?.as_second() - offset;
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let second = if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(whole)?
    } else {
        SystemTime::UNIX_EPOCH.checked_add(whole)?
    };
    second.checked_add(Duration::from_nanos(nanos))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |n, digit| {
        digit.is_ascii_digit().then(|| n * 10 + i64::from(digit - b'0'))
    })
}

/// The nanoseconds of a fraction of 1 to 9 digits, or none, and what follows.
fn fraction(rest: &[u8]) -> Option<(u64, &[u8])> {
    let Some(digits) = rest.strip_prefix(b".") else {
        return Some((0, rest));
    };
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&len) {
        return None;
    }
    let mut nanos = number(&digits[..len])?.unsigned_abs();
    for _ in len..9 {
        nanos *= 10;
    }
    Some((nanos, &digits[len..]))
}

/// The seconds that a zone is ahead of UTC; no zone is UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    match zone {
        [] | [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            let seconds = (hours * 60 + minutes) * 60;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// Whether a timestamp has a zone without a colon (`+0000`), which RFC 3339 does not allow.
pub(crate) fn has_bare_zone(text: &[u8]) -> bool {
    let zone = text.len().checked_sub(5).and_then(|at| text.get(at..));
    matches!(zone, Some([b'+' | b'-', digits @ ..]) if text.len() > 19 && digits.iter().all(u8::is_ascii_digit))
}

/// A text that is not a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTimestamp(());

impl fmt::Display for InvalidTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("timestamp is not of the form 2026-01-02T03:04:05.067Z")
    }
}

impl std::error::Error for InvalidTimestamp {}

/// The value of an `x-timestamp` header for `now`: UTC, milliseconds, `Z`.
///
/// Written into place, without the heap.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use sinch_verify_protocol::timestamp::XTimestamp;
///
/// let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_644_211_999);
/// assert_eq!(XTimestamp::new(now).as_str(), "2023-11-22T09:10:11.999Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct XTimestamp([u8; Self::LEN]);

impl XTimestamp {
    /// The length of the text, in bytes.
    pub const LEN: usize = 24;

    /// The header value for `now`. A time outside the years 0 to 9999 is
    /// clamped to the Unix epoch: no service accepts it.
    #[must_use]
    pub fn new(now: SystemTime) -> Self {
        let since = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
        let timestamp = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let civil = TimeZone::UTC.to_datetime(timestamp);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        put(&mut text[0..4], civil.year().unsigned_abs().into());
        put(&mut text[5..7], civil.month().unsigned_abs().into());
        put(&mut text[8..10], civil.day().unsigned_abs().into());
        put(&mut text[11..13], civil.hour().unsigned_abs().into());
        put(&mut text[14..16], civil.minute().unsigned_abs().into());
        put(&mut text[17..19], civil.second().unsigned_abs().into());
        put(&mut text[20..23], since.subsec_millis());
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII digits and punctuation were ever written.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The text as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for XTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Writes `n` as decimal digits, right-aligned into `at`.
fn put(at: &mut [u8], mut n: u32) {
    for digit in at.iter_mut().rev() {
        // A remainder of ten fits.
        *digit = b'0' + (n % 10) as u8;
        n /= 10;
    }
}

/// A timestamp in a body, with the text it came as.
///
/// Two are equal when their texts are.
///
/// ```
/// use sinch_verify_protocol::Timestamp;
///
/// let stamp: Timestamp = "2024-05-22T09:38:59.5590437".parse()?;
/// assert_eq!(stamp.as_str(), "2024-05-22T09:38:59.5590437");
/// let zoned: Timestamp = "2024-05-22T09:38:59.5590437Z".parse()?;
/// assert_eq!(stamp.time(), zoned.time());
/// # Ok::<(), sinch_verify_protocol::timestamp::InvalidTimestamp>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Timestamp {
    text: Box<str>,
    time: SystemTime,
}

impl Timestamp {
    /// `time` in the service's form: UTC, seven fraction digits, no zone.
    #[must_use]
    pub fn service_form(time: SystemTime) -> Self {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        let mut text = [b'.'; 27];
        text[..19].copy_from_slice(&XTimestamp::new(time).0[..19]);
        put(&mut text[20..], since.subsec_nanos() / 100);
        Self {
            // Only ASCII digits and punctuation were ever written.
            text: std::str::from_utf8(&text).unwrap_or_default().into(),
            time,
        }
    }

    /// The time.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// The text as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl std::str::FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        Ok(Self {
            time: parse(text)?,
            text: text.into(),
        })
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

string_form!(Timestamp: as_str);

impl SideValue for Timestamp {
    fn from_text(text: &str) -> Side<Self> {
        match text.parse() {
            Ok(timestamp) if has_bare_zone(text.as_bytes()) => {
                Side::Tolerated(timestamp, AnomalyKind::ValueSpelling)
            }
            Ok(timestamp) => Side::Documented(timestamp),
            Err(_) => Side::Unreadable,
        }
    }
}
