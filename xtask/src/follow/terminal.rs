//! A terminal in which a newcomer runs a command and reads what it shows.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::cargo::without_package;

/// The longest wait for a text, builds on a busy machine included.
const PATIENCE: Duration = Duration::from_secs(45 * 60);

/// The longest wait after Ctrl-C.
const STOPPING: Duration = Duration::from_secs(10);

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// A command that runs, and what it showed. Dropping it presses Ctrl-C.
pub(super) struct Terminal {
    child: Child,
    /// Standard output and standard error, as they come.
    shown: Arc<Mutex<String>>,
    /// Standard output alone.
    printed: Arc<Mutex<String>>,
}

impl Terminal {
    /// Runs `script` in `folder`.
    pub(super) fn open(
        name: &str,
        script: &str,
        folder: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self> {
        for line in script.lines().filter(|line| !line.is_empty()) {
            println!("{name}$ {line}");
        }
        let mut command = Command::new("sh");
        without_package(&mut command);
        for name in [
            "SINCH_APPLICATION_KEY",
            "SINCH_APPLICATION_SECRET",
            "SINCH_VERIFICATION_URL",
        ] {
            command.env_remove(name);
        }
        let mut child = command
            .args(["-e", "-c", script])
            .current_dir(folder)
            .envs(variables)
            // Ctrl-C reaches the shell and what it runs, and not this program.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("failed to start sh")?;
        let (shown, printed) = (Arc::default(), Arc::default());
        if let Some(stdout) = child.stdout.take() {
            collect(name, stdout, vec![Arc::clone(&shown), Arc::clone(&printed)]);
        }
        if let Some(stderr) = child.stderr.take() {
            collect(name, stderr, vec![Arc::clone(&shown)]);
        }
        Ok(Self {
            child,
            shown,
            printed,
        })
    }

    /// Everything that was shown by now.
    pub(super) fn shown(&self) -> String {
        text(&self.shown)
    }

    /// Standard output by now.
    pub(super) fn printed(&self) -> String {
        text(&self.printed)
    }

    /// Types `text` into the program that runs, and nothing after it.
    pub(super) fn type_in(&mut self, text: &str) -> Result<()> {
        let mut input = self.child.stdin.take().context("something was typed before")?;
        input
            .write_all(text.as_bytes())
            .context("the program takes no input")
    }

    /// Waits until the command has ended with success.
    pub(super) fn wait(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().context("failed to wait for the command")? {
                break status;
            }
            ensure!(Instant::now() < until, "the command does not end");
            thread::sleep(LOOK);
        };
        ensure!(status.success(), "the command ended with {status}");
        Ok(())
    }

    /// Waits until the lines of `expected` are shown, in this order.
    pub(super) fn wait_for(&mut self, expected: &str) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            // Looked at before the output: what a command that has ended printed is here soon.
            let ended = self.child.try_wait().context("failed to wait for the command")?;
            let Some(missing) = missing(&self.shown(), expected) else {
                return Ok(());
            };
            let missing = missing.to_owned();
            if Instant::now() > until || ended.is_some() {
                thread::sleep(Duration::from_secs(1));
                if self::missing(&self.shown(), expected).is_some() {
                    bail!(
                        "the terminal does not show `{missing}`, but this:\n{}",
                        self.shown()
                    );
                }
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let group = format!("-{}", self.child.id());
        let signal = |name| {
            let mut kill = Command::new("kill");
            // By then there may be no process left.
            drop(kill.args([name, "--", &group]).stderr(Stdio::null()).status());
        };
        signal("-INT");
        let until = Instant::now() + STOPPING;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(LOOK);
        }
        // A program that was started with SIGINT ignored, as in a background job, is still there.
        signal("-KILL");
        let _ = self.child.wait();
    }
}

/// Adds what comes to `texts`, and shows it.
fn collect(name: &str, mut from: impl Read + Send + 'static, texts: Vec<Arc<Mutex<String>>>) {
    let name = name.to_owned();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut line = String::new();
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let part = String::from_utf8_lossy(&buffer[..count]);
            for text in &texts {
                text.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&part);
            }
            line.push_str(&part);
            while let Some((whole, rest)) = line.split_once('\n') {
                println!("{name}| {whole}");
                line = rest.to_owned();
            }
        }
        if !line.is_empty() {
            println!("{name}| {line}");
        }
    });
}

fn text(shared: &Mutex<String>) -> String {
    shared.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The first line of `expected` that is not shown after the ones before it.
fn missing<'a>(shown: &str, expected: &'a str) -> Option<&'a str> {
    let mut lines = shown.lines().map(plain);
    expected
        .lines()
        .filter(|line| !plain(line).is_empty())
        .find(|line| {
            let wanted = plain(line);
            !lines.any(|line| holds(&line, &wanted))
        })
}

/// A line without what differs from run to run, and from a terminal to a pipe: spaces, the borders of
/// tables, and times.
fn plain(line: &str) -> String {
    let is_border = |c: char| ('\u{2500}'..='\u{257f}').contains(&c);
    let words = line.split(|c: char| c.is_whitespace() || is_border(c));
    let is_time = |word: &&str| word.contains('.') && word.parse::<f64>().is_ok();
    let words: Vec<&str> = words
        .filter(|word| !word.is_empty())
        .map(|word| if is_time(&word) { "0.0" } else { word })
        .collect();
    words.join(" ")
}

/// Whether `line` holds the parts of `wanted` between its `…`, in their order.
fn holds(line: &str, wanted: &str) -> bool {
    let mut rest = line;
    wanted.split('…').map(str::trim).all(|part| {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_whatever_the_times_spaces_and_borders() {
        let expected = "│ verified ┆ sms ┆ 8.4 │\n\n15 of 15\n";
        assert_eq!(
            missing("Running\nverified\tsms\t1.0\n\n15 of 15 flows\n", expected),
            None
        );
        assert_eq!(
            missing("15 of 15\nverified sms 1.0\n", expected),
            Some("15 of 15")
        );
        assert_eq!(missing("export A=b\n", "  export A=…\n"), None);
        assert_eq!(missing("verified in 3\n", "verified … 4\n"), Some("verified … 4"));
    }

    #[test]
    fn a_program_is_typed_to_and_read() {
        let folder = std::env::temp_dir();
        let mut terminal = Terminal::open(
            "test",
            "printf 'code: '; read code; echo \"got $code\"",
            &folder,
            &BTreeMap::new(),
        )
        .unwrap();
        terminal.wait_for("code:").unwrap();
        terminal.type_in("1234\n").unwrap();
        terminal.wait().unwrap();
        terminal.wait_for("got 1234").unwrap();
        assert!(terminal.wait_for("verified").is_err());
        let failed = Terminal::open("test", "false; true", &folder, &BTreeMap::new());
        assert!(failed.unwrap().wait().is_err());
    }
}
