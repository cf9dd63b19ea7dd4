use std::fmt;
use std::str::FromStr;

use sinch_verify_protocol::wire::PrivateText;

use crate::flows::Flow;
use crate::runfile::{RunId, Shard};

/// What a start of ours carries as its custom text, and every event of its verification echoes:
/// which flow of which run it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The run.
    pub run: RunId,
    /// The flow.
    pub flow: Flow,
    /// The flow's slot in the schedule.
    pub slot: u64,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.run, self.flow, self.slot)
    }
}

impl FromStr for Token {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        let mut parts = text.split('/');
        let (Some(run), Some(flow), Some(slot), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoToken);
        };
        Ok(Self {
            run: run.parse().map_err(|_| NoToken)?,
            flow: flow.parse().map_err(|_| NoToken)?,
            slot: slot.parse().map_err(|_| NoToken)?,
        })
    }
}

/// Whose flows are ours.
#[derive(Clone, Debug)]
pub(super) struct Ours {
    pub(super) run: RunId,
    pub(super) shard: Shard,
}

impl Ours {
    /// Which of our flows an event with this custom text belongs to.
    pub(super) fn token(&self, custom: Option<&PrivateText>) -> Option<Token> {
        let token: Token = custom?.as_str().parse().ok()?;
        (token.run == self.run && self.shard.has(token.slot)).then_some(token)
    }
}

/// A custom text that is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoToken;

#[cfg(test)]
mod tests {
    use sinch_verify_protocol::method::FlashCall;

    use super::*;

    #[test]
    fn reads_back() {
        let token = Token {
            run: "00112233445566ff".parse().unwrap(),
            flow: Flow::Verify(&FlashCall::INFO),
            slot: u64::MAX,
        };
        assert_eq!(token.to_string().parse(), Ok(token));
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "session 12",
            "00112233445566ff/sms",
            "00112233445566ff/smss/1",
            "00112233445566ff/sms/-1",
            "00112233445566ff/sms/1/2",
            "0011/sms/1",
            "00112233445566FF/sms/1",
        ] {
            assert_eq!(text.parse::<Token>(), Err(NoToken), "{text}");
        }
    }
}
