//! Which tables are captured: `schema.table` with `*` for any characters.

use dbtrail_types::names::TableName;

/// Schemas of the server itself.
const SYSTEM: [&str; 4] = ["mysql", "sys", "information_schema", "performance_schema"];

/// Include and exclude patterns. A table is captured if one of the first fits (or there is none)
/// and none of the second does. Tables of the server's own schemas never are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    schema: String,
    table: String,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a pattern of tables: write schema.table, with * for any characters (shop.*, *.orders)")]
pub struct BadPattern(pub String);

impl Patterns {
    /// Reads patterns.
    ///
    /// # Errors
    /// A text is not of the form `schema.table`.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self, BadPattern> {
        let read = |texts: &[String]| texts.iter().map(|t| Pattern::read(t)).collect::<Result<Vec<_>, _>>();
        Ok(Self { include: read(include)?, exclude: read(exclude)? })
    }

    /// Whether all tables are captured but those of the server's own schemas.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// The same for a server that keeps names in lower case.
    #[must_use]
    pub fn to_lowercase(&self) -> Self {
        let lower = |patterns: &[Pattern]| {
            let lower =
                |p: &Pattern| Pattern { schema: p.schema.to_lowercase(), table: p.table.to_lowercase() };
            patterns.iter().map(lower).collect()
        };
        Self { include: lower(&self.include), exclude: lower(&self.exclude) }
    }

    /// Whether the table is captured. Names compare as written: where the server does not tell
    /// upper from lower case (`lower_case_table_names`), ask [`Self::to_lowercase`] of them for
    /// names in lower case.
    #[must_use]
    pub fn includes(&self, name: &TableName) -> bool {
        !SYSTEM.iter().any(|s| name.schema.eq_ignore_ascii_case(s))
            && (self.include.is_empty() || self.include.iter().any(|p| p.fits(name)))
            && !self.exclude.iter().any(|p| p.fits(name))
    }
}

impl Pattern {
    fn read(text: &str) -> Result<Self, BadPattern> {
        match text.split_once('.') {
            Some((schema, table)) if !schema.is_empty() && !table.is_empty() => {
                Ok(Self { schema: schema.to_owned(), table: table.to_owned() })
            }
            _ => Err(BadPattern(text.to_owned())),
        }
    }

    fn fits(&self, name: &TableName) -> bool {
        matches_glob(self.schema.as_bytes(), name.schema.as_bytes())
            && matches_glob(self.table.as_bytes(), name.table.as_bytes())
    }
}

/// Whether the text is the pattern, with `*` for any bytes. In linear memory and without recursion:
/// at a mismatch the last `*` takes one more.
fn matches_glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            (p, t) = (at + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(include: &[&str], exclude: &[&str], name: &str) -> bool {
        let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let (schema, table) = name.split_once('.').unwrap();
        Patterns::new(&owned(include), &owned(exclude))
            .unwrap()
            .includes(&TableName { schema: schema.into(), table: table.into() })
    }

    #[test]
    fn ok_what_is_captured() {
        for (include, exclude, name, want) in [
            (&[][..], &[][..], "shop.orders", true),
            (&[], &[], "mysql.user", false),
            (&["*.*"], &[], "performance_schema.threads", false),
            (&["shop.*"], &[], "shop.orders", true),
            (&["shop.*"], &[], "shopping.orders", false),
            (&["shop.*"], &["shop.log_*"], "shop.log_2026", false),
            (&["shop.*"], &["shop.log_*"], "shop.catalog_x", true),
            (&["*.orders", "hr.p*e"], &[], "x.orders", true),
            (&["*.orders", "hr.p*e"], &[], "hr.people", true),
            (&["*.orders", "hr.p*e"], &[], "hr.peoples", false),
            (&["a.*b*c"], &[], "a.xbbc", true),
            (&["a.*b*c"], &[], "a.xbcb", false),
            (&["Shop.orders"], &[], "shop.orders", false),
        ] {
            assert_eq!(captured(include, exclude, name), want, "{include:?} {exclude:?} {name}");
        }
        let upper = Patterns::new(&["Shop.*".to_owned()], &["*.SECRET".to_owned()]).unwrap().to_lowercase();
        let name = |table: &str| TableName { schema: "shop".into(), table: table.into() };
        assert!(upper.includes(&name("orders")) && !upper.includes(&name("secret")));
        for bad in ["orders", ".orders", "shop.", ""] {
            assert_eq!(Patterns::new(&[bad.to_owned()], &[]), Err(BadPattern(bad.to_owned())));
        }
    }
}
