//! Spans of time as arguments.

use std::time::Duration;

use jiff::SignedDuration;

/// The longest span that is taken: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a span such as `10s` or `2m30s`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text
        .parse()
        .map_err(|_| "must be a time with its unit, such as 10s or 2m30s".to_owned())?;
    Duration::try_from(parsed)
        .ok()
        .filter(|span| *span <= LONGEST)
        .ok_or_else(|| "must be from 0s to 24h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units_and_bounds() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("2m30s"), Ok(Duration::from_secs(150)));
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
        for wrong in ["", "10", "-10s", "25h", "ten"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
