//! The sources of an error, for `{:#}` and `{:?}`.

use std::error::Error as StdError;
use std::fmt;

/// Writes the sources of `error` behind it when `{:#}` asks for them.
pub(crate) fn write_sources(f: &mut fmt::Formatter<'_>, error: &dyn StdError) -> fmt::Result {
    let mut source = error.source().filter(|_| f.alternate());
    while let Some(error) = source {
        write!(f, ": {error}")?;
        source = error.source();
    }
    Ok(())
}

/// Writes what failed and a line for each source, as `main` prints an error that it returns.
pub(crate) fn write_report(f: &mut fmt::Formatter<'_>, error: &dyn StdError) -> fmt::Result {
    write!(f, "failed to {error}")?;
    let mut source = error.source();
    if source.is_some() {
        f.write_str("\n\nCaused by:")?;
    }
    while let Some(error) = source {
        write!(f, "\n    {error}")?;
        source = error.source();
    }
    Ok(())
}
