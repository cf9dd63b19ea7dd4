//! Reads the files that callgrind writes.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result};

/// Crates that are left out of all counts: valgrind hides the processor's instructions for SHA, so the hashes
/// would be most of a count, by code that runs nowhere else. `stats_alloc` is part of the bench.
const LEFT_OUT: [&str; 6] = ["block_buffer", "digest", "hmac", "md5", "sha2", "stats_alloc"];

/// What callgrind counted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// The instructions of each function, without those of the functions that it calls.
    pub(crate) functions: BTreeMap<String, u64>,
}

impl Profile {
    /// Reads a file of callgrind with lines as positions, which is its default.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let mut names = HashMap::new();
        let mut functions = BTreeMap::new();
        let mut function = "";
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            match line.split_once('=') {
                Some(("fn", name)) => function = expand(&mut names, name)?,
                Some(("cfn", name)) => {
                    expand(&mut names, name)?;
                }
                Some(("calls", _)) => {
                    // The cost of the called function, which it has in lines of its own.
                    lines.next();
                }
                _ if is_cost(line) && !is_left_out(function) => {
                    *functions.entry(function.to_owned()).or_default() += cost(line)?;
                }
                _ => {}
            }
        }
        Ok(Self { functions })
    }

    /// All instructions.
    pub(crate) fn instructions(&self) -> u64 {
        self.functions.values().sum()
    }
}

/// The name of a function: callgrind writes `(7) name` at first, and `(7)` from then on.
fn expand<'a>(names: &mut HashMap<&'a str, &'a str>, written: &'a str) -> Result<&'a str> {
    match written.split_once(' ') {
        Some((number, name)) => {
            // `'2` is the second level of a recursion.
            let name = name.rsplit_once('\'').map_or(name, |(name, _)| name);
            names.insert(number, name);
            Ok(name)
        }
        None => {
            let name = names.get(written).copied();
            name.with_context(|| format!("the profile does not name function {written}"))
        }
    }
}

/// Whether a line is a position and its cost. Other lines begin with a letter.
fn is_cost(line: &str) -> bool {
    line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first))
}

/// The cost in a line such as `+3 20`. A position alone costs nothing.
fn cost(line: &str) -> Result<u64> {
    match line.split_whitespace().nth(1) {
        Some(cost) => cost.parse().with_context(|| format!("`{line}` has no cost")),
        None => Ok(0),
    }
}

fn is_left_out(function: &str) -> bool {
    let path = function.trim_start_matches(['<', '&']);
    path.split_once("::")
        .is_some_and(|(name, _)| LEFT_OUT.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
# callgrind format
version: 1
cmd:  target/release/deps/counts-29758fef654543c4 sign --a=b
positions: line
events: Ir
summary: 1900

ob=(1) counts
fl=(1) sign.rs
fn=(1) protocol::Signer::sign
12 30
+3 20
fi=(2) slice.rs
* 5
fe=(1)
cfi=(3) sha256.rs
cfn=(2) sha2::sha256::compress
calls=2 40
-4 1500
16 10

fl=(3)
fn=(2)
40 1500

fl=(4) read.rs
fn=(3) <serde_json::read::SliceRead as serde_json::read::Read>::parse_str
7 100
cfn=(4) protocol::read'2
calls=1 3
+1 50
fn=(5) protocol::read
3 150
fn=(4)
3 50
fn=(6) <sha2::block_api::Sha256VarCore as core::ops::drop::Drop>::drop
9 35
totals: 1900
";

    #[test]
    fn a_function_has_its_own_instructions_and_those_that_are_inlined_into_it() {
        let profile = Profile::read(PROFILE).unwrap();
        let expected = [
            (
                "<serde_json::read::SliceRead as serde_json::read::Read>::parse_str",
                100,
            ),
            ("protocol::Signer::sign", 65),
            ("protocol::read", 200),
        ];
        let functions = profile.functions.iter();
        assert_eq!(
            functions
                .map(|(name, cost)| (name.as_str(), *cost))
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!(profile.instructions(), 365);
    }

    #[test]
    fn hashing_is_left_out_by_the_crate_of_a_function() {
        for function in [
            "sha2::compress",
            "<sha2::Core as core::ops::drop::Drop>::drop",
            "<&md5::Md5>::x",
        ] {
            assert!(is_left_out(function), "{function}");
        }
        for function in [
            "protocol::sha2::compress",
            "<T as digest::Digest>::new",
            "sha2",
            "malloc",
        ] {
            assert!(!is_left_out(function), "{function}");
        }
    }

    #[test]
    fn what_is_no_profile_is_refused() {
        let unnamed = Profile::read("fn=(7)\n1 2\n").unwrap_err().to_string();
        assert_eq!(unnamed, "the profile does not name function (7)");
        let text = Profile::read("fn=(1) a\n+1 many\n").unwrap_err().to_string();
        assert_eq!(text, "`+1 many` has no cost");
    }
}
