/// Gives types that are a string on the wire their serde form: written as the text that the named
/// function gives, read by `FromStr`. `known` lists the known texts.
macro_rules! string_form {
    ($($name:ident: $text:ident $(, known $known:expr)?);+ $(;)?) => {
        $(
            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.$text())
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    $crate::wire::read_text(deserializer, str::parse)
                }
            }

            impl $crate::wire::Part for $name {
                $(
                    #[cfg(feature = "server")]
                    fn schema() -> serde_json::Value {
                        serde_json::json!({"type": "string", "examples": $known})
                    }
                )?
            }
        )+
    };
}

pub(crate) use string_form;
