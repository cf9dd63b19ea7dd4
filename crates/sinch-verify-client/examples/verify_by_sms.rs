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

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let number = env::args().nth(1).unwrap_or_else(|| "+46700000001".to_owned());
    let number: PhoneNumber = number.parse().map_err(|error| format!("{number}: {error}"))?;
    let outcome = verify(&Client::from_env()?, number).await?;
    match outcome {
        ReportOutcome::Verified(_) => Ok(say("the number is verified\n")?),
        ReportOutcome::Refused { .. } => Err("the number is not verified".into()),
        ReportOutcome::Ended(ended) => Err(format!("the number is not verified: {}", ended.status()).into()),
    }
}

/// What the last report led to.
async fn verify(client: &Client, number: PhoneNumber) -> Result<ReportOutcome, Box<dyn Error>> {
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
