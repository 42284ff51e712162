//! A cell of a row.

use super::octets::{Octets, OctetsVisitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A cell of a row: null, text or `{"hex": "..."}`, or `{"unknown": "why"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowCell {
    /// NULL.
    Null,
    /// The bytes of the value.
    Value(Octets),
    /// The agent does not know it; why, as a half sentence. Whoever asks for this column must be
    /// refused, and for the others need not.
    Unknown(String),
}

impl RowCell {
    /// The cell as far as it is known; `Err`: why it is not.
    ///
    /// # Errors
    /// It is not known.
    pub fn known(self) -> Result<Option<Octets>, String> {
        match self {
            Self::Null => Ok(None),
            Self::Value(octets) => Ok(Some(octets)),
            Self::Unknown(why) => Err(why),
        }
    }
}

impl Serialize for RowCell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Value(octets) => octets.serialize(serializer),
            Self::Unknown(why) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("unknown", why)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for RowCell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> serde::de::Visitor<'de> for CellVisitor {
    type Value = RowCell;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("null, text, {\"hex\": \"...\"} or {\"unknown\": \"why\"}")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<RowCell, E> {
        Ok(RowCell::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<RowCell, E> {
        Ok(RowCell::Null)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RowCell, E> {
        OctetsVisitor.visit_str(text).map(RowCell::Value)
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<RowCell, E> {
        OctetsVisitor.visit_string(text).map(RowCell::Value)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<RowCell, A::Error> {
        use serde::de::Error;
        let (form, text) = map
            .next_entry::<String, String>()?
            .ok_or_else(|| A::Error::custom("an object in place of a cell is empty"))?;
        let cell = match form.as_str() {
            "unknown" => RowCell::Unknown(text),
            "hex" => RowCell::Value(Octets(
                hex::decode(&text)
                    .map_err(|_| A::Error::custom("\"hex\" must be an even number of hexadecimal digits"))?,
            )),
            _ => return Err(A::Error::custom("bytes are written as {\"hex\": \"...\"}")),
        };
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom("an object in place of a cell holds one thing"));
        }
        Ok(cell)
    }
}

/// A row line of `/v1/flashback` and `/v1/snapshot`: a cell a column, in the header's order.
pub type RowLine = Vec<RowCell>;
