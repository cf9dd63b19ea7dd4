//! Printing that does not panic.
//!
//! `println!` panics when its reader has gone (`sinch-verify serve | head -1`)
//! or the disk is full. Here a reader that went away is nobody to tell, and any
//! other failure is told once, at the end, by the exit code.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static FAILED: AtomicBool = AtomicBool::new(false);
static GONE: AtomicBool = AtomicBool::new(false);

/// Whether something could not be written to standard output.
pub(crate) fn failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// Whether nobody reads standard output any more. A command that only prints,
/// for as long as it is let, has then nothing left to do.
pub(crate) fn gone() -> bool {
    GONE.load(Ordering::Relaxed)
}

/// Writes a line to standard output; colours are left out where they do not belong.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let mut out = anstream::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => GONE.store(true, Ordering::Relaxed),
        Err(_) => FAILED.store(true, Ordering::Relaxed),
    }
}

/// Writes a line to standard error, if anybody reads it.
pub(crate) fn remark(text: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// A line of output.
macro_rules! say {
    () => { $crate::print::line(format_args!("")) };
    ($($text:tt)*) => { $crate::print::line(format_args!($($text)*)) };
}

/// A line beside the output, for people.
macro_rules! note {
    ($($text:tt)*) => { $crate::print::remark(format_args!($($text)*)) };
}

pub(crate) use {note, say};
