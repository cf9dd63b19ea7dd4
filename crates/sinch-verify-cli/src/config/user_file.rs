//! The user's file: profiles, each an address with its application.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use etcetera::BaseStrategy as _;
use serde::Deserialize;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl};
use toml_edit::{DocumentMut, Item, Table};

use super::{DEFAULT_PROFILE, Origin};
use crate::exit::usage;
use crate::input;

/// An address, with the application whose key and secret go there and nowhere else.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Profile {
    #[serde(deserialize_with = "input::maybe_parsed")]
    pub(crate) url: Option<BaseUrl>,
    /// Messages and calls at the address may cost money.
    pub(crate) live: bool,
    #[serde(deserialize_with = "input::maybe_parsed")]
    pub(crate) application_key: Option<ApplicationKey>,
    #[serde(deserialize_with = "input::maybe_parsed")]
    pub(crate) application_secret: Option<ApplicationSecret>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(default)]
    profile: BTreeMap<String, Profile>,
}

/// The file as it is.
pub(crate) struct UserFile {
    path: PathBuf,
    text: String,
    content: Content,
}

impl UserFile {
    /// Reads the file; one that does not exist is empty.
    pub(crate) fn read() -> anyhow::Result<Self> {
        Self::find()?.ok_or_else(|| usage("the user's folder for settings cannot be found; set HOME"))
    }

    /// The same; `None` where the user has no folder for settings, as in a container.
    pub(crate) fn find() -> anyhow::Result<Option<Self>> {
        let Some(path) = path() else {
            return Ok(None);
        };
        let named = |why: String| usage(format!("{}: {why}", path.display()));
        let mut text = String::new();
        match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(named(format!("cannot be read: {error}"))),
            Ok(mut file) => {
                file.read_to_string(&mut text)
                    .map_err(|error| named(format!("cannot be read: {error}")))?;
                let holds_a_secret = text.contains(SECRET);
                if holds_a_secret && is_open_to_others(&file) {
                    return Err(named(format!(
                        "other users of this machine can read or change it, and it holds a secret; \
                         run chmod 600 {}",
                        path.display()
                    )));
                }
            }
        }
        let content = parse(&text).map_err(named)?;
        Ok(Some(Self { path, text, content }))
    }

    /// The profile called `name`, which must exist, or the default one if there is one.
    pub(crate) fn take(mut self, name: Option<&str>) -> anyhow::Result<Option<(Origin, Profile)>> {
        let profile = name.unwrap_or(DEFAULT_PROFILE);
        let found = self.content.profile.remove(profile);
        if let (None, Some(name)) = (&found, name) {
            return Err(usage(format!(
                "{} has no profile {name:?}; make it with `sinch-verify config set --profile {name} url URL`",
                self.path.display()
            )));
        }
        let origin = Origin::User {
            file: self.path,
            profile: profile.to_owned(),
        };
        Ok(found.map(|found| (origin, found)))
    }

    /// Sets one field of a profile, and keeps the rest of the file as it is written.
    pub(crate) fn set(
        &self,
        profile: &str,
        name: &str,
        value: impl Into<toml_edit::Value>,
    ) -> anyhow::Result<()> {
        let mut document: DocumentMut = self.text.parse().context("failed to read the file again")?;
        let profiles = document.entry("profile").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        profiles[profile].or_insert(Item::Table(Table::new()))[name] = Item::Value(value.into());
        let text = document.to_string();
        parse(&text).map_err(|why| usage(format!("the profile would be wrong: {why}")))?;
        self.write(&text)
    }

    /// Replaces the file, whole or not at all. Only its owner can read it.
    fn write(&self, text: &str) -> anyhow::Result<()> {
        let context = || format!("failed to write {}", self.path.display());
        let folder = self.path.parent().context("the file has no folder")?;
        fs::create_dir_all(folder).with_context(context)?;
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder).with_context(context)?;
        file.write_all(text.as_bytes()).with_context(context)?;
        file.persist(&self.path).with_context(context)?;
        Ok(())
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }
}

/// The field of a profile with the application's key.
pub(crate) const KEY: &str = "application-key";

/// The field of a profile that must not be read by others.
pub(crate) const SECRET: &str = "application-secret";

fn parse(text: &str) -> Result<Content, String> {
    let content: Content = input::toml(text)?;
    for (name, profile) in &content.profile {
        let Some(url) = profile.url.as_ref().filter(|url| !url.is_loopback()) else {
            continue;
        };
        if !profile.live {
            return Err(format!(
                "profile {name}: {} is not this machine: messages and calls there are real and cost money; \
                 if that is meant, set live = true first, as by \
                 `sinch-verify config set --profile {name} live true`",
                url.host()
            ));
        }
    }
    Ok(content)
}

/// Where the file is: below XDG_CONFIG_HOME or ~/.config, on Windows below the roaming application data.
fn path() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("sinch-verify").join("config.toml"))
}

#[cfg(unix)]
fn is_open_to_others(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    // A file system without modes cannot keep others out.
    file.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// Elsewhere the user's folder is the user's own.
#[cfg(not(unix))]
fn is_open_to_others(_: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_profile_of_another_machine_says_that_it_is_live() {
        let live = "[profile.live]\nurl = \"https://verification.api.sinch.com\"\n";
        let error = parse(live).err().unwrap();
        assert!(error.contains("live = true"), "{error}");
        assert!(parse(&format!("{live}live = true\n")).is_ok());
        assert!(parse("[profile.other]\nurl = \"http://[::1]:1\"\n").is_ok());
    }

    #[test]
    fn no_message_holds_a_secret() {
        for secret in [
            "\"not base64!\"",
            "12345678",
            "[\"BeIukql3pTKJ8RGL5zo0DA==\"]",
            "\"unfinished",
        ] {
            let error = parse(&format!("[profile.a]\napplication-secret = {secret}\n"));
            let error = error.err().unwrap();
            for part in ["not base64!", "12345678", "BeIukql3", "unfinished"] {
                assert!(!error.contains(part), "{error}");
            }
        }
    }
}
