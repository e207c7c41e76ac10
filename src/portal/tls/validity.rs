//! Whether a certificate counts today. Clients refuse one that does not, and say little of why.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use rustls_pki_types::CertificateDer;
use x509_cert::{Certificate, der::Decode as _, time::Time};

/// A certificate that clients refuse because of the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untimely {
    path: PathBuf,
    fault: Fault,
    /// As a certificate writes it, in UTC.
    date: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Expired,
    NotYetValid,
}

impl fmt::Display for Untimely {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, date) = (self.path.display(), &self.date);
        match self.fault {
            Fault::Expired => write!(
                f,
                "the certificate in {path} expired on {date}, so that clients refuse it; renew it"
            ),
            Fault::NotYetValid => write!(
                f,
                "the certificate in {path} counts from {date} on and clients refuse it before; \
                 check the clock, or use another"
            ),
        }
    }
}

/// What is wrong with the time of the server's own certificate, the first of its chain. One that
/// cannot be read this way is for TLS to judge.
pub(super) fn check(
    path: &Path,
    chain: &[CertificateDer<'_>],
    now: SystemTime,
) -> Option<Untimely> {
    let own = Certificate::from_der(chain.first()?).ok()?;
    let validity = own.tbs_certificate().validity();
    let (from, to) = (&validity.not_before, &validity.not_after);
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let untimely = |fault, time: &Time| Untimely {
        path: path.to_owned(),
        fault,
        date: time.to_date_time().to_string(),
    };
    if now > to.to_unix_duration() {
        return Some(untimely(Fault::Expired, to));
    }
    (now < from.to_unix_duration()).then(|| untimely(Fault::NotYetValid, from))
}
