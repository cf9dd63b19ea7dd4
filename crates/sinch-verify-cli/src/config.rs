//! Settings that outlast a command: profiles in a file of the user, and the emulator's address in a file
//! of a project.

mod project_file;
mod user_file;

use std::fmt;
use std::path::PathBuf;

use sinch_verify_client::env;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl};

use crate::exit::usage;

use user_file::Profile;
pub(crate) use user_file::{KEY, SECRET, UserFile};

/// The emulator's address when `serve` chose its default port.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:9901";

/// The profile that is used where none is named.
pub(crate) const DEFAULT_PROFILE: &str = "default";

/// Where a setting comes from. The order is that in which they count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Environment,
    Project(PathBuf),
    User { file: PathBuf, profile: String },
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment => f.write_str("environment"),
            Self::Project(file) => write!(f, "project file, {}", file.display()),
            Self::User { file, profile } => write!(f, "profile {profile}, {}", file.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The service that a command talks to, and what the user's profile says of it.
pub(crate) struct Destination {
    pub(crate) url: BaseUrl,
    pub(crate) origin: Origin,
    /// The profile whose address this is: its key and secret go to no other.
    profile: Option<(Origin, Profile)>,
    /// Whether a flag names the profile.
    is_named: bool,
}

/// The application that asks, and where it comes from.
pub(crate) struct Application {
    pub(crate) key: ApplicationKey,
    /// Or what to do about its absence: the key alone is enough for public authorization.
    pub(crate) secret: anyhow::Result<ApplicationSecret>,
    pub(crate) origin: Origin,
}

impl Destination {
    /// The service at `flag`, or else where the profile of the name `profile`, the environment, the
    /// project's file and the user's default profile say, in this order.
    pub(crate) fn find(flag: Option<&BaseUrl>, profile: Option<&str>) -> anyhow::Result<Self> {
        let is_named = profile.is_some();
        let file = if is_named {
            Some(UserFile::read()?)
        } else {
            UserFile::find()?
        };
        let profile = file.map(|file| file.take(profile)).transpose()?.flatten();
        let from_profile = profile.as_ref().and_then(|(origin, profile)| {
            let url = profile.url.clone()?;
            Some((url, origin.clone()))
        });
        let (url, origin) = if let Some(url) = flag {
            (url.clone(), Origin::Flag)
        } else if let Some(found) = from_profile.clone().filter(|_| is_named) {
            found
        } else if let Some(url) = env::base_url().map_err(usage)? {
            (url, Origin::Environment)
        } else if let Some((url, file)) = project_file::read()? {
            (url, Origin::Project(file))
        } else if let Some(found) = from_profile {
            found
        } else {
            (DEFAULT_URL.parse()?, Origin::Default)
        };
        let profile = profile.filter(|(_, profile)| match &profile.url {
            Some(own) => *own == url,
            None => url.to_string() == DEFAULT_URL,
        });
        Ok(Self {
            url,
            origin,
            profile,
            is_named,
        })
    }

    /// Whether the profile allows a host that is not this machine.
    pub(crate) fn is_live(&self) -> bool {
        self.profile.as_ref().is_some_and(|(_, profile)| profile.live)
    }

    /// Where it comes from that other machines are allowed, or not.
    pub(crate) fn live_origin(&self) -> &Origin {
        self.profile
            .as_ref()
            .map_or(&Origin::Default, |(origin, _)| origin)
    }

    /// The application of the environment, of the profile with this address, or else the development
    /// application, if the service is on this machine. A profile that was named counts before the
    /// environment, as a flag does.
    pub(crate) fn application(&self) -> anyhow::Result<Application> {
        if self.is_named
            && let Some(application) = self.of_profile()?
        {
            return Ok(application);
        }
        if let Some(application) = of_environment()? {
            return Ok(application);
        }
        if let Some(application) = self.of_profile()? {
            return Ok(application);
        }
        let (key, secret) = env::application(&self.url).map_err(usage)?;
        Ok(Application {
            key,
            secret: Ok(secret),
            origin: Origin::Default,
        })
    }

    fn of_profile(&self) -> anyhow::Result<Option<Application>> {
        let Some((origin, profile)) = &self.profile else {
            return Ok(None);
        };
        let missing = |field: &str| {
            usage(format!(
                "{origin}: {field} is missing; set it with `sinch-verify config set {field}`"
            ))
        };
        let (key, secret) = (&profile.application_key, &profile.application_secret);
        if key.is_none() && secret.is_none() {
            return Ok(None);
        }
        Ok(Some(Application {
            key: key.clone().ok_or_else(|| missing(KEY))?,
            secret: secret.clone().ok_or_else(|| missing(SECRET)),
            origin: origin.clone(),
        }))
    }
}

fn of_environment() -> anyhow::Result<Option<Application>> {
    Ok(match (env::application_key(), env::application_secret()) {
        (Err(key), Err(secret)) if key.is_not_set() && secret.is_not_set() => None,
        (key, secret) => Some(Application {
            key: key.map_err(usage)?,
            secret: secret.map_err(usage),
            origin: Origin::Environment,
        }),
    })
}
