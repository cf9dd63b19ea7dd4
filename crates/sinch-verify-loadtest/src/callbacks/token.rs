use std::fmt;

use sinch_verify_protocol::wire::PrivateText;

use super::answer::{Answers, CallbackAnswer};
use crate::model::{RunId, ScenarioName, Shard};

/// The custom text of a start. Every event of its verification repeats it: it says which flow of which
/// run the event belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The run.
    pub(crate) run: RunId,
    /// The scenario.
    pub(crate) scenario: ScenarioName,
    /// The flow's index in the run.
    pub(crate) index: u64,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.run, self.scenario, self.index)
    }
}

/// The flows whose events this receiver takes: those of one shard of one run.
#[derive(Clone, Debug)]
pub(super) struct Ours {
    pub(super) run: RunId,
    pub(super) shard: Shard,
    pub(super) answers: Answers,
}

impl Ours {
    /// The flow of ours that an event with this custom text belongs to.
    pub(super) fn token(&self, custom: Option<&PrivateText>) -> Option<Token> {
        let token = self.read(custom?.as_str())?;
        (token.run == self.run && self.shard.has(token.index)).then_some(token)
    }

    /// How the request event of a flow is answered.
    pub(super) fn answer(&self, token: &Token) -> CallbackAnswer {
        self.answers.of(token.scenario, token.index)
    }

    fn read(&self, text: &str) -> Option<Token> {
        let mut parts = text.split('/');
        let (Some(run), Some(scenario), Some(index), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        Some(Token {
            run: run.parse().ok()?,
            scenario: self.answers.scenario(scenario)?,
            index: index.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Ours {
        let sms = ScenarioName::new("sms").unwrap();
        Ours {
            run: "00112233445566ff".parse().unwrap(),
            shard: Shard::WHOLE,
            answers: Answers([(sms, None)].into()),
        }
    }

    #[test]
    fn reads_back() {
        let token = Token {
            run: "00112233445566ff".parse().unwrap(),
            scenario: ScenarioName::new("sms").unwrap(),
            index: u64::MAX,
        };
        assert_eq!(ours().token(Some(&token.to_string().into())), Some(token));
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
            "0011223344556600/sms/1",
        ] {
            assert_eq!(ours().token(Some(&text.to_owned().into())), None, "{text}");
        }
    }
}
