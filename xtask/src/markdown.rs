//! The fenced code blocks of the README and the guides.

use std::fs;

use anyhow::{Context as _, Result, ensure};

/// A fenced code block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of the opening fence, counted from 1.
    pub(crate) line: usize,
    /// The first word behind the opening fence, such as `rust`.
    pub(crate) language: String,
    /// The words after it, which no reader sees.
    pub(crate) notes: Vec<String>,
    /// The lines between the fences.
    pub(crate) text: String,
}

impl Block {
    /// Whether it is the part of a manifest that names dependencies.
    pub(crate) fn names_dependencies(&self) -> bool {
        self.language == "toml" && self.text.lines().any(is_dependency_table)
    }
}

/// Whether a line of a manifest begins its dependencies.
pub(crate) fn is_dependency_table(line: &str) -> bool {
    matches!(line, "[dependencies]" | "[dev-dependencies]")
}

/// The blocks of a file.
pub(crate) fn read(path: &str) -> Result<Vec<Block>> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {path}"))?;
    blocks(&text).with_context(|| format!("failed to read the code blocks of {path}"))
}

/// The blocks whose fences stand at the beginning of a line.
fn blocks(markdown: &str) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let mut words = info.split_whitespace().map(str::to_owned);
                open = Some(Block {
                    line: index + 1,
                    language: words.next().unwrap_or_default(),
                    notes: words.collect(),
                    text: String::new(),
                });
            }
            (None, None) => {}
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => {
                block.text += line;
                block.text.push('\n');
            }
        }
    }
    ensure!(open.is_none(), "the last block has no closing fence");
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_its_line_language_notes_and_text() {
        let text = "Text.\n\n```sh terminal=serve\n$ a\n\n``` b\n```\n```\n```\n";
        let block = |line, language: &str, notes: &[&str], text: &str| Block {
            line,
            language: language.to_owned(),
            notes: notes.iter().map(ToString::to_string).collect(),
            text: text.to_owned(),
        };
        let expected = [
            block(3, "sh", &["terminal=serve"], "$ a\n\n``` b\n"),
            block(8, "", &[], ""),
        ];
        assert_eq!(blocks(text).unwrap(), expected);
    }

    #[test]
    fn a_block_that_is_not_closed_is_an_error() {
        assert!(blocks("```rust\nfn main() {}\n").is_err());
    }

    #[test]
    fn only_dependencies_make_a_manifest() {
        let is_one = |text| blocks(text).unwrap()[0].names_dependencies();
        assert!(is_one("```toml\n[dev-dependencies]\ntokio = \"1\"\n```\n"));
        assert!(!is_one("```toml\nerror-rate = \"< 0.1%\"\n```\n"));
        assert!(!is_one("```text\n[dependencies]\n```\n"));
    }
}
