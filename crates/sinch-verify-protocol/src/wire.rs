//! How JSON objects of the wire meet Rust structs.
//!
//! A macro, `object!`, declares a struct with its keys once and generates both
//! directions. Four rules hold for every object:
//!
//! - a field it does not know is kept, in order, as raw text ([`Extra`]);
//! - an optional field may be `null`, which reads as absent;
//! - a known field in a tolerated form that is not the documented one is read as
//!   what it means;
//! - a side field, which no verdict depends on, is left out where it cannot be read.
//!
//! [`WireObject::receive`] names each [`Anomaly`]; so does
//! [`WireObject::take_anomalies`] after [`WireObject::decode`].

mod anomaly;
pub(crate) mod as_text;
mod broken_text;
mod extra;
mod object;
mod part;
mod private_text;
mod raw_json;
mod read_text;
mod side;
mod string_form;
mod tolerant;
mod via;

pub use crate::json::{is_utf16, without_byte_order_mark};
pub use anomaly::{Anomaly, AnomalyKind, Received};
pub use extra::Extra;
pub use part::{PartOf, WireObject};
pub use private_text::PrivateText;
pub use raw_json::RawJson;

pub(crate) use object::{Key, object};
pub(crate) use part::{At, Part, drain_extra, name_unknown};
pub(crate) use read_text::read_text;
pub(crate) use side::{Side, SideValue};
pub(crate) use string_form::string_form;
pub(crate) use tolerant::{LooseNumber, LooseText, Spelled, Spelt, ZeroIsAbsent};
pub(crate) use via::Via;
