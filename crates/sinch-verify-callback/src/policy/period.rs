use super::rules::Period;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

/// Microseconds: a time since 1970, or a duration.
pub(super) type Micros = u64;

impl Period {
    /// The start of the period that `now` is in, and its end.
    pub(super) fn around(self, now: Micros) -> (Micros, Micros) {
        let whole = |length: Micros| (now / length * length, (now / length + 1) * length);
        match self {
            Self::Hour => whole(HOUR),
            Self::Day => whole(DAY),
            Self::Month => month(now).unwrap_or_else(|| whole(31 * DAY)),
        }
    }

    pub(super) fn longest(self) -> Micros {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Month => 31 * DAY,
        }
    }
}

pub(super) const HOUR: Micros = 3_600_000_000;
const DAY: Micros = 24 * HOUR;

/// `None` past the year 9999.
fn month(now: Micros) -> Option<(Micros, Micros)> {
    let now = Timestamp::from_microsecond(i64::try_from(now).ok()?).ok()?;
    let first = now.to_zoned_datetime(TimeZone::UTC).date().first_of_month();
    let start = |date: jiff::civil::Date| {
        let midnight = date.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp();
        Micros::try_from(midnight.as_microsecond()).ok()
    };
    Some((start(first)?, start(first.checked_add(1.month()).ok()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        text.parse::<Timestamp>()
            .unwrap()
            .as_microsecond()
            .try_into()
            .unwrap()
    }

    #[test]
    fn periods_begin_and_end_in_utc() {
        let now = at("2028-02-29T23:59:59.999999Z");
        for (period, start, end) in [
            (Period::Hour, "2028-02-29T23:00:00Z", "2028-03-01T00:00:00Z"),
            (Period::Day, "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"),
            (Period::Month, "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ] {
            assert_eq!(period.around(now), (at(start), at(end)), "{period:?}");
        }
        let new_year = at("2029-01-01T00:00:00Z");
        assert_eq!(Period::Month.around(new_year - 1).1, new_year);
        assert_eq!(Period::Month.around(new_year).0, new_year);
    }
}
