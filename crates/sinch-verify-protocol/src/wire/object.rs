use std::borrow::Cow;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// A key of a JSON object, borrowed from the input when it has no escapes.
pub(crate) struct Key<'de>(Cow<'de, str>);

impl Key<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyText;
        impl<'de> Visitor<'de> for KeyText {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyText)
    }
}

/// Declares a wire object.
///
/// `required` fields are plain, the others become `Option`. An `optional` field
/// is read strictly, as a required one; a `side` field that cannot be read is left
/// out with a remark (see [`super::Side`]), and a `raw` one is any JSON. The first
/// key is the canonical one, which is written; the keys after `|` are read as well,
/// with a remark. `via` names a tolerant reading (see [`super::Via`]), `of` the
/// method that an object belongs to, in a file that imports `method`. A leading `settle` names a function that
/// tidies a received object up, `debug by_hand` leaves `Debug` to the
/// object's own file, and `setters all` makes a method for each field, all of
/// which must be optional. `unknown allowed` is for an object whose schema allows
/// fields beside those it lists.
///
/// `bare` makes an object of its required fields alone.
macro_rules! object {
    (
        $(settle $settle:path;)?
        $(debug $debug:ident;)?
        $(setters $setters:ident;)?
        $(unknown $unknown:ident;)?
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(
                $(#[$fmeta:meta])*
                $kind:ident $key:literal $(| $alias:literal)* => $field:ident : $ty:ty $(, via $via:ty)? $(, of $method:ident)?;
            )*
        }
    ) => {
        $crate::wire::object!(@debug $name, $($debug,)? [$($field),*]);
        $crate::wire::object!(@setters $name, $($setters,)? [$($(#[$fmeta])* $field: $ty;)*]);
        $crate::wire::object!(@bare $name [] [] $($kind $field: $ty;)*);
        $crate::wire::object!(@parts $name [$($(($method $key $field $ty))?)*]);

        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $( $(#[$fmeta])* pub $field: $crate::wire::object!(@type $kind $ty), )*
            /// Fields that this version does not know.
            pub extra: $crate::wire::Extra,
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("a JSON object (", stringify!($name), ")"))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        $( let mut $field: Option<$ty> = None; )*
                        let mut extra = $crate::wire::Extra::default();
                        while let Some(key) = map.next_key::<$crate::wire::Key<'de>>()? {
                            match key.as_str() {
                                $(
                                    $key $(| $alias)* => {
                                        if $field.is_some() {
                                            return Err(serde::de::Error::duplicate_field($key));
                                        }
                                        if key.as_str() != $key {
                                            extra.remark($key, $crate::wire::AnomalyKind::KeySpelling);
                                        }
                                        $field = $crate::wire::object!(@read $kind $key, $ty, map, extra $(, $via)?);
                                    }
                                )*
                                other => {
                                    let raw = map.next_value::<Box<serde_json::value::RawValue>>()?;
                                    extra.push(other, raw);
                                }
                            }
                        }
                        Ok($name {
                            $( $field: $crate::wire::object!(@done $kind $key, $field), )*
                            extra,
                        })
                    }
                }
                deserializer.deserialize_map(Fields)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(None)?;
                $( $crate::wire::object!(@write $kind $key, self.$field, map); )*
                for (key, raw) in self.extra.fields() {
                    map.serialize_entry(key, raw)?;
                }
                map.end()
            }
        }

        impl $crate::wire::WireObject for $name {
            fn carries_the_verdict(key: &str) -> bool {
                $(
                    if $crate::wire::object!(@strict $kind) && matches!(key, $key $(| $alias)*) {
                        return true;
                    }
                )*
                false
            }

            fn extra_mut(&mut self) -> &mut $crate::wire::Extra {
                &mut self.extra
            }
        }

        impl $crate::wire::SideValue for $name {
            fn from_map<'de, A: serde::de::MapAccess<'de>>(map: A) -> Result<$crate::wire::Side<Self>, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                serde::Deserialize::deserialize(map).map($crate::wire::Side::Documented)
            }
        }

        impl $crate::wire::Part for $name {
            fn drain(&mut self, at: $crate::wire::At<'_>, out: &mut Vec<$crate::wire::Anomaly>) {
                $( $crate::wire::Part::drain(&mut self.$field, at.field($key), out); )*
                $( $settle(self, at, out); )?
                $crate::wire::drain_extra(&mut self.extra, at, out);
                $crate::wire::object!(@unknown self.extra, at, out $(, $unknown)?);
            }

            #[cfg(feature = "server")]
            fn schema() -> serde_json::Value {
                let fields = [$( ($key, <$ty as $crate::wire::Part>::schema()) ),*];
                let required: &[&str] = &$crate::wire::object!(@required [] $($kind $key)*);
                let properties: serde_json::Map<_, _> =
                    fields.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect();
                serde_json::json!({"type": "object", "required": required, "properties": properties})
            }
        }
    };

    (@required [$($found:literal)*]) => { [$($found),*] };
    (@required [$($found:literal)*] required $key:literal $($rest:tt)*) => {
        $crate::wire::object!(@required [$($found)* $key] $($rest)*)
    };
    (@required [$($found:literal)*] $kind:ident $key:literal $($rest:tt)*) => {
        $crate::wire::object!(@required [$($found)*] $($rest)*)
    };

    (@unknown $extra:expr, $at:ident, $out:ident) => { $crate::wire::name_unknown(&$extra, $at, $out) };
    (@unknown $extra:expr, $at:ident, $out:ident, allowed) => {};

    // Written by hand where a plain text may be personal.
    (@debug $name:ident, by_hand, [$($field:ident),*]) => {};
    (@debug $name:ident, [$($field:ident),*]) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $( .field(stringify!($field), &self.$field) )*
                    .field("extra", &self.extra)
                    .finish()
            }
        }
    };

    (@setters $name:ident, [$($rest:tt)*]) => {};
    (@setters $name:ident, all, [$($(#[$fmeta:meta])* $field:ident: $ty:ty;)*]) => {
        impl $name {
            $(
                $(#[$fmeta])*
                #[must_use]
                pub fn $field(mut self, $field: $ty) -> Self {
                    self.$field = Some($field);
                    self
                }
            )*
        }
    };

    (@bare $name:ident [$($given:ident: $given_ty:ty;)*] [$($absent:ident)*] required $field:ident: $ty:ty; $($rest:tt)*) => {
        $crate::wire::object!(@bare $name [$($given: $given_ty;)* $field: $ty;] [$($absent)*] $($rest)*);
    };
    (@bare $name:ident [$($given:ident: $given_ty:ty;)*] [$($absent:ident)*] $kind:ident $field:ident: $ty:ty; $($rest:tt)*) => {
        $crate::wire::object!(@bare $name [$($given: $given_ty;)*] [$($absent)* $field] $($rest)*);
    };
    (@bare $name:ident [$($given:ident: $given_ty:ty;)*] [$($absent:ident)*]) => {
        impl $name {
            #[allow(dead_code, clippy::too_many_arguments, reason = "one for every object; few are made by hand")]
            pub(crate) fn bare($($given: $given_ty),*) -> Self {
                Self {
                    $($given,)*
                    $($absent: None,)*
                    extra: $crate::wire::Extra::default(),
                }
            }
        }
    };

    (@parts $name:ident []) => {};
    (@parts $name:ident [$(($method:ident $key:literal $field:ident $ty:ty))+]) => {
        $(
            impl $crate::wire::PartOf<$name> for method::$method {
                type Object = $ty;
                const KEY: &'static str = $key;

                fn get(body: &$name) -> Option<&$ty> {
                    body.$field.as_ref()
                }

                fn slot(body: &mut $name) -> &mut Option<$ty> {
                    &mut body.$field
                }
            }
        )+

        impl $name {
            /// The objects in here that belong to one method each: the method, and the object's key.
            pub fn parts(&self) -> impl Iterator<Item = (method::Method, &'static str)> {
                let all = [$( self.$field.as_ref().map(|_| (method::Method::$method, $key)) ),+];
                all.into_iter().flatten()
            }
        }
    };

    (@type required $ty:ty) => { $ty };
    (@type $kind:ident $ty:ty) => { Option<$ty> };

    (@strict required) => { true };
    (@strict optional) => { true };
    (@strict side) => { false };
    (@strict raw) => { false };

    // A required field has no use for null: serde says what was expected.
    (@read required $key:literal, $ty:ty, $map:ident, $extra:ident) => { Some($map.next_value::<$ty>()?) };
    (@read required $key:literal, $ty:ty, $map:ident, $extra:ident, $via:ty) => {
        $crate::wire::Via::<$ty>::settle($map.next_value::<$via>()?, $key, &mut $extra)
    };
    (@read side $key:literal, $ty:ty, $map:ident, $extra:ident) => {
        $map.next_value::<$crate::wire::Side<$ty>>()?.settle($key, &mut $extra)
    };
    (@read side $key:literal, $ty:ty, $map:ident, $extra:ident, $via:ty) => {
        $map.next_value::<$crate::wire::Side<$via>>()?.settle_via::<$ty>($key, &mut $extra)
    };
    (@read $kind:ident $key:literal, $ty:ty, $map:ident, $extra:ident) => {
        match $map.next_value::<Option<$ty>>()? {
            Some(value) => Some(value),
            None => {
                $extra.remark($key, $crate::wire::AnomalyKind::ExplicitNull);
                None
            }
        }
    };
    (@read $kind:ident $key:literal, $ty:ty, $map:ident, $extra:ident, $via:ty) => {
        match $map.next_value::<Option<$via>>()? {
            Some(value) => $crate::wire::Via::<$ty>::settle(value, $key, &mut $extra),
            None => {
                $extra.remark($key, $crate::wire::AnomalyKind::ExplicitNull);
                None
            }
        }
    };

    (@done required $key:literal, $field:ident) => {
        $field.ok_or_else(|| <A::Error as serde::de::Error>::missing_field($key))?
    };
    (@done $kind:ident $key:literal, $field:ident) => { $field };

    (@write required $key:literal, $value:expr, $map:ident) => { $map.serialize_entry($key, &$value)?; };
    (@write $kind:ident $key:literal, $value:expr, $map:ident) => {
        if let Some(value) = &$value {
            $map.serialize_entry($key, value)?;
        }
    };
}

pub(crate) use object;
