//! Archives of the commands, and of their symbols.

use std::env::consts::OS;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use super::{Built, Linkage, Product, copy, dist, empty_folder};
use crate::cargo::run;

/// Packs each command with its licences, and its symbols into an archive of their own.
///
/// The names are those under which cargo-binstall looks for a crate.
pub(super) fn pack(built: &Built, linkage: Linkage) -> Result<()> {
    let dist = dist()?;
    let platform = match linkage {
        Linkage::Dynamic => built.target.clone(),
        Linkage::Static => built.target.replace("-unknown-linux-gnu", "-linux-static"),
    };
    for product in &built.products {
        let name = format!("{}-{}-{platform}", product.package, product.version);
        let (folder, symbols) = (dist.join(&name), dist.join(format!("{name}-symbols")));
        empty_folder(&folder)?;
        empty_folder(&symbols)?;
        split(product, &built.folder, &folder, &symbols)?;
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "CHANGELOG.md"] {
            copy(Path::new(file), &folder.join(file))?;
        }
        copy(&product.folder.join("README.md"), &folder.join("README.md"))?;
        for folder in [&folder, &symbols] {
            tar(&dist, folder)?;
        }
    }
    Ok(())
}

/// Copies a command without its symbols to `to`, and the symbols to `symbols`.
pub(super) fn split(product: &Product, from: &Path, to: &Path, symbols: &Path) -> Result<()> {
    let file = product.file();
    let (whole, stripped) = (from.join(&file), to.join(&file));
    copy(&whole, &stripped)?;
    let fix = "install the tools of the platform's C compiler";
    match OS {
        "linux" => {
            let apart = symbols.join(format!("{file}.debug"));
            run(
                Command::new("objcopy")
                    .arg("--only-keep-debug")
                    .args([&whole, &apart]),
                fix,
            )?;
            // A debugger finds the symbols by the name that is left in the command.
            let mut link = std::ffi::OsString::from("--add-gnu-debuglink=");
            link.push(&apart);
            run(
                Command::new("objcopy")
                    .arg("--strip-all")
                    .arg(link)
                    .arg(&stripped),
                fix,
            )
        }
        "macos" => {
            let apart = symbols.join(format!("{file}.dSYM"));
            run(Command::new("dsymutil").arg(&whole).arg("-o").arg(apart), fix)?;
            run(Command::new("strip").arg(&stripped), fix)
        }
        // The linker has put them apart.
        "windows" => {
            let apart = format!("{}.pdb", product.command.replace('-', "_"));
            copy(&from.join(&apart), &symbols.join(&apart))
        }
        other => bail!("no command is shipped for {other}"),
    }
}

/// Packs a folder into an archive beside it. Windows has `tar` too.
fn tar(dist: &Path, folder: &Path) -> Result<()> {
    let Some(name) = folder.file_name() else {
        bail!("{} has no name", folder.display());
    };
    let mut archive = name.to_owned();
    archive.push(".tar.gz");
    run(
        Command::new("tar")
            .arg("-czf")
            .arg(archive)
            .arg(name)
            .current_dir(dist),
        "install tar and gzip",
    )
}
