//! `status`: ask for the status of a verification.

use sinch_verify_protocol::Method;

use crate::exit::Outcome;
use crate::methods::{Chosen, MethodArg};
use crate::target::Target;
use crate::view;
use crate::which::{self, Which};

/// Arguments of `status`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: which::Args,
    /// With `--number`: the verification's method; sms when it is left out.
    #[arg(long, value_enum)]
    method: Option<MethodArg>,
    /// Print the service's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    target: Target,
}

/// Runs the command. The exit code is 0 whatever the status: it was asked and
/// answered.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let service = args.target.service()?;
    let chosen = Chosen::or(args.method, Method::Sms);
    let which = args.which.which()?;
    let answer = match which.clone() {
        Which::Id(id) => service.client.status_by_id(id).await,
        Which::Reference(reference) => service.client.status_by_reference(reference).await,
        Which::Number(number) => {
            service
                .client
                .status_by_number(chosen.method.clone(), number)
                .await
        }
    };
    let answer = answer.map_err(|error| {
        let failed = service.failed(error);
        failed.if_not_found(|| which.not_found(&chosen))
    })?;
    view::print(&answer, args.json, view::verification(&answer))?;
    Ok(Outcome::Yes)
}
