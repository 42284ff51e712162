//! The two forms of rows: the text protocol and the binary one.

use crate::failure::Failure;
use dbtrail_mysql_wire::{binary, results};
use dbtrail_types::byte_list::ByteList;
use dbtrail_types::result_charset::ResultCharset;
use dbtrail_types::result_set::ResultColumn;

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
    pub(super) fn rows<'r, R: Iterator<Item = Option<&'r [u8]>>>(
        self,
        rows: impl Iterator<Item = R>,
        columns: &[ResultColumn],
        charset: ResultCharset,
    ) -> Result<ByteList, Failure> {
        let mut packets = ByteList::default();
        for row in rows {
            packets.push(|out| match self {
                Self::Text => {
                    results::put_row(out, row, columns, charset);
                    Ok(())
                }
                Self::Binary => binary::put_row(out, row, columns, charset).map_err(Failure::from),
            })?;
        }
        Ok(packets)
    }
}
