//! Bytes inside JSON: text where they are UTF-8, hexadecimal digits where not.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes as they travel: JSON text when they are UTF-8, else `{"hex": "..."}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Octets(pub Vec<u8>);

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        if let Ok(text) = std::str::from_utf8(&self.0) {
            return serializer.serialize_str(text);
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("hex", &hex::encode(&self.0))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OctetsVisitor)
    }
}

pub(super) struct OctetsVisitor;

impl<'de> serde::de::Visitor<'de> for OctetsVisitor {
    type Value = Octets;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("text or {\"hex\": \"...\"}")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Octets, E> {
        Ok(Octets(text.as_bytes().to_vec()))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Octets, E> {
        Ok(Octets(text.into_bytes()))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Octets, A::Error> {
        use serde::de::Error;
        let entry = map.next_entry::<String, String>()?;
        let Some((_, hex)) = entry.filter(|(key, _)| key == "hex") else {
            return Err(A::Error::custom("bytes are written as {\"hex\": \"...\"}"));
        };
        let bytes = hex::decode(&hex)
            .map_err(|_| A::Error::custom("\"hex\" must be an even number of hexadecimal digits"))?;
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom("bytes are written as {\"hex\": \"...\"} and nothing else"));
        }
        Ok(Octets(bytes))
    }
}
