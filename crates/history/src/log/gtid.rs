//! Transaction ids in events: of one transaction, and of all that went before a file.

use super::bytes::Bytes;
use super::event::Event;
use super::{Gtid, LogFault, SourceTime};
use mysql_common::binlog::BinlogCtx;
use mysql_common::binlog::consts::BinlogVersion;
use mysql_common::binlog::events::{FormatDescriptionEvent, GtidEvent};
use mysql_common::io::ParseBuf;
use mysql_common::proto::MyDeserialize;
use std::fmt::Write;

/// What a GTID event says of the transaction after it.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    pub(super) gtid: Option<Gtid>,
    /// Commit time in microseconds since 1970, where the event has one.
    pub(super) committed: Option<i64>,
    /// MariaDB: a transaction begins here, and no BEGIN follows.
    pub(super) begins: bool,
    /// MariaDB: an ALTER TABLE that begins here, or failed (`binlog_alter_two_phase`). Its
    /// statement changes nothing: an ALTER takes effect where it is logged as carried out, with its
    /// text again.
    pub(super) idle: bool,
    /// MariaDB 11.5 and newer: the connection that made the transaction.
    pub(super) connection: Option<u32>,
    /// MySQL: it was committed first at another time than this one, so by a replica's source, or by
    /// what a log that is replayed was made of.
    pub(super) relayed: bool,
}

/// Extra flag of MariaDB's GTID events: the byte after it says how many engines took part.
const MULTI_ENGINE: u8 = 1;
/// The same: the connection is up last.
const CONNECTION: u8 = 0x10;
/// The same, of its statements too: what `binlog_alter_two_phase` logs of an ALTER TABLE.
const START_ALTER: u8 = 2;
pub(super) const COMMIT_ALTER: u8 = 4;
pub(super) const ROLLBACK_ALTER: u8 = 8;

/// MySQL: GTID_LOG_EVENT, ANONYMOUS_GTID_LOG_EVENT, GTID_TAGGED_LOG_EVENT.
pub(super) fn mysql(event: &Event, anonymous: bool, time: SourceTime) -> Result<Announced, LogFault> {
    let read = read_mysql(event.kind, event.body())?;
    let stamp = |micros: u64| i64::try_from(micros).ok().filter(|t| *t > 0);
    let stamp = match time {
        SourceTime::Local => stamp(read.immediate_commit_timestamp()),
        SourceTime::Original => {
            stamp(read.original_commit_timestamp()).or_else(|| stamp(read.immediate_commit_timestamp()))
        }
    };
    let gtid = (!anonymous).then(|| named(&read));
    let relayed = read.original_commit_timestamp() != read.immediate_commit_timestamp();
    Ok(Announced { gtid, committed: stamp, begins: false, idle: false, connection: None, relayed })
}

fn read_mysql(kind: u8, body: &[u8]) -> Result<GtidEvent, LogFault> {
    let format = FormatDescriptionEvent::new(BinlogVersion::Version4);
    let context = BinlogCtx::new(body.len(), &format, kind);
    GtidEvent::deserialize(context, &mut ParseBuf(body)).map_err(|e| LogFault::Gtid(e.to_string()))
}

fn named(event: &GtidEvent) -> Gtid {
    Gtid::MySql {
        source: event.sid(),
        tag: event.tag().map(|t| t.to_string().to_lowercase()).filter(|t| !t.is_empty()),
        number: event.gno(),
    }
}

/// The transaction that a GTID event of MySQL announces: GTID_LOG_EVENT, GTID_TAGGED_LOG_EVENT.
///
/// # Errors
/// The event cannot be read.
pub(crate) fn of_mysql(kind: u8, body: &[u8]) -> Result<Gtid, LogFault> {
    read_mysql(kind, body).map(|event| named(&event))
}

/// MariaDB: GTID_EVENT (Knowledge Base: [GTID_EVENT](https://mariadb.com/kb/en/gtid_event/)).
pub(super) fn mariadb(event: &Event) -> Result<Announced, LogFault> {
    const STANDALONE: u8 = 1;
    const GROUP_COMMIT: u8 = 2;
    const PREPARED_XA: u8 = 0x40;
    const COMPLETED_XA: u8 = 0x80;
    let mut body = Bytes(event.body());
    let sequence = body.u64()?;
    let domain = body.u32()?;
    let flags = body.u8()?;
    let gtid = Gtid::MariaDb { domain, server: event.server, sequence };
    if flags & GROUP_COMMIT != 0 {
        body.u64()?;
    }
    if flags & (PREPARED_XA | COMPLETED_XA) != 0 {
        body.u32()?;
        let (global, branch) = (body.u8()?, body.u8()?);
        body.take(usize::from(global) + usize::from(branch))?;
    }
    // What is left is short where nothing more is said.
    let extra = if body.is_empty() { 0 } else { body.u8()? };
    let idle = extra & (START_ALTER | ROLLBACK_ALTER) != 0;
    if extra & MULTI_ENGINE != 0 {
        body.u8()?;
    }
    if extra & (COMMIT_ALTER | ROLLBACK_ALTER) != 0 {
        body.u64()?;
    }
    let connection = if extra & CONNECTION == 0 { 0 } else { body.u32()? };
    let connection = Some(connection).filter(|id| *id > 0);
    let begins = flags & STANDALONE == 0;
    Ok(Announced { gtid: Some(gtid), committed: None, begins, idle, connection, relayed: false })
}

