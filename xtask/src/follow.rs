//! The job `follow-guide`: does what the README, the first guide and the guide about tests say, as a
//! newcomer would.
//!
//! A clean clone, empty projects, and every block of these documents in its order:
//!
//! - `sh` runs in the first terminal, `sh terminal=NAME` in another one. What that terminal runs already is
//!   ended by Ctrl-C before, or else at the end of the document. `export` lines that it prints are pasted
//!   into all terminals.
//! - `sh measures` runs in the first terminal, and may end with the verdict that the machine is too busy.
//! - `sh types` runs in a terminal of its own; what it prints is typed into the program that waits in the
//!   first one.
//! - `text` is what the terminal of the last command shows by now, `text terminal=NAME` what another one
//!   shows; `…` stands for anything.
//! - `toml` goes to the end of `Cargo.toml`, and `rust PATH` into that file.
//!
//! The addresses in the documents lead to this repository: the job needs no network but for crates.

mod terminal;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::cargo::ensure_clean_tree;
use crate::markdown::{self, Block, is_dependency_table};
use crate::metadata::members;
use crate::our_dependency;
use terminal::Terminal;

const DOCUMENTS: [&str; 3] = [
    "README.md",
    "docs/guides/first-verification.md",
    "docs/guides/testing-with-the-emulator.md",
];

/// What the documents must lead to, as they show it.
const ENDS: [(&str, &str); 3] = [
    ("a verified number", "verified"),
    ("a received result event", "SUCCESSFUL"),
    ("a passing test", "test result: ok."),
];

/// The exit code of the load tester when its figures say nothing about the target.
const TOO_BUSY: u8 = 3;

/// The report of the load test, in the folder that holds the clone.
const REPORT: &str = "sinch-verify/target/load/report.html";

/// Follows the documents.
pub(crate) fn run() -> Result<()> {
    // The clone would lack the changes.
    ensure_clean_tree()?;
    let home = std::env::temp_dir().join(format!("sinch-verify-newcomer-{}", std::process::id()));
    fs::create_dir_all(&home).with_context(|| format!("failed to make {}", home.display()))?;
    let followed = follow_all(&home);
    if followed.is_err() {
        println!("what was made is in {}", home.display());
        return followed;
    }
    fs::remove_dir_all(&home).with_context(|| format!("failed to remove {}", home.display()))
}

fn follow_all(home: &Path) -> Result<()> {
    let mut shown = String::new();
    let mut newcomer = Newcomer::new(home)?;
    for document in DOCUMENTS {
        println!("\n==> {document}");
        let steps =
            steps(&markdown::read(document)?).with_context(|| format!("failed to read {document}"))?;
        for (index, step) in steps.iter().enumerate() {
            let is_asked = matches!(
                steps[index + 1..]
                    .iter()
                    .find(|next| !matches!(next.action, Action::Shows { .. })),
                Some(Step {
                    action: Action::Types(_),
                    ..
                })
            );
            newcomer
                .take(&step.action, is_asked)
                .with_context(|| format!("{document}, line {}", step.line))?;
            if let Action::Shows { text, .. } = &step.action {
                shown += text;
            }
        }
        newcomer.leave();
    }
    for (what, text) in ENDS {
        ensure!(shown.contains(text), "the documents do not show {what}: `{text}`");
    }
    ensure!(
        home.join(REPORT).exists(),
        "the documents do not lead to {REPORT}"
    );
    println!("\n{} can be followed", DOCUMENTS.join(", "));
    Ok(())
}

/// What a block asks a reader to do.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    line: usize,
    action: Action,
}

#[derive(Debug, PartialEq, Eq)]
enum Action {
    Runs {
        terminal: Option<String>,
        script: String,
    },
    /// As `Runs` in the first terminal, with a load tester.
    Measures(String),
    Types(String),
    Shows {
        terminal: Option<String>,
        text: String,
    },
    Depends(String),
    Writes {
        path: String,
        text: String,
    },
}

