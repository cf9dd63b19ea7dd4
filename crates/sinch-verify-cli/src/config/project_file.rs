//! The file of a project: where its emulator is, and nothing else.
//!
//! It comes with a cloned repository, so it must not send numbers, codes or credentials of a user to
//! another machine. It names hosts of this machine only, and neither an application nor a profile.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sinch_verify_protocol::BaseUrl;

use crate::exit::usage;
use crate::input;

/// Its name, in the current folder.
const NAME: &str = "sinch-verify.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectFile {
    #[serde(deserialize_with = "input::parsed")]
    url: BaseUrl,
}

/// The address in the project's file, and the file; `None` where there is none.
pub(super) fn read() -> anyhow::Result<Option<(BaseUrl, PathBuf)>> {
    let text = match std::fs::read_to_string(NAME) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|error| usage(format!("failed to read {NAME}: {error}")))?,
    };
    let url = parse(&text).map_err(|why| usage(format!("{NAME}: {why}")))?;
    Ok(Some((url, Path::new(NAME).to_owned())))
}

fn parse(text: &str) -> Result<BaseUrl, String> {
    let ProjectFile { url } = input::toml(text).map_err(|why| {
        format!("{why}; a project file holds only url, because key, secret and profile are the user's own")
    })?;
    if !url.is_loopback() {
        return Err(format!(
            "url: {} is not this machine; a project file may name 127.0.0.1, [::1] or localhost only",
            url.host()
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_project_names_this_machine_and_nothing_else() {
        for url in ["http://127.0.0.1:9901", "http://localhost:1", "http://[::1]:9901"] {
            assert_eq!(parse(&format!("url = \"{url}\"")).unwrap().to_string(), url);
        }
        for text in [
            "url = \"https://verification.api.sinch.com\"",
            "url = \"http://localhost.evil.com\"",
            "url = \"http://127.0.0.1.nip.io\"",
            "url = \"http://localhost@evil.com\"",
            "url = \"http://0.0.0.0:9901\"",
            "url = \"http://127.0.0.1\"\nlive = true",
            "url = \"http://127.0.0.1\"\nprofile = \"live\"",
            "url = \"http://127.0.0.1\"\napplication-key = \"a\"",
            "url = \"http://127.0.0.1\"\n[profile.default]\nlive = true",
            "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
