//! How texts compare, as real servers have compared them (`tests/real/collations_record.py`): the
//! same here, or not known.

use dbtrail_types::collation::sort_key;
use std::collections::BTreeMap;
use std::path::Path;

fn held_to(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/collations").join(file);
    let path = std::env::var("DBTRAIL_COLLATIONS").map_or(path, |other| Path::new(&other).join(file));
    let text = std::fs::read_to_string(path).expect("recorded comparisons");
    let (mut wrong, mut counts) = (Vec::new(), BTreeMap::new());
    for line in text.lines() {
        let (collation, a, b, verdict): (String, String, String, i8) =
            serde_json::from_str(line).expect("a comparison");
        let key = |text: &str| {
            let mut key = Vec::new();
            sort_key(&collation, text, &mut key).ok().map(|()| key)
        };
        let count: &mut (u32, u32) = counts.entry(collation.clone()).or_default();
        count.0 += 1;
        if let (Some(a_key), Some(b_key)) = (key(&a), key(&b)) {
            count.1 += 1;
            if a_key.cmp(&b_key) as i8 != verdict {
                wrong.push(format!("{collation}: {a:?} and {b:?}: {verdict}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {}", wrong.len(), wrong.join("\n"));
    for (collation, (all, decided)) in counts {
        assert!(decided * 100 > all * 50, "{collation}: {decided} of {all} are certain");
    }
}

#[test]
fn texts_compare_as_in_mysql() {
    held_to("mysql-9.7.jsonl");
}

#[test]
fn texts_compare_as_in_mariadb() {
    held_to("mariadb-11.8.jsonl");
}
