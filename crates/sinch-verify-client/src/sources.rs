//! The sources of an error, for `{:#}`.

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
