//! What SHOW calls the columns of information_schema, in its order.

/// Name in SHOW, name in information_schema.
type ShowColumns = &'static [(&'static str, &'static str)];

/// SHOW COLUMNS FULL; those that are in SHOW COLUMNS alone are the first six without Collation.
pub(super) const COLUMNS: ShowColumns = &[
    ("Field", "COLUMN_NAME"),
    ("Type", "COLUMN_TYPE"),
    ("Collation", "COLLATION_NAME"),
    ("Null", "IS_NULLABLE"),
    ("Key", "COLUMN_KEY"),
    ("Default", "COLUMN_DEFAULT"),
    ("Extra", "EXTRA"),
    ("Privileges", "PRIVILEGES"),
    ("Comment", "COLUMN_COMMENT"),
];
pub(super) const INDEX: ShowColumns = &[
    ("Table", "TABLE_NAME"),
    ("Non_unique", "NON_UNIQUE"),
    ("Key_name", "INDEX_NAME"),
    ("Seq_in_index", "SEQ_IN_INDEX"),
    ("Column_name", "COLUMN_NAME"),
    ("Collation", "COLLATION"),
    ("Cardinality", "CARDINALITY"),
    ("Sub_part", "SUB_PART"),
    ("Packed", "PACKED"),
    ("Null", "NULLABLE"),
    ("Index_type", "INDEX_TYPE"),
    ("Comment", "COMMENT"),
    ("Index_comment", "INDEX_COMMENT"),
    ("Visible", "IS_VISIBLE"),
    ("Expression", "EXPRESSION"),
];
pub(super) const TABLE_STATUS: ShowColumns = &[
    ("Name", "TABLE_NAME"),
    ("Engine", "ENGINE"),
    ("Version", "VERSION"),
    ("Row_format", "ROW_FORMAT"),
    ("Rows", "TABLE_ROWS"),
    ("Avg_row_length", "AVG_ROW_LENGTH"),
    ("Data_length", "DATA_LENGTH"),
    ("Max_data_length", "MAX_DATA_LENGTH"),
    ("Index_length", "INDEX_LENGTH"),
    ("Data_free", "DATA_FREE"),
    ("Auto_increment", "AUTO_INCREMENT"),
    ("Create_time", "CREATE_TIME"),
    ("Update_time", "UPDATE_TIME"),
    ("Check_time", "CHECK_TIME"),
    ("Collation", "TABLE_COLLATION"),
    ("Checksum", "CHECKSUM"),
    ("Create_options", "CREATE_OPTIONS"),
    ("Comment", "TABLE_COMMENT"),
];
pub(super) const CHARACTER_SETS: ShowColumns = &[
    ("Charset", "CHARACTER_SET_NAME"),
    ("Description", "DESCRIPTION"),
    ("Default collation", "DEFAULT_COLLATE_NAME"),
    ("Maxlen", "MAXLEN"),
];
pub(super) const COLLATIONS: ShowColumns = &[
    ("Collation", "COLLATION_NAME"),
    ("Charset", "CHARACTER_SET_NAME"),
    ("Id", "ID"),
    ("Default", "IS_DEFAULT"),
    ("Compiled", "IS_COMPILED"),
    ("Sortlen", "SORTLEN"),
    ("Pad_attribute", "PAD_ATTRIBUTE"),
];
pub(super) const ENGINES: ShowColumns = &[
    ("Engine", "ENGINE"),
    ("Support", "SUPPORT"),
    ("Comment", "COMMENT"),
    ("Transactions", "TRANSACTIONS"),
    ("XA", "XA"),
    ("Savepoints", "SAVEPOINTS"),
];
pub(super) const TRIGGERS: ShowColumns = &[
    ("Trigger", "TRIGGER_NAME"),
    ("Event", "EVENT_MANIPULATION"),
    ("Table", "EVENT_OBJECT_TABLE"),
    ("Statement", "ACTION_STATEMENT"),
    ("Timing", "ACTION_TIMING"),
    ("Created", "CREATED"),
    ("sql_mode", "SQL_MODE"),
    ("Definer", "DEFINER"),
    ("character_set_client", "CHARACTER_SET_CLIENT"),
    ("collation_connection", "COLLATION_CONNECTION"),
    ("Database Collation", "DATABASE_COLLATION"),
];
pub(super) const EVENTS: ShowColumns = &[
    ("Db", "EVENT_SCHEMA"),
    ("Name", "EVENT_NAME"),
    ("Definer", "DEFINER"),
    ("Time zone", "TIME_ZONE"),
    ("Type", "EVENT_TYPE"),
    ("Execute at", "EXECUTE_AT"),
    ("Interval value", "INTERVAL_VALUE"),
    ("Interval field", "INTERVAL_FIELD"),
    ("Starts", "STARTS"),
    ("Ends", "ENDS"),
    ("Status", "STATUS"),
    ("Originator", "ORIGINATOR"),
    ("character_set_client", "CHARACTER_SET_CLIENT"),
    ("collation_connection", "COLLATION_CONNECTION"),
    ("Database Collation", "DATABASE_COLLATION"),
];
pub(super) const ROUTINES: ShowColumns = &[
    ("Db", "ROUTINE_SCHEMA"),
    ("Name", "ROUTINE_NAME"),
    ("Type", "ROUTINE_TYPE"),
    ("Language", "EXTERNAL_LANGUAGE"),
    ("Definer", "DEFINER"),
    ("Modified", "LAST_ALTERED"),
    ("Created", "CREATED"),
    ("Security_type", "SECURITY_TYPE"),
    ("Comment", "ROUTINE_COMMENT"),
    ("character_set_client", "CHARACTER_SET_CLIENT"),
    ("collation_connection", "COLLATION_CONNECTION"),
    ("Database Collation", "DATABASE_COLLATION"),
];
