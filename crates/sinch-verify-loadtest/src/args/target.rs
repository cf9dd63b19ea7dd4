//! What is under load.

use crate::safety::{Destination, MockHost, Pin};
use crate::scenario::Workload;
use crate::target::Elsewhere;
use sinch_verify_client::{EnvError, env};
use sinch_verify_protocol::BaseUrl;

#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// A service that is there already, such as http://127.0.0.1:9901. Its application comes from
    /// SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET. Without it a run starts an emulator of
    /// its own. Any host but this machine is live, and needs --live or --mock-host.
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<BaseUrl>,

    /// Says that the target's host is a mock, by its name. No name under sinch.com can be one.
    #[arg(long, value_name = "NAME", requires = "target")]
    pub(crate) mock_host: Option<MockHost>,

    /// Connects to this address for the target's host, which is not looked up.
    #[arg(long, value_name = "HOST=ADDRESS", requires = "target")]
    pub(crate) resolve: Option<Pin>,
}

impl TargetArgs {
    /// The target and its application, or why it cannot be used; `None` for an emulator of the
    /// run's own.
    ///
    /// Without `--target` it is the emulator that the scenarios' own backend uses, where they name one.
    pub(crate) fn elsewhere(
        &self,
        live: bool,
        workload: &Workload,
    ) -> Result<Option<Elsewhere<Destination>>, String> {
        let Some(base) = &self.target else {
            if live {
                return Err("--live needs --target".to_owned());
            }
            let Some(service) = workload.target() else {
                return Ok(None);
            };
            let url = Destination::judge(service.url.clone(), None, false);
            let url = url.map_err(|error| format!("the target of the scenario: {error}"))?;
            return Ok(Some(service.clone().with_url(url)));
        };
        let url = Destination::judge(base.clone(), self.mock_host.as_ref(), live);
        let url = url.map_err(|error| error.to_string())?;
        if let Some(pin) = &self.resolve
            && !pin.fits(base)
        {
            return Err("--resolve must name the target's host, which is not this machine".to_owned());
        }
        let needed = |error: EnvError| format!("--target needs an application: {error}");
        Ok(Some(Elsewhere {
            url,
            pin: self.resolve.clone(),
            key: env::application_key().map_err(needed)?,
            secret: env::application_secret().map_err(needed)?,
        }))
    }
}
