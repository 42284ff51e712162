//! Files of tokens that change, and doors that stay shut.

use super::*;
use axum::http::HeaderValue;

fn opens(tokens: &Tokens, token: &str) -> bool {
    let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    tokens.allow(&HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

/// Looks as if this many periods had gone by.
fn later(tokens: &Tokens, periods: u32) {
    tokens.look(Instant::now() + PERIOD * periods);
}

#[test]
fn a_file_has_one_token_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    std::fs::write(&path, "# ours\n one \n\ntwo\n").unwrap();
    let tokens = Tokens::from_file(&path).unwrap();
    assert!(!tokens.is_open());
    for (token, open) in [("one", true), ("two", true), ("# ours", false), ("", false), ("on", false)] {
        assert_eq!(opens(&tokens, token), open, "{token}");
    }
    std::fs::write(&path, "# nothing\n").unwrap();
    assert!(Tokens::from_file(&path).unwrap_err().to_string().ends_with("holds no token"));
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(Tokens::from_file(&path).unwrap_err().to_string().ends_with("is not UTF-8 text"));
    assert!(
        Tokens::from_file(&folder.path().join("none")).unwrap_err().to_string().starts_with("cannot read")
    );
}

#[test]
fn a_changed_file_counts_and_a_lost_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    std::fs::write(&path, "one\ntwo\n").unwrap();
    let tokens = Tokens::from_file(&path).unwrap();
    // Same length: only the times of the file, or its content, tell.
    std::fs::write(&path, "six\ntwo\n").unwrap();
    later(&tokens, 2);
    assert_eq!(["one", "two", "six"].map(|t| opens(&tokens, t)), [false, true, true]);
    for (broken, periods) in [("", 4), ("# all gone\n", 6)] {
        std::fs::write(&path, broken).unwrap();
        later(&tokens, periods);
        assert_eq!(["two", "six"].map(|t| opens(&tokens, t)), [true, true], "{broken:?}");
    }
    std::fs::remove_file(&path).unwrap();
    later(&tokens, 8);
    assert!(opens(&tokens, "six"));
    // Rotated by a rename, as careful people do.
    let new = folder.path().join("new");
    std::fs::write(&new, "ten\n").unwrap();
    std::fs::rename(&new, &path).unwrap();
    later(&tokens, 10);
    assert_eq!(["two", "six", "ten"].map(|t| opens(&tokens, t)), [false, false, true]);
}

#[test]
fn an_old_file_that_does_not_change_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    std::fs::write(&path, "one\n").unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    let (_, stamp) = read(&path).unwrap();
    assert_eq!(stamp, Some(Stamp::of(&std::fs::metadata(&path).unwrap())));
    let tokens = Tokens::from_file(&path).unwrap();
    std::fs::write(&path, "two\n").unwrap();
    let again = Tokens::from_file(&path).unwrap();
    assert!(tokens.can_take_over(&again) && tokens.take_over(&again));
    assert_eq!(["one", "two"].map(|t| opens(&tokens, t)), [false, true]);
    // A door does not become open, nor is another file looked at.
    let other = folder.path().join("other");
    std::fs::write(&other, "ten\n").unwrap();
    for not in
        [Tokens::default(), vec![Secret::new("x".to_owned())].into(), Tokens::from_file(&other).unwrap()]
    {
        assert!(!tokens.can_take_over(&not) && !tokens.take_over(&not));
    }
    assert_eq!(["ten", "two"].map(|t| opens(&tokens, t)), [false, true]);
}
