//! What is answered of an instant stays the answer: while the log comes in, while what was written
//! is not durable yet, and after a crash.

mod stamps;

use super::*;
use crate::capture::{ClockReading, Declared, Defaults, LogLoss, Start, ValidFrom};
use crate::checkpoint;
use crate::engine::{Batch, Engine, MemoryEngine, Snapshot, StoreError, WhenDurable};
use crate::log::{CommittedTransaction, LoggedStatement, Origin, Stamp};
use dbtrail_types::agent_api::code;
use dbtrail_types::timestamp::AsOf;
use std::fmt;
use std::sync::{LazyLock, Mutex};

const AT: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
const T: &str = "CREATE TABLE `t` (\n  `id` int NOT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB";

/// An engine that keeps what is committed only when it is told to, as an object store does some
/// time later.
#[derive(Clone, Default)]
struct Late(Arc<Mutex<Batches>>);

#[derive(Default)]
struct Batches {
    /// With what is not kept yet.
    now: MemoryEngine,
    kept: MemoryEngine,
    pending: VecDeque<Batch>,
    committed: usize,
    /// Who waits for how many batches to be kept.
    waiting: VecDeque<(usize, WhenDurable)>,
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Late")
    }
}

impl Late {
    /// Keeps so many of the batches that wait for it.
    fn keep(&self, batches: usize) {
        let mut reached = Vec::new();
        {
            let mut all = self.0.lock().unwrap();
            for _ in 0..batches {
                let Some(batch) = all.pending.pop_front() else { break };
                all.kept.commit(&batch).unwrap();
            }
            let kept = all.committed - all.pending.len();
            while all.waiting.front().is_some_and(|(wanted, _)| *wanted <= kept) {
                reached.extend(all.waiting.pop_front());
            }
        }
        for (_, then) in reached {
            then(Ok(()));
        }
    }

    /// What another process finds after a crash.
    fn after_crash(&self) -> Self {
        let kept = self.0.lock().unwrap().kept.clone();
        Self(Arc::new(Mutex::new(Batches { now: kept.clone(), kept, ..Batches::default() })))
    }
}

impl Engine for Late {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut all = self.0.lock().unwrap();
        all.now.commit(batch)?;
        let mut copy = Batch::default();
        copy.append(batch);
        all.pending.push_back(copy);
        all.committed += 1;
        Ok(())
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.0.lock().unwrap().now.snapshot()
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.keep(usize::MAX);
        Ok(())
    }

    fn when_durable(&self, then: WhenDurable) {
        let wanted = self.0.lock().unwrap().committed;
        self.0.lock().unwrap().waiting.push_back((wanted, then));
        self.keep(0);
    }

    fn bytes(&self) -> u64 {
        0
    }
}

fn position(offset: u64) -> BinlogPosition {
    BinlogPosition { file: "binlog.000001".into(), offset }
}

fn table() -> TableName {
    TableName { schema: "s".into(), table: "t".into() }
}

fn later(micros: i64) -> Timestamp {
    Timestamp::from_micros(AT.micros() + micros)
}

fn recorder(engine: Late, source_time: SourceTime) -> Recorder {
    let server = ServerId("x".to_owned());
    let options = RecorderOptions { source_time, ..options() };
    let handle = Arc::new(HistoryHandle::live(server.clone(), AT));
    let mut recorder = Recorder::upon(Ingest::upon(Box::new(engine)), server, options, handle);
    let snapshot = recorder.ingest.committed();
    if let Some(restored) = checkpoint::read(&*snapshot).unwrap() {
        recorder.restore(restored);
        recorder.publish();
    }
    recorder
}

/// A reading of a clock that was not set back, however long a test takes.
fn plain(now: Timestamp) -> ClockReading {
    static BEGUN: LazyLock<Timer> = LazyLock::new(Timer::now);
    ClockReading { asked: *BEGUN, ..ClockReading::plain(now) }
}

fn start(at: Timestamp) -> Start {
    let server = Identity { mariadb: false, uuid: None, server_id: 1, version: "9.7.0".to_owned() };
    Start {
        position: ResumePosition::new(position(100), String::new(), server),
        at,
        tables: vec![Declared { name: table(), create: T.into() }],
        defaults: Defaults { lower_case_table_names: Some(0), collations: None },
        backlog: None,
    }
}

/// The transaction that ends at a byte of the log, which gives the table another column.
fn taken_in(recorder: &mut Recorder, end: u64, committed: Timestamp) {
    let end = position(end);
    if recorder.state.as_ref().unwrap().position.at.reaches(&end) {
        return;
    }
    let text = format!("ALTER TABLE t ADD c{} INT", end.offset);
    let statement = LoggedStatement {
        schema: Some("s".into()),
        sql_mode: Some(0),
        charsets: Some((45, 45, 46)),
        database_collation: Some(46),
        explicit_timestamps: Some(true),
        ..LoggedStatement::plain(&text, recorder.version(), committed)
    };
    let mut entry = CommittedTransaction {
        gtid: None,
        committed,
        stamp: Stamp::Commit,
        position: position(end.offset - 10),
        origin: Origin::default(),
        changes: vec![Change::Statement(statement)].into(),
    };
    let visible = recorder.visible(&mut entry, &end, Timer::now());
    let server = recorder.state.as_ref().unwrap().position.server.clone();
    recorder.sight.took(None, entry.committed, &server);
    recorder.ingest.entry_seen(entry, visible).unwrap();
    recorder.state.as_mut().unwrap().position.at = end;
    recorder.unwritten = true;
}

