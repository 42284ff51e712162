//! Rows a second.

use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// Takes note of rows that were compared.
type Counted = Box<dyn Fn(u64) + Send + Sync>;

/// How fast rows are read.
pub(super) struct Pace {
    /// Rows a second at most; `None`: as many as come.
    most: Option<u32>,
    began: Instant,
    rows: u64,
    counted: Option<Counted>,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("most", &self.most).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Pace {
    pub(super) fn new(most: Option<u32>) -> Self {
        Self { most, began: Instant::now(), rows: 0, counted: None }
    }

    /// The same, and `counted` is called for each piece.
    pub(super) fn counting(self, counted: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self { counted: Some(Box::new(counted)), ..self }
    }

    /// Waits until so many more rows may have been read.
    pub(super) async fn wait(&mut self, rows: u64) {
        if let Some(counted) = &self.counted {
            counted(rows);
        }
        let Some(most) = self.most else { return };
        self.rows = self.rows.saturating_add(rows);
        let due = Duration::from_millis(self.rows.saturating_mul(1000) / u64::from(most.max(1)));
        tokio::time::sleep_until(self.began + due).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn rows_take_their_time() {
        let began = Instant::now();
        let mut pace = Pace::new(Some(1000));
        for _ in 0..5 {
            pace.wait(500).await;
        }
        assert_eq!(began.elapsed().as_millis(), 2500);
        Pace::new(None).wait(1 << 40).await;
        assert_eq!(began.elapsed().as_millis(), 2500);
    }
}
