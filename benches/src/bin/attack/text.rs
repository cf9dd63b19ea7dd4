//! A service whose answers contain harmful text: escape sequences, forged lines, hidden text direction, the
//! client's own secret, and complete phone numbers.

use std::env;
use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sinch_verify_benches::fixture::{KEY, SECRET};
use sinch_verify_client::protocol::method::Sms;
use sinch_verify_client::protocol::{Code, Report, Start, VerificationId};
use sinch_verify_client::{Client, RetryPolicy};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use crate::Scale;
use crate::row::{Row, not_run, note};
use crate::traffic::in_parallel;
use crate::wire::{answer, read_request};

/// The verified number, and forms in which a service may write it.
const NUMBER: &str = "+46700012345";
const GROUPED: [&str; 4] = [
    "+46 700 012 345",
    "0046-70-001-23-45",
    "+46 (70) 001.23.45",
    "+46700012345",
];

/// The beginning of a forged line of the program.
const FORGED: &str = "forged: ";

/// Text that controls a terminal or breaks a line.
const CONTROLS: [&str; 12] = [
    "\u{1b}]0;title\u{7}",
    "\u{1b}[2J\u{1b}[1;1H",
    "\u{9b}2J",
    "\r\nforged: verified",
    "\nforged: verified",
    "\u{85}forged: verified",
    "\u{2028}forged: verified",
    "\u{0}\u{8}\u{7f}",
    "\u{202e}verified\u{202c}",
    "\u{2066}verified\u{2069}",
    "\u{200e}verified\u{200f}",
    "\u{61c}verified",
];

/// Commands that show an answer of the service.
const COMMANDS: [&[&str]; 3] = [
    &["start", NUMBER],
    &["report", "--id", "1", "--code", "1234"],
    &["status", "--id", "1"],
];

pub(crate) async fn run(scale: Scale) -> Result<()> {
    let answers = Arc::new(answers()?);
    let url = serve(&answers).await?;
    let begun = Instant::now();
    let runs = Arc::new(Runs::new(&url, answers.len(), scale));
    in_parallel(runs.count, 8, &runs, |runs, n| async move {
        errors(&runs.url(runs.of_all(n)), &runs.shown).await
    })
    .await?;
    runs.print("text: in the client's errors", begun)?;

    let Some(program) = env::var_os("SINCH_VERIFY") else {
        not_run(
            "text: in the output of `sinch-verify`",
            "SINCH_VERIFY does not name the program",
        );
        return Ok(());
    };
    for (attack, format) in [
        ("text: in the output of `sinch-verify`", None),
        ("text: in the output of `sinch-verify --json`", Some("--json")),
    ] {
        let begun = Instant::now();
        let runs = Runs::new(&url, answers.len() * COMMANDS.len(), scale);
        let shared = Arc::new((runs, program.clone()));
        in_parallel(shared.0.count, 8, &shared, move |shared, n| async move {
            let nth = shared.0.of_all(n);
            let words = COMMANDS[nth % COMMANDS.len()];
            let url = shared.0.url(nth / COMMANDS.len());
            let run = Arc::clone(&shared);
            let [out, err] = spawn_blocking(move || output(&run.1, &url, words, format)).await??;
            let printed = format!("{out}{err}");
            // As JSON, an error is on both outputs.
            let errors = if out.starts_with("{\"error\"") {
                &printed
            } else {
                &err
            };
            shared.0.shown.look_at(&printed, errors);
            Ok(())
        })
        .await?;
        shared.0.print(attack, begun)?;
    }
    Ok(())
}

/// The selected answers, and the findings.
struct Runs {
    base: String,
    all: usize,
    count: u64,
    shown: Shown,
}

impl Runs {
    fn new(base: &str, all: usize, scale: Scale) -> Self {
        Self {
            base: base.to_owned(),
            all,
            count: scale.of(all as u64, 100),
            shown: Shown::default(),
        }
    }

    /// The answer of the `n`th run. With fewer runs than answers, they are distributed evenly.
    fn of_all(&self, n: u64) -> usize {
        (n as usize * self.all) / self.count as usize
    }

    /// The service with this answer.
    fn url(&self, answer: usize) -> String {
        format!("{}/{answer}", self.base)
    }

    fn print(&self, attack: &str, begun: Instant) -> Result<()> {
        for (counted, count) in [
            ("controls and forged lines", &self.shown.controls),
            ("secrets and whole numbers in errors", &self.shown.secrets),
        ] {
            Row {
                attack,
                sent: self.count,
                counted,
                count: count.load(Ordering::Relaxed),
                goal: Some(0),
                took: begun.elapsed(),
                memory: None,
            }
            .print()?;
        }
        Ok(())
    }
}

/// The counts of forbidden text that was shown.
#[derive(Default)]
struct Shown {
    controls: AtomicU64,
    secrets: AtomicU64,
}