/// How many columns the table has at an instant, or why that is not answered.
fn columns_at(recorder: &Recorder, at: Timestamp) -> Result<usize, String> {
    let history = recorder.history_handle.current().ok_or("nothing is served")?;
    let found = history.table(&table(), Some(&AsOf::Time(at)));
    found.map(|answer| answer.definition.columns.len()).map_err(|refusal| refusal.code.to_owned())
}

#[test]
fn the_instant_at_which_a_record_begins_is_answered_when_the_log_has_come_there() {
    let mut r = recorder(Late::default(), SourceTime::Local);
    r.begin(start(AT)).unwrap();
    r.ingest.engine().sync().unwrap();
    let not_ready = Err(code::NOT_READY.to_owned());
    assert_eq!(columns_at(&r, AT), not_ready);
    assert_eq!(r.history_handle.status(AT).newest, None);
    assert_eq!(r.history_handle.status(AT).tables[0].newest, None);
    // Committed while the start was noted, or in the second at whose end the record begins.
    taken_in(&mut r, 200, later(-5));
    r.commit().unwrap();
    r.ingest.engine().sync().unwrap();
    assert_eq!(columns_at(&r, AT), not_ready);
    taken_in(&mut r, 300, AT);
    r.clock(&plain(later(2))).unwrap();
    r.ingest.engine().sync().unwrap();
    assert_eq!(columns_at(&r, AT), Ok(3));
    assert_eq!(r.history_handle.status(AT).newest, Some(later(2)));
}

#[test]
fn the_instant_at_which_a_gap_ends_is_answered_when_the_log_has_come_there() {
    let mut r = recorder(Late::default(), SourceTime::Local);
    r.begin(start(AT)).unwrap();
    r.clock(&plain(later(2))).unwrap();
    r.gap(&LogLoss::StartedOver, start(later(9))).unwrap();
    r.ingest.engine().sync().unwrap();
    assert_eq!(columns_at(&r, later(2)), Ok(1));
    assert_eq!(columns_at(&r, later(8)), Err(code::GAP.to_owned()));
    assert_eq!(columns_at(&r, later(9)), Err(code::OUT_OF_RANGE.to_owned()));
    taken_in(&mut r, 200, later(8));
    r.clock(&plain(later(9))).unwrap();
    r.ingest.engine().sync().unwrap();
    assert_eq!(columns_at(&r, later(9)), Ok(2));
}

/// A generator of numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A reading of the clock, of a server that applies what others committed, or of one that does not.
fn reading(clock: i64, follows: bool) -> ValidFrom<ClockReading> {
    let safe = (!follows).then_some(later(clock));
    let what = ClockReading { safe, follows, ..plain(later(clock)) };
    ValidFrom { after: position(4), what }
}

/// Nothing that was answered of an instant is answered otherwise later, whenever what was written
/// becomes durable, and whenever the process is killed.
fn answers_stay(seed: u64, source_time: SourceTime, follows: bool) -> usize {
    let mut numbers = Numbers(seed);
    let mut engine = Late::default();
    let mut r = recorder(engine.clone(), source_time);
    r.begin(start(AT)).unwrap();
    r.sight.came(&reading(0, follows));
    // The log, and the server's clock.
    let (mut log, mut clock) = (Vec::new(), 0);
    let mut answered = BTreeMap::new();
    for _ in 0..60 {
        match numbers.below(8) {
            0..=2 => {
                clock += 1 + numbers.below(3).cast_signed();
                // What another server stamped may be older than what came before it.
                let back = if follows { numbers.below(12).cast_signed() } else { 0 };
                log.push((200 + 100 * log.len() as u64, later(clock - back)));
                let (end, committed) = log[log.len() - 1];
                taken_in(&mut r, end, committed);
            }
            3 | 4 => {
                clock += 1;
                let reading = reading(clock, follows);
                r.sight.came(&reading);
                r.clock(&reading.what).unwrap();
            }
            5 => r.commit().unwrap(),
            6 => engine.keep(1 + usize::try_from(numbers.below(3)).unwrap()),
            _ if numbers.below(3) == 0 => {
                engine = engine.after_crash();
                r = recorder(engine.clone(), source_time);
                if r.state.is_none() {
                    assert!(answered.is_empty(), "what is answered is kept");
                    r.begin(start(later(clock))).unwrap();
                    log.clear();
                }
                // The log comes again, from where it was kept on.
                r.sight.came(&reading(clock, follows));
                for (end, committed) in &log {
                    taken_in(&mut r, *end, *committed);
                }
            }
            _ => {}
        }
        let Some(history) = r.history_handle.current() else { continue };
        let (oldest, newest) = (history.coverage().oldest, history.coverage().newest);
        for at in oldest.micros()..=newest.micros() {
            let said = columns_at(&r, Timestamp::from_micros(at));
            let before = answered.entry(at).or_insert_with(|| said.clone());
            assert_eq!(*before, said, "seed {seed}: at {}", at - AT.micros());
        }
    }
    answered.len()
}

#[test]
fn what_was_answered_stays_the_answer_also_after_a_crash() {
    let total: usize = (0..80).map(|seed| answers_stay(seed, SourceTime::Local, false)).sum();
    assert!(total > 800, "{total}");
}

#[test]
fn what_was_answered_stays_the_answer_with_the_times_of_another_server() {
    let of = |time| (0..80).map(|seed| answers_stay(seed, time, true)).sum::<usize>();
    let (local, original) = (of(SourceTime::Local), of(SourceTime::Original));
    assert!(local > 500 && original > 500, "{local} {original}");
}
