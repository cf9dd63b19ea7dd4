//! The root folder of an image: a static command and what it reads, and nothing else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::archive::split;
use super::{Built, copy, dist, empty_folder, image_architecture};
use crate::cargo::{read, run};

/// The user of the images, which exists on no system.
const USER: &str = "65532:65532";

/// The certificates of the machine that builds; a live run checks the service's certificate by them.
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

/// The most that an image may take, in bytes.
const MAX_SIZE: u64 = 30_000_000;

/// Makes `target/distrib/root/COMMAND/ARCHITECTURE` for each command, and runs the command there.
pub(super) fn make(built: &Built) -> Result<()> {
    let dist = dist()?;
    for product in &built.products {
        let root = dist
            .join("root")
            .join(&product.command)
            .join(image_architecture()?);
        let symbols = dist.join("root-symbols").join(&product.command);
        empty_folder(&root)?;
        empty_folder(&symbols)?;
        split(product, &built.folder, &root, &symbols)?;
        let certificates = root.join(CERTIFICATES);
        fs::create_dir_all(certificates.with_file_name(""))?;
        copy(&Path::new("/").join(CERTIFICATES), &certificates)?;
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            copy(Path::new(licence), &root.join(licence))?;
        }
        let size = fs::metadata(root.join(&product.command))?.len() + fs::metadata(&certificates)?.len();
        println!("{}: {size} bytes", root.display());
        ensure!(
            size <= MAX_SIZE,
            "{}: {size} bytes, more than {MAX_SIZE}: find what made it grow",
            root.display()
        );
    }
    prove_emulator(&dist.join("root/sinch-verify").join(image_architecture()?))?;
    prove_load_tester(&dist.join("root/sinch-verify-load").join(image_architecture()?))
}

/// The flows of the demo, and the emulator as the image runs it with the image's health check.
fn prove_emulator(root: &Path) -> Result<()> {
    run(inside(root)?.args(["/sinch-verify", "demo"]), CANNOT_ENTER)?;
    // A free port; the emulator takes it a moment later.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let serve = [
        "/sinch-verify",
        "serve",
        "--allow-host",
        "localhost",
        "--port",
        &port.to_string(),
    ];
    let child = inside(root)?.args(serve).stdout(Stdio::null()).spawn();
    let mut emulator = Running(child.context("failed to start the emulator")?);
    wait_until_ready(&mut emulator, port)?;
    let url = format!("http://127.0.0.1:{port}");
    read(inside(root)?.args(["/sinch-verify", "inbox", "--url", &url]))?;
    println!("the emulator is ready in {} and healthy", root.display());
    Ok(())
}

/// A short run against the emulator that the load tester brings along.
fn prove_load_tester(root: &Path) -> Result<()> {
    let load = ["/sinch-verify-load", "run", "--rate", "5/s", "--duration", "2s"];
    run(inside(root)?.args(load), CANNOT_ENTER)
}

const CANNOT_ENTER: &str = "see above; a user other than root needs user namespaces \
     (`sysctl kernel.apparmor_restrict_unprivileged_userns=0` on Ubuntu)";

/// A command in the folder as its root directory, as a user without rights.
fn inside(root: &Path) -> Result<Command> {
    let is_root = read(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command;
    if is_root {
        command = Command::new("chroot");
        command.arg(format!("--userspec={USER}")).arg(root);
    } else {
        command = Command::new("unshare");
        command.args(["--map-root-user", "--root"]).arg(root);
    }
    // An image has no variables of this machine either.
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    Ok(command)
}

/// A program that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Waits until `/readyz` says that requests are taken.
fn wait_until_ready(emulator: &mut Running, port: u16) -> Result<()> {
    for _ in 0..600 {
        if let Some(status) = emulator.0.try_wait()? {
            bail!("the emulator ended with {status}");
        }
        if is_ready(port).unwrap_or(false) {
            return Ok(());
        }
        sleep(Duration::from_millis(100));
    }
    bail!("the emulator was not ready after a minute")
}

/// Whether `/readyz` answers 200.
fn is_ready(port: u16) -> Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}
