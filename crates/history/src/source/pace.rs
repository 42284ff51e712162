//! How fast tables are read.

use super::config::SourceConfig;
use std::time::Duration;
use tokio::time::Instant;

/// Keeps to the rows a second that may be read.
#[derive(Debug)]
pub(super) struct Pace {
    rows_per_second: u32,
    next: Instant,
}

impl Pace {
    pub(super) fn of(config: &SourceConfig) -> Self {
        Self { rows_per_second: config.rows_per_second, next: Instant::now() }
    }

    /// Waits until the rows just read have had their time.
    pub(super) async fn wait(&mut self, rows: u32) {
        if self.rows_per_second == 0 {
            return;
        }
        let time = Duration::from_secs_f64(f64::from(rows) / f64::from(self.rows_per_second));
        // Time in which nothing was read is not made up for.
        self.next = self.next.max(Instant::now()) + time;
        tokio::time::sleep_until(self.next).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ok_the_pace_is_kept() {
        let mut pace = Pace { rows_per_second: 1_000, next: Instant::now() };
        let began = Instant::now();
        for _ in 0..10 {
            pace.wait(500).await;
        }
        assert_eq!(began.elapsed().as_millis() / 100, 50);
    }
}
