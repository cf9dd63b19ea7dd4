//! Figures as people read them.

use super::rows::Unit;

/// An exponent of growth.
pub(super) fn exponent(exponent: f64) -> String {
    // Adding zero turns a negative zero, which rounding can leave, into zero.
    format!("n^{:.2}", (100.0 * exponent).round() / 100.0 + 0.0)
}

/// A ratio, with a suitable number of digits.
pub(super) fn ratio(ratio: f64) -> String {
    match ratio {
        r if (0.99..0.9999).contains(&r) => format!("{r:.4}"),
        r if r < 10.0 => format!("{r:.2}"),
        r => format!("{r:.1}"),
    }
}

/// A figure in a suitable unit.
pub(crate) fn shown(unit: Unit, figure: f64) -> String {
    let steps: &[(f64, &str)] = match unit {
        Unit::Nanoseconds => &[(1e9, "s"), (1e6, "ms"), (1e3, "µs")],
        Unit::Rate => &[(1e6, "M/s"), (1e3, "k/s")],
        Unit::Bytes => &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB")],
    };
    match steps.iter().find(|(step, _)| figure >= *step) {
        Some((step, name)) => format!("{:.2} {name}", figure / step),
        None => match unit {
            Unit::Nanoseconds => format!("{figure:.0} ns"),
            Unit::Rate => format!("{figure:.0}/s"),
            Unit::Bytes => format!("{figure:.0} bytes"),
        },
    }
}

/// A number of units, such as `10k`.
pub(super) fn count(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{}M", n / 1e6),
        n if n >= 1e3 => format!("{}k", n / 1e3),
        n => format!("{n}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_unit_that_suits_them() {
        assert_eq!(
            [12.3, 1234.0, 2_500_000.0].map(|time| shown(Unit::Nanoseconds, time)),
            ["12 ns", "1.23 µs", "2.50 ms"]
        );
        assert_eq!(
            [800.0, 21_500.0, 1_100_000.0].map(|rate| shown(Unit::Rate, rate)),
            ["800/s", "21.50 k/s", "1.10 M/s"]
        );
        assert_eq!(
            [44.0, 1e9].map(|bytes| shown(Unit::Bytes, bytes)),
            ["44 bytes", "1.00 GB"]
        );
    }
}
