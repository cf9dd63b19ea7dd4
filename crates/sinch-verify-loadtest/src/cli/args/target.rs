//! What is under load.

use crate::destination::{MockHost, Pin};
use crate::target::Elsewhere;
use sinch_verify_client::env;
use sinch_verify_protocol::BaseUrl;

#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// A service that is there already, such as http://127.0.0.1:9901. Its application comes from
    /// SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET; where neither is set and the host is this
    /// machine, it is the development application of `sinch-verify serve`. Without a target a run starts
    /// an emulator of its own. Any host but this machine is live, and needs --live or --mock-host.
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<BaseUrl>,

    /// Says that the target's host is a mock, by its name. No name under sinch.com can be one.
    #[arg(long, value_name = "NAME", requires = "target", conflicts_with = "live")]
    pub(crate) mock_host: Option<MockHost>,

    /// Connects to this address for the target's host, which is not looked up.
    #[arg(long, value_name = "HOST=ADDRESS", requires = "target")]
    pub(crate) resolve: Option<Pin>,
}

impl TargetArgs {
    /// The service at `url`, which is the target's, and the application that asks it.
    pub(crate) fn service<U: AsRef<BaseUrl>>(&self, url: U) -> Result<Elsewhere<U>, String> {
        if let Some(pin) = &self.resolve
            && !pin.fits(url.as_ref())
        {
            return Err(
                "--resolve must name the target's host, and the host must not be this machine".to_owned(),
            );
        }
        let application = env::application(url.as_ref());
        let (key, secret) = application.map_err(|error| format!("--target needs an application: {error}"))?;
        Ok(Elsewhere {
            url,
            pin: self.resolve.clone(),
            key,
            secret,
        })
    }
}
