use super::reading::take_number;
use super::*;
use proptest::prelude::*;

fn cell() -> impl Strategy<Value = RowCell> {
    prop_oneof![
        1 => Just(RowCell::Null),
        4 => prop::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| RowCell::Value(Octets(bytes))),
        1 => "[a-z é]{0,9}".prop_map(RowCell::Unknown),
    ]
}

fn row() -> impl Strategy<Value = RowLine> {
    prop::collection::vec(cell(), 3)
}

fn event() -> impl Strategy<Value = DiffEvent> {
    let kind = prop_oneof![Just(EventType::Insert), Just(EventType::Update), Just(EventType::Delete)];
    let key = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200).prop_map(Octets), 0..4);
    let rows = (prop::option::of(row()), prop::option::of(row()));
    let who = (any::<bool>(), prop::option::of(any::<u64>()), prop::option::of("[0-9a-f-]{0,40}"));
    (any::<u64>(), any::<i64>(), kind, who, key, rows).prop_map(
        |(id, at, kind, who, key, (before, after))| DiffEvent {
            event_id: id,
            event_timestamp: Timestamp::from_micros(at),
            event_type: kind,
            derived: who.0,
            cause: who.1,
            gtid: who.2,
            key,
            before,
            after,
            origin: None,
            table: None,
        },
    )
}

/// As the module describes it.
fn written(event: &DiffEvent) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(event.event_id.to_le_bytes());
    out.extend(event.event_timestamp.micros().to_le_bytes());
    let flag = |there: bool, flag: u8| if there { flag } else { 0 };
    out.push(
        match event.event_type {
            EventType::Insert => 0,
            EventType::Update => 1,
            EventType::Delete => 2,
        } | flag(event.derived, flag::DERIVED)
            | flag(event.cause.is_some(), flag::CAUSE)
            | flag(event.gtid.is_some(), flag::GTID)
            | flag(event.before.is_some(), flag::BEFORE)
            | flag(event.after.is_some(), flag::AFTER),
    );
    out.extend(event.cause.iter().flat_map(|cause| cause.to_le_bytes()));
    if let Some(gtid) = &event.gtid {
        put_bytes(&mut out, gtid.as_bytes());
    }
    put_number(&mut out, event.key.len() as u64);
    event.key.iter().for_each(|Octets(bytes)| put_bytes(&mut out, bytes));
    for row in [&event.before, &event.after].into_iter().flatten() {
        put_counted(&mut out, &[], |out| put_row(out, row));
    }
    out
}

proptest! {
    #[test]
    fn rows_come_back(row in row(), noise in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut out = Vec::new();
        put_frame(&mut out, FrameKind::Row, |out| put_row(out, &row));
        prop_assert_eq!(frame_head(&out), Some(Ok((FrameKind::Row, out.len() - HEAD))));
        let content = &out[HEAD..];
        prop_assert_eq!(read_row(content, 3), Some(row));
        prop_assert_eq!(read_row(content, 2), None);
        prop_assert_eq!(read_row(content, 4), None);
        for cut in 0..content.len() {
            prop_assert_eq!(read_row(&content[..cut], 3), None);
        }
        // No panic, and nothing that is longer than what came.
        let _ = (read_row(&noise, 3), read_event(&noise, 3), frame_head(&noise));
    }

    #[test]
    fn events_come_back(event in event()) {
        let out = written(&event);
        let mut again = Vec::new();
        put_event(&mut again, &event);
        prop_assert_eq!(&again, &out);
        prop_assert_eq!(read_event(&out, 3), Some(event));
        for cut in 0..out.len() {
            prop_assert_eq!(read_event(&out[..cut], 3), None);
        }
        prop_assert_eq!(read_event(&[&out[..], &[0]].concat(), 3), None);
    }

    #[test]
    fn numbers_come_back(number in any::<u64>()) {
        for number in [number, number >> 32, number >> 57, 0x7f, 0x80] {
            let mut out = Vec::new();
            put_number(&mut out, number);
            let mut rest = &out[..];
            prop_assert_eq!(take_number(&mut rest), Some(number));
            prop_assert!(rest.is_empty());
        }
    }
}

#[test]
fn what_is_no_frame_is_told() {
    assert_eq!(frame_head(&[1, 0, 0, 0]), None);
    assert_eq!(frame_head(&[1, 0, 0, 0, 9, 0]), Some(Err(9)));
    assert_eq!(frame_head(b"{\"success\":true"), Some(Err(b'c')), "lines are no frames");
    for number in [&[0xff; 10][..], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02], &[0x80]] {
        assert_eq!(take_number(&mut &*number), None, "{number:?}");
    }
    let mut bytes = vec![0; 17];
    bytes[16] = 3;
    assert_eq!(read_event(&bytes, 1), None, "no kind of change");
}