impl Shown {
    /// Searches a text for control characters, and its errors for private data. A requested answer may
    /// contain private data.
    fn look_at(&self, text: &str, errors: &str) {
        let controls = text.chars().filter(|c| acts(*c)).count();
        let forged = text.lines().filter(|line| line.starts_with(FORGED)).count();
        let basic = STANDARD.encode(format!("{KEY}:{SECRET}"));
        let private = [SECRET, &basic].into_iter().chain(GROUPED);
        let secrets = private.filter(|private| errors.contains(private)).count();
        for (count, found, text) in [
            (&self.controls, controls + forged, text),
            (&self.secrets, secrets, errors),
        ] {
            let before = count.fetch_add(found as u64, Ordering::Relaxed);
            // The first finding.
            if before == 0 && found > 0 {
                note(&format!("{text:?}"));
            }
        }
    }
}

/// Whether a character has an effect other than being shown. Line ends are checked separately.
fn acts(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Each text in each place of an answer.
fn answers() -> Result<Vec<String>> {
    let basic = format!("Basic {}", STANDARD.encode(format!("{KEY}:{SECRET}")));
    let secret = format!("signed with {SECRET}");
    let texts = CONTROLS
        .into_iter()
        .chain(GROUPED)
        .chain([secret.as_str(), &basic]);
    let mut answers = Vec::new();
    for text in texts {
        let json = serde_json::to_string(text)?;
        let bodies = [
            (
                "400 Bad",
                format!(r#"{{"errorCode":40000,"message":{json},"reference":{json}}}"#),
            ),
            (
                "403 Forbidden",
                format!(r#"{{"errorCode":40303,"message":{json}}}"#),
            ),
            ("404 Not Found", text.to_owned()),
            ("200 OK", text.to_owned()),
            (
                "200 OK",
                format!(r#"{{"id":{json},"method":"sms","status":"PENDING"}}"#),
            ),
            (
                "200 OK",
                format!(r#"{{"id":"1","method":{json},"status":"PENDING"}}"#),
            ),
            (
                "200 OK",
                format!(r#"{{"id":"1","method":"sms","status":{json}}}"#),
            ),
            (
                "200 OK",
                format!(r#"{{"id":"1","method":"sms","status":"FAIL","reason":{json},"source":{json}}}"#),
            ),
            (
                "200 OK",
                format!(r#"{{"id":"1","method":"sms","status":"FAIL","reference":{json},"custom":{json}}}"#),
            ),
            (
                "200 OK",
                format!(
                    r#"{{"id":"1","method":"sms","status":"FAIL","price":{{"verificationPrice":{{"currencyId":{json},"amount":1}}}}}}"#
                ),
            ),
            (
                "200 OK",
                format!(r#"{{"id":"1","method":"sms","sms":{{"template":{json},"codeType":{json}}}}}"#),
            ),
            (
                "200 OK",
                format!(r#"{{"id":"1","method":"sms","more":{{{json}:{json}}}}}"#),
            ),
        ];
        for (status, body) in bodies {
            answers.push(answer(
                status,
                "content-type: application/json\r\nconnection: close\r\n",
                &body,
            ));
        }
    }
    Ok(answers)
}

/// Answers a request whose path begins with `/N` with the `N`th answer.
async fn serve(answers: &Arc<Vec<String>>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let answers = Arc::clone(answers);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answers = Arc::clone(&answers);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let request = read_request(&mut stream).await?;
                let n: usize = request.split('/').nth(1)?.parse().ok()?;
                stream.write_all(answers.get(n)?.as_bytes()).await.ok()
            });
        }
    });
    Ok(url)
}

/// Checks the errors of a client's calls, in each of their forms.
async fn errors(url: &str, shown: &Shown) -> Result<()> {
    let client = Client::builder()
        .application_signed(KEY, SECRET)
        .base_url(url)
        .retry(RetryPolicy::never())
        .build()?;
    let report = Report::<Sms>::by_id(VerificationId::new("1")?, Code::new("1234")?);
    let ends = [
        client.start(Start::sms(NUMBER.parse()?)).await.err(),
        client.report(report).await.err(),
        client.status_by_id(VerificationId::new("1")?).await.err(),
    ];
    for error in ends.into_iter().flatten() {
        let forms = format!("{error}\n{error:#}\n{error:?}");
        shown.look_at(&forms, &forms);
    }
    Ok(())
}

/// The standard output and the standard error of a command.
fn output(program: &OsString, url: &str, words: &[&str], format: Option<&str>) -> Result<[String; 2]> {
    let output = Command::new(program)
        .args(words)
        .args(format)
        .env("SINCH_VERIFICATION_URL", url)
        .env("SINCH_APPLICATION_KEY", KEY)
        .env("SINCH_APPLICATION_SECRET", SECRET)
        .stdin(Stdio::null())
        .output()
        .context("failed to start sinch-verify")?;
    Ok([output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}
