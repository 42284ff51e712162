use super::*;
use crate::binlog_position::Identity;
use crate::engine::{Engine, InMemory as TestEngine};
use crate::names::TableState;
use dbtrail_types::timestamp::Timestamp;

fn state() -> State {
    let at = Timestamp::from_micros(1);
    let server = Identity { mariadb: true, uuid: None, server_id: 1, version: "10.11.14".to_owned() };
    let at_start = BinlogPosition { file: "log.000001".to_owned(), offset: 4 };
    let position = ResumePosition::new(at_start, String::new(), server);
    let coverage = Coverage { oldest: at, newest: at };
    State::new(ServerId("s".to_owned()), position, coverage)
}

#[test]
fn a_folder_in_another_form_is_refused() {
    let mut state = state();
    let read_back = |state: &State| {
        let (mut engine, mut batch) = (TestEngine::default(), Batch::default());
        batch.put(Table::Meta, STATE, &json(state).unwrap());
        engine.commit(&batch).unwrap();
        read(&*engine.snapshot()).map(|restored| restored.is_some())
    };
    for form in [OLDEST_FORM, FORM] {
        state.form = form;
        assert_eq!(read_back(&state), Ok(true));
    }
    for form in [OLDEST_FORM - 1, FORM + 1] {
        state.form = form;
        assert!(read_back(&state).unwrap_err().to_string().contains(&format!("written in form {form}")));
    }
}

#[test]
fn a_folder_in_the_older_form_is_in_the_newer_one_before_anything_is_written() {
    let mut old = state();
    old.form = OLDEST_FORM;
    let (mut engine, mut batch) = (TestEngine::default(), Batch::default());
    batch.put(Table::Meta, STATE, &json(&old).unwrap());
    engine.commit(&batch).unwrap();
    let mut ingest = Ingest::upon(Box::new(engine));
    take_back(&mut ingest).unwrap();
    let written: State = parsed(&ingest.committed().get(Table::Meta, STATE).unwrap().unwrap()).unwrap();
    assert_eq!((written.form, written.next), (FORM, old.next));
}

#[test]
fn what_tables_are_is_read_again_only_where_it_changed() {
    let (mut engine, mut batch) = (TestEngine::default(), Batch::default());
    batch.put(Table::Meta, STATE, &json(&state()).unwrap());
    let name = TableName { schema: "s".to_owned(), table: "t".to_owned() };
    batch.put(
        Table::Meta,
        &name_key(&name),
        &json(&(&name, [(ChangeSequence(1), TableState::Absent)])).unwrap(),
    );
    engine.commit(&batch).unwrap();
    let mut known = TableCache::default();
    let mut names =
        |engine: &TestEngine| read_again(&*engine.snapshot(), &mut known).unwrap().unwrap().tables.names;
    let first = names(&engine);
    assert_eq!(first.current(&name), TableState::Absent);
    batch.clear();
    let further = State { next: ChangeSequence(9), ..state() };
    batch.put(Table::Meta, STATE, &json(&further).unwrap());
    engine.commit(&batch).unwrap();
    assert!(Arc::ptr_eq(&first, &names(&engine)), "only the position is another");
    batch.clear();
    let gone = TableState::unreadable("gone".to_owned());
    batch.put(Table::Meta, &name_key(&name), &json(&(&name, [(ChangeSequence(1), &gone)])).unwrap());
    engine.commit(&batch).unwrap();
    assert_eq!(names(&engine).current(&name), gone);
}
