//! The servers: ours, and bare hyper.

mod bare;
mod emulator;

use std::net::Ipv4Addr;

use anyhow::{Result, bail};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// Serves on a free port, whose number is the first line printed, until standard input ends.
pub(crate) fn run(what: &str, args: &[&str]) -> Result<()> {
    let runtime = one_core()?;
    match what {
        "emulator" => emulator::run(&runtime, args),
        "bare" => bare::run(&runtime),
        _ => bail!("no server is named {what:?}"),
    }
}

/// A runtime that uses the thread that drives it, and no other.
pub(crate) fn one_core() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}

#[expect(
    clippy::print_stdout,
    reason = "whoever started the server reads it from there"
)]
fn ready(port: u16) {
    println!("{}", json!({ "port": port }));
}
