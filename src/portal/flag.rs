//! A flag that is raised once and waited for by many.

use tokio::sync::watch;

/// Waits until the flag is raised, or until nobody can raise it any more.
pub(super) async fn raised(flag: &mut watch::Receiver<bool>) {
    drop(flag.wait_for(|raised| *raised).await);
}
