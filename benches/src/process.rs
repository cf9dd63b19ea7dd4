//! Processes that read commands in lines and answer in lines of JSON, so that programs in any language can
//! be measured; and their CPU time and memory.
//!
//! A bench runs servers and clients on separate cores.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

/// The variable with the cores for [`Core::Server`] and [`Core::Client`], such as `0 1`. Set before any
/// process is pinned, and passed on to child processes.
const CORES: &str = "LOOPBACK_CORES";

/// The core of a process.
#[derive(Clone, Copy, Debug)]
pub enum Core {
    /// The first available core, for servers.
    Server,
    /// The last available core, for clients. The same core if there is only one.
    Client,
}

impl Core {
    /// Starts this program again on the core of clients, unless it runs there. Returns its exit status.
    ///
    /// # Errors
    ///
    /// There is no `/proc` or no `taskset`.
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

    /// The command that runs `program` on this core.
    ///
    /// # Errors
    ///
    /// [`Core::pin`] has not been called.
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

/// A process that answers each line with a line.
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts this program again, in the role that `args` name.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub fn ours<const N: usize>(core: Core, args: [&str; N]) -> Result<Self> {
        let mut command = core.command(env::current_exe()?)?;
        command.args(args);
        Self::start(command)
    }

    /// Starts `command`. `taskset` becomes the program it starts, so the process is the program's.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
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
    /// The process has ended, or printed something other than JSON.
    pub fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        ensure!(
            self.output.read_line(&mut line)? > 0,
            "the process ended; its error is printed above"
        );
        serde_json::from_str(&line).with_context(|| format!("the process printed {line:?}"))
    }

    /// Sends a line. Returns the answer.
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
    /// The system does not report it.
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // The time of ended threads is missing, but none of ours end.
            let text = fs::read_to_string(task?.path().join("schedstat"))
                .context("failed to read schedstat: these benches need a kernel with CONFIG_SCHED_INFO")?;
            let spent = text.split(' ').next().unwrap_or_default();
            nanoseconds += spent.parse::<u64>().context("schedstat is no number")?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The bytes of memory that it uses now.
    ///
    /// # Errors
    ///
    /// The system does not report it.
    pub fn resident(&self) -> Result<u64> {
        memory(self.child.id(), "VmRSS:").context("/proc names no resident size")
    }
}

/// The most bytes of memory that a process has used so far; `None` if there is no `/proc`.
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

/// A dropped worker ends its process.
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
/// `answer` fails, or the input cannot be read.
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
/// There is no such word, or it is not a number.
pub fn number(words: &[&str], place: usize) -> Result<u64> {
    match words.get(place) {
        Some(word) => word.parse().with_context(|| format!("{word:?} is no number")),
        None => bail!("{words:?} has no word {place}"),
    }
}

/// The port that a server prints.
///
/// # Errors
///
/// It prints no port.
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
