//! What a policy reads from an event.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde_json::Value;
use sinch_verify_protocol::callback::{RequestEvent, ResultEvent};
use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::price::Money;
use sinch_verify_protocol::wire::PrivateText;
use sinch_verify_protocol::{Method, PhoneNumber, VerificationId};

use super::invalid::InvalidPolicy;
use super::plan::{amount, countries, millionths};
use super::rules::{Caller, CallerField, Prices, WrittenBy};
use super::verdict::SkipReason;

/// The texts of a start that every event repeats, for a function that reads the caller key.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct StartTexts<'a> {
    /// The application's own name for the verification.
    pub reference: Option<&'a str>,
    /// Text that the start gave along.
    pub custom: Option<&'a str>,
}

/// What a request event and a result event say of a start.
pub(crate) struct Facts {
    pub(super) id: VerificationId,
    pub(super) method: Method,
    pub(super) number: Option<PhoneNumber>,
    pub(super) country: Option<Country>,
    pub(super) caller: Result<String, SkipReason>,
}

impl Facts {
    /// `reader` reads the caller key, if any rule needs it.
    pub(super) fn of_request(event: &RequestEvent, reader: Option<&CallerReader>) -> Self {
        let texts = texts(event.reference.as_deref(), event.custom.as_ref());
        Self::new(&event.id, &event.method, &event.identity, texts, reader)
    }

    pub(super) fn of_result(event: &ResultEvent, reader: Option<&CallerReader>) -> Self {
        let texts = texts(event.reference.as_deref(), event.custom.as_ref());
        Self::new(&event.id, &event.method, &event.identity, texts, reader)
    }

    fn new(
        id: &VerificationId,
        method: &Method,
        identity: &Identity,
        texts: StartTexts<'_>,
        reader: Option<&CallerReader>,
    ) -> Self {
        let number = identity.phone_number().ok();
        Self {
            id: id.clone(),
            method: method.clone(),
            number,
            country: number.and_then(|number| number.country()),
            caller: reader.map_or(Err(SkipReason::NoCallerKey), |reader| reader.key(texts)),
        }
    }
}

fn texts<'a>(reference: Option<&'a str>, custom: Option<&'a PrivateText>) -> StartTexts<'a> {
    StartTexts {
        reference,
        custom: custom.map(PrivateText::as_str),
    }
}

/// Reads the caller key.
#[derive(Clone)]
pub(super) struct CallerReader {
    pub(super) written_by: WrittenBy,
    pub(super) read: Arc<ReadCaller>,
}

pub(super) type ReadCaller = dyn Fn(StartTexts<'_>) -> Option<String> + Send + Sync;

impl CallerReader {
    pub(super) fn declared(caller: &Caller) -> Result<Self, InvalidPolicy> {
        let (field, pointer) = (caller.from, caller.json.clone());
        if let Some(pointer) = &pointer
            && !pointer.starts_with('/')
        {
            let message = format!("must be a JSON pointer such as /ip, is {pointer:?}");
            return Err(InvalidPolicy::new("caller.json", message));
        }
        let read = move |texts: StartTexts<'_>| {
            let text = match field {
                CallerField::Custom => texts.custom?,
                CallerField::Reference => texts.reference?,
            };
            let Some(pointer) = &pointer else {
                return Some(text.to_owned());
            };
            match serde_json::from_str::<Value>(text).ok()?.pointer(pointer)? {
                Value::String(key) => Some(key.clone()),
                Value::Number(key) => Some(key.to_string()),
                _ => None,
            }
        };
        Ok(Self {
            written_by: caller.written_by,
            read: Arc::new(read),
        })
    }

    fn key(&self, texts: StartTexts<'_>) -> Result<String, SkipReason> {
        if self.written_by == WrittenBy::Device {
            return Err(SkipReason::DeviceKey);
        }
        (self.read)(texts)
            .filter(|key| !key.is_empty())
            .ok_or(SkipReason::NoCallerKey)
    }
}

/// What verifications cost, in millionths.
#[derive(Debug)]
pub(super) struct PriceList {
    pub(super) currency: String,
    default: Option<u64>,
    countries: Vec<(Country, u64)>,
}

/// A price, and why it is not that of the event.
pub(super) struct Price {
    pub(super) cost: Result<u64, SkipReason>,
    pub(super) fault: Option<SkipReason>,
}

impl PriceList {
    pub(super) fn new(prices: &Prices) -> Result<Self, InvalidPolicy> {
        let currency = &prices.currency;
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            let message = format!("must be three capital letters such as EUR, is {currency:?}");
            return Err(InvalidPolicy::new("prices.currency", message));
        }
        countries("prices.countries", prices.countries.keys().copied())?;
        let of_countries = prices.countries.iter().map(|(country, price)| {
            let price = amount(&format!("prices.countries.{country}"), *price)?;
            Ok((*country, price))
        });
        let default = prices.default.map(|price| amount("prices.default", price));
        Ok(Self {
            currency: currency.clone(),
            default: default.transpose()?,
            countries: of_countries.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn price(&self, money: Option<&Money>, country: Option<Country>) -> Price {
        let of_event = self.read(money);
        let fault = of_event.err().filter(|reason| *reason != SkipReason::NoPrice);
        let of_country = |price: &&(Country, u64)| Some(price.0) == country;
        let configured = || self.countries.iter().find(of_country).map(|(_, price)| *price);
        let cost = of_event.or_else(|reason| configured().or(self.default).ok_or(reason));
        Price { cost, fault }
    }

    fn read(&self, money: Option<&Money>) -> Result<u64, SkipReason> {
        let money = money.ok_or(SkipReason::NoPrice)?;
        let text = money.amount.as_ref().ok_or(SkipReason::NoPrice)?.as_str();
        if money.currency.as_deref() != Some(&self.currency) {
            return Err(SkipReason::OtherCurrency);
        }
        let amount = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text));
        let amount = amount.map_err(|_| SkipReason::BadPrice)?;
        millionths(amount).ok_or(SkipReason::BadPrice)
    }
}
