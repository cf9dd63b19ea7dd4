//! What a run says about itself in the end.

mod table;

pub use table::table;