fn steps(blocks: &[Block]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for block in blocks {
        let text = block.text.clone();
        let note = block.notes.first().map(String::as_str);
        let terminal = note
            .and_then(|note| note.strip_prefix("terminal="))
            .map(str::to_owned);
        let action = match (block.language.as_str(), note) {
            ("sh", Some("types")) => Action::Types(text),
            ("sh", Some("measures")) => Action::Measures(text),
            ("sh", _) => Action::Runs {
                terminal,
                script: text,
            },
            ("text", _) => Action::Shows { terminal, text },
            ("toml", _) if block.names_dependencies() => Action::Depends(text),
            ("rust", Some(path)) => Action::Writes {
                path: path.to_owned(),
                text,
            },
            ("mermaid", _) => continue,
            (language, _) => bail!(
                "line {}: a newcomer does not know what to do with this block of `{language}`: \
                 `rust` needs the path of its file, such as `rust src/main.rs`",
                block.line
            ),
        };
        steps.push(Step {
            line: block.line,
            action,
        });
    }
    Ok(steps)
}

/// The reader: terminals, a current folder, and the variables that were pasted.
struct Newcomer {
    home: PathBuf,
    folder: PathBuf,
    variables: BTreeMap<String, String>,
    first: Option<Terminal>,
    others: BTreeMap<String, Terminal>,
    /// The terminal of the last command; none for the first.
    last: Option<String>,
}

impl Newcomer {
    fn new(home: &Path) -> Result<Self> {
        let metadata = members()?;
        // The repository's address leads here, for git and for cargo.
        let git = home.join("gitconfig");
        let address = env!("CARGO_PKG_REPOSITORY");
        let root = &metadata.workspace_root;
        let config = format!("[url \"file://{root}\"]\n\tinsteadOf = {address}\n[safe]\n\tdirectory = *\n");
        fs::write(&git, config).with_context(|| format!("failed to write {}", git.display()))?;
        let installed = home.join("installed");
        let path = std::env::var("PATH").unwrap_or_default();
        let variables = [
            ("GIT_CONFIG_GLOBAL", git.display().to_string()),
            ("CARGO_NET_GIT_FETCH_WITH_CLI", "true".to_owned()),
            ("CARGO_INSTALL_ROOT", installed.display().to_string()),
            ("PATH", format!("{}:{path}", installed.join("bin").display())),
            // Crates that other jobs have built are not built again.
            ("CARGO_TARGET_DIR", metadata.target_directory.to_string()),
        ];
        Ok(Self {
            home: home.to_owned(),
            folder: home.to_owned(),
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            first: None,
            others: BTreeMap::new(),
            last: None,
        })
    }

