//! The servers: ours and bare hyper.

pub(crate) mod bare_hyper;
mod callback;
mod emulator;
mod hand_written;

use std::future::Future;
use std::net::Ipv4Addr;

use anyhow::{Result, bail};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// Serves on a free port until standard input ends. The first printed line is the port.
pub(crate) fn run(what: &str, args: &[&str]) -> Result<()> {
    let runtime = one_core()?;
    match what {
        "emulator" => emulator::run(&runtime, args),
        "callback" => callback::run(&runtime, args),
        "bare" => bare_hyper::run(&runtime),
        _ => bail!("no server is named {what:?}"),
    }
}

/// A runtime on the current thread only.
pub(crate) fn one_core() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Serves until standard input ends, which is how the parent process stops it.
fn until_input_ends(runtime: &Runtime, serve: impl Future<Output = Result<()>>) -> Result<()> {
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(ended);
    });
    runtime.block_on(async {
        tokio::select! {
            result = serve => result,
            _ = end => Ok(()),
        }
    })
}

async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}
