//! Numbers as text.

use std::time::Duration;

/// A time with three digits or so: `0.38 ms`, `12.4 ms`, `1.21 s`.
pub(super) fn time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms >= 1000.0 {
        format!("{} s", digits(ms / 1000.0))
    } else {
        format!("{} ms", digits(ms))
    }
}

/// Milliseconds without their unit, for tables that name it.
pub(super) fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms >= 1000.0 {
        grouped(ms.round() as u64)
    } else {
        format!("{ms:.2}")
    }
}

/// Three digits, or all of a whole number.
fn digits(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// A rate in a second.
pub(super) fn rate(value: f64) -> String {
    if value >= 10_000.0 {
        format!("{}/s", grouped(value.round() as u64))
    } else {
        let text = format!("{value:.1}");
        format!("{}/s", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// The length of a run: `20 s`, `1 min 30 s`, `2 h`.
pub(super) fn length(seconds: f64) -> String {
    let whole = seconds.round();
    if seconds < 1.0 || (seconds < 10.0 && (seconds - whole).abs() > 0.05) {
        return format!("{seconds:.1} s");
    }
    let whole = whole as u64;
    let parts = [(whole / 3600, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")];
    let shown: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    shown.join(" ")
}

/// A part of 1, in per cent.
pub(super) fn percent(part: f64) -> String {
    let percent = part * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
        p if p < 0.01 => "< 0.01 %".to_owned(),
        p if p < 10.0 => format!("{p:.2} %"),
        p => format!("{p:.1} %"),
    }
}

/// A count with commas between thousands.
pub(super) fn grouped(count: u64) -> String {
    let plain = count.to_string();
    let mut text = String::with_capacity(plain.len() * 2);
    for (index, digit) in plain.chars().enumerate() {
        if index > 0 && (plain.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        for (micros, text) in [
            (0, "0.00 ms"),
            (380, "0.38 ms"),
            (12_444, "12.4 ms"),
            (999_400, "999 ms"),
            (1_210_000, "1.21 s"),
            (123_000_000, "123 s"),
        ] {
            assert_eq!(time(Duration::from_micros(micros)), text);
        }
        assert_eq!(milliseconds(Duration::from_micros(1_234_567)), "1,235");
        assert_eq!(milliseconds(Duration::from_micros(12_345)), "12.35");
    }

    #[test]
    fn lengths_are_whole_where_they_can_be() {
        for (seconds, text) in [
            (0.5, "0.5 s"),
            (2.5, "2.5 s"),
            (20.004, "20 s"),
            (90.0, "1 min 30 s"),
            (7200.0, "2 h"),
        ] {
            assert_eq!(length(seconds), text);
        }
    }

    #[test]
    fn counts_rates_and_parts() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(rate(300.0), "300/s");
        assert_eq!(rate(99.96), "100/s");
        assert_eq!(rate(0.25), "0.2/s");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.000_01), "< 0.01 %");
        assert_eq!(percent(0.0123), "1.23 %");
        assert_eq!(percent(0.5), "50.0 %");
    }
}
