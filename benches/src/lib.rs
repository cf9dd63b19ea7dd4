//! Criterion benches live in `benches/`; this crate carries their fixtures.
