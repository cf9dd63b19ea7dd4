//! The files of a run, opened before it begins.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::cli::args::OutputArgs;
use crate::cli::print::print;
use crate::report::Reports;

/// The files that a run writes. They are opened before anything is sent, so that a directory that cannot be
/// written to does not cost a run.
#[derive(Debug)]
pub(crate) struct Outputs {
    /// `run.json` of a directory, and its reports in the order of [`Reports::FILES`].
    directory: Option<(PathBuf, Sink, Vec<Sink>)>,
    json: Option<Json>,
}

#[derive(Debug)]
enum Json {
    Stdout,
    File(Sink),
}

impl Outputs {
    /// Opens the files, or says which cannot be opened. An existing file keeps its content until it is
    /// written.
    pub(crate) fn open(wanted: &OutputArgs) -> Result<Self, String> {
        let directory = match &wanted.out {
            None => None,
            Some(path) => {
                fs::create_dir_all(path).map_err(|error| format!("--out {}: {error}", path.display()))?;
                let open = |name: &str| Sink::open("--out", path.join(name));
                let reports = Reports::FILES.into_iter().map(open).collect::<Result<_, _>>()?;
                Some((path.clone(), open("run.json")?, reports))
            }
        };
        let json = match &wanted.json {
            None => None,
            Some(path) if path.as_os_str() == "-" => Some(Json::Stdout),
            Some(path) => Some(Json::File(Sink::open("--json", path.clone())?)),
        };
        Ok(Self { directory, json })
    }

    /// Whether standard output is for the JSON.
    pub(crate) fn json_has_stdout(&self) -> bool {
        matches!(self.json, Some(Json::Stdout))
    }

    /// Writes all of them, and gives the path of the page. The first error is given when all others are
    /// written.
    pub(crate) fn save(self, json: &str, reports: &Reports<'_>) -> Result<Option<PathBuf>> {
        let mut written = vec![match self.json {
            Some(Json::Stdout) => print(json),
            Some(Json::File(sink)) => sink.save(json),
            None => Ok(()),
        }];
        let mut page = None;
        if let Some((path, run, sinks)) = self.directory {
            written.push(run.save(json));
            let reports = sinks.into_iter().zip(reports.files());
            written.extend(reports.map(|(sink, text)| sink.save(&text)));
            page = Some(path.join(Reports::FILES[0]));
        }
        written.into_iter().collect::<Result<()>>()?;
        Ok(page)
    }
}

/// A file that is open for writing. Dropped unwritten, it is removed again if it is new.
#[derive(Debug)]
struct Sink {
    path: PathBuf,
    file: File,
    fresh: bool,
}

impl Sink {
    fn open(flag: &str, path: PathBuf) -> Result<Self, String> {
        let open = |path: &Path| match OpenOptions::new().write(true).create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok((OpenOptions::new().write(true).open(path)?, false))
            }
            opened => opened.map(|file| (file, true)),
        };
        match open(&path) {
            Ok((file, fresh)) => Ok(Self { path, file, fresh }),
            Err(error) => Err(format!("{flag} {}: {error}", path.display())),
        }
    }

    fn save(mut self, text: &str) -> Result<()> {
        self.fresh = false;
        self.replace(text)
            .with_context(|| format!("write {}", self.path.display()))
    }

    fn replace(&mut self, text: &str) -> io::Result<()> {
        // A pipe or a terminal has no content to replace.
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
            self.file.rewind()?;
        }
        self.file.write_all(text.as_bytes())?;
        self.file.flush()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if self.fresh {
            let _ = fs::remove_file(&self.path);
        }
    }
}
