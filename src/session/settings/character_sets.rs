//! SET NAMES, SET CHARACTER SET, and the variables of character sets and collations, which set each
//! other.

use super::super::Session;
use super::super::evaluate::Value;
use super::super::variables::Variable;
use crate::failure::Failure;
use dbtrail_types::result_charset;
use dbtrail_types::result_charset::ResultCharset;

impl Session {
    /// The character set and the collation of the server and of the database, each of which sets
    /// the other. Tables are made by them, of which there are none here; SET CHARACTER SET goes by
    /// the latter.
    pub(super) fn assign_pair(&mut self, variable: &'static Variable, value: &Value) -> Result<(), Failure> {
        let Value::Text(name) = value else {
            let shown = value.text().map_or_else(|| "NULL".to_owned(), |t| t.as_ref().to_owned());
            return Err(Failure::WrongValue(variable.name.to_owned(), shown));
        };
        let name = name.to_lowercase();
        let (charset, collation) = if variable.name.starts_with("collation") {
            let (charset, collation, _) =
                result_charset::by_name(&name).ok_or_else(|| Failure::UnknownCollation(name.clone()))?;
            (charset, collation)
        } else {
            let (charset, collation, _) = known(&name, variable.name)?;
            (charset, collation)
        };
        let (first, second) = if variable.name.ends_with("server") {
            ("character_set_server", "collation_server")
        } else {
            ("character_set_database", "collation_database")
        };
        for (name, value) in [(first, charset), (second, collation)] {
            self.variables.system.insert(name, Some(value.to_owned()));
            self.changed(name);
        }
        Ok(())
    }

    /// `character_set_client`, `_connection`, `_results`.
    pub(super) fn assign_charset(
        &mut self,
        variable: &'static Variable,
        value: &Value,
    ) -> Result<(), Failure> {
        let name = variable.name;
        let charset = match value {
            Value::Text(charset) => charset.to_lowercase(),
            Value::Null if name == "character_set_results" => {
                self.charset = Some(ResultCharset::AsStored);
                self.keep(variable, None);
                return Ok(());
            }
            Value::Null | Value::Int(_) | Value::Decimal(_) | Value::Double(_) => {
                let shown = value.text().map_or_else(|| "NULL".to_owned(), |t| t.as_ref().to_owned());
                return Err(Failure::WrongValue(name.to_owned(), shown));
            }
        };
        let (charset, collation, id) = known(&charset, name)?;
        if name == "character_set_results" {
            self.charset = ResultCharset::of(charset, id);
        }
        if name == "character_set_connection" {
            self.variables.system.insert("collation_connection", Some(collation.to_owned()));
        }
        self.keep(variable, Some(charset.to_owned()));
        Ok(())
    }

    /// SET NAMES, SET CHARACTER SET. The latter leaves the connection at the character set of the
    /// database.
    pub(super) fn assign_names(
        &mut self,
        names: bool,
        charset: Option<&str>,
        collation: Option<&str>,
    ) -> Result<(), Failure> {
        let (charset, mut collation_name, mut id) =
            known(charset.unwrap_or("utf8mb4"), "character_set_client")?;
        if let Some(wanted) = collation {
            let (of, name, number) = result_charset::by_name(wanted)
                .ok_or_else(|| Failure::UnknownCollation(wanted.to_owned()))?;
            if of != charset {
                return Err(Failure::CollationMismatch(name.to_owned(), charset.to_owned()));
            }
            (collation_name, id) = (name, number);
        }
        let (connection, collation) = if names {
            (charset.to_owned(), collation_name.to_owned())
        } else {
            let of = |name: &str| self.setting(name).into_owned();
            (of("character_set_database"), of("collation_database"))
        };
        self.charset = ResultCharset::of(charset, id);
        for (variable, value) in [
            ("character_set_client", charset.to_owned()),
            ("character_set_connection", connection),
            ("character_set_results", charset.to_owned()),
        ] {
            self.variables.system.insert(variable, Some(value));
            self.changed(variable);
        }
        self.variables.system.insert("collation_connection", Some(collation));
        Ok(())
    }
}

/// A character set that text can be read and sent in, its default collation and the number of that.
fn known(charset: &str, variable: &str) -> Result<(&'static str, &'static str, u16), Failure> {
    let default = result_charset::default_collation(charset);
    match default.and_then(|(_, id)| result_charset::by_id(id).map(|(charset, name)| (charset, name, id))) {
        Some(known) => Ok(known),
        // mysqld takes no client that does not write ASCII as ASCII.
        None if matches!(charset, "ucs2" | "utf16" | "utf16le" | "utf32") && variable.ends_with("client") => {
            Err(Failure::WrongValue(variable.to_owned(), charset.to_owned()))
        }
        None => Err(Failure::UnknownCharset(charset.to_owned())),
    }
}