    /// Does what a block says. `is_asked`: the program asks for something, which a later block finds.
    fn take(&mut self, action: &Action, is_asked: bool) -> Result<()> {
        match action {
            Action::Runs {
                terminal: None,
                script,
            } => {
                self.run(script)?;
                if !is_asked {
                    self.finish()?;
                }
            }
            Action::Measures(script) => {
                self.run(&format!("{{\n{script}}} || [ $? = {TOO_BUSY} ]"))?;
                self.finish()?;
            }
            Action::Runs {
                terminal: Some(name),
                script,
            } => {
                drop(self.others.remove(name));
                let terminal = Terminal::open(name, script, &self.folder, &self.variables)?;
                self.others.insert(name.clone(), terminal);
                self.last = Some(name.clone());
            }
            Action::Types(script) => {
                let mut terminal = Terminal::open("typing", script, &self.folder, &self.variables)?;
                terminal.wait()?;
                let first = self.first.as_mut().context("no program waits for this")?;
                first.type_in(&terminal.printed())?;
                self.last = None;
                self.finish()?;
            }
            Action::Shows { terminal, text } => {
                let terminal = match terminal.as_ref().or(self.last.as_ref()) {
                    None => self.first.as_mut(),
                    Some(name) => self.others.get_mut(name),
                };
                let terminal = terminal.context("nothing was run before")?;
                terminal.wait_for(text)?;
                self.variables.extend(exports(&terminal.shown()));
            }
            Action::Depends(text) => {
                let path = self.folder.join("Cargo.toml");
                let manifest = fs::read_to_string(&path).context("no `Cargo.toml` is here")?;
                let mut lines: Vec<&str> = manifest.lines().collect();
                // `cargo new` ends with an empty table.
                if lines.last().is_some_and(|line| is_dependency_table(line))
                    && text.contains("[dependencies]")
                {
                    lines.pop();
                }
                let text = from_repository(text)?;
                let manifest = format!("{}\n{text}", lines.join("\n"));
                fs::write(&path, manifest).with_context(|| format!("failed to write {}", path.display()))?;
            }
            Action::Writes { path, text } => {
                let path = self.folder.join(path);
                let folder = path.parent().unwrap_or(&self.folder);
                fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
                fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Runs a script in the first terminal.
    fn run(&mut self, script: &str) -> Result<()> {
        let script = format!("{script}\npwd > '{}'", self.place().display());
        self.first = Some(Terminal::open("first", &script, &self.folder, &self.variables)?);
        self.last = None;
        Ok(())
    }

    /// The file in which the first terminal leaves its current folder.
    fn place(&self) -> PathBuf {
        self.home.join("current-folder")
    }

    /// Waits until the first terminal's command has succeeded.
    fn finish(&mut self) -> Result<()> {
        if let Some(first) = &mut self.first {
            first.wait()?;
        }
        let place = self.place();
        let folder =
            fs::read_to_string(&place).with_context(|| format!("failed to read {}", place.display()))?;
        self.folder = PathBuf::from(folder.trim_end());
        Ok(())
    }

    /// Closes all terminals: new ones do not have what was pasted.
    fn leave(&mut self) {
        self.variables.retain(|name, _| !name.starts_with("SINCH_"));
        self.first = None;
        self.others.clear();
        self.folder.clone_from(&self.home);
    }
}

/// A manifest's lines with our crates from the repository: a release is followed before it is published.
fn from_repository(lines: &str) -> Result<String> {
    lines
        .lines()
        .map(|line| {
            let address = |_: &str| env!("CARGO_PKG_REPOSITORY").to_owned();
            let ours = our_dependency::with_source(line, "git", address)?;
            Ok(ours.unwrap_or_else(|| line.to_owned()) + "\n")
        })
        .collect()
}

/// The variables of the `export` lines in an output.
fn exports(output: &str) -> BTreeMap<String, String> {
    let lines = output
        .lines()
        .filter_map(|line| line.trim().strip_prefix("export "));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(language: &str, notes: &[&str]) -> Result<Vec<Step>> {
        steps(&[Block {
            line: 3,
            language: language.to_owned(),
            notes: notes.iter().map(ToString::to_string).collect(),
            text: "[dependencies]\n".to_owned(),
        }])
    }

    #[test]
    fn each_kind_of_block_asks_for_something() {
        let text = "[dependencies]\n".to_owned();
        let runs = |terminal: Option<&str>| Action::Runs {
            terminal: terminal.map(str::to_owned),
            script: text.clone(),
        };
        let writes = Action::Writes {
            path: "src/main.rs".to_owned(),
            text: text.clone(),
        };
        let shows = Action::Shows {
            terminal: Some("serve".to_owned()),
            text: text.clone(),
        };
        for (language, notes, expected) in [
            ("sh", &[][..], runs(None)),
            ("sh", &["terminal=serve"], runs(Some("serve"))),
            ("sh", &["types"], Action::Types(text.clone())),
            ("sh", &["measures"], Action::Measures(text.clone())),
            ("text", &["terminal=serve"], shows),
            ("toml", &[], Action::Depends(text.clone())),
            ("rust", &["src/main.rs"], writes),
        ] {
            assert_eq!(
                step(language, notes).unwrap()[0].action,
                expected,
                "{language} {notes:?}"
            );
        }
        assert!(step("mermaid", &[]).unwrap().is_empty());
        for language in ["rust", "json"] {
            let error = step(language, &[]).unwrap_err().to_string();
            assert!(error.contains("line 3"), "{error}");
        }
    }

    #[test]
    fn our_crates_come_from_the_repository_also_when_they_are_released() {
        let repository = env!("CARGO_PKG_REPOSITORY");
        assert_eq!(
            from_repository("[dependencies]\nsinch-verify-client = \"0.1\"\ntokio = \"1\"\n").unwrap(),
            format!("[dependencies]\nsinch-verify-client = {{ git = \"{repository}\" }}\ntokio = \"1\"\n")
        );
    }

    #[test]
    fn exports_are_pasted_without_their_quotes() {
        let output = "To paste:\n  export SINCH_APPLICATION_SECRET='a+b=='\n  export A=1\n";
        let expected = [("SINCH_APPLICATION_SECRET", "a+b=="), ("A", "1")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(exports(output), BTreeMap::from(expected));
    }
}
