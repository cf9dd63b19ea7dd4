//! Processes that are asked in lines and answer in lines of JSON, so that programs in any language
//! can stand beside ours; and what they cost.
//!
//! A bench puts servers and clients on cores of their own.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

/// Which cores there are for [`Core::Server`] and [`Core::Client`]: `0 1`. Found out before
/// anything is pinned, and handed on.
const CORES: &str = "LOOPBACK_CORES";

/// Where a process runs.
#[derive(Clone, Copy, Debug)]
pub enum Core {
    /// The first core we may use: servers.
    Server,
    /// The last one: clients. The same where there is only one.
    Client,
}

impl Core {
    /// Starts this program again on the core of clients, unless it is there: gives how it ended.
    ///
    /// # Errors
    ///
    /// When there is no `/proc` or no `taskset`.
    pub fn pin() -> Result<Option<ExitStatus>> {
        if env::var_os(CORES).is_some() {
            return Ok(None);
        }
        let status = fs::read_to_string("/proc/self/status")
            .context("failed to read /proc: these benches need Linux")?;
        let list = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
            .context("/proc names no cores that we may use")?;
        // Such as `0-3,8`.
        let mut ends = list.trim().split([',', '-']);
        let first = ends.next().unwrap_or("0");
        let last = ends.next_back().unwrap_or(first);
        let status = Command::new("taskset")
            .args(["--cpu-list", last])
            .arg(env::current_exe()?)
            .args(env::args_os().skip(1))
            .env(CORES, format!("{first} {last}"))
            .status()
            .context("failed to start taskset; it comes with util-linux")?;
        Ok(Some(status))
    }

    /// `program`, to be run on this core.
    ///
    /// # Errors
    ///
    /// When [`Core::pin`] has not been called.
    pub fn command(self, program: impl AsRef<OsStr>) -> Result<Command> {
        let cores = env::var(CORES).context("the cores are not known: this is not started by hand")?;
        let mut cores = cores.split(' ');
        let core = match self {
            Self::Server => cores.next(),
            Self::Client => cores.next_back(),
        };
        let mut command = Command::new("taskset");
        command
            .args(["--cpu-list", core.unwrap_or("0")])
            .arg(program.as_ref());
        Ok(command)
    }
}

/// A process that is asked a line and answers a line.
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// This program again, in the role that `args` name.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn ours<const N: usize>(core: Core, args: [&str; N]) -> Result<Self> {
        let mut command = core.command(env::current_exe()?)?;
        command.args(args);
        Self::start(command)
    }

    /// Starts `command`. `taskset` becomes the program it starts, so the process is the program's.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start {}", command.get_program().display()))?;
        let input = child.stdin.take().context("the process has no input")?;
        let output = child.stdout.take().context("the process has no output")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// The next line that the process prints.
    ///
    /// # Errors
    ///
    /// When the process has ended, or printed something else than JSON.
    pub fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        ensure!(
            self.output.read_line(&mut line)? > 0,
            "the process ended; it says why above"
        );
        serde_json::from_str(&line).with_context(|| format!("the process printed {line:?}"))
    }

    /// Says a line, and gives what comes back.
    ///
    /// # Errors
    ///
    /// As [`Worker::answer`].
    pub fn ask(&mut self, line: &str) -> Result<Value> {
        writeln!(self.input, "{line}")?;
        self.answer()
    }

    /// The CPU time of all its threads so far.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread that ended in between takes its time with it: none of ours does.
            let text = fs::read_to_string(task?.path().join("schedstat"))
                .context("failed to read schedstat: these benches need a kernel with CONFIG_SCHED_INFO")?;
            let spent = text.split(' ').next().unwrap_or_default();
            nanoseconds += spent.parse::<u64>().context("schedstat is no number")?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The bytes of memory it has now.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn resident(&self) -> Result<u64> {
        memory(self.child.id(), "VmRSS:").context("/proc names no resident size")
    }
}

/// The most bytes of memory that a process had so far; `None` where there is no `/proc`.
#[must_use]
pub fn peak(process: u32) -> Option<u64> {
    memory(process, "VmHWM:")
}

fn memory(process: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// No process outlives the one that started it.
impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers lines of standard input with lines of standard output, until there are no more.
///
/// # Errors
///
/// When `answer` fails, or the input cannot be read.
#[expect(clippy::print_stdout, reason = "the process that asked reads it from there")]
pub fn serve_lines(mut answer: impl FnMut(&[&str]) -> Result<Value>) -> Result<()> {
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        println!("{}", answer(&words)?);
    }
    Ok(())
}

/// The word at `place` of a line, as a number.
///
/// # Errors
///
/// When there is no such word, or it is no number.
pub fn number(words: &[&str], place: usize) -> Result<u64> {
    match words.get(place) {
        Some(word) => word.parse().with_context(|| format!("{word:?} is no number")),
        None => bail!("{words:?} has no word {place}"),
    }
}

/// The port that a server says it listens on.
///
/// # Errors
///
/// When it says none.
pub fn port(ready: &Value) -> Result<u16> {
    let port = ready["port"].as_u64().context("a server named no port")?;
    Ok(u16::try_from(port)?)
}

/// Prints the port that a server listens on, for [`port`] to read.
#[expect(
    clippy::print_stdout,
    reason = "the process that started the server reads it from there"
)]
pub fn ready(port: u16) {
    println!("{}", json!({ "port": port }));
}
