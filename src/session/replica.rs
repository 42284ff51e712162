//! The columns of SHOW REPLICA STATUS, as MySQL declares them. There is never a row: this server
//! replicates from nobody.

use super::evaluate::Value;
use super::{Answer, computed};
use dbtrail_types::column::{ColumnType, IntSize};
use dbtrail_types::result_set::ResultColumn;

enum StatusColumn {
    /// Characters.
    Text(u32),
    /// INT UNSIGNED with this length.
    Int(u8),
    /// BIGINT UNSIGNED with this length.
    Big(u8),
}
use StatusColumn::{Big, Int, Text};

/// Under the names of SHOW REPLICA STATUS.
const COLUMNS: [(&str, StatusColumn); 60] = [
    ("Replica_IO_State", Text(14)),
    ("Source_Host", Text(256)),
    ("Source_User", Text(97)),
    ("Source_Port", Int(8)),
    ("Connect_Retry", Int(11)),
    ("Source_Log_File", Text(512)),
    ("Read_Source_Log_Pos", Big(11)),
    ("Relay_Log_File", Text(512)),
    ("Relay_Log_Pos", Big(11)),
    ("Relay_Source_Log_File", Text(512)),
    ("Replica_IO_Running", Text(3)),
    ("Replica_SQL_Running", Text(3)),
    ("Replicate_Do_DB", Text(20)),
    ("Replicate_Ignore_DB", Text(20)),
    ("Replicate_Do_Table", Text(20)),
    ("Replicate_Ignore_Table", Text(23)),
    ("Replicate_Wild_Do_Table", Text(24)),
    ("Replicate_Wild_Ignore_Table", Text(28)),
    ("Last_Errno", Int(5)),
    ("Last_Error", Text(20)),
    ("Skip_Counter", Int(11)),
    ("Exec_Source_Log_Pos", Big(11)),
    ("Relay_Log_Space", Big(11)),
    ("Until_Condition", Text(6)),
    ("Until_Log_File", Text(512)),
    ("Until_Log_Pos", Big(11)),
    ("Source_SSL_Allowed", Text(7)),
    ("Source_SSL_CA_File", Text(512)),
    ("Source_SSL_CA_Path", Text(512)),
    ("Source_SSL_Cert", Text(512)),
    ("Source_SSL_Cipher", Text(512)),
    ("Source_SSL_Key", Text(512)),
    ("Seconds_Behind_Source", Big(11)),
    ("Source_SSL_Verify_Server_Cert", Text(3)),
    ("Last_IO_Errno", Int(5)),
    ("Last_IO_Error", Text(20)),
    ("Last_SQL_Errno", Int(5)),
    ("Last_SQL_Error", Text(20)),
    ("Replicate_Ignore_Server_Ids", Text(512)),
    ("Source_Server_Id", Int(9)),
    ("Source_UUID", Text(36)),
    ("Source_Info_File", Text(1024)),
    ("SQL_Delay", Int(11)),
    ("SQL_Remaining_Delay", Int(9)),
    ("Replica_SQL_Running_State", Text(20)),
    ("Source_Retry_Count", Big(11)),
    ("Source_Bind", Text(256)),
    ("Last_IO_Error_Timestamp", Text(20)),
    ("Last_SQL_Error_Timestamp", Text(20)),
    ("Source_SSL_Crl", Text(512)),
    ("Source_SSL_Crlpath", Text(512)),
    ("Retrieved_Gtid_Set", Text(0)),
    ("Executed_Gtid_Set", Text(0)),
    ("Auto_Position", Int(9)),
    ("Replicate_Rewrite_DB", Text(24)),
    ("Channel_Name", Text(192)),
    ("Source_TLS_Version", Text(512)),
    ("Source_public_key_path", Text(512)),
    ("Get_Source_public_key", Int(9)),
    ("Network_Namespace", Text(193)),
];

/// The answer; `old_words`: to SHOW SLAVE STATUS, with the names that it had.
pub(super) fn status(old_words: bool) -> Answer {
    let column = |(name, kind): &(&str, StatusColumn)| -> ResultColumn {
        let name = if old_words {
            name.replace("Get_Source", "Get_master").replace("Source", "Master").replace("Replica_", "Slave_")
        } else {
            (*name).to_owned()
        };
        let integer = |size, width: &u8| ColumnType::Int {
            size,
            unsigned: true,
            zerofill: false,
            display_width: Some(*width),
        };
        let (of, ty) = match kind {
            Text(chars) => (Value::from(""), ColumnType::VarChar { chars: *chars }),
            Int(width) => (Value::Int(0), integer(IntSize::Int, width)),
            Big(width) => (Value::Int(0), integer(IntSize::Big, width)),
        };
        let mut column = super::evaluate::column_of(&name, &of);
        (column.ty, column.nullable) = (ty, false);
        computed(&name, column)
    };
    Answer::Table(COLUMNS.iter().map(column).collect(), Vec::new())
}
