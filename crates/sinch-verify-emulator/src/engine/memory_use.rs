//! How much memory a verification takes.

use sinch_verify_protocol::Source;

use super::plan::Plan;
use super::record::{MethodPart, Payload, Record, Speech, Wording};

/// What every verification takes, beside its texts: its record, its deadlines, its messages, and its
/// places in the maps by which it is found. Measured: `tests/memory.rs` compares.
const FIXED: usize = 1_000;

/// What each method of an `auto` takes besides: its message, and its place in the map of parts.
const PART: usize = 120;

impl Record {
    /// The bytes that are kept for it, nearly.
    pub(super) fn size(&self) -> usize {
        // The store finds it by a copy of the reference.
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
            Self::Nothing | Self::Call { .. } | Self::Link { .. } | Self::Text { wording: None, .. } => 0,
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
    /// What a start can make long. The rest is what a callback decides, and is sent at once.
    fn size(&self) -> usize {
        let languages = self.languages.iter().map(|tag| size_of::<String>() + tag.len());
        let languages: usize = languages.sum();
        size_of::<Self>() + len(&self.template) + len(&self.application_hash) + languages
    }
}

fn len(text: &Option<String>) -> usize {
    text.as_deref().map_or(0, str::len)
}
