//! Import cycles: modules side by side that need each other.
//!
//! A node is a module with all that is below it, `a.rs` and the folder `a/`; each level of a crate is
//! a graph of its own. The file that declares a level's modules (`lib.rs`, or the `a.rs` beside a
//! folder) is not in the graph: it is the table of contents. A name that it re-exports counts as
//! the module the name comes from. Tests may use anything and are left out.
//!
//! `cargo modules` finds cycles too, but takes longer to install than all other jobs take to run.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A source file of a crate.
#[derive(Debug)]
pub(super) struct Source {
    /// Below the crate's `src`, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// Modules of one level that need each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    /// The module that contains them; empty for the crate itself.
    pub(super) parent: String,
    pub(super) members: Vec<String>,
    /// One place for each pair of members of which one needs the other.
    pub(super) places: Vec<String>,
}

/// A module's path from the root of its crate.
type Path = Vec<String>;

/// A path in the code that starts in this crate.
#[derive(Debug)]
struct Import {
    path: Path,
    /// What a `use` calls it, if it is in one.
    name: Option<String>,
    line: usize,
}

/// All cycles between the modules of these files.
pub(super) fn find(sources: &[Source]) -> Result<Vec<Cycle>> {
    let mut files: Vec<(Path, &str, Vec<Import>)> = Vec::new();
    for source in sources {
        let module = module(&source.path);
        if module.iter().any(|name| name == "tests") {
            continue;
        }
        let tokens: TokenStream = source
            .text
            .parse()
            .map_err(|error| anyhow!("failed to read {} as Rust: {error}", source.path))?;
        let mut imports = Vec::new();
        scan(tokens, &module, &mut imports);
        files.push((module, &source.path, imports));
    }
    let names = Names::new(&files);
    // For each level, the pairs of modules of which the first needs the second, with a place.
    let mut levels: BTreeMap<Path, BTreeMap<(&str, &str), String>> = BTreeMap::new();
    for (from, file, imports) in &files {
        for import in imports {
            let to = names.module(&import.path);
            let common = from.iter().zip(to).take_while(|(from, to)| from == to).count();
            if let (Some(from_node), Some(to_node)) = (from.get(common), to.get(common)) {
                levels
                    .entry(from[..common].to_vec())
                    .or_default()
                    .entry((from_node, to_node))
                    .or_insert_with(|| format!("{file}:{}: {}", import.line, import.path.join("::")));
            }
        }
    }
    Ok(levels
        .iter()
        .flat_map(|(parent, arrows)| cycles_of(&parent.join("::"), arrows))
        .collect())
}

/// The cycles of one level.
fn cycles_of(parent: &str, arrows: &BTreeMap<(&str, &str), String>) -> Vec<Cycle> {
    let nodes: BTreeSet<&str> = arrows.keys().map(|(from, _)| *from).collect();
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        nodes.iter().map(|node| (*node, reached(node, arrows))).collect();
    let needs = |from: &str, to: &str| reached.get(from).is_some_and(|nodes| nodes.contains(to));
    let groups: BTreeSet<Vec<&str>> = nodes
        .iter()
        .filter(|node| needs(node, node))
        .map(|node| {
            let others = nodes.iter().copied();
            others
                .filter(|other| needs(node, other) && needs(other, node))
                .collect()
        })
        .collect();
    groups
        .into_iter()
        .map(|members| Cycle {
            parent: parent.to_owned(),
            places: arrows
                .iter()
                .filter(|((from, to), _)| members.contains(from) && members.contains(to))
                .map(|((from, to), place)| format!("{from} -> {to}: {place}"))
                .collect(),
            members: members.into_iter().map(str::to_owned).collect(),
        })
        .collect()
}

/// All that a module needs, directly or through others.
fn reached<'a>(start: &str, arrows: &BTreeMap<(&'a str, &'a str), String>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![start];
    while let Some(node) = open.pop() {
        for (_, to) in arrows.keys().filter(|(from, _)| *from == node) {
            if found.insert(*to) {
                open.push(to);
            }
        }
    }
    found
}

/// The modules of a crate, and what each of them imports under which name.
struct Names<'a> {
    modules: BTreeSet<&'a [String]>,
    imported: BTreeMap<(&'a [String], &'a str), &'a [String]>,
}

