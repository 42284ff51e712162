//! One binary log file taken in, beside `mariadb-binlog -vv` printing it: each as a process on one
//! core.

use crate::mariadb::MariaDb;
use crate::{figure, median, size, take_in, tpcc};
use dbtrail_history::engine::{DiskEngine, DiskOptions, Engine, Table};
use std::error::Error;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const ROUNDS: usize = 3;
/// The size on disk is final when it has not changed for so long.
const STILL: Duration = Duration::from_secs(2);

/// What a process took.
pub struct Took {
    pub wall: f64,
    pub processor: f64,
    pub said: String,
}

/// Processor seconds of all processes that were waited for so far.
fn spent() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?;
    // cutime and cstime are the 16th and 17th field; the first after the name is the third. In
    // hundredths (USER_HZ).
    let ticks: Result<Vec<f64>, _> = fields.split_whitespace().skip(13).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<f64>() / 100.0)
}

/// Runs it on the first core.
pub fn on_one_core(program: &OsStr, arguments: &[&OsStr], keep: bool) -> Result<Took, Box<dyn Error>> {
    let (began, before) = (Instant::now(), spent()?);
    let output = Command::new("taskset")
        .args(["--cpu-list", "0"])
        .arg(program)
        .args(arguments)
        .stdout(if keep { Stdio::piped() } else { Stdio::null() })
        .stderr(Stdio::inherit())
        .spawn()?
        .wait_with_output()?;
    if !output.status.success() {
        return Err(format!("{} ended with {}", program.display(), output.status).into());
    }
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(Took { wall: began.elapsed().as_secs_f64(), processor: spent()? - before, said })
}

/// Of a log of its own making.
pub fn run(runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    let server = MariaDb::start()?;
    let file = runtime.block_on(tpcc::log(&server))?;
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join(file.file_name().ok_or("a path without a file")?);
    std::fs::copy(&file, &copy)?;
    drop(server);
    of(&copy)
}

/// Of a file.
pub fn of(file: &Path) -> Result<(), Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let bytes = std::fs::metadata(file)?.len();
    println!("a log file of {bytes} bytes, {ROUNDS} rounds on one core");
    let (mut by_time, mut by_processor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let printed =
            on_one_core(OsStr::new("mariadb-binlog"), &[OsStr::new("-vv"), file.as_os_str()], false)?;
        let folder = tempfile::tempdir()?;
        let store = folder.path().join("data");
        let arguments = [OsStr::new(take_in::WORD), file.as_os_str(), store.as_os_str()];
        std::fs::create_dir(&store)?;
        let taken = on_one_core(own.as_os_str(), &arguments, true)?;
        let changes: u64 = taken.said.parse()?;
        let rate = |seconds: f64| figure(changes) / seconds;
        println!(
            "taken in {:>8.0} row events a second ({:.2} s, {:.2} s of the processor); mariadb-binlog -vv {:>8.0} ({:.2} s, {:.2} s)",
            rate(taken.wall),
            taken.wall,
            taken.processor,
            rate(printed.wall),
            printed.wall,
            printed.processor
        );
        by_time.push(printed.wall / taken.wall);
        by_processor.push(printed.processor / taken.processor);
        let ended = size(&store);
        let settled = settled(&store)?;
        let index = index(&store)?;
        println!("the index of changes: {:.1} bytes an event", figure(index) / figure(changes));
        println!(
            "{changes} row events; on disk {ended} bytes when it ended, {settled} after it was opened again: {:.2} of the log's",
            figure(settled) / figure(bytes)
        );
    }
    println!(
        "times as fast as mariadb-binlog -vv (medians): {:.2} by the clock, {:.2} by processor time",
        median(by_time),
        median(by_processor)
    );
    Ok(())
}

/// Bytes of the index of changes, before the store compresses them.
fn index(data: &Path) -> Result<u64, Box<dyn Error>> {
    let engine = DiskEngine::open(&data.join("history"), DiskOptions::default())?;
    let (snapshot, mut from, mut bytes) = (engine.snapshot(), Vec::new(), 0_u64);
    loop {
        let pairs = snapshot.scan(Table::Changes, &from, &[0xff; 9], 1000)?;
        bytes += pairs.iter().map(|(key, value)| key.len() as u64 + value.len() as u64).sum::<u64>();
        let Some((last, _)) = pairs.last() else { return Ok(bytes) };
        from = [last.as_slice(), &[0]].concat();
    }
}

/// Bytes of a store that was opened and has put itself in order.
pub fn settled(data: &Path) -> Result<u64, Box<dyn Error>> {
    let engine = DiskEngine::open(&data.join("history"), DiskOptions::default())?;
    let (mut last, mut since) = (size(data), Instant::now());
    let end = since + 20 * STILL;
    while since.elapsed() < STILL && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
        let now = size(data);
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    drop(engine);
    Ok(size(data))
}
