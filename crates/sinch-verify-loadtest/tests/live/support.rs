//! A live host on this machine, and live runs of the command against it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use sinch_verify_emulator::{Application, Emulator, Fault, FaultRule, Operation, Settings, Spread};
use sinch_verify_loadtest::runfile::RunFile;
use sinch_verify_protocol::PhoneNumber;

use crate::exit::assert_exit;
pub(crate) use crate::fixtures::{KEY, SECRET};

/// A name that belongs to no one. The load tester takes it for a live target.
pub(crate) const HOST: &str = "verification.live.test";

/// The variable that confirms a live run.
pub(crate) const CONFIRM: &str = "SINCH_LOAD_CONFIRM";

/// The service.
pub(crate) struct Service {
    pub(crate) emulator: Emulator,
    /// A rule that never applies, and counts the starts that arrive.
    starts: u64,
    /// Where the load tester listens for callbacks.
    callbacks: String,
}

impl Service {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let callbacks = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .to_string();
        let url = format!("http://{callbacks}/callback").parse().unwrap();
        let application = Application::new(KEY.parse().unwrap(), SECRET.parse().unwrap()).callback_url(url);
        let emulator = Emulator::builder()
            .application(application)
            .settings(settings)
            .seed(7)
            .start()
            .await
            .unwrap();
        let mut count = FaultRule::api(Fault::Status { status: 500 });
        count.operation = Some(Operation::Start);
        count.probability = Some(0.0);
        let starts = emulator.add_fault(count).unwrap();
        Self {
            emulator,
            starts,
            callbacks,
        }
    }

    pub(crate) fn fault(&self, operation: Operation, fault: Fault) {
        let mut rule = FaultRule::api(fault);
        rule.operation = Some(operation);
        self.emulator.add_fault(rule).unwrap();
    }

    /// Makes every flow take this long: its report is answered late.
    pub(crate) fn slow_flows(&self, by: Duration) {
        let spread = Spread::default();
        let latency = Fault::Latency {
            from: by,
            to: by,
            spread,
        };
        self.fault(Operation::Report, latency);
    }

    /// How many starts arrived, whatever the answer was.
    pub(crate) fn starts(&self) -> u64 {
        let faults = self.emulator.faults();
        faults.iter().find(|fault| fault.id == self.starts).unwrap().seen
    }

    /// How many messages a number got.
    pub(crate) fn messages(&self, number: &str) -> usize {
        self.emulator.inbox(&PhoneNumber::parse(number).unwrap()).len()
    }

    /// A live run with every limit: one user, 40 numbers, 100 verifications, 100 EUR in all and 0.20
    /// EUR each. `name` is the name of its directory.
    pub(crate) fn run(&self, name: &str) -> LiveRun {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("live").join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let out = directory.join("out");
        // What an earlier run left must not be taken for this one's.
        let _ = std::fs::remove_dir_all(&out);
        let port = self.emulator.addr().port();
        let run = LiveRun {
            arguments: vec![("--live".to_owned(), None)],
            word: Some("11111111:100".to_owned()),
            directory,
        };
        let numbers: String = (10..50).map(|last| format!("+467000000{last}\n")).collect();
        run.set("--target", &format!("http://{HOST}:{port}"))
            .set("--resolve", &format!("{HOST}=127.0.0.1"))
            .set("--max-verifications", "100")
            .set("--max-cost", "100")
            .set("--worst-price", "0.20")
            .set("--currency", "EUR")
            .numbers(&format!("# handsets of the team\n{numbers}"))
            .set("--max-rate", "100/s")
            .set("--users", "1")
            .set("--duration", "60s")
            .set("--warm-up", "0s")
            .set("--transport", "direct")
            .set("--callback-listen", &self.callbacks)
            .set("--out", out.to_str().unwrap())
    }
}

/// A live run of the command.
pub(crate) struct LiveRun {
    arguments: Vec<(String, Option<String>)>,
    word: Option<String>,
    pub(crate) directory: PathBuf,
}

impl LiveRun {
    /// Gives `--name value`, in place of an earlier value.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        let mut run = self.without(name);
        run.arguments.push((name.to_owned(), Some(value.to_owned())));
        run
    }

    pub(crate) fn flag(mut self, name: &str) -> Self {
        self.arguments.push((name.to_owned(), None));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.arguments.retain(|(argument, _)| argument != name);
        self
    }

    /// Allows these numbers.
    pub(crate) fn numbers(self, numbers: &str) -> Self {
        let file = self.directory.join("numbers.txt");
        std::fs::write(&file, numbers).unwrap();
        self.set("--numbers", file.to_str().unwrap())
    }

    /// Allows this many verifications, and confirms the run.
    pub(crate) fn verifications(mut self, most: u32) -> Self {
        self.word = Some(format!("11111111:{most}"));
        self.set("--max-verifications", &most.to_string())
    }

    pub(crate) fn word(mut self, word: Option<&str>) -> Self {
        self.word = word.map(str::to_owned);
        self
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sinch-verify-load"));
        command
            .arg("run")
            .env("SINCH_APPLICATION_KEY", KEY)
            .env("SINCH_APPLICATION_SECRET", SECRET)
            // No proxy listens there: a run that used one would reach nothing.
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .env("http_proxy", "http://127.0.0.1:9")
            .env_remove("SINCH_LOAD_CODE")
            .env_remove(CONFIRM)
            .stdin(Stdio::null());
        for (name, value) in &self.arguments {
            command.arg(name).args(value);
        }
        if let Some(word) = &self.word {
            command.env(CONFIRM, word);
        }
        command
    }

    pub(crate) async fn output(&self) -> Output {
        output(self.command()).await
    }

    /// Runs the command, which must refuse before anything is sent. Gives what it says.
    pub(crate) async fn refusal(&self) -> String {
        let output = self.output().await;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        said(&output)
    }

    /// Runs the command, which must end for a reason that has this text. Gives its run file.
    pub(crate) async fn stopped(&self, reason: &str) -> Value {
        let output = self.output().await;
        let run = self.file();
        let stopped = &run["stopped"];
        let told = stopped["reason"].as_str().unwrap_or_default();
        assert!(told.contains(reason), "{told}\n{}", said(&output));
        if stopped["planned"] == true {
            self.assert_passed(&output);
        } else {
            assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        }
        run
    }

    /// Checks that the run passed, as far as this machine was not too busy for it.
    pub(crate) fn assert_passed(&self, output: &Output) {
        let run = RunFile::from_json(&self.text()).unwrap();
        assert_exit(output, &run, 0);
    }

    pub(crate) fn file(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    fn text(&self) -> String {
        let file = self.directory.join("out/run.json");
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }
}

pub(crate) async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// All that the command printed.
pub(crate) fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}