impl<'a> Names<'a> {
    fn new(files: &'a [(Path, &str, Vec<Import>)]) -> Self {
        let mut imported = BTreeMap::new();
        for (module, _, imports) in files {
            for import in imports {
                if let Some(name) = &import.name {
                    imported.insert((module.as_slice(), name.as_str()), import.path.as_slice());
                }
            }
        }
        Self {
            modules: files.iter().map(|(module, _, _)| module.as_slice()).collect(),
            imported,
        }
    }

    /// The module that a path leads to, through the re-exports on its way.
    fn module(&self, path: &'a [String]) -> &'a [String] {
        let mut path = path;
        // A re-export of a re-export is followed; a longer chain is not written by people.
        for _ in 0..4 {
            let known = (0..=path.len())
                .rev()
                .find(|end| self.modules.contains(&path[..*end]));
            let (module, rest) = path.split_at(known.unwrap_or(0));
            let next = rest
                .first()
                .and_then(|name| self.imported.get(&(module, name.as_str())));
            match next {
                Some(next) if *next != path => path = next,
                _ => return module,
            }
        }
        &[]
    }
}

/// The module that a file below `src` is.
fn module(path: &str) -> Path {
    let path = path.trim_end_matches(".rs");
    match path {
        "lib" | "main" => Vec::new(),
        _ => path.split('/').map(str::to_owned).collect(),
    }
}

/// Collects the paths that start in this crate, from code and from macros alike.
fn scan(tokens: TokenStream, module: &[String], found: &mut Vec<Import>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' && is_test_only(tokens.get(at)) => {
                at += tokens[at..]
                    .iter()
                    .position(is_end_of_item)
                    .map_or(0, |end| end + 1);
            }
            TokenTree::Ident(ident) if ident == "mod" => {
                if let [TokenTree::Ident(name), TokenTree::Group(body), ..] = &tokens[at..] {
                    scan(body.stream(), &below(module, &name.to_string()), found);
                    at += 2;
                }
            }
            TokenTree::Ident(ident) if ident == "use" => at = tree(&tokens, at, module, true, found),
            TokenTree::Ident(ident) if is_start(&ident.to_string()) && is_separator(&tokens, at) => {
                at = tree(&tokens, at - 1, module, false, found);
            }
            TokenTree::Group(group) => scan(group.stream(), module, found),
            _ => {}
        }
    }
}

/// Collects the paths of a tree such as `super::{a, b::C}` and returns where it ends.
fn tree(tokens: &[TokenTree], at: usize, base: &[String], is_use: bool, found: &mut Vec<Import>) -> usize {
    let mut at = at;
    let mut path = base.to_vec();
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                match name.as_str() {
                    "crate" => path.clear(),
                    "self" => {}
                    "super" => drop(path.pop()),
                    _ => path.push(name),
                }
                if is_separator(tokens, at) {
                    at += 2;
                    continue;
                }
                let name = match &tokens[at..] {
                    [TokenTree::Ident(word), TokenTree::Ident(name), ..] if is_use && word == "as" => {
                        at += 2;
                        Some(name.to_string())
                    }
                    _ => path.last().cloned(),
                };
                let line = ident.span().start().line;
                found.push(Import {
                    path,
                    name: name.filter(|_| is_use),
                    line,
                });
                return at;
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut part = 0;
                while part < tokens.len() {
                    // The comma behind a part is passed.
                    part = tree(&tokens, part, &path, is_use, found) + 1;
                }
                return at;
            }
            // `*`, or the generics of a type: the path so far says which module is needed.
            other => {
                let line = other.span().start().line;
                found.push(Import {
                    path,
                    name: None,
                    line,
                });
                return at;
            }
        }
    }
    at
}

/// Whether an attribute leaves what follows to tests.
fn is_test_only(attribute: Option<&TokenTree>) -> bool {
    let text = attribute.map(ToString::to_string).unwrap_or_default();
    text.replace(' ', "") == "[cfg(test)]"
}

/// Whether an item ends here.
fn is_end_of_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    }
}

/// Whether a path that begins so leads into this crate.
fn is_start(name: &str) -> bool {
    matches!(name, "crate" | "self" | "super")
}

/// Whether `::` stands here.
fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    tokens
        .get(at..at + 2)
        .is_some_and(|pair| pair.iter().all(is_colon))
}

/// The path of a module in this one.
fn below(module: &[String], name: &str) -> Path {
    module.iter().cloned().chain([name.to_owned()]).collect()
}
