//! `config`: settings that outlast a command.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl};

use crate::config::{DEFAULT_PROFILE, Destination, KEY, Origin, SECRET, UserFile};
use crate::exit::{Outcome, usage};
use crate::input;
use crate::print::{note, say};
use crate::table::Column::Value;
use crate::table::{Table, cell};

/// Settings of the user, in profiles: where a service is, and the application that asks it.
///
/// A setting is taken from a flag, the environment, the file sinch-verify.toml in the current folder, the
/// user's file, or a default, in this order; `--profile` on a command counts as a flag. Key and secret of a
/// profile go to the address of that profile and to no other. The file of a project holds only `url`, of
/// this machine.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Set a field of a profile.
    Set(SetArgs),
    /// Print one setting, as it counts now.
    Get(GetArgs),
    /// List all settings, as they count now.
    List(ListArgs),
}

#[derive(clap::Args)]
pub(crate) struct SetArgs {
    /// The field.
    #[arg(value_enum)]
    name: Name,
    /// Its value. A secret is read from standard input or `--file`, so that it is in no list of processes
    /// and in no history.
    value: Option<String>,
    /// Read the value from this file; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "value")]
    file: Option<PathBuf>,
    /// The profile.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_PROFILE)]
    profile: String,
}

#[derive(clap::Args)]
pub(crate) struct GetArgs {
    /// The setting.
    #[arg(value_enum)]
    name: Name,
    /// The profile, in place of `default`.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct ListArgs {
    /// Say where each setting comes from.
    #[arg(long)]
    show_origin: bool,
    /// The profile, in place of `default`.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Print the settings as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// The base URL of the service.
    Url,
    /// Whether the service may be another machine than this: messages and calls there cost money.
    Live,
    /// The application's key.
    ApplicationKey,
    /// The application's secret.
    ApplicationSecret,
}

impl Name {
    fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Live => "live",
            Self::ApplicationKey => KEY,
            Self::ApplicationSecret => SECRET,
        }
    }
}

impl Command {
    /// Whether the output is for scripts.
    pub(crate) fn json(&self) -> bool {
        matches!(self, Self::List(args) if args.json)
    }
}

/// Runs the command.
pub(crate) fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Set(args) => set(&args)?,
        Command::Get(args) => get(&args)?,
        Command::List(args) => list(&args)?,
    }
    Ok(Outcome::Yes)
}

fn set(args: &SetArgs) -> anyhow::Result<()> {
    let name = args.name.as_str();
    let text = args.text()?;
    let wrong = |error: &dyn std::fmt::Display| usage(format!("{name}: {error}"));
    let value: toml_edit::Value = match args.name {
        Name::Url => text
            .parse::<BaseUrl>()
            .map_err(|error| wrong(&error))?
            .to_string()
            .into(),
        Name::Live => match &*text {
            "true" => true.into(),
            "false" => false.into(),
            _ => return Err(wrong(&"must be true or false")),
        },
        Name::ApplicationKey => {
            let key: ApplicationKey = text.parse().map_err(|error| wrong(&error))?;
            key.as_str().into()
        }
        Name::ApplicationSecret => {
            let secret: ApplicationSecret = text.parse().map_err(|error| wrong(&error))?;
            secret.expose_text().into()
        }
    };
    let file = UserFile::read()?;
    file.set(&args.profile, name, value)?;
    note!(
        "{name} of profile {} is set in {}",
        args.profile,
        file.path().display()
    );
    Ok(())
}

impl SetArgs {
    /// The value that is given, asked for or read.
    fn text(&self) -> anyhow::Result<String> {
        let is_secret = self.name == Name::ApplicationSecret;
        match (&self.value, &self.file) {
            (Some(_), _) if is_secret => Err(usage(
                "a secret in the command line can be read in the list of processes and in the shell's history; \
                 leave it out and type it, or give --file FILE, where - is standard input",
            )),
            (Some(value), _) => Ok(value.clone()),
            (None, Some(file)) => text_of(input::read(file)?),
            (None, None) if !is_secret => Err(usage(format!("{} has no value; give it", self.name.as_str()))),
            (None, None) if std::io::stdin().is_terminal() => {
                let typed = rpassword::prompt_password(format!("{SECRET} (it is not shown): "));
                typed.map_err(|error| usage(format!("failed to read the secret: {error}")))
            }
            (None, None) => text_of(input::read(Path::new("-"))?),
        }
    }
}

/// The text of a file, without the line end that editors add.
fn text_of(bytes: Vec<u8>) -> anyhow::Result<String> {
    let text = String::from_utf8(bytes).map_err(|_| usage("the value is not UTF-8"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn get(args: &GetArgs) -> anyhow::Result<()> {
    let destination = Destination::find(None, args.profile.as_deref())?;
    match args.name {
        Name::Url => say!("{}", destination.url),
        Name::Live => say!("{}", destination.is_live()),
        Name::ApplicationKey => say!("{}", destination.application()?.key),
        Name::ApplicationSecret => {
            return Err(usage(
                "a secret is never printed; `sinch-verify config list` says whether it is set",
            ));
        }
    }
    Ok(())
}

/// A setting as it counts now.
#[derive(Serialize)]
struct Setting {
    name: &'static str,
    /// `None` for a secret, and for what is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// `None` for what is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let destination = Destination::find(None, args.profile.as_deref())?;
    // What is missing is listed as such.
    let application = destination.application().ok();
    let key = application.as_ref();
    let secret = key.filter(|application| application.secret.is_ok());
    let live = destination.is_live();
    let setting = |name: Name, value: Option<String>, origin: Option<&Origin>| Setting {
        name: name.as_str(),
        value,
        origin: origin.map(ToString::to_string),
    };
    let settings = [
        setting(
            Name::Url,
            Some(destination.url.to_string()),
            Some(&destination.origin),
        ),
        setting(
            Name::Live,
            Some(live.to_string()),
            Some(destination.live_origin()),
        ),
        setting(
            Name::ApplicationKey,
            key.map(|application| application.key.to_string()),
            key.map(|application| &application.origin),
        ),
        setting(
            Name::ApplicationSecret,
            None,
            secret.map(|application| &application.origin),
        ),
    ];
    if args.json {
        say!("{}", serde_json::to_string(&settings)?);
        return Ok(());
    }
    let mut columns = vec![Value("setting"), Value("value")];
    columns.extend(args.show_origin.then_some(Value("origin")));
    let mut table = Table::new(&columns);
    for Setting { name, value, origin } in settings {
        let hidden = if origin.is_some() { "(hidden)" } else { "(not set)" };
        let mut cells = vec![cell(name), cell(value.as_deref().unwrap_or(hidden))];
        if args.show_origin {
            cells.push(cell(origin.unwrap_or_default()));
        }
        table.add(cells);
    }
    table.print();
    Ok(())
}
