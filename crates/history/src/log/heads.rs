//! What the head of a binary log file says, and the order of files by it.

use super::event;
use super::file_error::FileError;
use super::{LogError, ServerVersion};
use dbtrail_types::timestamp::Timestamp;
use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// A file's name without its folder.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `binlog.000042` as its stem and number.
pub(super) fn numbered(name: &str) -> Option<(&str, u64)> {
    let (stem, number) = name.rsplit_once('.')?;
    Some((stem, number.parse().ok()?))
}

/// The head of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The file.
    pub path: PathBuf,
    /// When the server began it, to the second; `None`: it does not say.
    pub begun: Option<Timestamp>,
    /// The server that wrote it.
    pub server: ServerVersion,
}

impl Head {
    /// Reads the head of a file.
    ///
    /// # Errors
    /// It cannot be opened, or does not begin as a binary log.
    pub fn read(path: &Path) -> Result<Self, LogError> {
        let file =
            File::open(path).map_err(|e| FileError::Open { path: path.to_owned(), error: e.to_string() })?;
        let mut input = BufReader::new(file);
        event::magic(&mut input).map_err(|fault| FileError::Magic { path: path.to_owned(), fault })?;
        let mut head = Self { path: path.to_owned(), begun: None, server: ServerVersion::default() };
        // What is wrong with its events is reported when they are read.
        let Ok(Some(first)) = event::next(&mut input, 4, false) else { return Ok(head) };
        let Ok(format) = event::format(&first) else { return Ok(head) };
        head.server = format.version();
        let micros = i64::from(first.timestamp) * 1_000_000;
        head.begun = (first.timestamp != 0).then(|| Timestamp::from_micros(micros));
        Ok(head)
    }
}

/// The files in the order in which the server wrote them: by their numbers, where all have one and
/// the same name before it, else by when each was begun.
///
/// # Errors
/// A file is no binary log, or the order is not known.
pub(super) fn in_order(files: &[PathBuf]) -> Result<Vec<Head>, LogError> {
    let mut heads = files.iter().map(|path| Head::read(path)).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<String> = files.iter().map(|f| name_of(f)).collect();
    let stems: Option<HashSet<&str>> = names.iter().map(|n| numbered(n).map(|(stem, _)| stem)).collect();
    if stems.is_some_and(|stems| stems.len() == 1) {
        heads.sort_by_key(|head| numbered(&name_of(&head.path)).map(|(_, number)| number));
        return Ok(heads);
    }
    heads.sort_by_key(|head| head.begun);
    for pair in heads.windows(2) {
        let [first, second] = pair else { continue };
        let ordered = first.begun.is_some() && first.begun < second.begun;
        if !ordered {
            let (first, second) = (first.path.clone(), second.path.clone());
            return Err(FileError::Order { first, second }.into());
        }
    }
    Ok(heads)
}

/// The files that can hold something of the instants from `from` to `to`. A file is left out only
/// by when others were begun, and only where these times rise.
pub(super) fn within(heads: Vec<Head>, from: Option<Timestamp>, to: Option<Timestamp>) -> Vec<Head> {
    let rise = heads.windows(2).all(|pair| pair[0].begun.is_some() && pair[0].begun <= pair[1].begun);
    if !rise {
        return heads;
    }
    let begun = |head: &Head| head.begun.unwrap_or(Timestamp::from_micros(0));
    let following = |at: Timestamp| heads.partition_point(|head| begun(head) <= at);
    let first = from.map_or(0, |from| following(from).saturating_sub(1));
    let end = to.map_or(heads.len(), following).max(first + 1);
    heads.into_iter().take(end).skip(first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(begun: u32) -> Vec<u8> {
        let event = |kind: u8, body: &[u8]| {
            let mut raw = begun.to_le_bytes().to_vec();
            raw.push(kind);
            raw.extend([1, 0, 0, 0]);
            raw.extend(u32::try_from(19 + body.len()).unwrap().to_le_bytes());
            raw.extend([0; 6]);
            raw.extend(body);
            raw
        };
        let mut name = b"9.7.4".to_vec();
        name.resize(50, 0);
        let format = [&[4, 0][..], &name, &[0, 0, 0, 0, 19], &[0; 40], &[0, 0, 0, 0, 0]].concat();
        [b"\xfebin".to_vec(), event(15, &format)].concat()
    }

    fn order(files: &[(&str, u32)]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = files
            .iter()
            .map(|(name, begun)| {
                let path = folder.path().join(name);
                std::fs::write(&path, log(*begun)).unwrap();
                path
            })
            .collect();
        let heads = in_order(&paths).map_err(|e| e.to_string())?;
        Ok(heads.iter().map(|head| name_of(&head.path)).collect())
    }

    #[test]
    fn files_are_read_in_the_order_in_which_they_were_written() {
        let numbers = [("binlog.1000000", 5), ("binlog.999999", 5), ("binlog.999998", 9)];
        assert_eq!(order(&numbers).unwrap(), ["binlog.999998", "binlog.999999", "binlog.1000000"]);
        let times = [("c", 30), ("a", 10), ("b", 20)];
        assert_eq!(order(&times).unwrap(), ["a", "b", "c"]);
        for unordered in [&[("second", 10), ("first", 10)][..], &[("a", 0), ("b", 20)]] {
            let why = order(unordered).unwrap_err();
            assert!(why.contains("comes first is not known"), "{why}");
        }
    }

    #[test]
    fn files_that_hold_nothing_of_the_time_are_left_out() {
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let head = |second: i64| Head {
            path: PathBuf::from(second.to_string()),
            begun: Some(at(second)),
            server: ServerVersion::default(),
        };
        let kept = |seconds: &[i64], from: Option<i64>, to: Option<i64>| -> Vec<String> {
            let heads = seconds.iter().map(|s| head(*s)).collect();
            let kept = within(heads, from.map(at), to.map(at));
            kept.iter().map(|h| h.path.display().to_string()).collect()
        };
        let files = [10, 20, 30];
        assert_eq!(kept(&files, None, None), ["10", "20", "30"]);
        assert_eq!(kept(&files, Some(20), None), ["20", "30"]);
        assert_eq!(kept(&files, Some(19), Some(20)), ["10", "20"]);
        assert_eq!(kept(&files, Some(35), Some(99)), ["30"]);
        assert_eq!(kept(&files, Some(1), Some(5)), ["10"]);
        assert_eq!(kept(&[10, 30, 20], Some(25), None), ["10", "30", "20"], "the clock was set back");
    }
}
