use std::collections::BTreeMap;

use sinch_verify_protocol::country::Country;
use sinch_verify_protocol::number_plans::{NumberKind, NumberPlans};
use sinch_verify_protocol::{Method, PhoneNumber};

use super::invalid::InvalidPolicy;
use super::plan::{countries, methods, prefix};
use super::rules::{Access, DeniedNumbers, Destinations, Exceptions, Mode};

/// Which numbers may be verified, and how.
#[derive(Debug)]
pub(super) struct DestinationRule {
    pub(super) mode: Mode,
    /// By country code, or by prefix with its `+`.
    lines: BTreeMap<Box<str>, Access>,
    longest_line: usize,
    otherwise: Access,
    methods: BTreeMap<Country, Vec<Method>>,
    plans: Option<(NumberPlans, Vec<NumberKind>)>,
}

impl DestinationRule {
    pub(super) const NAME: &'static str = "destinations";

    pub(super) fn new(
        rule: &Destinations,
        mode: Mode,
        plans: Option<NumberPlans>,
    ) -> Result<Self, InvalidPolicy> {
        let mut lines = BTreeMap::new();
        let mut add = |path: String, line: Box<str>, access| match lines.insert(line.clone(), access) {
            Some(other) if other != access => {
                let message = format!("{line} is both allowed and denied; remove one");
                Err(InvalidPolicy::new(path, message))
            }
            _ => Ok(()),
        };
        for (field, list, access) in [
            ("allow-countries", &rule.allow_countries, Access::Allow),
            ("deny-countries", &rule.deny_countries, Access::Deny),
        ] {
            let path = format!("destinations.{field}");
            countries(&path, list.iter().copied())?;
            for country in list {
                add(path.clone(), country.as_str().into(), access)?;
            }
        }
        for (field, list, access) in [
            ("allow-prefixes", &rule.allow_prefixes, Access::Allow),
            ("deny-prefixes", &rule.deny_prefixes, Access::Deny),
        ] {
            for (at, text) in list.iter().enumerate() {
                let path = format!("destinations.{field}[{at}]");
                let prefix = prefix(&path, text)?;
                add(path, prefix, access)?;
            }
        }
        for (country, list) in &rule.methods {
            let path = format!("destinations.methods.{country}");
            countries(&path, [*country].into_iter())?;
            methods(&path, list)?;
        }
        let by_default = match rule.allow_countries[..] {
            [] => Access::Allow,
            _ => Access::Deny,
        };
        Ok(Self {
            mode,
            longest_line: lines.keys().map(|line| line.len()).max().unwrap_or_default(),
            lines,
            otherwise: rule.otherwise.unwrap_or(by_default),
            methods: rule.methods.clone(),
            plans: Self::plans(rule, plans)?,
        })
    }

    fn plans(
        rule: &Destinations,
        plans: Option<NumberPlans>,
    ) -> Result<Option<(NumberPlans, Vec<NumberKind>)>, InvalidPolicy> {
        if rule.deny_numbers.is_empty() {
            return Ok(None);
        }
        let plans = plans.ok_or_else(|| {
            InvalidPolicy::new(
                "destinations.deny-numbers",
                "needs the numbering plans; give them with PolicyBuilder::number_plans",
            )
        })?;
        let kinds = rule.deny_numbers.iter().map(|denied| match denied {
            DeniedNumbers::PremiumRate => NumberKind::PremiumRate,
            DeniedNumbers::Unallocated => NumberKind::Unallocated,
        });
        Ok(Some((plans, kinds.collect())))
    }

    /// Why a number is denied.
    pub(super) fn denies(
        &self,
        number: Option<&PhoneNumber>,
        country: Option<Country>,
        method: &Method,
    ) -> Option<String> {
        let text = number.map_or("", PhoneNumber::as_str);
        let ends = (2..=text.len().min(self.longest_line)).rev();
        let prefixes = ends.filter_map(|end| self.lines.get_key_value(&text[..end]));
        let by_country = country.and_then(|country| self.lines.get_key_value(country.as_str()));
        match prefixes.chain(by_country).next() {
            Some((_, Access::Allow)) => {}
            Some((line, Access::Deny)) => return Some(format!("{line} is denied")),
            None if self.otherwise == Access::Allow => {}
            None => {
                return Some(match country {
                    Some(country) => format!("{country} is not allowed"),
                    None => "numbers of no country are not allowed".to_owned(),
                });
            }
        }
        if let Some(country) = country
            && let Some(methods) = self.methods.get(&country)
            && !methods.contains(method)
        {
            return Some(format!("method {method} is not allowed in {country}"));
        }
        let (plans, denied) = self.plans.as_ref()?;
        let kind = number.map_or(NumberKind::Unallocated, |number| plans.kind(number));
        denied.contains(&kind).then(|| match kind {
            NumberKind::PremiumRate => "premium-rate numbers are denied".to_owned(),
            _ => "numbers that are not allocated are denied".to_owned(),
        })
    }
}

/// Numbers that no rule applies to.
#[derive(Debug)]
pub(super) struct ExceptionList {
    numbers: Vec<PhoneNumber>,
    prefixes: Vec<Box<str>>,
}

impl ExceptionList {
    pub(super) fn new(exceptions: &Exceptions) -> Result<Self, InvalidPolicy> {
        let mut numbers = exceptions.numbers.clone();
        numbers.sort();
        let prefixes = exceptions.prefixes.iter().enumerate();
        let prefixes = prefixes.map(|(at, text)| prefix(&format!("exceptions.prefixes[{at}]"), text));
        Ok(Self {
            numbers,
            prefixes: prefixes.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn contains(&self, number: &PhoneNumber) -> bool {
        let mut prefixes = self.prefixes.iter();
        self.numbers.binary_search(number).is_ok()
            || prefixes.any(|prefix| number.as_str().starts_with(&**prefix))
    }
}
