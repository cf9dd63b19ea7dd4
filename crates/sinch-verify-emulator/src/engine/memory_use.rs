//! The memory use of a verification.

use sinch_verify_protocol::{BaseUrl, Source};

use super::plan::Plan;
use super::record::{MethodPart, Payload, Record, Speech, Wording};

/// The bytes of every verification without its texts: record, timers, messages and map entries. A
/// measured value, which `tests/memory.rs` checks.
const FIXED: usize = 1_000;

/// The additional bytes of each method of an `auto` start: its message and its map entry.
const PART: usize = 120;

/// A base URL with its counters. Its text is short: only allowed hosts are used.
const BASE: usize = size_of::<BaseUrl>() + 2 * size_of::<usize>();

impl Record {
    /// The approximate bytes of this verification.
    pub(super) fn size(&self) -> usize {
        // The store has a copy of the reference.
        let reference = 2 * self.reference.as_deref().map_or(0, str::len);
        let custom = self.custom.as_ref().map_or(0, |custom| custom.as_str().len());
        let source = match &self.source {
            Some(Source::Unknown(text)) => text.len(),
            _ => 0,
        };
        FIXED + reference + custom + source + self.payload.size()
    }
}

impl Payload {
    fn size(&self) -> usize {
        match self {
            Self::Nothing | Self::Call { .. } | Self::Text { wording: None, .. } => 0,
            Self::Link { .. } => BASE,
            Self::Waiting(plan) => plan.size(),
            Self::Text {
                wording: Some(wording),
                ..
            } => size_of::<Wording>() + len(&wording.template) + len(&wording.hash),
            Self::Speech(speech) => size_of::<Speech>() + speech.pin.len() + speech.text.len(),
            Self::Several(parts) => parts
                .iter()
                .map(|part| PART + size_of::<MethodPart>() + part.payload.size())
                .sum(),
        }
    }
}

impl Plan {
    /// The length of the texts that a start can set. Texts of a decision are sent at once and not kept
    /// here.
    fn size(&self) -> usize {
        let languages = self.languages.iter().map(|tag| size_of::<String>() + tag.len());
        let languages: usize = languages.sum();
        size_of::<Self>() + BASE + len(&self.template) + len(&self.application_hash) + languages
    }
}

fn len(text: &Option<String>) -> usize {
    text.as_deref().map_or(0, str::len)
}
