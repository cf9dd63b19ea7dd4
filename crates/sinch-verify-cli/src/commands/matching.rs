//! `match cli-filter` and `match sms-template`: what an app does without the
//! mobile SDK, from the command line.

use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use sinch_verify_protocol::caller_id::Candidates;
use sinch_verify_protocol::cli_filter::Dialect;
use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::untrusted::escape;
use sinch_verify_protocol::{CliFilter, Code, CodeType, NumberPlans, SmsTemplate};

use crate::exit::{Outcome, usage};
use crate::input;
use crate::print::{note, say};

/// What to match.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Match a caller id against a `cliFilter`. Prints the form that matched.
    ///
    /// Exit code 0 for a match, 1 for none, 2 for a filter that is an error.
    CliFilter {
        /// The filter of the start's answer, such as `(.*)70123(.*)`.
        filter: String,
        /// The caller id, as the handset shows it.
        #[arg(allow_hyphen_values = true)]
        number: String,
        /// How to read the filter. `android` takes only the text inside brackets
        /// as a pattern, `regex` all of it; `auto` is `android`, and `regex` only
        /// where that cannot be meant.
        #[arg(long, default_value = "android")]
        dialect: Dialect,
        /// Also try the caller id without punctuation, with `00` as `+`, and with
        /// `+` before bare digits.
        #[arg(long)]
        candidates: bool,
        /// The country in which the handset is, such as `SE`: also try the caller id
        /// as the number that it is there. Prints, on a second line, what an app
        /// would report.
        #[arg(long, value_name = "CC")]
        country: Option<Country>,
    },
    /// Cut the code out of a message by its template, as a flow does. Prints the code.
    ///
    /// Exit code 0 for a code, 1 for none, 2 for a template that is an error.
    SmsTemplate {
        /// The template of the start's answer, with `{{CODE}}`.
        template: String,
        /// The message; `-` reads it from standard input.
        message: String,
        /// The characters of the code, as `codeType` of the start's answer: only a run of them is a code.
        /// Without it, any code is taken.
        #[arg(
            long,
            value_name = "TYPE",
            value_parser = PossibleValuesParser::new(["numeric", "alpha", "alphanumeric"]).map(CodeType::from)
        )]
        code_type: Option<CodeType>,
    },
}

/// Runs the command.
pub(crate) fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::CliFilter {
            filter,
            number,
            dialect,
            candidates,
            country,
        } => {
            let filter = CliFilter::compile_as(&filter, dialect).map_err(usage)?;
            if filter.matches_everything() {
                note!("warning: this filter matches every caller");
            }
            let caller = Candidates::new(&number);
            let caller = match country {
                Some(country) => caller.with_country(country, &NumberPlans::new()),
                None => caller,
            };
            let found = if candidates || country.is_some() {
                filter.find(&caller).map(|candidate| candidate.text().to_owned())
            } else {
                filter.matches(&number).then(|| number.clone())
            };
            // Where nothing matched, it may be for how the filter was read.
            if found.is_none() {
                note!("no match; dialect: {}", filter.dialect());
            }
            let outcome = print(found.as_deref());
            if found.is_some() && country.is_some() {
                match caller.e164() {
                    Some(number) => say!("{number}"),
                    None => say!("{}", escape(number.trim())),
                }
            }
            Ok(outcome)
        }
        Command::SmsTemplate {
            template,
            message,
            code_type,
        } => {
            let template = SmsTemplate::parse(&template).map_err(usage)?;
            let message = match message.as_str() {
                "-" => String::from_utf8(input::read(Path::new("-"))?)
                    .map_err(|_| usage("the message on standard input is not UTF-8 text"))?,
                _ => message,
            };
            let found = template.find_code(&message, code_type.as_ref());
            if found.is_none() {
                note!("the message holds no code where the template has it");
            }
            Ok(print(found.as_ref().map(Code::expose)))
        }
    }
}

fn print(found: Option<&str>) -> Outcome {
    if let Some(found) = found {
        say!("{}", escape(found));
    }
    found.is_some().into()
}
