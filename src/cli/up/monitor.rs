//! The monitor's user of `up`.

use super::USER;
use dbtrail_types::secret::Secret;

/// The environment variable with the password of `--monitor`.
pub(super) const PASSWORD: &str = "DBTRAIL_MONITOR_PASSWORD";

/// User and password, where there is a user.
///
/// # Errors
/// It is the user of the tenant, or has no password.
pub(super) fn login(
    user: Option<&str>,
    password: Option<String>,
) -> Result<Option<(String, Secret)>, String> {
    let Some(user) = user else { return Ok(None) };
    if user == USER || user.is_empty() {
        return Err(format!("--monitor: '{user}' cannot be the monitor's user: choose another name"));
    }
    let password = password.filter(|p| !p.is_empty()).ok_or_else(|| {
        format!("--monitor: the password is missing: set {PASSWORD} to ProxySQL's mysql-monitor_password")
    })?;
    Ok(Some((user.to_owned(), Secret::new(password))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monitor_has_a_name_of_its_own_and_a_password() {
        let shown = |user: Option<&str>, password: Option<&str>| {
            let login = login(user, password.map(str::to_owned))?;
            Ok::<_, String>(login.map(|(user, password)| (user, password.expose().to_owned())))
        };
        assert_eq!(shown(Some("probe"), Some("x")), Ok(Some(("probe".to_owned(), "x".to_owned()))));
        assert_eq!(shown(None, None), Ok(None));
        assert!(shown(Some("probe"), None).unwrap_err().contains(PASSWORD));
        assert!(shown(Some(USER), Some("x")).is_err());
    }
}