/// PREVIOUS_GTIDS_LOG_EVENT as a GTID set in text; `None`: a form (with tags) that is not read
/// here.
pub(super) fn previous_mysql(body: &[u8]) -> Result<Option<String>, LogFault> {
    let mut input = Bytes(body);
    let sources = input.u64()?;
    // The form with tags marks itself in the highest byte.
    if sources >> 56 != 0 {
        return Ok(None);
    }
    let mut text = String::new();
    for _ in 0..sources {
        let source: [u8; 16] = input.take(16)?.try_into().map_err(|_| LogFault::GtidSetCut)?;
        let uuid = Gtid::MySql { source, tag: None, number: 0 }.to_string();
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(uuid.trim_end_matches(":0"));
        for _ in 0..input.u64()? {
            let (from, following) = (input.u64()?, input.u64()?);
            // Writing to a String cannot fail.
            let _ = write!(text, ":{from}-{}", following.saturating_sub(1));
        }
    }
    Ok(Some(text))
}

/// MariaDB's GTID_LIST_EVENT as a list in text.
pub(super) fn previous_mariadb(body: &[u8]) -> Result<String, LogFault> {
    let mut input = Bytes(body);
    let count = input.u32()? & 0x0fff_ffff;
    let mut list = Vec::new();
    for _ in 0..count {
        let (domain, server, sequence) = (input.u32()?, input.u32()?, input.u64()?);
        list.push(Gtid::MariaDb { domain, server, sequence }.to_string());
    }
    Ok(list.join(","))
}

#[cfg(test)]
mod tests {
    use super::super::event;
    use super::*;

    /// Bodies of GTID events as MariaDB 11.8.9 and 10.11.19 wrote them.
    #[test]
    fn an_alter_in_two_phases_takes_effect_where_it_is_committed() {
        for (body, idle, connection) in [
            ("17000000000000000000000029120800000000", true, Some(8)),
            ("1800000000000000000000002914170000000000000008000000", false, Some(8)),
            ("1a00000000000000000000002918190000000000000008000000", true, Some(8)),
            ("10000000000000000000000029000000000000", false, None),
            ("1b000000000000000000000029100800000000", false, Some(8)),
        ] {
            let body = hex::decode(body).unwrap();
            let mut raw = vec![0, 0, 0, 0, event::kind::MARIADB_GTID, 1, 0, 0, 0];
            raw.extend(u32::try_from(19 + body.len()).unwrap().to_le_bytes());
            raw.extend([0; 6]);
            raw.extend(&body);
            let announced = mariadb(&event::event(raw.into(), 4, false).unwrap()).unwrap();
            let is = (announced.idle, announced.begins, announced.connection);
            assert_eq!(is, (idle, false, connection), "{body:?}");
        }
    }

    /// GTID events as a replica of MySQL 9.7.4 wrote them, which applied a transaction of its
    /// source two seconds late, and then carried out one of its own.
    #[test]
    fn source_time_says_whose_commit_counts() {
        const APPLIED: &str = "f45a0b6b212279000056000000930800000000003b340809eb7e11f1a2b202fc000000010700000000000000020800\
                               0000000000000900000000000000bb85c1045e61860bb99f045e6106fc1101506201005573afde";
        const OWN: &str = "f75a0b6b21237900004f0000009d0900000000003b2b5d2ceb7e11f1ab6e02fc000000010300000000000000020800\
                           0000000000000a0000000000000010edce045e6106fc0e0150620100de5c559a";
        for (raw, number, local, original) in [
            (APPLIED, 7, 1_795_906_294_875_579, 1_795_906_292_660_491),
            (OWN, 3, 1_795_906_295_754_000, 1_795_906_295_754_000),
        ] {
            let raw = hex::decode(raw).unwrap();
            let event = event::event(raw.into(), 4, true).unwrap();
            for (time, want) in [(SourceTime::Local, local), (SourceTime::Original, original)] {
                let announced = mysql(&event, false, time).unwrap();
                assert_eq!(announced.committed, Some(want), "{time:?}");
                assert!(announced.gtid.unwrap().to_string().ends_with(&format!(":{number}")));
            }
        }
    }
}
