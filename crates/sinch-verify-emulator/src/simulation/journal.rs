//! All outputs of the engine, as bytes.

use sinch_verify_protocol::WireObject as _;

use crate::engine::{Answer, Notice, Outputs};
use crate::splitmix::splitmix64;

/// A digest of the bytes, and the bytes if they are kept.
#[derive(Default)]
pub(super) struct Journal {
    digest: u64,
    kept: Option<Vec<u8>>,
}

impl Journal {
    #[cfg(test)]
    pub(super) fn keeping() -> Self {
        Self {
            digest: 0,
            kept: Some(Vec::new()),
        }
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    #[cfg(test)]
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.kept.unwrap_or_default()
    }

    /// Writes a line for the answer and one for each effect.
    pub(super) fn note(&mut self, outputs: &Outputs) {
        match &outputs.answer {
            Answer::NeedsDecision(ask) => self.line(ask.event.to_json().as_ref()),
            Answer::Started { response, language } => {
                self.line(response.to_json().as_ref());
                self.line(language.as_ref().map_or("", |tag| tag.as_str()).as_bytes());
            }
            Answer::Verification(verification) => self.line(verification.to_json().as_ref()),
            Answer::Refused(refusal) => {
                self.line(format!("{} {:?}", refusal.code, refusal.retry_after).as_bytes());
            }
            Answer::Done => self.line(b"done"),
        }
        for effect in &outputs.effects {
            match &effect.notice {
                Notice::Delivered(event) => self.line(event.to_json().as_ref()),
                Notice::Result(event) => self.line(event.to_json().as_ref()),
            }
        }
    }

    fn line(&mut self, line: &[u8]) {
        for eight in line.chunks(8) {
            let mut word = [0; 8];
            word[..eight.len()].copy_from_slice(eight);
            self.digest = splitmix64(self.digest ^ u64::from_le_bytes(word));
        }
        self.digest = splitmix64(self.digest ^ line.len() as u64);
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(line);
            kept.push(b'\n');
        }
    }
}
