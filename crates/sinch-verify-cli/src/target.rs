//! Which service a command talks to, and as whom.

use std::time::Duration;

use anyhow::Context as _;
use sinch_verify_client::transport::ReqwestTransport;
use sinch_verify_client::{Client, Error};
use sinch_verify_protocol::url::HttpUrl;
use sinch_verify_protocol::{BaseUrl, Credentials};

use crate::config::{Application, Destination};
use crate::control::Control;
use crate::exit::usage;
use crate::failure::CallFailed;

/// Where a service is.
#[derive(clap::Args)]
pub(crate) struct Address {
    /// The service's base URL, in place of the one that `sinch-verify config get url` prints.
    #[arg(long, value_name = "URL")]
    url: Option<BaseUrl>,
    /// The profile that says where the service is, and with which key and secret.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl Address {
    /// What the options and the settings say.
    pub(crate) fn destination(&self) -> anyhow::Result<Destination> {
        Destination::find(self.url.as_ref(), self.profile.as_deref())
    }

    /// The emulator that is there.
    pub(crate) async fn emulator(&self) -> anyhow::Result<Control> {
        let url = self.destination()?.url;
        let no_emulator = |why: &str| {
            usage(format!(
                "{url} {why}; give the address of an emulator on this machine, with --url"
            ))
        };
        if !url.is_loopback() {
            return Err(no_emulator("is not this machine"));
        }
        let control = Control::at(&url)?;
        if control.info().await?.is_none() {
            return Err(no_emulator("is no emulator"));
        }
        Ok(control)
    }

    /// The options as a command repeats them to reach the same service, with a blank before each.
    pub(crate) fn repeated(&self) -> String {
        let option = |name: &str, value: Option<String>| {
            value.map_or_else(String::new, |value| format!(" --{name} {value}"))
        };
        let url = option("url", self.url.as_ref().map(ToString::to_string));
        format!("{url}{}", option("profile", self.profile.clone()))
    }
}

/// An emulator, and how its answer is printed.
#[derive(clap::Args)]
pub(crate) struct EmulatorArgs {
    /// Print the emulator's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    address: Address,
}

impl EmulatorArgs {
    /// The emulator, if there is one.
    pub(crate) async fn connect(&self) -> anyhow::Result<Control> {
        self.address.emulator().await
    }
}

/// What carries requests to `url`.
pub(crate) fn transport_to(url: &HttpUrl, connect_timeout: Duration) -> anyhow::Result<ReqwestTransport> {
    let transport = if url.is_https() {
        ReqwestTransport::tls(connect_timeout)
    } else {
        ReqwestTransport::plain(connect_timeout)
    };
    transport.context("failed to set up the sender")
}

/// Which service, and with which authorization. Key and secret come from SINCH_APPLICATION_KEY and
/// SINCH_APPLICATION_SECRET or from the profile; where nothing is set, the emulator of this machine gets
/// the development key and secret.
#[derive(clap::Args)]
pub(crate) struct Target {
    #[command(flatten)]
    place: Place,
    /// How to authorize: sign every request, send key and secret as they are, or
    /// send the key alone as a device does.
    #[arg(long, value_enum, default_value = "signed")]
    auth: Auth,
}

/// Where a service is, on this machine or on another one.
#[derive(clap::Args)]
pub(crate) struct Place {
    #[command(flatten)]
    address: Address,
    /// Allow a host that is not this machine, over https: messages and calls there
    /// are real and cost money.
    #[arg(long)]
    live: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Auth {
    Signed,
    Basic,
    Public,
}

/// A service that may be asked.
pub(crate) struct Service {
    pub(crate) client: Client,
    pub(crate) url: BaseUrl,
}

impl Place {
    /// Where the service is, if it may be asked.
    pub(crate) fn destination(&self) -> anyhow::Result<Destination> {
        let destination = self.address.destination()?;
        let url = &destination.url;
        if !url.is_loopback() && !self.live && !destination.is_live() {
            return Err(usage(format!(
                "{} is not this machine: messages and calls there are real and cost money; add --live if that is meant",
                url.host()
            )));
        }
        // A signature hides no number and no code, and basic authorization not even the secret.
        if !url.is_loopback()
            && let Some(rest) = url.to_string().strip_prefix("http://")
        {
            return Err(usage(format!(
                "numbers, codes and credentials would go to http://{rest} unencrypted; use https://{rest}, \
                 or a tunnel from a port of this machine"
            )));
        }
        Ok(destination)
    }
}

impl Target {
    pub(crate) fn address(&self) -> &Address {
        &self.place.address
    }

    /// The service, with a client for it.
    pub(crate) fn service(&self) -> anyhow::Result<Service> {
        let destination = self.place.destination()?;
        let Application { key, secret, .. } = destination.application()?;
        let credentials = match self.auth {
            Auth::Public => Credentials::public(key),
            Auth::Basic => Credentials::basic(key, secret?),
            Auth::Signed => Credentials::signed(key, secret?),
        };
        let client = Client::builder()
            .credentials(credentials)
            .base_url(destination.url.clone())
            .build();
        Ok(Service {
            client: client.context("failed to set up the client")?,
            url: destination.url,
        })
    }
}

impl Service {
    /// The failure of a call that the client made.
    pub(crate) fn failed(&self, error: Error) -> CallFailed {
        CallFailed::new(error, self.url.clone())
    }

    /// Whether the service is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.url.is_loopback()
    }
}
