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
    /// The longest first.
    prefixes: Vec<(Box<str>, Access)>,
    countries: BTreeMap<Country, Access>,
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
        let (mut prefixes, mut by_country) = (BTreeMap::new(), BTreeMap::new());
        for (field, list, allowed) in [
            ("allow-countries", &rule.allow_countries, Access::Allow),
            ("deny-countries", &rule.deny_countries, Access::Deny),
        ] {
            let path = format!("destinations.{field}");
            countries(&path, list.iter().copied())?;
            for country in list {
                if by_country
                    .insert(*country, allowed)
                    .is_some_and(|other| other != allowed)
                {
                    let message = format!("{country} is both allowed and denied; remove one");
                    return Err(InvalidPolicy::new(path, message));
                }
            }
        }
        for (field, list, allowed) in [
            ("allow-prefixes", &rule.allow_prefixes, Access::Allow),
            ("deny-prefixes", &rule.deny_prefixes, Access::Deny),
        ] {
            for (at, text) in list.iter().enumerate() {
                let path = format!("destinations.{field}[{at}]");
                let prefix = prefix(&path, text)?;
                if prefixes
                    .insert(prefix, allowed)
                    .is_some_and(|other| other != allowed)
                {
                    let message = format!("{text} is both allowed and denied; remove one");
                    return Err(InvalidPolicy::new(path, message));
                }
            }
        }
        for (country, list) in &rule.methods {
            let path = format!("destinations.methods.{country}");
            countries(&path, [*country].into_iter())?;
            methods(&path, list)?;
        }
        let mut prefixes: Vec<_> = prefixes.into_iter().collect();
        prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        let by_default = match rule.allow_countries[..] {
            [] => Access::Allow,
            _ => Access::Deny,
        };
        Ok(Self {
            mode,
            prefixes,
            countries: by_country,
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
        let mut prefixes = self.prefixes.iter();
        let by_prefix = prefixes.find(|(prefix, _)| text.starts_with(&**prefix));
        match by_prefix {
            Some((prefix, Access::Deny)) => return Some(format!("numbers from {prefix} are denied")),
            Some((_, Access::Allow)) => {}
            None => {
                let by_country = country.and_then(|country| self.countries.get(&country));
                if *by_country.unwrap_or(&self.otherwise) == Access::Deny {
                    return Some(match country {
                        Some(country) => format!("country {country} is not allowed"),
                        None => "numbers of no country are not allowed".to_owned(),
                    });
                }
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
