//! What an answer tells: the value, or why there is none.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Response;
use http::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use sinch_verify_protocol::Endpoint;

use crate::clock::Clock;
use crate::context::Context;
use crate::error::Kind;

/// The value of a good answer to `endpoint`, or an error that does not repeat the client's own secret.
pub(crate) fn read<E: Endpoint>(
    endpoint: &E,
    response: &Response<Bytes>,
    context: &Context,
) -> Result<E::Response, Kind> {
    endpoint.from_http(response).map_err(|mut source| {
        source.redact(&context.credentials);
        Kind::Decode {
            status: response.status(),
            retry_after: retry_after(response.headers(), &*context.clock),
            source,
        }
    })
}

/// When the answer was made, by the service's clock.
pub(crate) fn date(response: &Response<Bytes>) -> Option<SystemTime> {
    time(response.headers(), &DATE)
}

/// `Retry-After`, in either of its forms. A time of the day is counted from the answer's own `Date`,
/// so that this host's clock does not matter.
fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    let text = text(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = time(headers, &DATE).unwrap_or_else(|| clock.now());
    Some(until.duration_since(now).unwrap_or_default())
}

fn time(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, name)?).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::clock::SystemClock;

    fn wait(pairs: &[(HeaderName, &'static str)]) -> Option<u64> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        retry_after(&headers, &SystemClock).map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_is_seconds_or_a_time() {
        let date = (DATE, "Mon, 23 Nov 2026 09:00:00 GMT");
        for (value, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Mon, 23 Nov 2026 09:00:30 GMT", Some(30)),
            ("Mon, 23 Nov 2026 08:00:00 GMT", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999999999999999", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(wait(&[date.clone(), (RETRY_AFTER, value)]), expected, "{value}");
        }
        assert_eq!(wait(&[date]), None);
        // Long past by this host's clock.
        assert_eq!(wait(&[(RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT")]), Some(0));
    }
}
