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
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use proxy::Proxy;

/// Killed, and its folder removed, when dropped.
pub(crate) struct RedisServer {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl RedisServer {
    /// Starts a server that loses nothing it answered for.
    ///
    /// `None` when the program is missing, which is reported; in CI that is a failure.
    pub(crate) fn start() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sinch-verify-redis-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // Another may take the port in between; then the next one is tried.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let Some(child) = spawn(port, &folder) else {
                let _ = std::fs::remove_dir_all(&folder);
                not_run::report("redis-server is missing: install Redis, or Valkey with a redis-server");
                return None;
            };
            let mut server = Self {
                child,
                port,
                folder: folder.clone(),
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
        self.child = spawn(self.port, &self.folder).unwrap();
        assert!(self.is_up(), "redis-server does not come up again");
    }

    /// Sends one command in its plain form, and gives the answer's first line.
    pub(crate) fn command(&self, line: &str) -> String {
        self.try_command(line).unwrap()
    }

    /// How many commands it was sent, this one not counted.
    pub(crate) fn commands(&self) -> u64 {
        let info = self.command_bytes(b"INFO stats\r\n").unwrap();
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
        stream.write_all(b"QUIT\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// `None` when there is no such program.
fn spawn(port: u16, folder: &PathBuf) -> Option<Child> {
    let port = port.to_string();
    let mut command = Command::new("redis-server");
    command.current_dir(folder).arg("--port").arg(port);
    for (name, value) in [
        ("--bind", "127.0.0.1"),
        ("--save", ""),
        ("--appendonly", "yes"),
        ("--appendfsync", "always"),
        ("--maxmemory-policy", "noeviction"),
    ] {
        command.arg(name).arg(value);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    match command.spawn() {
        Ok(child) => Some(child),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("start redis-server: {error}"),
    }
}
