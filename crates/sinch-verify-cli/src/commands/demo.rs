//! `demo`: every method verified end to end, over real HTTP, with real
//! signatures and real callbacks, on this machine.

mod backend;
mod flows;
mod methods;
mod show;
mod timeline;
mod world;

use crate::exit::Outcome;

/// Arguments of `demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print one JSON document instead of timelines and a table.
    #[arg(long)]
    json: bool,
    /// The seed of the emulator's codes and caller ids.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let world = world::World::start(args.seed).await?;
    let mut show = show::Show::new(args.json);
    show.world(&world);
    for flow in flows::all() {
        let row = flow.run(&world).await;
        show.row(row);
    }
    world.stop().await;
    Ok(show.finish()?.into())
}
