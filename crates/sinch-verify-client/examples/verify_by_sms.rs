//! Verifies a phone number by SMS.
//!
//! Run `sinch-verify serve` in another terminal, paste the lines it prints into this one, then:
//!
//! ```text
//! cargo run -p sinch-verify-client --example verify_by_sms -- +46700000001
//! ```
//!
//! What the number got is shown by `curl $SINCH_VERIFICATION_URL/_emu/numbers/+46700000001/messages`.
//! `SINCH_VERIFICATION_URL` may name the real service, which sends a real message that costs money.

use std::env;
use std::error::Error;
use std::io::{BufRead as _, Write as _};

use sinch_verify_client::protocol::verification::Source;
use sinch_verify_client::protocol::{Code, PhoneNumber, Start, Status};
use sinch_verify_client::{Client, ReportOutcome};

const LOCAL: &str = "http://127.0.0.1:9901";

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "talks to a person")]
async fn main() -> std::process::ExitCode {
    match run().await {
        Ok(ReportOutcome::Verified(_)) => {
            println!("the number is verified");
            std::process::ExitCode::SUCCESS
        }
        Ok(ReportOutcome::Ended(ended)) => {
            println!("the number is not verified: {}", ended.status());
            std::process::ExitCode::FAILURE
        }
        Ok(ReportOutcome::Refused { .. }) => {
            println!("the number is not verified");
            std::process::ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("failed to {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// What the last report led to.
async fn run() -> Result<ReportOutcome, Box<dyn Error>> {
    let number = env::args().nth(1).unwrap_or_else(|| "+46700000001".to_owned());
    let number: PhoneNumber = number
        .parse()
        .map_err(|error| format!("read the number: {error}"))?;
    let client = Client::builder()
        .application_signed(
            &variable("SINCH_APPLICATION_KEY")?,
            &variable("SINCH_APPLICATION_SECRET")?,
        )
        .base_url(env::var("SINCH_VERIFICATION_URL").unwrap_or_else(|_| LOCAL.to_owned()))
        .build()?;

    let handle = client.start(Start::sms(number)).await?;
    say(&format!(
        "started verification {} of {}\n",
        handle.id,
        number.masked()
    ))?;

    loop {
        say("code: ")?;
        let mut typed = String::new();
        if std::io::stdin().lock().read_line(&mut typed)? == 0 {
            return Err("read the code: standard input has ended".into());
        }
        let code = match Code::new(typed.trim()) {
            Ok(code) => code,
            // A slip of the finger is no attempt.
            Err(error) => {
                say(&format!("{error}\n"))?;
                continue;
            }
        };
        let outcome = handle.report_from(Source::Manual, code).await?;
        // Refused: a wrong code, or a verification that has ended meanwhile. Its status tells which.
        let may_try_again = matches!(outcome, ReportOutcome::Refused { .. })
            && handle.status().await?.status == Status::Pending;
        if !may_try_again {
            return Ok(outcome);
        }
        say("that is not the code, try again\n")?;
    }
}

fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("read {name}; `sinch-verify serve` prints what to set"))
}
