//! The job `links`: every link of a document to a file or a heading of this repository leads there.
//!
//! Nothing is asked of the network, so that a site that is down fails no change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::cargo::files;
use crate::metadata::members;

/// What a document links to, and what can be linked to in it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Document {
    links: Vec<Link>,
    anchors: BTreeSet<String>,
}

/// A link or an image, and the line it is on, counted from 1.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    line: usize,
    to: String,
}

/// Checks the Markdown files that git knows.
pub(crate) fn run() -> Result<()> {
    // A crate's README is read outside of the repository, so its links to it are whole addresses.
    let repository = members()?
        .packages
        .into_iter()
        .find_map(|member| member.repository);
    let repository = repository.context("no member names the repository")?;
    let ours = ["blob", "tree"].map(|kind| format!("{repository}/{kind}/main/"));

    let files = files()?;
    let mut documents = BTreeMap::new();
    for path in files.iter().filter(|path| path.ends_with(".md")) {
        let text = fs::read_to_string(path).with_context(|| format!("failed to read {path}"))?;
        documents.insert(path.as_str(), read(&text));
    }
    let mut checked = 0;
    let mut wrong = Vec::new();
    for (from, document) in &documents {
        for Link { line, to } in &document.links {
            let (target, anchor) = to.split_once('#').unwrap_or((to, ""));
            let path = if let Some(path) = ours.iter().find_map(|ours| target.strip_prefix(ours.as_str())) {
                path.to_owned()
            } else if target.contains(':') {
                continue; // An address, or an item of a crate, which rustdoc checks.
            } else {
                beside(from, target)
            };
            checked += 1;
            let exists = files
                .iter()
                .any(|file| *file == path || file.starts_with(&format!("{path}/")));
            let has_anchor = documents
                .get(path.as_str())
                .is_none_or(|document| anchor.is_empty() || document.anchors.contains(anchor));
            if !exists {
                wrong.push(format!("{from}:{line}: `{to}`: there is no {path}"));
            } else if !has_anchor {
                wrong.push(format!(
                    "{from}:{line}: `{to}`: {path} has no heading of that name"
                ));
            }
        }
    }
    ensure!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
    println!("{checked} links lead to files and headings of this repository");
    Ok(())
}

/// The links and the anchors of a document.
fn read(text: &str) -> Document {
    let mut document = Document::default();
    let mut heading: Option<String> = None;
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                document.links.push(Link {
                    line: text[..range.start].matches('\n').count() + 1,
                    to: dest_url.into_string(),
                });
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    *heading += &part;
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let slug = heading.take().map(|heading| slug(&heading)).unwrap_or_default();
                let repeated = (1..).map(|number| format!("{slug}-{number}"));
                let mut names = std::iter::once(slug.clone()).chain(repeated);
                document
                    .anchors
                    .extend(names.find(|name| !document.anchors.contains(name)));
            }
            _ => {}
        }
    }
    document
}

/// The anchor that GitHub gives a heading.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => c.is_alphanumeric().then_some(c),
    });
    kept.flat_map(char::to_lowercase).collect()
}

/// The path of a link, from the root of the repository; that of the document itself where the link has none.
fn beside(document: &str, target: &str) -> String {
    if target.is_empty() {
        return document.to_owned();
    }
    let mut path = PathBuf::new();
    for part in Path::new(document).with_file_name("").join(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(part) => path.push(part),
            _ => {}
        }
    }
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_headings_are_read_outside_of_code() {
        let text = "# One `two`\n\n[a](b.md#c) and ![d](e.png)\n\n```md\n# No\n[no](no.md)\n```\n\n\
                    | [f](#one-two) |\n|---|\n\n## One two!\n";
        let document = read(text);
        let links: Vec<_> = document
            .links
            .iter()
            .map(|link| (link.line, link.to.as_str()))
            .collect();
        assert_eq!(links, [(3, "b.md#c"), (3, "e.png"), (10, "#one-two")]);
        assert_eq!(
            document.anchors,
            ["one-two", "one-two-1"].map(str::to_owned).into()
        );
    }

    #[test]
    fn a_link_starts_at_its_document() {
        assert_eq!(beside("docs/guides/flows.md", "../testing.md"), "docs/testing.md");
        assert_eq!(beside("docs/testing.md", ""), "docs/testing.md");
        assert_eq!(beside("README.md", "docs/guides/"), "docs/guides");
    }
}
