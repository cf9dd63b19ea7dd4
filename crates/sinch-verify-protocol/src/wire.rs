//! How JSON objects of the wire meet Rust structs.
//!
//! [`object!`](object) declares a struct with its keys once and generates both
//! directions. Three rules hold for every object:
//!
//! - a field it does not know is kept, in order, as raw text ([`Extra`]);
//! - an optional field may be `null`, which reads as absent;
//! - a known field that came in a tolerated but odd form is read as what it
//!   means, and a [`Remark`] says what was odd. The service half turns remarks
//!   into [`Quirk`]s with their paths; the client half ignores them.

mod extra;
mod object;
mod private;
mod quirk;
mod raw;
mod via;

pub use extra::Extra;
pub use private::PrivateText;
pub use quirk::{Oddity, Quirk, Received, WireObject};
pub use raw::RawJson;

pub(crate) use object::{Key, object};
pub(crate) use quirk::{At, Part, drain_extra};
pub(crate) use via::{LooseText, Spelled, Spelt, Via, ZeroIsAbsent};
