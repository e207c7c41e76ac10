//! What time brings about.

use std::time::{Duration, Instant};

use super::Exchange;
use crate::media::session::rtcp::REPORT_INTERVAL;

/// OWT's word for a peer that never came or went away; its clients know it.
const ICE_FAILED: &str = "Ice procedure failed.";

impl Exchange {
    /// How long nothing needs to be done.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        self.timers.wait(now)
    }

    /// Does what is due.
    pub(crate) fn handle_deadlines(&mut self, now: Instant) {
        while let Some((at, key)) = self.timers.pop_due(now) {
            let Some(transport) = self.transports.get_mut(key) else { continue };
            if transport.scheduled != Some(at) {
                continue;
            }
            transport.scheduled = None;
            self.current = Some(key);
            self.handle_deadline(key, now);
        }
        self.current = None;
    }

    fn handle_deadline(&mut self, key: usize, now: Instant) {
        let transport = &mut self.transports[key];
        if transport.deadline <= now {
            self.fail_transport(key, ICE_FAILED, now);
            return;
        }
        if transport.dtls.next_due().is_some_and(|due| due <= now) {
            let outcome = transport.dtls.handle_timeout(now);
            self.send_dtls(key);
            if let Err(error) = outcome {
                self.fail_transport(key, &error.to_string(), now);
                return;
            }
        }
        let transport = &mut self.transports[key];
        if transport.next_report.is_some_and(|due| due <= now) {
            transport.next_report = Some(now + REPORT_INTERVAL);
            self.report(key, now);
        }
        self.serve_publisher(key, now);
        let transport = &self.transports[key];
        let due = [Some(transport.deadline), transport.dtls.next_due(), transport.next_report];
        if let Some(due) = due.into_iter().flatten().min() {
            self.schedule(key, due);
        }
    }
}
