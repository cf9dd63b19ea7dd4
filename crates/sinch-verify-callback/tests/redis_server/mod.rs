//! A redis-server of the test's own, on a free port.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses a part of this file"
)]

#[path = "../../../../xtask/src/test/not_run.rs"]
mod not_run;
mod proxy;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use proxy::{Fault, Proxy};

/// Killed, and its folder removed, when dropped.
pub(crate) struct RedisServer {
    child: Child,
    port: u16,
    folder: Arc<Folder>,
    arguments: Vec<String>,
}

/// A folder of a server's own, removed when dropped.
struct Folder(PathBuf);

impl RedisServer {
    /// The name of the primary that [`RedisServer::sentinel`] watches.
    pub(crate) const PRIMARY: &'static str = "mymaster";

    /// The commands that one command of the test takes, at most.
    pub(crate) const ASKING: u64 = 3;

    /// Starts a server that loses nothing it answered for.
    ///
    /// `None` when the program is missing, which is reported; in CI that is a failure.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(|_| Vec::new())
    }

    /// As [`RedisServer::start`], with more options. They are given the
    /// server's folder, to write files to.
    pub(crate) fn start_with(options: impl FnOnce(&Path) -> Vec<String>) -> Option<Self> {
        let folder = Folder::new();
        let mut arguments = texts(&["--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        arguments.extend(texts(&["--maxmemory-policy", "noeviction"]));
        arguments.extend(options(&folder.0));
        Self::start_in(folder, &arguments)
    }

    /// Starts a Sentinel that watches `primary`. It fails over when it is told
    /// to, and not by itself: this machine may be slow.
    pub(crate) fn sentinel(primary: &Self) -> Option<Self> {
        let folder = Folder::new();
        let (file, name) = (folder.0.join("sentinel.conf"), Self::PRIMARY);
        let text = format!(
            "sentinel monitor {name} 127.0.0.1 {} 1\nsentinel down-after-milliseconds {name} 600000\n",
            primary.port
        );
        std::fs::write(&file, text).unwrap();
        Self::start_in(folder, &[file.display().to_string(), "--sentinel".to_owned()])
    }

    fn start_in(folder: Folder, arguments: &[String]) -> Option<Self> {
        let folder = Arc::new(folder);
        // Another may take the port in between; then the next one is tried.
        for _ in 0..10 {
            let port = free_port();
            let Some(child) = spawn(port, &folder.0, arguments) else {
                not_run::report("redis-server is missing: install Redis, or Valkey with a redis-server");
                return None;
            };
            let mut server = Self {
                child,
                port,
                folder: Arc::clone(&folder),
                arguments: arguments.to_vec(),
            };
            if server.is_up() {
                return Some(server);
            }
            server.kill();
        }
        panic!("redis-server does not come up; see its log in the test's output");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A way to it that can be taken away.
    pub(crate) async fn proxy(&self) -> Proxy {
        Proxy::to(self.port).await
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again, with what it had written.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.port, &self.folder.0, &self.arguments).unwrap();
        assert!(self.is_up(), "redis-server does not come up again");
    }

    /// Stops it where it is, with its connections open, until [`RedisServer::resume`].
    pub(crate) fn suspend(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let done = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(done.success(), "kill {signal} {id}");
    }

    /// Sends one command in its plain form, and gives the answer's first line.
    pub(crate) fn command(&self, line: &str) -> String {
        self.try_command(line).unwrap()
    }

    /// As [`RedisServer::command`], but gives the whole answer.
    pub(crate) fn whole_answer(&self, line: &str) -> String {
        self.command_bytes(format!("{line}\r\n").as_bytes()).unwrap()
    }

    /// Returns once the answer to a command has `part` in it.
    pub(crate) async fn until(&self, line: &str, part: &str) {
        let begin = Instant::now();
        loop {
            let answer = self.whole_answer(line);
            if answer.contains(part) {
                return;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "{line} does not answer {part}: {answer}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many commands it was sent.
    pub(crate) fn commands(&self) -> u64 {
        let info = self.whole_answer("INFO stats");
        let field = "total_commands_processed:";
        let at = info.find(field).unwrap() + field.len();
        info[at..].lines().next().unwrap().trim().parse().unwrap()
    }

    fn is_up(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if self.try_command("PING").is_some_and(|answer| answer == "+PONG") {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn try_command(&self, line: &str) -> Option<String> {
        let answer = self.command_bytes(format!("{line}\r\n").as_bytes())?;
        Some(answer.lines().next()?.to_owned())
    }

    fn command_bytes(&self, line: &[u8]) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(line).ok()?;
        // A Sentinel knows no QUIT, and a server that loads its data no PING.
        stream.write_all(b"PING end-of-answer\r\nQUIT\r\n").ok()?;
        let mut answer = String::new();
        while !answer.contains("end-of-answer") {
            let mut part = [0; 4096];
            match stream.read(&mut part).ok()? {
                0 => break,
                len => answer.push_str(str::from_utf8(&part[..len]).ok()?),
            }
        }
        Some(answer)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sinch-verify-redis-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub(crate) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// `None` when there is no such program.
fn spawn(port: u16, folder: &Path, arguments: &[String]) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.current_dir(folder).args(arguments);
    command.arg("--port").arg(port.to_string());
    command.args(["--bind", "127.0.0.1"]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    match command.spawn() {
        Ok(child) => Some(child),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("start redis-server: {error}"),
    }
}
