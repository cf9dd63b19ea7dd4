//! The file of `--settings`: applications, and how the emulator behaves.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sinch_verify_emulator::{Application, AuthorizationLevel, CallbackAuth, CallbackUrl, Settings};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl};

use crate::exit::usage;
use crate::input::{explained, maybe_parsed, parsed, read_json};

/// What the file says.
pub(super) struct SettingsFile {
    /// The first of them, as `serve` greets with it, and all of them; `None` when the file names none.
    pub(super) applications: Option<(ApplicationKey, Vec<Application>)>,
    pub(super) has_callback: bool,
    pub(super) allow_remote_callbacks: bool,
    pub(super) public_url: Option<BaseUrl>,
    pub(super) settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApplicationEntry {
    #[serde(deserialize_with = "parsed")]
    key: ApplicationKey,
    #[serde(deserialize_with = "parsed")]
    secret: ApplicationSecret,
    /// Taken besides, as while a secret is rotated.
    #[serde(default)]
    also_secrets: Vec<AlsoSecret>,
    #[serde(default, deserialize_with = "maybe_parsed")]
    callback_url: Option<CallbackUrl>,
    #[serde(default)]
    callback_auth: Option<CallbackAuth>,
    #[serde(default)]
    minimum_authorization: Option<AuthorizationLevel>,
}

#[derive(Deserialize)]
struct PublicUrl(#[serde(deserialize_with = "parsed")] BaseUrl);

#[derive(Deserialize)]
struct AlsoSecret(#[serde(deserialize_with = "parsed")] ApplicationSecret);

const APPLICATIONS: &str = "applications";
const REMOTE: &str = "allowRemoteCallbacks";
const PUBLIC_URL: &str = "publicUrl";

impl SettingsFile {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let wrong = |error: String| usage(format!("--settings: {}: {error}", file.display()));
        let mut whole: Map<String, Value> = read_json(file).map_err(wrong)?;
        let entries: Option<Vec<ApplicationEntry>> = part(&mut whole, APPLICATIONS).map_err(wrong)?;
        let allow_remote_callbacks = part(&mut whole, REMOTE).map_err(wrong)?.unwrap_or(false);
        let public_url: Option<PublicUrl> = part(&mut whole, PUBLIC_URL).map_err(wrong)?;
        let settings = serde_path_to_error::deserialize(Value::Object(whole));
        let settings: Settings =
            settings.map_err(|error| wrong(explained(&error, "", &[APPLICATIONS, REMOTE, PUBLIC_URL])))?;
        let mut first = None;
        let mut applications = Vec::new();
        let mut has_callback = false;
        for (place, entry) in entries.into_iter().flatten().enumerate() {
            first.get_or_insert_with(|| entry.key.clone());
            let mut application = Application::new(entry.key, entry.secret)
                .minimum_authorization(entry.minimum_authorization.unwrap_or(AuthorizationLevel::Public));
            if let Some(auth) = entry.callback_auth {
                application = application.callback_auth(auth);
            }
            for also in entry.also_secrets {
                application = application.also_secret(also.0);
            }
            if let Some(url) = entry.callback_url {
                if !url.is_loopback() && !allow_remote_callbacks {
                    return Err(wrong(format!(
                        "applications[{place}].callbackUrl: is not on this machine; \
                         add \"{REMOTE}\": true if that is meant"
                    )));
                }
                has_callback = true;
                application = application.callback_url(url);
            }
            applications.push(application);
        }
        Ok(Self {
            applications: first.map(|key| (key, applications)),
            has_callback,
            allow_remote_callbacks,
            public_url: public_url.map(|url| url.0),
            settings,
        })
    }
}

/// Takes one field out, so that what is left are settings.
fn part<T: DeserializeOwned>(whole: &mut Map<String, Value>, name: &str) -> Result<Option<T>, String> {
    let value = whole.remove(name);
    value
        .map(|value| serde_path_to_error::deserialize(value).map_err(|error| explained(&error, name, &[])))
        .transpose()
}
