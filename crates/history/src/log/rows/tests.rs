//! Rows events, read and put together.

use super::super::Raw;
use super::*;
use crate::log::{MappedColumn, ServerVersion};
use dbtrail_types::names::TableName;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

/// Two columns, INT and TINYINT.
fn table() -> Arc<MappedTable> {
    let column = |type_code| MappedColumn::plain(type_code, Vec::new(), true);
    Arc::new(MappedTable {
        name: TableName { schema: "s".into(), table: "t".into() },
        columns: vec![column(crate::log::code::LONG), column(crate::log::code::TINY)],
        primary_key: None,
        server: ServerVersion { mariadb: true, ..ServerVersion::default() },
        referred: false,
    })
}

fn layout(event: EventType, compressed: bool) -> Layout {
    Layout { event, version2: false, compressed, partial: false }
}

fn body(bitmaps: &[u8], images: &[u8]) -> Buffer {
    [&[7, 0, 0, 0, 0, 0, 1, 0, 2][..], bitmaps, images].concat().into()
}

fn of(body: &Buffer, offset: u64, layout: Layout, table: &Arc<MappedTable>) -> Result<RowsEvent, LogFault> {
    RowsEvent::of(body, offset, layout, (table, &Arc::from([Arc::clone(table)])))
}

type Images = (Option<Vec<Option<Raw<'static>>>>, Option<Vec<Option<Raw<'static>>>>);

/// All rows of an event of numbers.
fn numbers(event: &RowsEvent) -> Result<Vec<Images>, LogFault> {
    let owned = |image: &[Option<Raw<'_>>]| {
        let number = |raw: &Option<Raw<'_>>| match raw {
            Some(Raw::Int(n)) => Some(Raw::Int(*n)),
            Some(_) => Some(Raw::Null),
            None => None,
        };
        image.iter().map(number).collect::<Vec<_>>()
    };
    let mut rows = event.rows();
    let mut all = Vec::new();
    while rows.step()? {
        all.push((rows.before().map(owned), rows.after().map(owned)));
    }
    Ok(all)
}

#[test]
fn rows_are_read_under_the_columns_that_they_have() {
    let images = [0, 5, 0, 0, 0, 9, 0, 6, 0, 0, 0, 0, 8, 0, 0, 0, 2, 7];
    // The images before have both columns, those after the second one alone; in the last one it
    // is NULL.
    let event = of(
        &body(&[0b11, 0b10], &[&images[..6], &[0, 4], &images[6..12], &[1]].concat()),
        4,
        layout(EventType::Update, false),
        &table(),
    )
    .unwrap();
    let int = |n| Some(Raw::Int(n));
    let wanted = vec![
        (Some(vec![int(5), int(9)]), Some(vec![int(5), int(4)])),
        (Some(vec![int(6), int(0)]), Some(vec![int(6), Some(Raw::Null)])),
    ];
    assert_eq!(numbers(&event).unwrap(), wanted);
    let cut = of(&body(&[0b11], &images[..11]), 4, layout(EventType::Delete, false), &table()).unwrap();
    let mut rows = cut.rows();
    assert!(rows.step().unwrap(), "the first one is whole");
    assert!(rows.step().is_err());
}

#[test]
fn compressed_rows_are_the_same() {
    let images = [0, 5, 0, 0, 0, 9, 0, 6, 0, 0, 0, 8];
    let mut zlib = ZlibEncoder::new(vec![0x81, 12], Compression::default());
    zlib.write_all(&images).unwrap();
    let packed = zlib.finish().unwrap();
    for (kind, bitmaps) in [(EventType::Insert, &[0b11][..]), (EventType::Update, &[0b11, 0b11])] {
        let plain = of(&body(bitmaps, &images), 4, layout(kind, false), &table()).unwrap();
        let small = of(&body(bitmaps, &packed), 4, layout(kind, true), &table()).unwrap();
        let rows = numbers(&plain).unwrap();
        assert_eq!(rows.len(), if kind == EventType::Insert { 2 } else { 1 });
        assert_eq!(numbers(&small).unwrap(), rows);
    }
}

/// Such an image takes no bytes: rows without a column could not be counted, and reading them
/// would not end.
#[test]
fn ok_events_without_rows_become_one_up_to_the_end_of_their_statement() {
    let event =
        of(&body(&[0b11], &[0, 5, 0, 0, 0, 9]), 4, layout(EventType::Insert, false), &table()).unwrap();
    let stub = |ends| {
        let mut stub = RowsEvent { images: None, ..event.clone() };
        stub.statement.ends = ends;
        stub
    };
    let mut first = stub(false);
    assert!(first.absorb(&stub(false)) && !first.statement.ends);
    assert!(first.absorb(&stub(true)) && first.statement.ends);
    assert!(!first.absorb(&stub(false)), "another statement");
    assert!(!stub(false).absorb(&event), "rows are never lost");
    let other = RowsEvent { kind: EventType::Delete, ..stub(true) };
    let mut first = stub(false);
    assert!(!first.absorb(&other) && !first.statement.ends);
    assert!(!first.rows().step().unwrap());
    assert_eq!(first.left_out(), [0_usize; 0]);
}

#[test]
fn images_without_columns_are_refused() {
    for (kind, bitmaps) in [
        (EventType::Insert, &[0][..]),
        (EventType::Delete, &[0b100]),
        (EventType::Update, &[0, 0b11]),
        (EventType::Update, &[0b11, 0]),
    ] {
        let event = of(&body(bitmaps, &[0, 5, 0, 0, 0, 9]), 4, layout(kind, false), &table());
        assert!(event.unwrap_err().to_string().contains("without columns"), "{bitmaps:?}");
    }
}
