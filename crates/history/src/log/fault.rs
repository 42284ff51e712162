//! What can be wrong with an event of the log.

use dbtrail_types::names::TableName;

/// What is wrong with an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// A DATETIME that no server stores.
    #[error("a DATETIME beyond the year 9999")]
    DateTimeTooLate,
    /// A DECIMAL of more digits than MySQL has.
    #[error("a DECIMAL of more bytes than any has")]
    DecimalTooLong,
    /// Nine digits of a DECIMAL that are more than 999999999.
    #[error("a DECIMAL whose digits overflow their group")]
    DecimalOverflow,
    /// A GTID set that ends inside of a UUID.
    #[error("a GTID set cut short")]
    GtidSetCut,
    /// JSON inside of more JSON than MySQL allows.
    #[error("a JSON document deeper than MySQL allows")]
    JsonTooDeep,
    /// The length of a JSON string.
    #[error("a JSON length of more than five bytes")]
    JsonLength,
    /// A part of a JSON document outside of it.
    #[error("a JSON offset beyond its document")]
    JsonOffset,
    /// Text of a JSON document.
    #[error("a JSON string that is not UTF-8")]
    JsonNotUtf8,
    /// A date or time inside of JSON.
    #[error("a JSON time out of range")]
    JsonTime,
    /// Optional metadata of a table map.
    #[error("a collation for a column that is not there")]
    CollationWithoutColumn,
    /// Optional metadata of a table map.
    #[error("a collation id beyond 65535")]
    CollationId,
    /// A compressed rows or query event of MariaDB.
    #[error("a compressed event of an unknown kind of compression")]
    EventCompression,
    /// A compressed event of another length than its own head says.
    #[error("a compressed event whose length is not what it says")]
    InflatedEventLength,
    /// TRANSACTION_PAYLOAD_EVENT inside of one.
    #[error("a compressed transaction inside of another")]
    NestedPayload,
    /// The head of a file that is cut short.
    #[error("a format description without a checksum algorithm")]
    NoChecksumAlgorithm,
    /// Optional metadata of a table map.
    #[error("a key over a column that is not there")]
    KeyWithoutColumn,
    /// A length that does not fit the memory of this computer.
    #[error("a length that no event can have")]
    LengthTooLarge,
    /// The name of a schema, table or column.
    #[error("a name that is not UTF-8")]
    NameNotUtf8,
    /// A DATETIME below zero.
    #[error("a negative DATETIME")]
    NegativeDateTime,
    /// ROTATE_EVENT that is cut short.
    #[error("a rotate event without a position")]
    RotateWithoutPosition,
    /// Rows where no transaction has begun.
    #[error("a rows event outside of any transaction")]
    RowsOutsideTransaction,
    /// The head of a rows event.
    #[error("a rows event whose extra data is too short")]
    RowsExtraData,
    /// A rows event that names no column.
    #[error("a rows event without columns")]
    RowsWithoutColumns,
    /// Rows of a table that no table map has named.
    #[error("a rows event without its table map")]
    RowsWithoutTableMap,
    /// A table map that is cut short.
    #[error("a table map without the metadata of a column")]
    NoColumnMetadata,
    /// A value of MariaDB's COMPRESSED columns.
    #[error("a value of a COMPRESSED column in an unknown kind of compression")]
    ValueCompression,
    /// A compressed value of another length than its own head says.
    #[error("a value of a COMPRESSED column whose length is not what it says")]
    InflatedValueLength,
    /// A length inside of an event that leads beyond its end.
    #[error("an event is shorter than its own lengths say")]
    EventTooShort,
    /// An event shorter than header and checksum.
    #[error("an event too short for its checksum")]
    NoRoomForChecksum,
    /// More bytes than the header of the event says.
    #[error("an event with bytes after its end")]
    BytesAfterEvent,
    /// A file that MariaDB has encrypted.
    #[error(
        "from here on the file is encrypted (encrypt_binlog=ON): let the agent capture from the server itself (--source), which sends its log in clear"
    )]
    EncryptedFromHere,
    /// CRC32 of the event.
    #[error("its checksum does not match: the file is damaged")]
    Checksum,
    /// XA PREPARE without an end, too often.
    #[error("more prepared XA transactions than can be kept")]
    TooManyPrepared,
    /// Another kind of file.
    #[error("the file does not begin with the bytes of a binary log (fe 62 69 6e)")]
    NotABinaryLog,
    /// A file that MySQL has encrypted.
    #[error(
        "the file is encrypted (binlog_encryption=ON): let the agent capture from the server itself (--source), which sends its log in clear"
    )]
    Encrypted,
    /// A file without room for the first four bytes.
    #[error("the file is shorter than four bytes")]
    FileTooShort,
    /// A compressed transaction that ends inside of an event.
    #[error("a compressed transaction with {fault}, after {at} bytes")]
    PayloadCut {
        /// The fault with which the file ends.
        fault: Box<LogFault>,
        /// Bytes of it that could be read.
        at: u64,
    },
    /// A rows event and its table map that do not fit each other.
    #[error("a rows event of {event} columns for {table}, whose table map has {mapped}")]
    ColumnCount {
        /// Columns of the rows event.
        event: usize,
        /// The table.
        table: TableName,
        /// Columns of its table map.
        mapped: usize,
    },
    /// How many bytes hold the length of a BLOB.
    #[error("a BLOB with a length of {0} bytes")]
    BlobLength(usize),
    /// A DECIMAL that MySQL does not have.
    #[error("a DECIMAL({precision},{scale})")]
    Decimal {
        /// All digits.
        precision: usize,
        /// Those after the point.
        scale: usize,
    },
    /// A GTID event.
    #[error("a GTID event that cannot be read: {0}")]
    Gtid(String),
    /// A type byte inside of JSON.
    #[error("a JSON value of kind {0}")]
    JsonKind(u8),
    /// A SET of more bytes than eight.
    #[error("a SET of {0} bytes")]
    SetWidth(usize),
    /// A type byte of a table map.
    #[error("a column of type {0}, which is not known")]
    ColumnType(u8),
    /// A compressed event that is larger than any server writes.
    #[error("a compressed event of {0} bytes")]
    EventTooLarge(u64),
    /// A compressed event.
    #[error("a compressed event that cannot be inflated: {0}")]
    Inflate(String),
    /// TRANSACTION_PAYLOAD_EVENT.
    #[error("a compressed transaction that cannot be unpacked: {0}")]
    Payload(String),
    /// The compression of a TRANSACTION_PAYLOAD_EVENT; `None`: it names none.
    #[error("a transaction compressed in a way ({0:?}) that is not known")]
    PayloadCompression(Option<u64>),
    /// A value of MariaDB's COMPRESSED columns.
    #[error("a value of a COMPRESSED column cannot be inflated: {0}")]
    InflateValue(String),
    /// A value of a COMPRESSED column that is larger than any server writes.
    #[error("a value of a COMPRESSED column of {0} bytes")]
    ValueTooLarge(u64),
    /// An ENUM of other than one or two bytes.
    #[error("an ENUM of {0} bytes")]
    EnumWidth(u8),
    /// The type byte of an event that must not be passed over.
    #[error("an event of type {0}, which is not known")]
    EventType(u8),
    /// The end of the bytes inside of an event.
    #[error("an event of {length} bytes of which {there} are there")]
    EventCut {
        /// Bytes that its header says it has.
        length: usize,
        /// Bytes that there are.
        there: usize,
    },
    /// A length that no event has.
    #[error("an event that says it is {0} bytes long")]
    EventLength(usize),
    /// A format of binary logs older than MySQL 5.0.
    #[error("binary log version {0}; only version 4 is read")]
    LogVersion(u16),
    /// The checksum algorithm of a file.
    #[error("checksum algorithm {0} is not known")]
    ChecksumAlgorithm(u8),
    /// The length of event headers in a file.
    #[error("event headers of {0} bytes; only 19 are known")]
    HeaderLength(u8),
    /// Decimals of a time.
    #[error("fractional seconds of {0} decimals")]
    FractionalSeconds(u8),
    /// Neither null, true nor false.
    #[error("the JSON literal {0}")]
    JsonLiteral(u8),
    /// The file itself.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// The end of the bytes inside of an event header.
    #[error("{0} bytes where an event header was expected")]
    HeaderCut(usize),
    /// A length-encoded integer.
    #[error("{0}")]
    Packet(String),
}
