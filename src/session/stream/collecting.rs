//! Answers of which all rows are there before the first one is shown: in an order, or in groups.

use super::{RowStream, each_line};
use crate::agent_client::Batch;
use crate::failure::Failure;
use crate::session::group::Groups;
use crate::session::row_maker::RowMaker;
use dbtrail_types::result_set::{Note, Row};
use std::ops::ControlFlow;

/// Rows that ORDER BY keeps in memory at most, in bytes of cells.
const SORT_MEMORY: usize = 64 << 20;

impl RowStream {
    /// All rows.
    pub(super) async fn all_rows(&mut self) -> Result<(Vec<Row>, Vec<Note>), Failure> {
        let (mut all, mut bytes) = (Vec::new(), 0_usize);
        loop {
            let batch = self.rows.next().await?;
            if let Batch::End(notes) = &batch {
                return Ok((all, self.noted(notes)));
            }
            each_row(&self.maker, &batch, &mut |row| {
                bytes += row.iter().flatten().map(|c| c.len() + 32).sum::<usize>();
                if bytes > SORT_MEMORY {
                    return Err(Failure::Unsupported(format!(
                        "ORDER BY over more than {SORT_MEMORY} bytes of rows: ask for fewer keys, or sort in the client"
                    )));
                }
                all.push(row);
                Ok(())
            })?;
            self.hold(bytes)?;
        }
    }

    /// All rows, as groups.
    pub(super) async fn grouped(&mut self, mut groups: Groups) -> Result<(Vec<Row>, Vec<Note>), Failure> {
        loop {
            let batch = self.rows.next().await?;
            match &batch {
                Batch::End(notes) => {
                    return Ok((groups.rows(self.maker.source.len())?, self.noted(notes)));
                }
                Batch::Rows(_) | Batch::Events(_) if groups.is_a_count() => {
                    let mut lines = 0;
                    each_line(&self.maker, &batch, &mut |_| {
                        lines += 1;
                        Ok(ControlFlow::Continue(()))
                    })?;
                    groups.count(lines);
                }
                Batch::Rows(_) | Batch::Events(_) => {
                    each_row(&self.maker, &batch, &mut |row| groups.add(&row, &self.maker.source))?;
                    self.hold(groups.bytes())?;
                }
            }
        }
    }

    fn hold(&mut self, bytes: usize) -> Result<(), Failure> {
        if self.share.hold(bytes) { Ok(()) } else { Err(Failure::NoMemory) }
    }
}

/// Gives the rows of a batch with all columns of the source.
fn each_row(
    maker: &RowMaker,
    batch: &Batch,
    each: &mut dyn FnMut(Row) -> Result<(), Failure>,
) -> Result<(), Failure> {
    each_line(maker, batch, &mut |line| {
        each(maker.row(line)?)?;
        Ok(ControlFlow::Continue(()))
    })
}
