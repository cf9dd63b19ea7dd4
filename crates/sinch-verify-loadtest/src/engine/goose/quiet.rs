use log::{Log, Metadata, Record};

/// A logger that drops everything.
struct Silence;

impl Log for Silence {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        false
    }

    fn log(&self, _record: &Record<'_>) {}

    fn flush(&self) {}
}

/// Keeps goose from logging to stdout: its warnings show paths, and numbers stand in those.
///
/// A logger that is there already is left alone, as goose leaves it alone.
pub(super) fn silence() {
    let _ = log::set_logger(&Silence);
}
