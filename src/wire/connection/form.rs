//! The two forms of rows: the text protocol and the binary one.

use crate::failure::Failure;
use dbtrail_mysql_wire::{binary, results};
use dbtrail_types::result_charset::ResultCharset;
use dbtrail_types::result_set::{ResultColumn, Row};

/// In which protocol rows go out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// ["Text
    /// Resultset"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html).
    Text,
    /// ["Binary Protocol
    /// Resultset"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html).
    Binary,
}

impl Form {
    /// The packets of rows; a cell that has no binary form is a failure.
    pub(super) fn rows(
        self,
        rows: &[Row],
        columns: &[ResultColumn],
        charset: ResultCharset,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        rows.iter()
            .map(|row| match self {
                Self::Text => Ok(results::row(row, columns, charset)),
                Self::Binary => Ok(binary::row(row, columns, charset)?),
            })
            .collect()
    }
}
