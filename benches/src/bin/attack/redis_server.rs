//! A redis-server for the attack.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use redis::{Connection, FromRedisValue};
use tempfile::TempDir;

/// The reason why an attack that needs one does not run.
pub(crate) const MISSING: &str = "redis-server is missing; `apt-get install redis-server` brings it";

/// The time limit for the first answer after the start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server. Dropping it ends the process and removes its folder.
pub(crate) struct Redis {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Redis {
    /// Starts a server that persists every write before it answers. `None` if the program is missing.
    pub(crate) fn start() -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let child = match command(port, &folder).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("failed to start redis-server"),
        };
        let mut server = Self { child, port, folder };
        server.wait_until_up()?;
        Ok(Some(server))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Sends one command, such as `CONFIG SET timeout 1`, over a new connection.
    pub(crate) fn command<T: FromRedisValue>(&self, line: &str) -> Result<T> {
        let words: Vec<&str> = line.split(' ').collect();
        let (name, args) = words.split_first().context("no command")?;
        let mut command = redis::cmd(name);
        command.arg(args);
        command
            .query(&mut self.connect()?)
            .with_context(|| format!("failed to send `{line}` to redis-server"))
    }

    /// Kills the server and starts it again with its data.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.end();
        self.child = command(self.port, &self.folder).spawn()?;
        self.wait_until_up()
    }

    /// Stops or continues the process, with signal `STOP` or `CONT`.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()?;
        ensure!(status.success(), "failed to signal redis-server");
        Ok(())
    }

    fn connect(&self) -> Result<Connection> {
        let connection = redis::Client::open(self.url())?.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        Ok(connection)
    }

    fn wait_until_up(&mut self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("redis-server ended with {status}; it may have found its port taken");
            }
            // The connection is refused until it listens, and there is an error until its data is loaded.
            if self.command::<String>("PING").is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(5));
        }
        bail!("redis-server does not come up")
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.end();
    }
}

fn command(port: u16, folder: &TempDir) -> Command {
    let mut command = Command::new("redis-server");
    command.current_dir(folder).args(["--port", &port.to_string()]);
    for option in [
        ["--bind", "127.0.0.1"],
        ["--save", ""],
        ["--appendonly", "yes"],
        ["--appendfsync", "always"],
        ["--maxmemory-policy", "noeviction"],
        ["--repl-diskless-sync-delay", "0"],
    ] {
        command.args(option);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}
