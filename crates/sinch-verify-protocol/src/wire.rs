//! How JSON objects of the wire meet Rust structs.
//!
//! A macro, `object!`, declares a struct with its keys once and generates both
//! directions. Three rules hold for every object:
//!
//! - a field it does not know is kept, in order, as raw text ([`Extra`]);
//! - an optional field may be `null`, which reads as absent;
//! - a known field that came in a tolerated but odd form is read as what it
//!   means. [`WireObject::receive`] says what was odd, and where ([`Quirk`]);
//!   [`WireObject::decode`] lets it pass.

mod extra;
mod object;
mod private;
mod quirk;
mod raw;
mod text;
mod via;

pub use extra::Extra;
pub use private::PrivateText;
pub use quirk::{Oddity, Quirk, Received, WireObject};
pub use raw::RawJson;

pub(crate) use object::{Key, object};
pub(crate) use quirk::{At, Part, drain_extra};
pub(crate) use text::read_text;
pub(crate) use via::{LooseText, Spelled, Spelt, Via, ZeroIsAbsent};
