//! The languages of messages and callouts.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sinch_verify_protocol::LanguageTag;

/// A language, with the texts of an SMS and of a callout.
pub(super) struct Language {
    pub(super) tag: &'static str,
    /// Contains `{{CODE}}`.
    pub(super) sms: &'static str,
    /// Contains `{code}` and `{pin}`.
    pub(super) speech: &'static str,
    /// Contains `{pin}`. The older form of a callout, which does not speak a code.
    pub(super) menu: &'static str,
}

impl Language {
    /// The first wanted language that is available, by the whole tag or by the language alone. If there is
    /// none, `en-US`, the default of the service.
    pub(super) fn choose<'a>(wanted: impl IntoIterator<Item = &'a str>) -> &'static Self {
        wanted
            .into_iter()
            .find_map(|tag| {
                let exact = LANGUAGES.iter().find(|known| known.tag.eq_ignore_ascii_case(tag));
                exact.or_else(|| {
                    LANGUAGES
                        .iter()
                        .find(|known| primary(known.tag).eq_ignore_ascii_case(primary(tag)))
                })
            })
            .unwrap_or(&LANGUAGES[0])
    }

    /// The tag for `Content-Language`.
    pub(super) fn tag(&self) -> Option<LanguageTag> {
        self.tag.parse().ok()
    }
}

impl Serialize for Language {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.tag)
    }
}

impl<'de> Deserialize<'de> for &'static Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tag = <&str>::deserialize(deserializer)?;
        let known = LANGUAGES.iter().find(|known| known.tag == tag);
        known.ok_or_else(|| D::Error::custom("must be a language of the emulator"))
    }
}

/// The part of a tag that names the language. An official example uses `en_US`, with an underscore.
fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

static LANGUAGES: [Language; 8] = [
    Language {
        tag: "en-US",
        sms: "Your verification code is {{CODE}}",
        speech: "Your verification code is {code}. Type it in the app, or press {pin} to confirm.",
        menu: "To verify your number, press {pin}.",
    },
    Language {
        tag: "de-DE",
        sms: "Ihr Prüfcode lautet {{CODE}}",
        speech: "Ihr Prüfcode lautet {code}. Geben Sie ihn in der App ein, oder drücken Sie {pin}.",
        menu: "Drücken Sie {pin}, um Ihre Nummer zu bestätigen.",
    },
    Language {
        tag: "es-ES",
        sms: "Tu código de verificación es {{CODE}}",
        speech: "Tu código de verificación es {code}. Escríbelo en la aplicación o pulsa {pin}.",
        menu: "Para verificar tu número, pulsa {pin}.",
    },
    Language {
        tag: "fr-FR",
        sms: "Votre code de vérification est {{CODE}}",
        speech: "Votre code de vérification est {code}. Saisissez-le dans l'application ou appuyez sur {pin}.",
        menu: "Pour vérifier votre numéro, appuyez sur {pin}.",
    },
    Language {
        tag: "it-IT",
        sms: "Il tuo codice di verifica è {{CODE}}",
        speech: "Il tuo codice di verifica è {code}. Scrivilo nell'app o premi {pin}.",
        menu: "Per verificare il tuo numero, premi {pin}.",
    },
    Language {
        tag: "pl-PL",
        sms: "Twój kod weryfikacyjny to {{CODE}}",
        speech: "Twój kod weryfikacyjny to {code}. Wpisz go w aplikacji albo naciśnij {pin}.",
        menu: "Aby potwierdzić numer, naciśnij {pin}.",
    },
    Language {
        tag: "pt-BR",
        sms: "Seu código de verificação é {{CODE}}",
        speech: "Seu código de verificação é {code}. Digite-o no aplicativo ou pressione {pin}.",
        menu: "Para verificar seu número, pressione {pin}.",
    },
    Language {
        tag: "sv-SE",
        sms: "Din verifieringskod är {{CODE}}",
        speech: "Din verifieringskod är {code}. Skriv in den i appen eller tryck {pin}.",
        menu: "Tryck {pin} för att verifiera ditt nummer.",
    },
];
