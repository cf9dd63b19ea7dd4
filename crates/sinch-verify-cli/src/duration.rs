//! Durations as arguments.

use std::time::Duration;

use sinch_verify_emulator::parse_duration;

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a duration of up to a day, such as `10s` or `2m30s`.
pub(crate) fn up_to_a_day(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text).map_err(|error| error.to_string())?;
    match duration <= LONGEST {
        true => Ok(duration),
        false => Err("must be from 0s to 24h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_and_is_at_most_a_day() {
        assert_eq!(up_to_a_day("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(up_to_a_day("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(up_to_a_day("1d"), Ok(LONGEST));
        for wrong in ["", "10", "-10s", "25h", "ten"] {
            assert!(up_to_a_day(wrong).is_err(), "{wrong}");
        }
    }
}
