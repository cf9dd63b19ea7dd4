//! Benches live in `benches/`: those of pure code on criterion, those that need a socket in
//! `loopback`, and what runs beside the latter in `peers/`. The program `attack` forges, replays
//! and breaks. What both need is here.
#![forbid(unsafe_code)]

pub mod fixture;
pub mod process;
