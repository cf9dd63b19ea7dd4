//! Printing that does not panic.
//!
//! `println!` panics when its reader has gone (`sinch-verify serve | head -1`)
//! or the disk is full. Here a reader that went away is nobody to tell, and any
//! other failure is told once, at the end, by the exit code.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static FAILED: AtomicBool = AtomicBool::new(false);

/// Whether something could not be written to standard output.
pub(crate) fn failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// Writes a line to standard output; colours are left out where they do not belong.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let mut out = anstream::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush())
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        FAILED.store(true, Ordering::Relaxed);
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
